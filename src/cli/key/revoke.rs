//! `keyrack key revoke`: dead at once, for good, and read back before it is said.

use std::path::PathBuf;

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::output::when;
use super::super::session::{Session, insist};
use super::super::{filter, prompt, restored, say};
use super::receipt::Gates;
use super::record::Ended;
use super::{find, the_key};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId, OperationId, Status};
use crate::domain::query::Sort;
use crate::domain::reach::BUSIEST;
use crate::service::{self, From, PageRequest, Revoked, Search, Service, UndoneList, new_operation};

/// Keys that a person is shown before the question.
const SHOWN: usize = 20;
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "filter", "secret_stdin", "undone"]))]
pub struct Arguments {
    /// Ids, or parts of an id or of a preview that fit no other key
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All keys that this filter fits and that are not revoked yet
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// All keys whose secrets are in the text on standard input, or typed at a hidden prompt; whatever stands around them
    #[arg(long)]
    secret_stdin: bool,
    /// All keys whose revocation a restored backup undid, as this machine remembers them; see `keyrack audit undone`
    #[arg(long)]
    undone: bool,
    /// With --undone: a memory's file from another machine or from a gate as well
    #[arg(long, value_name = "FILE", requires = "undone")]
    memory: Option<PathBuf>,
    /// Why; kept with the key and in the audit
    #[arg(short, long, visible_alias = "note", value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
}

impl Arguments {
    pub fn undone(&self) -> bool {
        self.undone
    }
}

/// The keys to revoke: all their ids, and some of them to look at.
#[derive(Default)]
struct Chosen {
    ids: Vec<KeyId>,
    active: usize,
    some: Vec<Key>,
    /// The texts of the filter that had to be only a part of what they fit.
    parts: Vec<String>,
    /// What was given as a secret and led to no key.
    missed: Option<String>,
    /// The revocations that are made again, if that is what is wanted.
    undone: Option<UndoneList>,
}

impl Chosen {
    fn add(&mut self, key: Key, now: Instant) {
        if self.ids.contains(&key.id) {
            return;
        }
        self.push(key, now);
    }

    async fn carry_out(
        &self,
        service: &Service,
        operation: OperationId,
        reason: Option<&str>,
    ) -> service::Result<Vec<Revoked>> {
        match &self.undone {
            Some(list) => service.revoke_again(operation, list, reason).await,
            None => service.revoke_keys(operation, &self.ids, reason).await,
        }
    }

    fn push(&mut self, key: Key, now: Instant) {
        self.ids.push(key.id);
        self.active += usize::from(key.status(now) == Status::Active);
        if self.some.len() < SHOWN {
            self.some.push(key);
        }
    }
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    let chosen = choose(&arguments, service, session, now).await?;
    for part in &chosen.parts {
        session.remark(&format!(
            "{part:?} fits whatever contains it. For one name exactly: --filter 'name:\"{part}\"'"
        ));
    }
    if let Some(list) = &chosen.undone {
        restored::tell(list, session).await;
    }
    if chosen.ids.is_empty() {
        session.outcome().list::<Ended>(&[], now)?;
        if chosen.undone.is_some() {
            return Ok(());
        }
        session.remark("No key fits that is not revoked already. Nothing was changed.");
        return Ok(());
    }
    let reason = arguments.reason.as_deref();
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let already = attempt(&chosen, reason, service).await?;
        if session.global.dry_run || prompt::can_ask(&session.global) {
            describe(&chosen, now);
            if chosen.ids.len() > 1 {
                reach(&chosen, service).await?;
            }
        }
        if session.global.dry_run {
            say(&would(&chosen, already));
            return missed(&chosen);
        }
    }
    let question = format!("Revoke {} at once and for good", number(&chosen));
    let sure = match chosen.ids.len() {
        1 => prompt::confirm(&session.global, &question).await?,
        many => prompt::confirm_number(&session.global, &question, many).await?,
    };
    if !sure {
        return Err(Failure::new(Exit::Failure, "nothing was revoked"));
    }
    revoke(&chosen, reason, service, session).await?;
    missed(&chosen)
}

/// What was given as a secret and led to no key must not pass for revoked.
fn missed(chosen: &Chosen) -> Result {
    match &chosen.missed {
        Some(words) => Err(Failure::not_found(words.clone())),
        None => Ok(()),
    }
}

async fn choose(arguments: &Arguments, service: &Service, session: &Session, now: Instant) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    if arguments.undone {
        let list = service.undone(arguments.memory.as_deref()).await?;
        for key in list.undone.iter().filter_map(|undone| undone.key.clone()) {
            chosen.push(key, now);
        }
        chosen.undone = Some(list);
    }
    if let Some(text) = &arguments.filter {
        if text.trim().is_empty() {
            return Err(Failure::usage(
                "an empty filter fits every key: write for example --filter account:acme",
            ));
        }
        let query = filter::query(text, session)?;
        chosen.parts = query.parts().into_iter().map(str::to_owned).collect();
        let mut from = From::Start;
        loop {
            let request = PageRequest { query: query.clone(), sort: Sort::default(), from, limit: PAGE };
            let page = service.page(&request).await?;
            let last = page.rows.last().map(|row| row.cursor.clone());
            for row in page.rows {
                if row.key.revoked_at.is_none() {
                    chosen.push(row.key, now);
                }
            }
            match last {
                Some(last) if page.more_after => from = From::After(last),
                _ => return Ok(chosen),
            }
        }
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
            chosen.missed = Some(format!("not all of that led to a key: {}", told.trim_end_matches('.')));
        }
        for found in search.found {
            chosen.push(found.key, now);
        }
    }
    for id in &arguments.ids {
        chosen.add(the_key(service, id).await?, now);
    }
    Ok(chosen)
}

/// Why a text that holds no whole secret revokes nothing, and which keys may be meant.
fn no_secret(search: &Search) -> String {
    const NAMED: usize = 3;
    let mut told = search.told();
    let names = search.keys().take(NAMED).map(|key| format!("{:?} ({})", key.name.as_str(), key.id));
    let more = if search.found.len() > NAMED || search.fit.is_some() { " and others" } else { "" };
    told.push(format!(
        "No whole secret of a key was found in it. It may mean {}{more}",
        names.collect::<Vec<_>>().join(", ")
    ));
    format!("{}: name the key by its id, `keyrack key revoke ID`. Nothing was changed", told.join(" "))
}

/// Shows what is about to end: name, account, preview, last use.
fn describe(chosen: &Chosen, now: Instant) {
    for key in &chosen.some {
        let from = key.last_used_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| when::ago(at, now));
        say(&format!(
            "  {}  {:?}  account {}  {}  last used {used}{from}  {}",
            key.preview,
            key.name.as_str(),
            key.account,
            key.status(now).as_str(),
            key.id
        ));
    }
    let more = chosen.ids.len() - chosen.some.len();
    if more > 0 {
        say(&format!("  … and {more} more"));
    }
}

/// Shows what the keys are and do: who decides about many should see it first.
async fn reach(chosen: &Chosen, service: &Service) -> Result {
    say("");
    for (name, words) in service.reach(&chosen.ids).await?.lines(BUSIEST) {
        say(&format!("  {name:<9}  {words}"));
    }
    Ok(())
}

fn number(chosen: &Chosen) -> String {
    let parts: Vec<String> = chosen.parts.iter().map(|part| format!("\"{part}\"")).collect();
    let containing = match parts.as_slice() {
        [] => String::new(),
        parts => format!(" whose name or text contains {}", parts.join(" and ")),
    };
    match chosen.ids.len() {
        1 => format!("this key{containing}"),
        many => format!("{many} keys{containing} ({} of them work)", chosen.active),
    }
}

fn would(chosen: &Chosen, already: usize) -> String {
    match chosen.ids.len() {
        all if all == already => "All of that was revoked before. Nothing was changed.".into(),
        _ if already == 0 => format!("Would revoke {}. Nothing was changed.", number(chosen)),
        _ => format!("Would revoke {}; {already} were revoked before. Nothing was changed.", number(chosen)),
    }
}

/// Tries it; answers how many of the keys were revoked before.
async fn attempt(chosen: &Chosen, reason: Option<&str>, service: &Service) -> Result<usize> {
    let (service, operation) = (service.trying(), new_operation());
    let revoked = insist(|| chosen.carry_out(&service, operation, reason)).await?;
    Ok(revoked.iter().filter(|revoked| revoked.already).count())
}

/// All of them or none.
async fn revoke(chosen: &Chosen, reason: Option<&str>, service: &Service, session: &Session) -> Result {
    if let Some(why) = service.only_reads() {
        return Err(Failure::new(Exit::Failure, why));
    }
    let ids = &chosen.ids;
    let operation = new_operation();
    let revoked =
        insist(|| chosen.carry_out(service, operation, reason)).await.map_err(|failure| match failure {
            failure if failure.is_refusal() => failure,
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
        many => format!("{many} keys are revoked{before}, and read back from the database."),
    });
    gates.tell(session);
    told.and_then(|()| gates.verdict()).map_err(|failure| match failure.exit {
        Exit::Done => Failure::new(
            Exit::Failure,
            "the keys are revoked, but standard output was closed before it said so",
        ),
        _ => failure,
    })
}
