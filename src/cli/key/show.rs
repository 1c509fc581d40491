//! `keyrack key show`: everything known about a key.

use super::super::failure::Result;
use super::super::output::when;
use super::super::say;
use super::super::session::Session;
use super::the_key;
use crate::service::{AuditFilter, AuditRequest};

/// Rows of its history that a person is shown.
const HISTORY: u32 = 10;

pub async fn run(id: &str, session: &Session) -> Result {
    let service = session.service().await?;
    let key = the_key(service, id).await?;
    let now = service.now().await?;
    session.printer().one(&key, now)?;
    if !session.format().for_people() || session.global.quiet {
        return Ok(());
    }
    if key.rotation_due(now) {
        say(&format!("This key is due for rotation: keyrack key rotate {}", key.id));
    }
    if let Some(by) = key.claim_by().filter(|by| *by > now) {
        say(&format!(
            "Nobody has confirmed this key yet: it dies {} unless it is used, or confirmed with `keyrack key acknowledge {}`",
            when::relative(by, now),
            key.id
        ));
    }
    for (word, other) in [("It replaces", key.predecessor), ("It is replaced by", key.successor)] {
        if let Some(other) = other {
            say(&format!("{word} {other}"));
        }
    }
    let filter = AuditFilter { key: Some(key.id), ..AuditFilter::default() };
    let history = service.audit(&AuditRequest { filter, before: None, limit: HISTORY }).await?;
    if !history.is_empty() {
        say("History:");
    }
    for entry in history {
        let client = entry.client.as_ref().map(|client| format!(" from {client}")).unwrap_or_default();
        say(&format!(
            "  {}  {}  {}@{}{client}",
            session.zone().exact(entry.at),
            entry.action,
            entry.actor,
            entry.host
        ));
    }
    Ok(())
}
