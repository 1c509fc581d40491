//! The sweep: one run over all keys that sends the reminders that are due.
//!
//! First what a clock that ran ahead once did is planned again ([`ahead`]), and everything that is due is written down
//! ([`plan`]); then letters are taken in hand ([`claim`]), sent ([`flow`]),
//! and what became of them is written down ([`record`]). A sweep can be killed at any point: what it had in hand is taken
//! over by another one two minutes later, under the same Message-ID. Any number of sweeps may run at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;

use super::change::Change;
use super::ids::{new_id, new_operation};
use super::permit::may;
use super::post::Post;
use super::reminders::{SweepNews, SweepOrder, SweepPreview};
use super::{Error, Intent, Result, Service};
use crate::domain::audit::Action;
use crate::domain::operator::Permission;
use crate::domain::reminder::{ReminderId, Sweep, SweepId, Tally};
use crate::domain::text::SafeText;
use crate::store::Tx;

mod ahead;
pub(super) mod claim;
mod flow;
mod pace;
pub(super) mod plan;
mod record;

pub(super) use pace::Pace;

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
    /// Whether this sweep might begin, and what it would send: the `show` most urgent letters of it. Changes nothing.
    ///
    /// # Errors
    /// As [`Service::sweep`] before its first letter.
    pub async fn try_sweep(&self, order: SweepOrder, show: u32) -> Result<SweepPreview> {
        self.post().await?;
        let limit = order.limit;
        let begin = Begin { id: new_id(self.present()), order: order.clone() };
        self.trying().change(order.operation, begin).await?;
        self.preview_sweep(limit, show).await
    }

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
        if self.intent == Intent::Try {
            // A letter can't be rolled back.
            return Err(Error::Refused("a dry run sends no letters: ask what a sweep would send".into()));
        }
        self.inner.store.demand_current().await?;
        let post = self.post().await?;
        let begin = Begin { id: new_id(self.present()), order: order.clone() };
        let id = self.change(order.operation, begin).await?;
        let mut run = Run {
            service: self.clone(),
            post,
            id,
            left: order.limit.map_or(usize::MAX, |limit| limit as usize),
            tally: Tally::default(),
            told: HashSet::new(),
            news,
            stop,
        };
        let done = run.carry_out().await;
        let trouble = match &done {
            Ok(trouble) => trouble.clone(),
            Err(error) => Some(error.to_string()),
        };
        let trouble = trouble.map(|text| SafeText::new(text).to_string());
        let ended = self.change(new_operation(), End { id, tally: run.tally, trouble }).await;
        // The connections that wait for a next letter wait for nothing more.
        run.post.mailer.close().await;
        done?;
        ended?;
        let sweep = self.inner.store.sweep(id, self.now().await?).await?;
        sweep.ok_or_else(|| Error::Refused(format!("sweep {id} is not in the database any more")))
    }
}

struct Begin {
    id: SweepId,
    order: SweepOrder,
}

impl Change for Begin {
    type Answer = SweepId;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<SweepId> {
        let Self { id, order } = self;
        // A sweeper's login may not lock the operators: who loses the right in this moment has begun a sweep that ends at
        // its first letter.
        may(tx, Permission::SendReminders, "send reminders")?;
        if tx.seen().await? {
            if tx.has_sweep(*id).await? {
                return Ok(*id);
            }
            return Err(Error::Refused("this sweep was carried out already".into()));
        }
        tx.begin_sweep(*id, order.door).await?;
        let detail = json!({ "door": order.door, "limit": order.limit });
        tx.record(Action::SweepBegin, id.to_string().as_str(), detail).await?;
        Ok(*id)
    }
}

struct End {
    id: SweepId,
    tally: Tally,
    trouble: Option<String>,
}

impl Change for End {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        let Self { id, tally, trouble } = self;
        if tx.seen().await? {
            return Ok(());
        }
        tx.beat(*id, tally).await?;
        tx.end_sweep(*id, trouble.as_deref()).await?;
        let detail = json!({ "tally": tally, "trouble": trouble });
        Ok(tx.record(Action::SweepEnd, id.to_string().as_str(), detail).await?)
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
    /// Reminders in letters that were sent or written.
    told: HashSet<ReminderId>,
    news: UnboundedSender<SweepNews>,
    stop: Stop,
}
