//! `keyrack key rotate`: a successor, handed over before anything happens to the old key (VI-12); of many keys in files.

use std::path::PathBuf;

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::prompt;
use super::super::session::Session;
use super::handover::{Destination, hand_over};
use super::which::{self, Which};
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::key::Key;
use crate::service::{Place, Service, new_operation};

mod many;

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How long the old key keeps working: none, 15m, 1h, 24h or 7d. Default: 24h, or none where the policy
    /// allows no overlap
    #[arg(long, value_name = "SPAN", value_parser = Overlap::parse)]
    overlap: Option<Overlap>,
    /// When the new key expires: never, 30d, 1y, 2027-01-31, …. Default: the old key's lifetime, as far as the
    /// policy allows
    #[arg(short, long, value_name = "WHEN")]
    expires: Option<String>,
    /// Write the secret to this new file (mode 0600) instead of standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out_dir", "out_env"])]
    out: Option<PathBuf>,
    /// Write each secret to a new file (mode 0600) in this folder, named after account, key and ID
    #[arg(long, value_name = "DIR", conflicts_with = "out_env")]
    out_dir: Option<PathBuf>,
    /// Write all secrets to this one new file (mode 0600), as lines like ACME_NODE_1=SECRET
    #[arg(long, value_name = "FILE")]
    out_env: Option<PathBuf>,
}

impl Arguments {
    /// Whether the secrets go to files of their own, all of them before anything is rotated.
    pub fn has_place(&self) -> bool {
        self.place().is_some()
    }

    fn place(&self) -> Option<Place> {
        let folder = self.out_dir.clone().map(Place::Folder);
        folder.or_else(|| self.out_env.clone().map(Place::Env))
    }
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    if let Some(place) = arguments.place() {
        return many::run(&arguments, place, session).await;
    }
    let mut chosen = arguments.which.choose(service, session).await?;
    chosen.remark_parts(session);
    match (chosen.keys.pop(), chosen.keys.len() + 1) {
        (None, _) => {
            session.remark("No key matches. Nothing was changed.");
            Ok(())
        }
        (Some(key), 1) => one(&arguments, key, service, session).await,
        (Some(_), many) => Err(Failure::usage(format!(
            "these are {many} keys: name a folder for their new secrets with --out-dir, or one file with --out-env"
        ))),
    }
}

/// The chosen expiry of keys of this issuer.
async fn expiry(arguments: &Arguments, issuer: &str, session: &Session) -> Result<Option<Expiry>> {
    let Some(text) = &arguments.expires else { return Ok(None) };
    let service = session.service().await?;
    let policy = service.issuer(issuer).await?.policy;
    let read = policy.expiry.read(text, session.here(service.now().await?));
    read.map(Some).map_err(|error| Failure::usage(format!("--expires: {error}")))
}

async fn one(arguments: &Arguments, key: Key, service: &Service, session: &Session) -> Result {
    let policy = service.issuer(&key.issuer).await?.policy;
    let overlap = arguments.overlap.unwrap_or_else(|| policy.rotation.usual());
    let expiry = expiry(arguments, &key.issuer, session).await?;
    let name = key.name.as_str();
    let place = Destination::find(arguments.out.as_deref(), session)?;
    if overlap == Overlap::None && prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        service.trying().rotate_key_until(new_operation(), key.id, overlap, expiry).await?;
        let question = format!(
            "Replace {name:?} of {} ({}), which stops working as soon as its replacement is handed over",
            key.account, key.preview
        );
        if !prompt::confirm(&session.global, &question).await? {
            return Err(Failure::new(Exit::Failure, "nothing was changed"));
        }
    }
    let created = service.rotate_key_until(new_operation(), key.id, overlap, expiry).await?;
    let made = created.key.created_at;
    let zone = session.here(made).zone;
    let expires = created.key.expires_at.map_or_else(|| "never".to_owned(), |at| zone.exact(at));
    let life = |key: &Key| key.expires_at.map(|end| end - key.created_at);
    // What a key was given that is replaced already is not in its own row any more.
    let shortened = expiry.is_none() && key.successor.is_none() && life(&key) != life(&created.key);
    let why = if shortened { ", which is what the policy allows now" } else { "" };
    if session.would(|| {
        let then = match overlap {
            Overlap::None => "stops working immediately".to_owned(),
            _ => format!("keeps working until {}", zone.exact(overlap.end(key.stops_at(), made))),
        };
        format!(
            "create a replacement of {name:?} ({}), which expires: {expires}{why}; the old key then {then}",
            key.preview
        )
    }) {
        return Ok(());
    }
    hand_over(created, &policy, place, session, service).await?;
    session.remark(&format!("The new key expires: {expires}{why}."));
    let old = service.key(key.id).await?;
    session.remark(&match old.ends_at() {
        _ if old.revoked_at.is_some() => format!("The old key {} ({}) is revoked.", old.preview, old.id),
        Some(end) => {
            format!("The old key {} ({}) keeps working until {}.", old.preview, old.id, zone.exact(end))
        }
        None => format!("The old key {} ({}) keeps working.", old.preview, old.id),
    });
    Ok(())
}
