//! A decision about keys: who decides about many sees first which they are and what they do, and decides about just those.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::failure::Result;
use super::super::output::when;
use super::super::session::Session;
use super::super::{prompt, say};
use super::which::{Chosen, Which};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::manifest::Manifest;
use crate::domain::reach::BUSIEST;
use crate::domain::text::thousands;
use crate::service::Service;

/// Keys that a person is shown before the question.
const SHOWN: usize = 20;
/// How often the keys of a filter are read until they stay what they are while it is decided about them.
const LOOKS: usize = 5;

/// How often they were looked at again.
#[derive(Debug, Default)]
pub struct Looks(usize);

impl Looks {
    /// What a decision is about now, where it came to nothing because that is something else than what was shown. `None`: it is
    /// done.
    ///
    /// # Errors
    /// The decision's own, and once it has been looked at too often.
    pub async fn again(
        &mut self,
        done: Result,
        chosen: Chosen,
        which: &Which,
        service: &Service,
        session: &Session,
    ) -> Result<Option<Chosen>> {
        self.0 += 1;
        match done {
            Err(failure) if failure.moved && self.0 < LOOKS => say(&format!("keyrack: {failure}.")),
            done => return done.map(|()| None),
        }
        look_again(chosen, which, service, session).await.map(Some)
    }
}

/// Shows what is decided about: name, account, preview, last use; of several also what they do right now.
pub async fn show(chosen: &Chosen, service: &Service, now: Instant) -> Result {
    for key in chosen.keys.iter().take(SHOWN) {
        say(&format!("  {}", line(key, now)));
    }
    if let Some(more) = chosen.keys.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        say(&format!(
            "  … and {} more; `keyrack key reach` with the same arguments lists all",
            thousands(more as u64)
        ));
    }
    if chosen.keys.len() > 1 {
        say("");
        for (name, words) in service.reach_of(&chosen.keys).await?.lines(BUSIEST) {
            say(&format!("  {name:<9}  {words}"));
        }
    }
    Ok(())
}

fn line(key: &Key, now: Instant) -> String {
    let from = key.last_used_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| when::ago(at, now));
    format!(
        "{}  {:?}  account {}  {}  last used {used}{from}  {}",
        key.preview,
        key.name.as_str(),
        key.account,
        key.status(now).as_str(),
        key.id
    )
}

/// Asks: for a yes about one key, for their number about several. `question` is without its mark.
pub async fn sure(chosen: &Chosen, question: &str, session: &Session) -> Result<bool> {
    match chosen.keys.len() {
        0 | 1 => prompt::confirm(&session.global, question).await,
        many => prompt::confirm_number(&session.global, question, many).await,
    }
}

/// What the decision holds for: the keys as they were read, where a person was shown them or a filter found them. Who
/// named keys and said yes beforehand means them whatever they are.
pub fn shown(chosen: &Chosen, which: &Which, session: &Session, now: Instant) -> Option<Arc<Manifest>> {
    let matters = which.filter.is_some() || prompt::must_ask(&session.global);
    matters.then(|| Arc::new(Manifest::of(&chosen.keys, now)))
}

/// Reads again what a decision is about, once it is something else than what was shown.
async fn look_again(
    mut chosen: Chosen,
    which: &Which,
    service: &Service,
    session: &Session,
) -> Result<Chosen> {
    if which.filter.is_some() {
        return which.choose(service, session).await;
    }
    chosen.keys = service.keys(&chosen.ids()).await?;
    Ok(chosen)
}

/// Says what a filter finds now and did not find before: it was left alone.
pub async fn newcomers(chosen: &Chosen, which: &Which, service: &Service, session: &Session) {
    // It was only looked for to be told.
    let Ok(now) = (if which.filter.is_some() { which.choose(service, session).await } else { return }) else {
        return;
    };
    let Ok(at) = service.now().await else { return };
    let known: HashSet<KeyId> = chosen.keys.iter().map(|key| key.id).collect();
    let new: Vec<&Key> =
        now.keys.iter().filter(|key| !key.is_revoked(at) && !known.contains(&key.id)).collect();
    let Some(first) = new.first() else { return };
    let more =
        if new.len() > 1 { format!(" and {} more", thousands(new.len() as u64 - 1)) } else { String::new() };
    session.remark(&format!(
        "Created or changed meanwhile, so that it now matches the filter: {:?} of {}{more}. That was left as it is.",
        first.name.as_str(),
        first.account
    ));
}
