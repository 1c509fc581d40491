//! A clock that ran ahead once: what was planned, sent or put aside in a present that had not come is planned again.

use serde_json::json;

use super::Run;
use super::plan::{PAGE, recipients};
use crate::domain::audit::{self, Action};
use crate::domain::operator::Permission;
use crate::domain::reminder::fit::{Fit, Rules};
use crate::domain::reminder::{Case, SweepId, ahead_of};
use crate::domain::{Instant, days, shifted};
use crate::service::change::Change;
use crate::service::ids::new_operation;
use crate::service::permit::may;
use crate::service::{Result, Service};
use crate::store::{Ahead, Tx};

/// When such a reminder is to be sent after all: now, or when it really falls due.
fn due_at(rules: &Rules, case: &Case, now: Instant) -> Option<Instant> {
    let due = shifted(case.expires_at, -days(case.days_before));
    [now, due].into_iter().find(|at| *at >= now && matches!(rules.fit(case, *at), Fit::Until(_)))
}

impl Service {
    /// Tells `each` of the reminders that the next sweep plans again and sends at once, and to whom.
    pub(in crate::service) async fn each_ahead(
        &self,
        now: Instant,
        rules: &Rules,
        mut each: impl FnMut(&Case, &[String]),
    ) -> Result<()> {
        let store = &self.inner.store;
        let mut after = None;
        loop {
            let page = store.ahead(ahead_of(now), after, PAGE).await?;
            let due: Vec<&Case> = page
                .iter()
                .map(|one| &one.case)
                .filter(|case| due_at(rules, case, now) == Some(now))
                .collect();
            let ids: Vec<_> = due.iter().map(|case| case.reminder).collect();
            let read = store.reminders_by_id(&ids).await?;
            for case in due {
                let mut to = recipients(&case.subject.admins);
                let known = read.iter().filter(|one| one.id == case.reminder).flat_map(|one| &one.deliveries);
                for settled in known.filter(|one| one.changed_at <= ahead_of(now)) {
                    to.retain(|admin| admin.as_str() != settled.recipient.as_str());
                }
                each(case, &to);
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => {
                    after = Some((last.changed_at, last.case.reminder))
                }
                _ => return Ok(()),
            }
        }
    }
}

impl Run {
    /// Plans again what a clock that ran ahead had planned, sent or put aside.
    pub(super) async fn plan_again(&self) -> Result<()> {
        while !self.stop.is_stopped() {
            if !self.service.change(new_operation(), Again { sweep: self.id }).await? {
                break;
            }
        }
        Ok(())
    }
}

/// One page of reminders that were changed in a present that has not come.
struct Again {
    sweep: SweepId,
}

impl Change for Again {
    /// Whether there may be more.
    type Answer = bool;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<bool> {
        may(tx, Permission::SendReminders, "send reminders")?;
        let (now, since) = (tx.now(), ahead_of(tx.now()));
        let found = tx.ahead(since, PAGE).await?;
        if found.is_empty() {
            return Ok(false);
        }
        let ids: Vec<_> = found.iter().map(|one| one.case.reminder).collect();
        tx.lock_reminders(&ids).await?;
        // Another sweep may have been quicker.
        let found: Vec<Ahead> =
            tx.ahead(since, PAGE).await?.into_iter().filter(|one| ids.contains(&one.case.reminder)).collect();
        let rules = Rules::new(tx.issuers().await?);
        let mut changes = Vec::new();
        let mut again = Vec::new();
        for Ahead { case, .. } in &found {
            match (due_at(&rules, case, now), rules.fit(case, now)) {
                (Some(at), _) => {
                    tx.plan_again(case.reminder, &recipients(&case.subject.admins), since, at).await?;
                    again.push(case.reminder);
                    let why = "the clock ran ahead";
                    let detail = json!({ "days_before": case.days_before, "state": case.state, "why": why, "sweep": self.sweep });
                    changes.push(audit::Change::new(Action::ReminderRetry, case, detail));
                }
                (None, Fit::Not { state, why }) => {
                    tx.take_back(&[case.reminder], since).await?;
                    tx.set_aside(&[case.reminder], state, &why).await?;
                }
                (None, Fit::Until(_)) => {}
            }
        }
        tx.waits_again(&again).await?;
        tx.record_all(&changes).await?;
        Ok(true)
    }
}
