//! Replacing a key by a successor.

use zeroize::Zeroizing;

use super::create::{Draft, allow_one_more, creation, lock_account, made_before};
use super::open::random;
use super::permit::permit;
use super::*;
use crate::domain::audit::Action;
use crate::domain::key::Status;
use crate::domain::operator::Permission;
use crate::store::Tx;

impl Service {
    /// Makes a successor with the same attributes and links the two. The old key is not touched before the successor is
    /// acknowledged; then it ends after `overlap`, but never later than it would have ended anyway (VP-06, VI-12).
    ///
    /// A key that expires gets a successor with a life of the same length.
    pub async fn rotate_key(&self, operation: OperationId, key: KeyId, overlap: Overlap) -> Result<Created> {
        let account = self.key(key).await?.account;
        let identity = self.inner.identity.clone();
        let entropy = Arc::new(Zeroizing::new(random::<32>()));
        let drawn = entropy.clone();
        let (id, issuer) = self
            .inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, account, drawn) = (identity.clone(), account.clone(), drawn.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeKeys, "rotate keys").await?;
                    let (account, issuer) = lock_account(tx, &account).await?;
                    if tx.seen().await? {
                        return Ok((made_before(tx, operation).await?, issuer));
                    }
                    let policy = &issuer.policy;
                    if overlap != Overlap::None && !policy.rotation.overlap {
                        let why = format!(
                            "keys of {} end at once when they are replaced; choose none",
                            policy.name
                        );
                        return Err(Error::Invalid { field: Field::Overlap, why });
                    }
                    let old = tx.lock_key(key).await?.ok_or_else(|| Error::no_key(key))?;
                    let status = old.status(tx.now());
                    if status != Status::Active {
                        let word = status.as_str();
                        return Err(Error::Refused(format!(
                            "key {key} is {word}: create a new one in its place"
                        )));
                    }
                    let mut life = old.expires_at.map(|end| end - old.created_at);
                    if let Some(next) = old.successor {
                        let next = tx.lock_key(next).await?.ok_or_else(|| Error::no_key(next))?;
                        if next.status(tx.now()) == Status::Active {
                            return Err(Error::Refused(format!(
                                "key {key} has a successor already, {}: rotate or revoke that one",
                                next.id
                            )));
                        }
                        // Once it was handed over, the old key's expiry is only the end of an overlap.
                        life = intended_life(tx, next).await?;
                    }
                    allow_one_more(tx, &account, policy).await?;
                    let draft = Draft {
                        name: old.name.to_string(),
                        description: old.description.to_string(),
                        scopes: old.scopes,
                        allow: old.allow,
                        expiry: Expiry::Never,
                    };
                    let now = tx.now();
                    let expires_at = life.map(|life| now + life);
                    let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &drawn);
                    let mut successor = draft.into_key(now, expires_at, &account, policy, &secret, &identity);
                    successor.limits = old.limits;
                    successor.replaces = Some((key, overlap));
                    tx.add_keys(std::slice::from_ref(&successor)).await?;
                    tx.set_successor(key, successor.id).await?;
                    tx.record(&identity, &creation(operation, Action::KeyRotate, &successor)).await?;
                    Ok((successor.id, issuer))
                })
            })
            .await?;
        self.hand_over(id, &issuer.policy, &entropy).await
    }
}

/// How long a key was meant to live when the last of its line was made; `None` for ever. The last of a line was never
/// replaced, so that its expiry is the one that it was given.
async fn intended_life(tx: &mut Tx, successor: Key) -> Result<Option<chrono::Duration>> {
    let mut last = successor;
    while let Some(next) = last.successor {
        last = tx.lock_key(next).await?.ok_or_else(|| Error::no_key(next))?;
    }
    Ok(last.expires_at.map(|end| end - last.created_at))
}
