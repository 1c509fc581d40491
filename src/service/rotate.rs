//! Replacing keys by others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::accounts::lock_account;
use super::change::{Change, all_locked, locked, persist};
use super::create::{Batch, Created, Draft, Entropy, Made, allow_more, check_scopes, count, creation};
use super::ids::new_id;
use super::permit::permit;
use super::wished::Wished;
use super::{Error, Field, Intent, Result, Service};
use crate::domain::account::Account;
use crate::domain::approval::Wish;
use crate::domain::audit::{self, Action};
use crate::domain::expiry::{Expiry, Overlap, check_expiry};
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::{Key, KeyId, NewKey, OperationId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::secret::{HashedKey, Peppers, PlainKey};
use crate::domain::shifted;
use crate::domain::when::Here;
use crate::store::Tx;

mod handout;
mod life;

pub use handout::Place;
use life::{life, replaces_a_living_key, taken_over};

/// Which keys are to be replaced, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotateKeys {
    pub keys: Vec<KeyId>,
    /// `None`: 24 hours where the policy allows two keys to overlap.
    pub overlap: Option<Overlap>,
    /// When the replacements expire; `None`: each lives as long as the key it replaces, as far as the policy allows.
    pub expiry: Option<Expiry>,
    /// What the person was shown who decided: if the keys are others since, nothing is done.
    pub shown: Option<Arc<Manifest>>,
}

/// A key that was replaced, with the one in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    pub old: Key,
    pub new: Key,
    /// The file that has the secret; of a dry run the one that would have it.
    pub file: PathBuf,
}

impl Service {
    /// Makes a successor with the same attributes and links the two. The old key is not touched before the successor is
    /// acknowledged; then it ends after `overlap`, but never later than it would have ended anyway (VP-06, VI-12).
    ///
    /// The successor is what the policy allows today (see [`crate::domain::issuer::ExpiryRule::renewed`]): a key that expires
    /// gets one with a life of the same length, as far as that is allowed; one with a scope that is gone gets none.
    pub async fn rotate_key(&self, operation: OperationId, key: KeyId, overlap: Overlap) -> Result<Created> {
        self.rotate_key_until(operation, key, overlap, None).await
    }

    /// The same, and says when the successor expires.
    pub async fn rotate_key_until(
        &self,
        operation: OperationId,
        key: KeyId,
        overlap: Overlap,
        expiry: Option<Expiry>,
    ) -> Result<Created> {
        let account = self.key(key).await?.account;
        let entropy = self.draw();
        let draws = vec![Draw { old: key, account, id: None, entropy: entropy.clone(), hash: None }];
        let order = RotateKeys { overlap: Some(overlap), expiry, ..RotateKeys::default() };
        let peppers = self.sealing().await?;
        let rotate = Rotate { draws, order, peppers, confirmed: false, intent: self.intent };
        let done = self.change(operation, rotate).await?;
        let id = done.new.first().copied().ok_or_else(|| Error::no_key(key))?;
        let tried = (self.intent == Intent::Try).then(|| done.tried.into_iter().next()).flatten();
        self.hand_over(Made { id, tried: tried.map(|(_, new)| new), issuer: done.issuer }, &entropy).await
    }

    /// Replaces keys in one transaction. The secrets are on the disk before it begins, so that it confirms the replacements
    /// itself and lets the old keys' ends begin: nobody is ever left without a key that works. If it fails, nothing was
    /// changed, and the files are gone again.
    pub async fn rotate_keys(
        &self,
        operation: OperationId,
        order: RotateKeys,
        place: Place,
    ) -> Result<Vec<Rotated>> {
        let wanted: BTreeSet<KeyId> = order.keys.iter().copied().collect();
        let olds = self.keys(&Vec::from_iter(wanted)).await?;
        let issuers = self.issuers().await?;
        let (now, peppers) = (self.now().await?, self.sealing().await?);
        let mut draws = Vec::with_capacity(olds.len());
        let mut secrets = Vec::with_capacity(olds.len());
        for old in &olds {
            let of = issuers.iter().find(|issuer| issuer.slug == old.issuer);
            let policy = &of.ok_or_else(|| Error::no_issuer(&old.issuer))?.policy;
            let (id, mut entropy) = (new_id(now), self.draw());
            if self.intent == Intent::Try {
                // No two may be the same, although nothing was drawn.
                entropy[..16].copy_from_slice(id.as_bytes());
            }
            let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &entropy);
            let (account, hash) = (old.account.clone(), Some(peppers.seal(&secret)));
            draws.push(Draw { old: old.id, account, id: Some(id), entropy, hash });
            secrets.push(handout::Secret::new(old, id, secret));
        }
        let files = place.files(&secrets);
        let written = match self.intent {
            Intent::Try => place.would_hold(&files).map(|()| None),
            Intent::Do => {
                let (place, paths) = (place.clone(), files.clone());
                let write = tokio::task::spawn_blocking(move || place.write(&secrets, &paths));
                write.await.unwrap_or_else(|error| Err(Error::Unwritten(error.to_string()))).map(Some)
            }
        };
        let mut written = written?;
        let rotate = Rotate { draws, order, peppers, confirmed: true, intent: self.intent };
        // This may be given up at any moment from here on, and the database goes on with it all the same.
        if let Some(written) = &mut written {
            written.keep();
        }
        let done = persist(|| self.change(operation, rotate.clone())).await;
        if let (Err(error), Some(written)) = (&done, written)
            && error.changed_nothing()
        {
            written.remove();
        }
        let done = match done {
            Err(Error::Store(error)) if !error.changed_nothing() => {
                return Err(Error::Uncertain { place: place.path().display().to_string(), error });
            }
            done => done?,
        };
        let mut pairs = done.tried;
        if self.intent == Intent::Do {
            // What is said of the keys is what the database says by now.
            let ids = olds.iter().map(|old| old.id).chain(done.new.iter().copied()).collect::<BTreeSet<_>>();
            let read = self.keys(&Vec::from_iter(ids)).await?;
            let mut read: HashMap<KeyId, Key> = read.into_iter().map(|key| (key.id, key)).collect();
            let pair = |(old, new): (&Key, &KeyId)| Some((read.remove(&old.id)?, read.remove(new)?));
            pairs = olds.iter().zip(&done.new).filter_map(pair).collect();
        }
        Ok(pairs.into_iter().zip(files).map(|((old, new), file)| Rotated { old, new, file }).collect())
    }
}

/// What a replacement is made of.
#[derive(Clone)]
struct Draw {
    old: KeyId,
    /// The key's account, which is locked before the key.
    account: String,
    id: Option<KeyId>,
    entropy: Entropy,
    /// Of the secret that is on the disk already.
    hash: Option<HashedKey>,
}

#[derive(Clone)]
struct Rotate {
    /// In the order of the old keys' ids.
    draws: Vec<Draw>,
    order: RotateKeys,
    peppers: Peppers,
    /// Whether the secrets are where they belong already.
    confirmed: bool,
    intent: Intent,
}

struct Done {
    new: Vec<KeyId>,
    /// One of the keys' issuers.
    issuer: Issuer,
    /// Of a dry run: each key and its replacement.
    tried: Vec<(Key, Key)>,
}

impl Change for Rotate {
    type Answer = Done;

    fn shares(&self) -> bool {
        self.draws.len() == 1
    }

    fn wished(&self) -> Option<Wished> {
        let keys = self.draws.iter().map(|draw| draw.old).collect();
        Some(Wished { wish: Wish::Rotate, keys, shown: self.order.shown.clone() })
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Done> {
        permit(tx, Permission::ChangeKeys, "rotate keys").await?;
        let slugs: BTreeSet<&str> = self.draws.iter().map(|draw| draw.account.as_str()).collect();
        let mut accounts: BTreeMap<&str, (Account, Issuer)> = BTreeMap::new();
        for slug in slugs {
            accounts.insert(slug, lock_account(tx, slug).await?);
        }
        let issuer = accounts.values().next().map(|(_, issuer)| issuer.clone());
        let issuer = issuer.ok_or_else(|| Error::Refused("no key was named".into()))?;
        if tx.seen().await? {
            return self.done_before(tx, issuer).await;
        }
        let olds = match self.draws.as_slice() {
            [draw] => vec![locked(tx, draw.old).await?],
            draws => all_locked(tx, &draws.iter().map(|draw| draw.old).collect::<Vec<_>>()).await?,
        };
        if let Some(shown) = &self.order.shown {
            shown.check(&olds).map_err(Error::Moved)?;
        }
        let many = olds.len() > 1;
        let mut batches: BTreeMap<&str, Batch> = BTreeMap::new();
        let (mut made, mut turned) = (Vec::with_capacity(olds.len()), Vec::with_capacity(olds.len()));
        for (draw, old) in self.draws.iter().zip(&olds) {
            let Some((account, issuer)) = accounts.get(draw.account.as_str()) else { continue };
            let overlap = self.order.overlap.unwrap_or_else(|| issuer.policy.rotation.usual());
            let new = self.successor(tx, draw, old, account, &issuer.policy, overlap).await;
            made.push(new.map_err(|error| if many { of_key(old, error) } else { error })?);
            turned.push((old, overlap));
            let in_place = overlap == Overlap::None && !replaces_a_living_key(tx, old).await?;
            let batch = batches.entry(&draw.account).or_default();
            batch.made += 1;
            batch.added += u32::from(!in_place);
        }
        for (slug, batch) in batches {
            let Some((account, issuer)) = accounts.get(slug) else { continue };
            let counted = count(tx, account, &issuer.policy, batch).await?;
            let allowed = allow_more(tx, account, &issuer.policy, counted, batch).await;
            allowed.map_err(|error| match error {
                Error::KeyLimit { .. } if self.order.overlap != Some(Overlap::None) => {
                    Error::Refused(format!("{error}, or rotate without an overlap, which adds no key"))
                }
                error => error,
            })?;
        }
        tx.add_keys(&made).await?;
        let pairs: Vec<_> = olds.iter().zip(&made).map(|(old, new)| (old.id, new.id)).collect();
        tx.set_successors(&pairs).await?;
        let mut changes: Vec<_> = made.iter().map(|new| creation(Action::KeyRotate, new)).collect();
        if self.confirmed {
            tx.acknowledge(&made.iter().map(|new| new.id).collect::<Vec<_>>()).await?;
            changes.extend(made.iter().map(|new| audit::Change::new(Action::KeyAcknowledge, new, json!({}))));
            retire_all(tx, &turned, &made, &mut changes).await?;
        }
        tx.record_all(&changes).await?;
        let new: Vec<KeyId> = made.iter().map(|new| new.id).collect();
        let mut tried = Vec::new();
        if self.intent == Intent::Try {
            for (old, new) in pairs {
                tried.push((locked(tx, old).await?, locked(tx, new).await?));
            }
        }
        Ok(Done { new, issuer, tried })
    }
}

impl Rotate {
    /// An earlier call made these already.
    async fn done_before(&self, tx: &mut Tx, issuer: Issuer) -> Result<Done> {
        let made: BTreeSet<KeyId> = tx.keys_made_by(tx.operation()).await?.into_iter().collect();
        let drawn: Vec<KeyId> = self.draws.iter().filter_map(|draw| draw.id).collect();
        let new = match self.confirmed {
            true if drawn.iter().all(|id| made.contains(id)) => drawn,
            true => {
                return Err(Error::Refused(
                    "this was already carried out, and its secrets were written then. Look with `keyrack rotation list`"
                        .into(),
                ));
            }
            false => made.into_iter().collect(),
        };
        Ok(Done { new, issuer, tried: Vec::new() })
    }

    /// The key in the place of `old`, if it may be made.
    async fn successor(
        &self,
        tx: &mut Tx,
        draw: &Draw,
        old: &Key,
        account: &Account,
        policy: &Policy,
        overlap: Overlap,
    ) -> Result<NewKey> {
        if overlap != Overlap::None && !policy.rotation.overlap {
            let why = format!(
                "keys of {} stop working immediately when they are replaced; choose none",
                policy.name
            );
            return Err(Error::invalid(Field::Overlap, why));
        }
        if !old.odd.is_empty() {
            let (id, odd) = (old.id, &old.odd);
            // What its successor would be allowed could not be told.
            return Err(Error::Refused(format!(
                "key {id} can't be read in full ({odd}): revoke it and create a new one in its place"
            )));
        }
        let life = policy.expiry.renewed(life(tx, old).await?);
        check_scopes(policy, &old.scopes)?;
        let expires_at = match self.order.expiry {
            None => life.map(|life| shifted(tx.now(), life)),
            Some(expiry) => {
                check_expiry(&policy.expiry, expiry, Here::utc(tx.now()))
                    .map_err(|why| Error::invalid(Field::Expiry, why))?;
                expiry.instant(tx.now())
            }
        };
        let plan = taken_over(old, expires_at, tx.now());
        plan.check(expires_at, tx.now()).map_err(|(_, why)| Error::invalid(Field::Expiry, why))?;
        let draft = Draft {
            name: old.name.to_string(),
            description: old.description.to_string(),
            scopes: old.scopes.clone(),
            allow: old.allow.clone(),
            expiry: Expiry::Never,
            plan,
            owner: old.owner.clone(),
            tags: old.tags.clone(),
            limits: old.limits.clone(),
        };
        let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &draw.entropy);
        let mut successor = draft.key(tx, expires_at, account, policy, (&secret, &self.peppers));
        if draw.hash.as_ref().is_some_and(|hash| *hash != successor.hash) {
            return Err(Error::Refused(format!(
                "the format of {}'s keys was changed meanwhile: rotate again",
                policy.name
            )));
        }
        successor.id = draw.id.unwrap_or(successor.id);
        successor.replaces = Some((old.id, overlap));
        Ok(successor)
    }
}

/// Says which of several keys it is about.
fn of_key(key: &Key, error: Error) -> Error {
    match error {
        Error::Refused(why) => Error::Refused(format!("{:?} of {}: {why}", key.name.as_str(), key.account)),
        Error::Invalid { field, why } => {
            Error::Invalid { field, why: format!("{why} ({:?} of {})", key.name.as_str(), key.account) }
        }
        error => error,
    }
}

/// Begins the ends of keys whose replacements were taken over: at once, or after their overlaps, and never later than their
/// own expiries.
async fn retire_all(
    tx: &mut Tx,
    olds: &[(&Key, Overlap)],
    made: &[NewKey],
    changes: &mut Vec<audit::Change>,
) -> Result<()> {
    let now = tx.now();
    tx.cancel_reminders(&olds.iter().map(|(old, _)| old.id).collect::<Vec<_>>(), "replaced").await?;
    let (mut over, mut ends) = (Vec::new(), Vec::new());
    for ((old, overlap), new) in olds.iter().zip(made) {
        if *overlap == Overlap::None {
            let reason = format!("replaced by {}", new.id);
            let detail = json!({ "reason": reason, "successor": new.id });
            changes.push(audit::Change::new(Action::KeyRevoke, *old, detail));
            over.push((old.id, reason));
        } else {
            let end = overlap.end(old.expires_at, now);
            let detail = json!({ "ends_at": end, "successor": new.id });
            changes.push(audit::Change::new(Action::KeyRetire, *old, detail));
            ends.push((old.id, end));
        }
    }
    let by = tx.who().name.clone();
    tx.revoke_each(now, &by, &over).await?;
    Ok(tx.set_expiries(&ends).await?)
}
