//! `keyrack key revoke`: dead at once, for good, and read back before it is said.

use std::path::PathBuf;

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::session::{Session, insist};
use super::super::{prompt, restored, say};
use super::decide::{self, Looks};
use super::edit;
use super::find;
use super::receipt::Gates;
use super::record::Ended;
use super::which::{self, Chosen, Which};
use crate::domain::Instant;
use crate::domain::key::OperationId;
use crate::domain::text::thousands;
use crate::service::{self, RevokeKeys, Revoked, Search, Service, UndoneList, new_operation};

#[derive(Debug, Args)]
#[command(group = which::needed(&["secret_stdin", "undone"]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// All keys whose secrets are in the text on standard input or typed at a hidden prompt; other text is ignored
    #[arg(long)]
    secret_stdin: bool,
    /// All keys whose revocation a restored backup undid, as this machine remembers them; see `keyrack audit undone`
    #[arg(long)]
    undone: bool,
    /// With --undone: also use the memory file of another machine or gate
    #[arg(long, value_name = "FILE", requires = "undone")]
    memory: Option<PathBuf>,
    /// Why; kept with the key and in the audit
    #[arg(short, long, visible_alias = "note", value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Revoke later: 3h, friday, 2027-01-31 18:00, …; a day means its last second. It happens automatically. To
    /// move or cancel it: `keyrack key edit --revoke-at`
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["secret_stdin", "undone"])]
    at: Option<String>,
}

impl Arguments {
    pub fn undone(&self) -> bool {
        self.undone
    }
}

/// The keys to revoke.
struct Wanted {
    chosen: Chosen,
    /// What was given as a secret and led to no key.
    missed: Option<String>,
    /// The revocations that are made again, if that is what is wanted.
    undone: Option<UndoneList>,
}

impl Wanted {
    async fn carry_out(
        &self,
        service: &Service,
        operation: OperationId,
        order: &RevokeKeys,
    ) -> service::Result<Vec<Revoked>> {
        match &self.undone {
            Some(list) => service.revoke_again(operation, list, order.reason.as_deref()).await,
            None => service.revoke_order(operation, order.clone()).await,
        }
    }
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    if let Some(when) = &arguments.at {
        return edit::revoke_at(&arguments.which, when, arguments.reason.clone(), session).await;
    }
    let service = session.service().await?;
    let mut wanted = choose(&arguments, service, session).await?;
    wanted.chosen.remark_parts(session);
    if let Some(list) = &wanted.undone {
        restored::tell(list, session).await;
    }
    let mut looks = Looks::default();
    loop {
        let done = decide_and_revoke(&arguments, &wanted, service, session).await;
        match looks.again(done, wanted.chosen, &arguments.which, service, session).await? {
            Some(others) => wanted.chosen = others,
            None => return Ok(()),
        }
        leave_revoked(&mut wanted.chosen, &arguments, service.now().await?);
    }
}

/// What a filter finds of keys that are revoked is no matter.
fn leave_revoked(chosen: &mut Chosen, arguments: &Arguments, now: Instant) {
    arguments.which.narrow(chosen, |key| !key.is_revoked(now));
}

async fn decide_and_revoke(
    arguments: &Arguments,
    wanted: &Wanted,
    service: &Service,
    session: &Session,
) -> Result {
    let (chosen, now) = (&wanted.chosen, service.now().await?);
    if chosen.keys.is_empty() {
        session.outcome().list::<Ended>(&[], now)?;
        if wanted.undone.is_none() {
            session.remark("No key matches that is not already revoked. Nothing was changed.");
        }
        return Ok(());
    }
    let order = RevokeKeys {
        keys: chosen.ids(),
        reason: arguments.reason.clone(),
        ticket: None,
        shown: decide::shown(chosen, &arguments.which, session, now),
    };
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let already = attempt(wanted, &order, service).await?;
        if session.global.dry_run || prompt::can_ask(&session.global) {
            decide::show(chosen, service, now).await?;
        }
        if session.global.dry_run {
            say(&would(chosen, already, now));
            return missed(wanted);
        }
    }
    let question = format!("Revoke {} immediately", number(chosen, now));
    if !decide::sure(chosen, &question, session).await? {
        return Err(Failure::new(Exit::Failure, "nothing was revoked"));
    }
    revoke(wanted, &order, service, session).await?;
    if order.shown.is_some() && prompt::must_ask(&session.global) {
        decide::newcomers(chosen, &arguments.which, service, session).await;
    }
    missed(wanted)
}

/// What was given as a secret and led to no key must not pass for revoked.
fn missed(wanted: &Wanted) -> Result {
    match &wanted.missed {
        Some(words) => Err(Failure::not_found(words.clone())),
        None => Ok(()),
    }
}

async fn choose(arguments: &Arguments, service: &Service, session: &Session) -> Result<Wanted> {
    let chosen = arguments.which.choose(service, session).await?;
    let mut wanted = Wanted { chosen, missed: None, undone: None };
    leave_revoked(&mut wanted.chosen, arguments, service.now().await?);
    if arguments.undone {
        let list = service.undone(arguments.memory.as_deref()).await?;
        wanted.chosen.keys = list.undone.iter().filter_map(|undone| undone.key.clone()).collect();
        wanted.undone = Some(list);
    }
    if arguments.secret_stdin {
        let search = service.find_keys(prompt::secrets(&session.global).await?).await?;
        if search.found.is_empty() {
            let why = find::nothing(&search, &service.location());
            return Err(Failure::not_found(format!("{why}. Nothing was changed")));
        }
        if !search.certain {
            return Err(Failure::usage(no_secret(&search)));
        }
        if search.clues.iter().any(|clue| clue.ours) {
            let told = search.told().join(" ");
            wanted.missed = Some(format!("not all of it matched a key: {}", told.trim_end_matches('.')));
        }
        wanted.chosen.keys = search.found.into_iter().map(|found| found.key).collect();
    }
    Ok(wanted)
}

/// Why a text that holds no whole secret revokes nothing, and which keys may be meant.
fn no_secret(search: &Search) -> String {
    const NAMED: usize = 3;
    let mut told = search.told();
    let names = search.keys().take(NAMED).map(|key| format!("{:?} ({})", key.name.as_str(), key.id));
    let more = if search.found.len() > NAMED || search.fit.is_some() { " and others" } else { "" };
    told.push(format!(
        "It contains no complete secret of a key. It may mean {}{more}",
        names.collect::<Vec<_>>().join(", ")
    ));
    format!("{}: name the key by its id, `keyrack key revoke ID`. Nothing was changed", told.join(" "))
}

fn number(chosen: &Chosen, now: Instant) -> String {
    match chosen.keys.len() {
        1 => chosen.words(),
        _ => format!("{} ({} of them work)", chosen.words(), thousands(chosen.working(now) as u64)),
    }
}

fn would(chosen: &Chosen, already: usize, now: Instant) -> String {
    match chosen.keys.len() {
        all if all == already => "All of these keys were already revoked. Nothing was changed.".into(),
        _ if already == 0 => format!("Would revoke {}. Nothing was changed.", number(chosen, now)),
        _ => format!(
            "Would revoke {}; {already} were revoked before. Nothing was changed.",
            number(chosen, now)
        ),
    }
}

/// Tries it; answers how many of the keys were revoked before.
async fn attempt(wanted: &Wanted, order: &RevokeKeys, service: &Service) -> Result<usize> {
    let (service, operation) = (service.trying(), new_operation());
    let revoked = insist(|| wanted.carry_out(&service, operation, order)).await?;
    Ok(revoked.iter().filter(|revoked| revoked.already).count())
}

/// All of them or none.
async fn revoke(wanted: &Wanted, order: &RevokeKeys, service: &Service, session: &Session) -> Result {
    let ids = &order.keys;
    let operation = new_operation();
    let revoked =
        insist(|| wanted.carry_out(service, operation, order)).await.map_err(|failure| match failure {
            failure if failure.unchanged => failure,
            failure => {
                let many = ids.len();
                failure.before(&format!("0 of {many} keys are revoked, {many} may still work: "))
            }
        })?;
    let already = revoked.iter().filter(|revoked| revoked.already).count();
    let mut gates = Gates::default();
    let receipt = gates.ask(ids, service).await;
    let revoked: Vec<_> = revoked
        .into_iter()
        .map(|revoked| Ended { revoked, gates: std::sync::Arc::clone(&receipt) })
        .collect();
    let mut printer = session.outcome();
    let now = service.now().await.unwrap_or_else(|_| session.clock.now());
    let told = printer.rows(&revoked, now);
    let told = told.and_then(|()| printer.finish::<Ended>().map(drop));
    let before = if already == 0 { String::new() } else { format!(" ({already} were revoked before)") };
    session.remark(&match ids.len() {
        1 if already == 1 => "It was revoked before; nothing was changed.".into(),
        1 => "Revoked, and read back from the database.".to_owned(),
        many => {
            format!("{} keys are revoked{before}, and read back from the database.", thousands(many as u64))
        }
    });
    gates.tell(session);
    told.and_then(|()| gates.verdict()).map_err(|failure| match failure.exit {
        Exit::Done => Failure::new(
            Exit::Failure,
            "the keys are revoked, but standard output was closed before this was printed",
        ),
        _ => failure,
    })
}
