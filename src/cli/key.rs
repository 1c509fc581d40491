//! `keyrack key`: create, list, show, find, acknowledge, edit, rotate and revoke keys.

use clap::Subcommand;

use super::failure::{Failure, Result};
use super::session::{Session, whole_id};
use crate::domain::key::Key;
use crate::domain::secret::SentKey;
use crate::service::{Error, Service};

mod acknowledge;
mod create;
pub(super) mod decide;
mod edit;
mod find;
mod handover;
mod limit;
pub(super) mod list;
pub(super) mod pause;
mod reach;
pub(super) mod receipt;
pub(super) mod record;
mod revoke;
mod rotate;
mod show;
pub(super) mod tell;
pub(super) mod usage;
pub(super) mod which;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a key and show its secret once
    Create(Box<create::Arguments>),
    /// List keys
    #[command(visible_alias = "ls")]
    List(list::Arguments),
    /// Show everything known about keys
    #[command(visible_alias = "get")]
    Show(show::Arguments),
    /// Find whose key a secret is (from standard input or a hidden prompt), or find keys by preview, last four
    /// characters or name
    Find(find::Arguments),
    /// Confirm that the secrets of new keys arrived; keys that nobody confirms or uses expire after ten minutes
    #[command(visible_aliases = ["ack", "confirm"])]
    Acknowledge(acknowledge::Arguments),
    /// Edit keys: name, owner, tags, scopes, networks, expiry; their secrets stay the same
    Edit(Box<edit::Arguments>),
    /// Show what a change to keys would affect: how many work, who uses them, whose they are; and list them
    Reach(reach::Arguments),
    /// Create a replacement with the same attributes; the old key stops working after the overlap
    Rotate(rotate::Arguments),
    /// Show how keys were used, as counted by gates
    Usage(usage::Arguments),
    /// Set a key's own request budgets, or remove them
    Limit(limit::Arguments),
    /// Notify account admins by mail that keys were exposed, were replaced, or are still tried after they
    /// stopped working
    Tell(tell::Arguments),
    /// Pause keys: they are refused for a while, then work again automatically
    Pause(pause::Pause),
    /// Resume paused keys immediately
    Resume(pause::Resume),
    /// Revoke keys: they stop working immediately, and this can't be undone
    #[command(visible_alias = "delete")]
    Revoke(revoke::Arguments),
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::Create(arguments) => create::run(*arguments, session).await,
        Command::List(arguments) => list::run(arguments, session).await,
        Command::Show(arguments) => show::run(arguments, session).await,
        Command::Find(arguments) => find::run(arguments, session).await,
        Command::Acknowledge(arguments) => acknowledge::run(arguments, session).await,
        Command::Edit(arguments) => edit::run(*arguments, session).await,
        Command::Reach(arguments) => reach::run(arguments, session).await,
        Command::Rotate(arguments) => rotate::run(arguments, session).await,
        Command::Usage(arguments) => usage::run(arguments, session).await,
        Command::Limit(arguments) => limit::run(arguments, session).await,
        Command::Tell(arguments) => tell::run(arguments, session).await,
        Command::Pause(arguments) => pause::pause(arguments, session).await,
        Command::Resume(arguments) => pause::resume(arguments, session).await,
        Command::Revoke(arguments) => revoke::run(arguments, session).await,
    }
}

/// The one key that `text` names: by its id, or by a part of the id or the end of the preview that no other key has.
///
/// A name doesn't count: names repeat, and a command that ends a key must not guess.
pub async fn the_key(service: &Service, text: &str) -> Result<Key> {
    if let Some(id) = whole_id(text) {
        return Ok(service.key(id).await?);
    }
    let part = text.to_ascii_lowercase();
    let part = part.trim_start_matches('…');
    let search = service.find_keys(SentKey::exact(text.as_bytes())).await?;
    let mut fitting: Vec<Key> = search
        .found
        .into_iter()
        .map(|found| found.key)
        .filter(|key| key.id.to_string().contains(part) || key.preview.as_str().ends_with(text))
        .collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(key), false) => {
            let candidates = fitting.iter().map(|key| key.id).chain([key.id]).collect();
            Err(Error::Ambiguous { name: text.to_owned(), candidates }.into())
        }
        (None, _) => Err(Failure::not_found(format!(
            "no key has {text:?} in its id or at the end of its preview. Look with `keyrack key list --filter TEXT`"
        ))),
    }
}
