//! Open overlaps: what of the old keys is still used, and ending them or making them longer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::Duration;
use serde_json::json;

use super::change::{Change, in_order, locked_as_shown};
use super::list::{Page, PageRequest};
use super::permit::permit;
use super::revoke::{Revoked, checked};
use super::{Error, Field, Intent, Result, Service};
use crate::domain::Instant;
use crate::domain::audit::{self, Action};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::query::{Cursor, Query, Side, Term, Test};
use crate::domain::rotation::{Lately, MINUTES, Rotation, extended, own_expiry};
use crate::domain::text::SafeText;
use crate::domain::usage::Minute;
use crate::store::Tx;

/// More keys than these have a transaction of their own, as revocations have.
const FEW: usize = 20;
/// Networks of a key that are told.
const NETWORKS: u32 = 3;

/// A page of open overlaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotations {
    pub rows: Vec<RotationRow>,
    /// See [`Page::at`].
    pub at: usize,
    pub more_before: bool,
    pub more_after: bool,
    pub now: Instant,
}

/// An overlap, and its old key's place in the table of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationRow {
    pub rotation: Rotation,
    pub cursor: Cursor,
}

/// Which overlaps end now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseOverlaps {
    /// The old keys.
    pub keys: Vec<KeyId>,
    /// `None`: that it was replaced, and by which key.
    pub reason: Option<String>,
    /// What the person was shown who decided: if the keys are others since, nothing is done.
    pub shown: Option<Arc<Manifest>>,
}

/// Which overlaps are to be longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendOverlaps {
    /// The old keys.
    pub keys: Vec<KeyId>,
    pub by: Duration,
    pub shown: Option<Arc<Manifest>>,
}

/// An overlap that was extended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    /// The old key, as it is now.
    pub key: Key,
    /// When it was to end before.
    pub was: Option<Instant>,
}

impl Query {
    /// The same, of old keys in open overlaps alone.
    fn being_replaced(&self) -> Self {
        let mut query = self.clone();
        query.terms.push(Term { negated: false, test: Test::Overlap(Side::Old) });
        query
    }
}

impl Service {
    /// A page of the open overlaps whose old keys the filter fits, with what both keys of each are used for.
    pub async fn rotations(&self, request: &PageRequest) -> Result<Rotations> {
        let request = PageRequest { query: request.query.being_replaced(), ..request.clone() };
        let Page { rows, at, more_before, more_after, now } = self.page(&request).await?;
        let (olds, mut cursors): (Vec<Key>, HashMap<KeyId, Cursor>) =
            rows.into_iter().map(|row| (row.key.clone(), (row.key.id, row.cursor))).unzip();
        let rotations = self.overlaps_of(olds, now).await?;
        let row =
            |rotation: Rotation| Some(RotationRow { cursor: cursors.remove(&rotation.old.id)?, rotation });
        let rows = rotations.into_iter().filter_map(row).collect();
        Ok(Rotations { rows, at, more_before, more_after, now })
    }

    /// How many overlaps are open whose old keys the filter fits.
    pub async fn count_rotations(&self, query: &Query) -> Result<super::Count> {
        self.count(&query.being_replaced()).await
    }

    /// The overlaps of these keys as far as they are open, in the same order.
    pub async fn overlaps_of(&self, olds: Vec<Key>, now: Instant) -> Result<Vec<Rotation>> {
        let olds: Vec<Key> = olds.into_iter().filter(|key| key.is_being_replaced(now)).collect();
        let news: BTreeSet<KeyId> = olds.iter().filter_map(|key| key.successor).collect();
        let news = self.inner.store.keys(&Vec::from_iter(news)).await?;
        let news: HashMap<KeyId, Key> = news.into_iter().map(|key| (key.id, key)).collect();
        let all: BTreeSet<KeyId> = olds.iter().map(|key| key.id).chain(news.keys().copied()).collect();
        let all = Vec::from_iter(all);
        let mut minutes: HashMap<KeyId, Vec<Minute>> = HashMap::new();
        for (key, minute) in self.inner.store.usage(&all, now - Duration::minutes(MINUTES)).await? {
            minutes.entry(key).or_default().push(minute);
        }
        let mut networks: HashMap<KeyId, (Vec<SafeText>, u64)> = HashMap::new();
        for (key, network, all) in self.inner.store.networks_of(&all, NETWORKS).await? {
            let (known, more) = networks.entry(key).or_default();
            known.push(network);
            *more = all.saturating_sub(known.len() as u64);
        }
        let lately = |key: KeyId| {
            let (networks, more_networks) = networks.get(&key).cloned().unwrap_or_default();
            Lately { minutes: minutes.get(&key).cloned().unwrap_or_default(), networks, more_networks }
        };
        let both = olds.into_iter().filter_map(|old| {
            let new = news.get(&old.successor?)?.clone();
            Some(Rotation { old_use: lately(old.id), new_use: lately(new.id), old, new })
        });
        Ok(both.collect())
    }

    /// Ends overlaps: the old keys are revoked at once and for good, in one transaction, and read back before it says so.
    pub async fn close_overlaps(&self, operation: OperationId, order: CloseOverlaps) -> Result<Vec<Revoked>> {
        let reason = checked(order.reason.as_deref())?.filter(|text| !text.is_empty());
        let keys = in_order(&order.keys);
        let mut revoked = self.change(operation, Close { keys, reason, shown: order.shown }).await?;
        if self.intent == Intent::Do {
            self.read_back(&mut revoked).await?;
            self.remember().await?;
        }
        Ok(revoked)
    }

    /// Lets old keys work for longer beside their replacements, in one transaction: all of them or none.
    ///
    /// No overlap outlives what the old key would have lived if it had not been replaced, what its policy allows, or the
    /// longest overlap that there is.
    pub async fn extend_overlaps(
        &self,
        operation: OperationId,
        order: ExtendOverlaps,
    ) -> Result<Vec<Extended>> {
        let keys = in_order(&order.keys);
        self.change(operation, Extend { keys, by: order.by, shown: order.shown }).await
    }
}

/// The key's replacement, if the overlap of both is open.
fn replacement(key: &Key, now: Instant) -> Result<KeyId> {
    let (name, id) = (key.name.as_str(), key.id);
    let why = match key.successor {
        Some(next) if key.is_being_replaced(now) => return Ok(next),
        _ if key.has_ended(now) => {
            let how = key.ended(now).map_or("ended", |(how, _)| how);
            format!("it is already {how}")
        }
        Some(next) if key.successor_ends_at.is_some_and(|end| end > now) => {
            format!(
                "nobody confirmed the secret of its replacement {next}: do that with `keyrack key acknowledge {next}`"
            )
        }
        Some(_) => "its replacement was not confirmed in time, so it keeps working as before".into(),
        None => match key.is_replacement(now) {
            true => format!(
                "it is the replacement: name the old key, {}",
                key.predecessor.map(|old| old.to_string()).unwrap_or_default()
            ),
            false => "nobody rotated it".into(),
        },
    };
    Err(Error::Refused(format!(
        "key {name:?} ({id}) is not in an overlap: {why}. Nothing was changed. See `keyrack rotation list`"
    )))
}

/// Whether a key that replaced this one, directly or through others, works although this one has ended.
async fn goes_on(tx: &mut Tx, ended: KeyId) -> Result<bool> {
    let mut seen = BTreeSet::new();
    let mut next = ended;
    while seen.insert(next) {
        let Some(key) = tx.keys(&[next]).await?.pop() else { return Ok(false) };
        if key.acknowledged_at.is_some() && !key.has_ended(tx.now()) {
            return Ok(true);
        }
        let Some(successor) = key.successor else { return Ok(false) };
        next = successor;
    }
    Ok(false)
}

struct Close {
    keys: Vec<KeyId>,
    reason: Option<String>,
    shown: Option<Arc<Manifest>>,
}

impl Change for Close {
    type Answer = Vec<Revoked>;

    fn shares(&self) -> bool {
        self.keys.len() <= FEW
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Revoked>> {
        permit(tx, Permission::ChangeKeys, "close overlaps").await?;
        let (keys, done_before) = locked_as_shown(tx, &self.keys, self.shown.as_deref()).await?;
        if done_before {
            return Ok(keys.into_iter().map(|key| Revoked { key, already: false }).collect());
        }
        let now = tx.now();
        let mut ends = Vec::with_capacity(keys.len());
        for key in &keys {
            let next = replacement(key, now)?;
            if key.successor_ends_at.is_some_and(|end| end <= now) && !goes_on(tx, next).await? {
                let (name, id) = (key.name.as_str(), key.id);
                return Err(Error::Refused(format!(
                    "the replacement of key {name:?} ({id}), {next}, does not work any more, and no key that replaced it does: \
                     closing the overlap would leave no key that works. Rotate {id} again, or revoke it with `keyrack key revoke {id}`. Nothing was changed"
                )));
            }
            ends.push((key.id, next, self.reason.clone().unwrap_or_else(|| format!("replaced by {next}"))));
        }
        // All of them before the first row of the audit, as everything of the outbox.
        tx.cancel_reminders(&self.keys, "revoked").await?;
        let by = tx.who().name.clone();
        let reasons: Vec<(KeyId, String)> =
            ends.iter().map(|(id, _, reason)| (*id, reason.clone())).collect();
        tx.revoke_each(now, &by, &reasons).await?;
        let changes = keys.iter().zip(&ends).map(|(key, (_, next, reason))| {
            let detail =
                json!({ "name": key.name, "preview": key.preview, "reason": reason, "successor": next });
            audit::Change::new(Action::KeyRevoke, key, detail)
        });
        tx.record_all(&changes.collect::<Vec<_>>()).await?;
        let revoked = keys.into_iter().zip(ends).map(|(mut key, (_, _, reason))| {
            key.revoked_at = Some(now);
            key.revoked_by = Some(by.as_str().into());
            key.revoke_reason = Some(SafeText::new(reason));
            Revoked { key, already: false }
        });
        Ok(revoked.collect())
    }
}

struct Extend {
    keys: Vec<KeyId>,
    by: Duration,
    shown: Option<Arc<Manifest>>,
}

impl Change for Extend {
    type Answer = Vec<Extended>;

    fn shares(&self) -> bool {
        self.keys.len() <= FEW
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Extended>> {
        permit(tx, Permission::ChangeKeys, "extend overlaps").await?;
        let (keys, done_before) = locked_as_shown(tx, &self.keys, self.shown.as_deref()).await?;
        if done_before {
            let was = |key: &Key| key.expires_at.and_then(|end| end.checked_sub_signed(self.by));
            return Ok(keys.into_iter().map(|key| Extended { was: was(&key), key }).collect());
        }
        let now = tx.now();
        let issuers = tx.issuers().await?;
        let policies: BTreeMap<&str, _> = issuers.iter().map(|of| (of.slug.as_str(), &of.policy)).collect();
        let news = keys.iter().map(|key| replacement(key, now)).collect::<Result<BTreeSet<KeyId>>>()?;
        let news = tx.keys(&Vec::from_iter(news)).await?;
        let news: HashMap<KeyId, Key> = news.into_iter().map(|key| (key.id, key)).collect();
        let mut told = tx.lives_told(&self.keys).await?;
        let mut ends = Vec::with_capacity(keys.len());
        for key in &keys {
            let policy = policies.get(key.issuer.as_str()).ok_or_else(|| Error::no_issuer(&key.issuer))?;
            let new = key.successor.and_then(|next| news.get(&next)).ok_or_else(|| Error::no_key(key.id))?;
            let rows = told.remove(&key.id).unwrap_or_default();
            let own = own_expiry(rows.iter().map(|(action, detail)| (action.as_str(), detail)));
            let end = extended(key, new, self.by, own, policy).map_err(|error| {
                let (name, account) = (key.name.as_str(), &key.account);
                Error::invalid(Field::Overlap, format!("{name:?} of {account}: {error}. Nothing was changed"))
            })?;
            ends.push((key.id, end));
        }
        tx.set_expiries(&ends).await?;
        let changes = keys.iter().zip(&ends).map(|(key, (_, end))| {
            let detail = json!({
                "name": key.name, "preview": key.preview, "ends_at": end, "was_ends_at": key.expires_at,
                "successor": key.successor,
            });
            audit::Change::new(Action::KeyRetire, key, detail)
        });
        tx.record_all(&changes.collect::<Vec<_>>()).await?;
        let extended = keys.into_iter().zip(ends).map(|(mut key, (_, end))| {
            let was = key.expires_at.replace(end);
            Extended { key, was }
        });
        Ok(extended.collect())
    }
}
