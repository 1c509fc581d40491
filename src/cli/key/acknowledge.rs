//! `keyrack key acknowledge`: the secrets arrived.

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::session::{Session, insist};
use super::super::{count, prompt, say};
use super::decide::{self, Looks};
use super::which::{self, Chosen, Which};
use crate::domain::text::thousands;
use crate::service::{Acknowledged, Service, new_operation};

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let mut chosen = arguments.which.choose(service, session).await?;
    if let ([key], [_]) = (chosen.keys.as_slice(), arguments.which.ids.as_slice()) {
        let operation = new_operation();
        let same = key.acknowledged_at.is_some();
        let key = insist(|| service.acknowledge_key(operation, key.id)).await?;
        let what = || format!("acknowledge key {:?} of {} ({})", key.name.as_str(), key.account, key.id);
        if session.settled(same, what) {
            return Ok(());
        }
        return session.outcome().one(&key, service.now().await?);
    }
    chosen.remark_parts(session);
    let (which, mut looks) = (&arguments.which, Looks::default());
    loop {
        let done = several(which, &chosen, service, session).await;
        match looks.again(done, chosen, which, service, session).await? {
            Some(others) => chosen = others,
            None => return Ok(()),
        }
    }
}

async fn several(which: &Which, chosen: &Chosen, service: &Service, session: &Session) -> Result {
    let now = service.now().await?;
    let (ids, shown) = (chosen.ids(), decide::shown(chosen, which, session, now));
    let carry_out = async |service: &Service| {
        let operation = new_operation();
        insist(|| service.acknowledge_keys(operation, &ids, shown.clone())).await
    };
    let tried = carry_out(&service.trying()).await?;
    let told = told(&tried);
    if confirmed(&tried) == 0 {
        session.outcome().list(&chosen.keys, now)?;
        session.remark(&format!("There is no secret to confirm{told}. Nothing was changed."));
        return Ok(());
    }
    let what = format!("the secrets of {}", count(confirmed(&tried), "key"));
    if prompt::must_ask(&session.global) && prompt::can_ask(&session.global) || session.global.dry_run {
        decide::show(chosen, service, now).await?;
        if !told.is_empty() {
            say(&format!("  Left as they are{told}"));
        }
    }
    if session.would(|| format!("confirm {what}{told}")) {
        return Ok(());
    }
    let question = format!("Confirm that {what} arrived");
    if !decide::sure(chosen, &question, session).await? {
        return Err(Failure::new(Exit::Failure, "nothing was confirmed"));
    }
    let done = carry_out(service).await?;
    let keys: Vec<_> = done.iter().map(|one| one.key.clone()).collect();
    session.outcome().list(&keys, service.now().await?)?;
    session.remark(&format!("{} confirmed{}.", thousands(confirmed(&done)), self::told(&done)));
    Ok(())
}

fn confirmed(done: &[Acknowledged]) -> u64 {
    done.iter().filter(|one| !one.already && !one.over).count() as u64
}

/// `: 3 were confirmed before, 2 are over`
fn told(done: &[Acknowledged]) -> String {
    let of = |which: fn(&Acknowledged) -> bool| done.iter().filter(|one| which(one)).count();
    let counts = [(of(|one| one.already), "confirmed before"), (of(|one| one.over), "expired or revoked")];
    let words: Vec<String> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{} {words}", thousands(number as u64)))
        .collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}
