//! Replacing a key by a successor.

use super::accounts::lock_account;
use super::change::{Change, locked};
use super::create::{
    Created, Draft, Entropy, Made, allow_one_more, check_scopes, count, creation, made_before,
};
use super::permit::permit;
use super::{Error, Field, Intent, Result, Service};
use crate::domain::audit::Action;
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::operator::Permission;
use crate::domain::secret::PlainKey;
use crate::domain::shifted;
use crate::store::Tx;

impl Service {
    /// Makes a successor with the same attributes and links the two. The old key is not touched before the successor is
    /// acknowledged; then it ends after `overlap`, but never later than it would have ended anyway (VP-06, VI-12).
    ///
    /// The successor is what the policy allows today (see [`crate::domain::issuer::ExpiryRule::renewed`]): a key that expires
    /// gets one with a life of the same length, as far as that is allowed; one with a scope that is gone gets none.
    pub async fn rotate_key(&self, operation: OperationId, key: KeyId, overlap: Overlap) -> Result<Created> {
        let account = self.key(key).await?.account;
        let entropy = self.draw();
        let rotate = Rotate { account, key, overlap, entropy: entropy.clone(), intent: self.intent };
        let made = self.change(operation, rotate).await?;
        self.hand_over(made, &entropy).await
    }
}

struct Rotate {
    /// The key's account, which is locked before the key.
    account: String,
    key: KeyId,
    overlap: Overlap,
    entropy: Entropy,
    intent: Intent,
}

impl Change for Rotate {
    type Answer = Made;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Made> {
        permit(tx, Permission::ChangeKeys, "rotate keys").await?;
        let (account, issuer) = lock_account(tx, &self.account).await?;
        if tx.seen().await? {
            return made_before(tx, issuer).await;
        }
        let policy = &issuer.policy;
        if self.overlap != Overlap::None && !policy.rotation.overlap {
            let why = format!("keys of {} end at once when they are replaced; choose none", policy.name);
            return Err(Error::invalid(Field::Overlap, why));
        }
        let old = locked(tx, self.key).await?;
        if !old.odd.is_empty() {
            let (id, odd) = (old.id, &old.odd);
            // What its successor would be allowed could not be told.
            return Err(Error::Refused(format!(
                "key {id} can't be read in full ({odd}): revoke it and create a new one in its place"
            )));
        }
        let life = policy.expiry.renewed(life(tx, &old).await?);
        check_scopes(policy, &old.scopes)?;
        let in_place = self.overlap == Overlap::None && !replaces_a_living_key(tx, &old).await?;
        let counted = count(tx, &account, policy, in_place).await?;
        allow_one_more(tx, &account, policy, counted, in_place).await.map_err(|error| match error {
            Error::KeyLimit { .. } if self.overlap != Overlap::None => Error::Refused(format!(
                "{error}, or rotate without an overlap: then it has no more keys than before"
            )),
            error => error,
        })?;
        let draft = Draft {
            name: old.name.to_string(),
            description: old.description.to_string(),
            scopes: old.scopes,
            allow: old.allow,
            expiry: Expiry::Never,
            owner: old.owner,
            tags: old.tags,
        };
        let expires_at = life.map(|life| shifted(tx.now(), life));
        let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &self.entropy);
        let mut successor = draft.key(tx, expires_at, &account, policy, &secret);
        successor.limits = old.limits;
        successor.replaces = Some((old.id, self.overlap));
        tx.add_keys(std::slice::from_ref(&successor)).await?;
        tx.set_successor(old.id, successor.id).await?;
        tx.record_all(&[creation(Action::KeyRotate, &successor)]).await?;
        Made::new(tx, successor.id, issuer, self.intent).await
    }
}

/// Whether the key stands beside the one that it replaces, so that the account has one key more already.
async fn replaces_a_living_key(tx: &mut Tx, key: &Key) -> Result<bool> {
    let Some(id) = key.predecessor else { return Ok(false) };
    Ok(!locked(tx, id).await?.has_ended(tx.now()))
}

/// How long a successor of `old` shall live, `None` for ever; refused where there must be none.
async fn life(tx: &mut Tx, old: &Key) -> Result<Option<chrono::Duration>> {
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
            "key {} has a successor already, {}: rotate or revoke that one",
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
