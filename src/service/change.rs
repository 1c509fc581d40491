//! The one way in which anything is changed: a transaction of the acting person's, for one wish.

use std::sync::Arc;

use super::{Error, Intent, Result, Service};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::store::{self, MaybeTransient, Opening, Trust, Tx};

/// A change: what is done in one transaction, whole or not at all.
///
/// It may be carried out more than once, each time on a database that shows nothing of the tries before, unless one of
/// them was committed without its answer coming through: [`Tx::seen`] tells.
pub(super) trait Change: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// How far the clock is believed that is far from the newest change.
    const CLOCK: Trust = Trust::Doubted;

    /// Whether it may share its commit with others that are wished at the same time: it takes few locks, and asks for its
    /// role before them.
    fn shares(&self) -> bool {
        false
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
        let opening = Opening {
            intent: self.intent,
            clock: C::CLOCK,
            shares: change.shares(),
            ..Opening::new(self.inner.identity.clone(), operation)
        };
        let change = Arc::new(change);
        let done = self
            .inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, opening, move |tx| {
                let change = change.clone();
                Box::pin(async move { change.carry_out(tx).await })
            })
            .await;
        let done = match done {
            Err(Error::Store(store::Error::Busy(why))) => return Err(self.held_up(why).await),
            done => done?,
        };
        if self.intent == Intent::Do {
            self.has_grown();
        }
        Ok(done)
    }
}

impl Service {
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
