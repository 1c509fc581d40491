//! `keyrack key rotate`: a successor, handed over before anything happens to the old key (VI-12).

use std::path::PathBuf;

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::prompt;
use super::super::session::Session;
use super::handover::{Destination, hand_over};
use super::the_key;
use crate::domain::expiry::Overlap;
use crate::domain::key::Key;
use crate::service::new_operation;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The key's id, or a part of it or of the preview that fits no other key
    #[arg(value_name = "ID")]
    id: String,
    /// How long the old key goes on working: none, 15m, 1h, 24h or 7d; 24h unless the policy allows none
    #[arg(long, value_name = "SPAN", value_parser = Overlap::parse)]
    overlap: Option<Overlap>,
    /// Write the secret into this new file (mode 0600) instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let key = the_key(service, &arguments.id).await?;
    let policy = service.issuer(&key.issuer).await?.policy;
    let overlap =
        arguments.overlap.unwrap_or(if policy.rotation.overlap { Overlap::Hours24 } else { Overlap::None });
    let name = key.name.as_str();
    let place = Destination::find(arguments.out.as_deref(), session)?;
    if overlap == Overlap::None && prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        service.trying().rotate_key(new_operation(), key.id, overlap).await?;
        let question = format!(
            "Replace {name:?} of {} ({}), which ends as soon as its successor is handed over",
            key.account, key.preview
        );
        if !prompt::confirm(&session.global, &question).await? {
            return Err(Failure::new(Exit::Failure, "nothing was changed"));
        }
    }
    let created = service.rotate_key(new_operation(), key.id, overlap).await?;
    let made = created.key.created_at;
    let zone = session.here(made).zone;
    let expiry = created.key.expires_at.map_or_else(|| "never".to_owned(), |at| zone.exact(at));
    let life = |key: &Key| key.expires_at.map(|end| end - key.created_at);
    // What a key was given that is replaced already is not in its own row any more.
    let shortened = key.successor.is_none() && life(&key) != life(&created.key);
    let why = if shortened { ", which is what the policy allows now" } else { "" };
    if session.would(|| {
        let then = match overlap {
            Overlap::None => "ends at once".to_owned(),
            _ => format!("goes on working until {}", zone.exact(overlap.end(key.expires_at, made))),
        };
        format!(
            "make a successor of {name:?} ({}), which expires: {expiry}{why}; the old key then {then}",
            key.preview
        )
    }) {
        return Ok(());
    }
    hand_over(created, &policy, place, session, service).await?;
    session.remark(&format!("The new key expires: {expiry}{why}."));
    let old = service.key(key.id).await?;
    session.remark(&match old.ends_at() {
        _ if old.revoked_at.is_some() => format!("The old key {} ({}) is revoked.", old.preview, old.id),
        Some(end) => {
            format!("The old key {} ({}) goes on working until {}.", old.preview, old.id, zone.exact(end))
        }
        None => format!("The old key {} ({}) goes on working.", old.preview, old.id),
    });
    Ok(())
}
