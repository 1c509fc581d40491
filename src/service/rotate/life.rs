//! What a key's replacement is given of its life, and whether there may be one.

use super::super::change::locked;
use super::super::{Error, Result};
use crate::domain::Instant;
use crate::domain::key::Key;
use crate::domain::plan::Plan;
use crate::store::Tx;

/// Whether the key stands beside the one that it replaces, so that the account has one key more already.
pub(super) async fn replaces_a_living_key(tx: &mut Tx, key: &Key) -> Result<bool> {
    let Some(id) = key.predecessor else { return Ok(false) };
    Ok(!locked(tx, id).await?.has_ended(tx.now()))
}

/// How long a successor of `old` shall live, `None` for ever; refused where there must be none.
pub(super) async fn life(tx: &mut Tx, old: &Key) -> Result<Option<chrono::Duration>> {
    if old.has_ended(tx.now()) {
        let (id, word) = (old.id, old.status(tx.now()).as_str());
        return Err(Error::Refused(format!("key {id} is {word}: create a new one in its place")));
    }
    let Some(next) = old.successor else {
        return Ok(old.expires_at.map(|end| end - old.created_at));
    };
    let next = locked(tx, next).await?;
    if !next.has_ended(tx.now()) {
        return Err(Error::Refused(format!(
            "key {} already has a replacement, {}: rotate or revoke that one",
            old.id, next.id
        )));
    }
    // Once it was handed over, the old key's expiry is only the end of an overlap.
    intended_life(tx, next).await
}

/// How long a key was meant to live when the last of its line was made; `None` for ever. The last of a line was never
/// replaced, so that its expiry is the one that it was given.
async fn intended_life(tx: &mut Tx, successor: Key) -> Result<Option<chrono::Duration>> {
    let mut last = successor;
    while let Some(next) = last.successor {
        last = locked(tx, next).await?;
    }
    Ok(last.expires_at.map(|end| end - last.created_at))
}

/// What of the old key's plan lies ahead: another secret makes nothing work sooner or longer than was planned.
pub(super) fn taken_over(old: &Key, expires_at: Option<Instant>, now: Instant) -> Plan {
    let ends = old.plan_ahead(now).map(|plan| plan.at);
    let first = ends.filter(|at| expires_at.is_none_or(|expires| *at < expires));
    Plan { not_before: old.starts_at(now), revoke_at: first }
}
