//! The one way in which anything is changed: a transaction of the acting person's, for one wish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::leases::run_out;
use super::wished::{Wished, ask, four_eyes, waits};
use super::{Error, Intent, Result, Service};
use crate::domain::approval::Approval;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::store::{self, MaybeTransient, Opening, Trust, Tx};

/// A change: what is done in one transaction, whole or not at all.
///
/// It may be carried out more than once, each time on a database that shows nothing of the tries before, unless one of
/// them was committed without its answer coming through: [`Tx::seen`] tells.
pub(super) trait Change: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// How far the clock is believed that is far from the newest change.
    const CLOCK: Trust = Trust::Doubted;

    /// Whether it needs no second person: somebody has decided.
    const ALONE: bool = false;
    /// Whether it changes keys that were asked about.
    const CARRIES: bool = true;

    /// Whether it lets nobody be refused who passed before, so that no gate's memory of before does harm.
    const WIDENS: bool = false;

    /// Whether somebody may be refused now who passed before: then no gate may answer by what was before.
    fn narrows(&self, _: &Self::Answer) -> bool {
        !Self::WIDENS
    }

    /// What a second person is asked for, where that is needed.
    fn wished(&self) -> Option<Wished> {
        None
    }

    /// The account whose row it locks first, if it is known.
    fn account(&self) -> Option<&str> {
        None
    }

    /// Whether all that it writes is owed until the commit, and keys that others owe are nothing to it but counted.
    const GATHERS: bool = false;

    /// Whether it may share its commit with others that are wished at the same time: it takes few locks, and asks for its
    /// role before them.
    fn shares(&self) -> bool {
        false
    }

    /// By how much it may take longer than others before the database is held for lost.
    fn extra(&self) -> Duration {
        Duration::ZERO
    }

    fn carry_out(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Answer>> + Send;
}

impl Service {
    /// The same service for dry runs: whatever it is asked to change is checked and answered as ever, and then rolled
    /// back.
    #[must_use]
    pub fn trying(&self) -> Self {
        Self { intent: Intent::Try, ..self.clone() }
    }

    /// Carries out `change` for the acting person, or only tries it.
    pub(super) async fn change<C: Change>(&self, operation: OperationId, change: C) -> Result<C::Answer> {
        let usual = Opening::new(self.inner.identity.clone(), operation);
        let patience = usual.patience + change.extra();
        let opening = Opening {
            intent: self.intent,
            clock: C::CLOCK,
            shares: change.shares(),
            account: change.account().map(str::to_owned),
            gathers: C::GATHERS,
            patience,
            ..usual
        };
        let change = Arc::new(change);
        let wish = Arc::clone(&change);
        // A dry run tells what would be done with approval.
        let alone = C::ALONE || self.intent == Intent::Try;
        let done = self
            .inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, opening, move |tx| {
                let change = change.clone();
                Box::pin(async move {
                    let answer = change.carry_out(tx).await?;
                    if !alone {
                        four_eyes(tx).await?;
                    }
                    Ok(answer)
                })
            })
            .await;
        let done = match done {
            Err(Error::Store(store::Error::Busy(why))) => return Err(self.held_up(why).await),
            Err(Error::FourEyes(why)) => {
                let Some(wished) = wish.wished() else { return Err(Error::FourEyes(why)) };
                let approval = Box::pin(self.change(super::ids::new_operation(), Ask { wished })).await?;
                return Err(waits(&approval, &why));
            }
            done => done?,
        };
        if self.intent == Intent::Do {
            self.has_grown();
            if wish.narrows(&done) {
                Box::pin(self.settle_leases()).await?;
            }
        }
        Ok(done)
    }
}

/// The request for a second person, after the change itself was refused for want of one.
struct Ask {
    wished: Wished,
}

impl Change for Ask {
    type Answer = Approval;

    const WIDENS: bool = true;

    const CLOCK: Trust = Trust::Ahead;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Approval> {
        ask(tx, &self.wished).await
    }
}

impl Service {
    /// Waits until no gate answers any more by what was before.
    ///
    /// # Errors
    /// Whether there is such a gate can't be found out. What was committed is; sent again, it is waited for again.
    async fn settle_leases(&self) -> Result<()> {
        let ran_out = run_out(&self.inner.store).await?;
        if !ran_out.is_empty() {
            self.inner.leases.note(&ran_out, self.present());
        }
        Ok(())
    }

    /// Who waited in vain is told for whom.
    async fn held_up(&self, why: String) -> Error {
        let holders = self.inner.store.holders().await.unwrap_or_default();
        let named = holders.first().map(|first| {
            format!("{why}; {first}: an admin can end it with `keyrack doctor --end-lock {}`", first.pid)
        });
        store::Error::Busy(named.unwrap_or(why)).into()
    }
}

/// A key, locked until the end of the transaction.
pub(super) async fn locked(tx: &mut Tx, id: KeyId) -> Result<Key> {
    tx.lock_key(id).await?.ok_or_else(|| Error::no_key(id))
}

/// The keys that somebody decided about, locked, in the order of their ids. `ids`: in that order too.
///
/// # Errors
/// There is no such key.
pub(super) async fn all_locked(tx: &mut Tx, ids: &[KeyId]) -> Result<Vec<Key>> {
    let keys = tx.lock_keys(ids).await?;
    let missing = |id: &&KeyId| keys.binary_search_by(|key| key.id.cmp(id)).is_err();
    match ids.iter().find(missing) {
        Some(missing) => Err(Error::no_key(*missing)),
        None => Ok(keys),
    }
}

/// As [`all_locked`], and whether this very operation was carried out before. If it was not, the keys are what the person was
/// shown who decided.
///
/// # Errors
/// They are others since, or one is not there.
pub(super) async fn locked_as_shown(
    tx: &mut Tx,
    ids: &[KeyId],
    shown: Option<&Manifest>,
) -> Result<(Vec<Key>, bool)> {
    let keys = all_locked(tx, ids).await?;
    // Asked behind the locks, which an earlier try of this very operation may still have held.
    let done_before = tx.seen().await?;
    if let Some(shown) = shown.filter(|_| !done_before) {
        shown.check(&keys).map_err(Error::Moved)?;
    }
    Ok((keys, done_before))
}

/// In the order of their ids, so that two who want the same keys wait for each other and do not lock up.
pub(super) fn in_order(keys: &[KeyId]) -> Vec<KeyId> {
    Vec::from_iter(keys.iter().copied().collect::<BTreeSet<_>>())
}

/// After this long a person is told what is wrong instead of another try.
const ENOUGH: std::time::Duration = std::time::Duration::from_secs(15);

/// Carries out an operation that may be sent twice, and sends it again when the connection was lost meanwhile.
pub async fn persist<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let begun = tokio::time::Instant::now();
    let mut wait = std::time::Duration::from_millis(200);
    for _ in 0..3 {
        match attempt().await {
            Err(error)
                if begun.elapsed() < ENOUGH
                    && (error.is_transient() || matches!(error, Error::NotReadBack { .. })) =>
            {
                tracing::warn!(%error, "sending it again");
                tokio::time::sleep(wait).await;
                wait *= 3;
            }
            settled => return settled,
        }
    }
    attempt().await
}
