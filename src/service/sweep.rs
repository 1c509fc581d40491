//! The sweep: one run over all keys that sends the reminders that are due.
//!
//! First everything that is due is written down ([`plan`]); then letters are taken in hand ([`claim`]), sent ([`flow`]),
//! and what became of them is written down ([`record`]). A sweep can be killed at any point: what it had in hand is taken
//! over by another one two minutes later, under the same Message-ID. Any number of sweeps may run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;

use super::open::new_id;
use super::permit::may;
use super::reminders::Post;
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::Permission;
use crate::domain::reminder::{Sweep, SweepId, Tally};

pub(super) mod claim;
pub(super) mod fit;
mod flow;
pub(super) mod plan;
mod record;

/// A wish that a sweep stop, for as many hands as need it. It is granted between letters.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Service {
    /// Sends every reminder that is due, and tells `news` of it. A sweep right after it sends nothing.
    ///
    /// # Errors
    /// Without the permission, without a mailer, or when the database can't be used. What was in hand then is sent by
    /// another sweep, two minutes later at the earliest.
    pub async fn sweep(
        &self,
        order: SweepOrder,
        news: UnboundedSender<SweepNews>,
        stop: Stop,
    ) -> Result<Sweep> {
        let post = self.post().await?;
        let id = self.begin_sweep(&order).await?;
        let mut run = Run {
            service: self.clone(),
            post,
            id,
            left: order.limit.map_or(usize::MAX, |limit| limit as usize),
            tally: Tally::default(),
            news,
            stop,
        };
        let done = run.carry_out().await;
        let trouble = match &done {
            Ok(trouble) => trouble.clone(),
            Err(error) => Some(error.to_string()),
        };
        let ended = self.end_sweep(id, run.tally, trouble).await;
        // The connections that wait for a next letter wait for nothing more.
        run.post.mailer.close().await;
        done?;
        ended?;
        let sweep = self.inner.store.sweep(id, self.now().await?).await?;
        sweep.ok_or_else(|| Error::Refused(format!("sweep {id} is not in the database any more")))
    }

    async fn begin_sweep(&self, order: &SweepOrder) -> Result<SweepId> {
        let identity = self.inner.identity.clone();
        let (id, order) = (new_id(self.present()), order.clone());
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(order.operation), move |tx| {
                let (identity, order) = (identity.clone(), order.clone());
                Box::pin(async move {
                    // A sweeper's login may not lock the operators: who loses the right in this moment has begun a sweep
                    // that ends at its first letter.
                    may(tx, &identity, Permission::SendReminders, "send reminders")?;
                    if tx.seen().await? {
                        if tx.has_sweep(id).await? {
                            return Ok(id);
                        }
                        return Err(Error::Refused("this sweep was carried out already".into()));
                    }
                    tx.begin_sweep(id, order.door, &identity).await?;
                    let change = Change {
                        operation: order.operation,
                        action: Action::SweepBegin,
                        subject: id.to_string(),
                        account: None,
                        key: None,
                        detail: json!({ "door": order.door, "limit": order.limit }),
                    };
                    tx.record(&identity, &change).await?;
                    Ok(id)
                })
            })
            .await
    }

    async fn end_sweep(&self, id: SweepId, tally: Tally, trouble: Option<String>) -> Result<()> {
        let identity = self.inner.identity.clone();
        let operation = new_operation();
        let trouble = trouble.map(|text| crate::domain::text::SafeText::new(text).to_string());
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, trouble) = (identity.clone(), trouble.clone());
                Box::pin(async move {
                    if tx.seen().await? {
                        return Ok(());
                    }
                    tx.beat(id, &tally).await?;
                    tx.end_sweep(id, trouble.as_deref()).await?;
                    let change = Change {
                        operation,
                        action: Action::SweepEnd,
                        subject: id.to_string(),
                        account: None,
                        key: None,
                        detail: json!({ "tally": tally, "trouble": trouble }),
                    };
                    Ok(tx.record(&identity, &change).await?)
                })
            })
            .await
    }
}

/// A sweep that is running.
struct Run {
    service: Service,
    post: Arc<Post>,
    id: SweepId,
    /// So many letters may still be taken in hand.
    left: usize,
    tally: Tally,
    news: UnboundedSender<SweepNews>,
    stop: Stop,
}
