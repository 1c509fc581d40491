//! `keyrack key show`: everything known about keys.

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::output::{object, when};
use super::super::session::Session;
use super::super::{restored, say};
use super::which::{self, Which};
use crate::domain::key::{Key, Status};
use crate::domain::verdict::meets;
use crate::service::{AuditFilter, AuditRequest, Service};

/// Rows of its history that a person is shown.
const HISTORY: u32 = 10;
/// Rows of it that a program is given, the newest.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let mut keys = match (arguments.which.choose(service, session).await, arguments.which.ids.as_slice()) {
        (Err(failure), [id]) if failure.exit == Exit::NotFound => {
            let words = restored::recall_unknown(id, service, session).await;
            return Err(words.map_or(failure, Failure::not_found));
        }
        (chosen, _) => chosen?.keys,
    };
    let people = session.format().for_people();
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => return one(key, service, session).await,
        (None, _) if people => session.remark("No key matches the filter."),
        (last, _) if people => {
            for (place, key) in keys.into_iter().chain(last).enumerate() {
                if place > 0 {
                    session.remark("");
                }
                one(key, service, session).await?;
            }
        }
        (last, _) => {
            keys.extend(last);
            session.printer().list(&keys, service.now().await?)?;
        }
    }
    Ok(())
}

/// Everything known about one key, with its history.
async fn one(key: Key, service: &Service, session: &Session) -> Result {
    let now = service.now().await?;
    let filter = AuditFilter { key: Some(key.id), ..AuditFilter::default() };
    let people = session.format().for_people();
    let limit = if people { HISTORY } else { PAGE };
    let history = service.audit(&AuditRequest { filter, before: None, limit }).await?;
    let entries: Vec<_> =
        if people { Vec::new() } else { history.iter().map(|entry| object(entry, now)).collect() };
    let late = service.late(&key).await?;
    let told = serde_json::to_value(&late).unwrap_or_default();
    session.printer().one_with(&key, now, &[("history", entries.into()), ("after_end", told)])?;
    restored::recall(&[key.id], service, session).await;
    if !people || session.global.quiet {
        return Ok(());
    }
    let policy = match service.issuer(&key.issuer).await {
        Ok(issuer) => Some(issuer.policy),
        // Nobody can read whose key it is.
        Err(_) if !key.odd.is_empty() => None,
        Err(error) => return Err(error.into()),
    };
    if matches!(
        key.status(now),
        Status::Planned | Status::Paused | Status::Suspended | Status::Refused | Status::Damaged
    ) {
        say(&meets(&key, policy.as_ref(), now));
    }
    for why in policy.iter().flat_map(|policy| policy.objections(&key, now)) {
        say(&format!("The policy would not allow it to be created today: {why}."));
    }
    if let Some(late) = late {
        let words = late.words();
        let first = words.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        say(&format!(
            "{first}{}. Tell its account's admins: keyrack key tell {}",
            &words[first.len()..],
            key.id
        ));
    }
    if key.rotation_due(now) {
        say(&format!("This key is due for rotation: keyrack key rotate {}", key.id));
    }
    if let Some(plan) = key.plan_ahead(now) {
        let why = plan.reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        say(&format!(
            "It is revoked {}, as {} planned{why}. To cancel that: keyrack key edit {} --revoke-at none",
            when::relative(plan.at, now),
            plan.by,
            key.id
        ));
    }
    if let Some(by) = key.claim_by().filter(|by| *by > now) {
        say(&format!(
            "Nobody has confirmed this key yet: it expires {} unless it is used, or confirmed with `keyrack key acknowledge {}`",
            when::relative(by, now),
            key.id
        ));
    }
    for (word, other) in [("It replaces", key.predecessor), ("It is replaced by", key.successor)] {
        if let Some(other) = other {
            say(&format!("{word} {other}"));
        }
    }
    if !history.is_empty() {
        say("History:");
    }
    for entry in history {
        let client =
            entry.client.as_ref().map(|client| format!(" from {client} (claimed)")).unwrap_or_default();
        let person = if entry.person.is_empty() { String::new() } else { format!(", {}", entry.person) };
        say(&format!(
            "  {}  {}  {}@{}{client}{person}",
            session.zone().exact(entry.at),
            entry.action,
            entry.actor,
            entry.host
        ));
    }
    Ok(())
}
