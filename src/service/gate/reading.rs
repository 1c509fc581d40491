//! Reading keys and policies from the database, and remembering them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::inner::Inner;
use super::known::{GOOD, Known, Policies};
use crate::domain::secret::HashedKey;
use crate::service::error::{Error, Result};
use crate::store;

/// How often a reading is done again because something changed while it was under way.
const TRIES: u32 = 8;

impl Inner {
    /// The policies that are remembered, if they are still good.
    pub(super) fn policies(&self) -> Option<Arc<Policies>> {
        let policies = self.policies.read().clone()?;
        let age = self.proof.micros().saturating_sub(policies.read_at.load(Ordering::Relaxed));
        (age < GOOD).then_some(policies)
    }

    /// Forgets the policies. Who holds them is told so by their flag.
    pub(super) fn drop_policies(&self) {
        let mut place = self.policies.write();
        if let Some(policies) = place.take() {
            policies.end();
        }
    }

    /// Whether what is read from here on, of that number of the audit, may be remembered: to be asked under the lock of the
    /// place where it is to lie.
    fn reads_from_here(&self) -> impl Fn(i64) -> bool {
        let history = self.history.load(Ordering::SeqCst);
        move |seq| seq >= self.floor() && history == self.history.load(Ordering::SeqCst)
    }

    /// Reads the policies, one reader at a time.
    pub(super) async fn read_policies(&self) -> Result<Arc<Policies>> {
        let _alone = self.loading.lock().await;
        if let Some(policies) = self.policies() {
            return Ok(policies);
        }
        for _ in 0..TRIES {
            let (read_at, is_new_enough) = (self.proof.micros(), self.reads_from_here());
            let (issuers, seq) = self.store.issuers_at().await?;
            let policies = Arc::new(Policies::new(issuers, &self.settings.peppers, read_at));
            let mut place = self.policies.write();
            // Asked under the lock: the prover moves the floor before it comes for what lies here.
            if !is_new_enough(seq) {
                continue;
            }
            if let Some(old) = place.as_ref() {
                if old.says_the_same(&policies) {
                    old.read_at.store(read_at, Ordering::Relaxed);
                    return Ok(Arc::clone(old));
                }
                old.end();
            }
            *place = Some(Arc::clone(&policies));
            return Ok(policies);
        }
        Err(restless())
    }

    /// Reads a key and remembers it.
    pub(super) async fn read(&self, hash: HashedKey) -> Result<Option<Arc<Known>>> {
        for _ in 0..TRIES {
            let (read_at, is_new_enough) = (self.proof.micros(), self.reads_from_here());
            let Some(sight) = self.store.sight(hash).await? else {
                self.cache.drop_hash(hash);
                return Ok(None);
            };
            let policy = match self.policies() {
                Some(policies) => policies.of_version(&sight.key.issuer, sight.policy).cloned(),
                None => None,
            };
            let policy = match policy {
                Some(policy) => policy,
                None => {
                    let policies = self.read_policies().await?;
                    match policies.of_version(&sight.key.issuer, sight.policy) {
                        Some(policy) => Arc::clone(policy),
                        // Those that are remembered are of another version: the prover is about to hear of it, or
                        // somebody changed them past Keyrack.
                        None => {
                            self.drop_policies();
                            continue;
                        }
                    }
                }
            };
            let account = self.cache.one_of_all(sight.account);
            let known = Known::new((sight.key, sight.seq), account, policy, hash, read_at);
            if let Some(known) = self.cache.keep(known, is_new_enough) {
                return Ok(Some(known));
            }
        }
        Err(restless())
    }
}

fn restless() -> Error {
    store::Error::Busy("what is read changes faster than it can be read".into()).into()
}
