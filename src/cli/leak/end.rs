//! What `keyrack leak sweep` does to the keys that it finds.

use std::collections::HashSet;

use super::super::failure::{Failure, Result};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::pause::Lasting;
use crate::service::{self, LeakSweep, PauseOrder, RevokeKeys, Service};

/// What is done to the keys that were found.
pub(super) enum End {
    Revoke { reason: Option<String>, ticket: Option<String> },
    Pause(PauseOrder),
}

impl End {
    /// What the command line asks for.
    pub(super) fn of(
        revoke: bool,
        pause: Option<&str>,
        reason: Option<String>,
        ticket: Option<String>,
        now: Instant,
    ) -> Result<Option<Self>> {
        let Some(span) = pause else {
            return Ok(revoke.then_some(Self::Revoke { reason, ticket }));
        };
        let lasting = Lasting::span(span).map_err(|error| Failure::usage(format!("--pause: {error}")))?;
        // What can't be is told before anything is searched.
        lasting.end(now, []).map_err(|error| Failure::usage(format!("--pause: {error}")))?;
        Ok(Some(Self::Pause(PauseOrder { lasting, message: None, reason })))
    }

    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Revoke { .. } => "revoke",
            Self::Pause(_) => "pause",
        }
    }

    /// The keys that it is done to, each once: a pause takes no longer one's place.
    pub(super) fn concerns(&self, sweep: &LeakSweep, now: Instant) -> Vec<KeyId> {
        let mut keys = sweep.working(now);
        if let Self::Pause(order) = self
            && let Ok(until) = order.lasting.end(now, [])
        {
            let held = sweep.findings.iter().filter_map(|finding| finding.key.as_ref());
            let held =
                held.filter(|found| found.key.paused.as_ref().is_some_and(|pause| pause.until >= until));
            let held: HashSet<KeyId> = held.map(|found| found.key.id).collect();
            keys.retain(|key| !held.contains(key));
        }
        keys
    }

    /// Does it in one transaction. Answers the keys as the database holds them then, and how many were left as they were.
    pub(super) async fn carry_out(
        &self,
        service: &Service,
        operation: OperationId,
        keys: &[KeyId],
    ) -> service::Result<(Vec<Key>, usize)> {
        match self {
            Self::Revoke { reason, ticket } => {
                let order = RevokeKeys {
                    keys: keys.to_vec(),
                    reason: reason.clone(),
                    ticket: ticket.clone(),
                    shown: None,
                };
                let revoked = service.revoke_order(operation, order).await?;
                let already = revoked.iter().filter(|one| one.already).count();
                Ok((revoked.into_iter().map(|one| one.key).collect(), already))
            }
            Self::Pause(order) => {
                let held = service.pause_keys(operation, keys, order.clone(), None).await?;
                let over = held.iter().filter(|one| !one.changed).count();
                Ok((held.into_iter().map(|one| one.key).collect(), over))
            }
        }
    }
}
