//! Writing down what is due: page by page, so that memory and transactions stay small.

use std::sync::Arc;

use serde_json::json;

use super::Run;
use crate::domain::audit::Action;
use crate::domain::key::KeyId;
use crate::domain::operator::Permission;
use crate::domain::reminder::fit::Rules;
use crate::domain::reminder::{Band, NewReminder, State, Subject, SweepId, Tally};
use crate::domain::{Instant, shifted};
use crate::service::Result;
use crate::service::change::Change;
use crate::service::ids::{new_id, new_operation};
use crate::service::permit::may;
use crate::store::Tx;

/// Keys a transaction.
pub(in crate::service) const PAGE: u32 = 300;

/// Where the next page begins.
type Place = Option<(Instant, KeyId)>;

impl Run {
    /// Writes down every reminder that is due and not there yet. When this has ended, whatever was due when it began is in
    /// the outbox, whichever sweep put it there.
    pub(super) async fn plan(&mut self) -> Result<()> {
        self.plan_again().await?;
        let now = self.service.now().await?;
        let rules = Arc::new(Rules::new(self.service.inner.store.issuers().await?));
        for band in rules.bands(now) {
            let mut after: Place = None;
            loop {
                if self.stop.is_stopped() {
                    return Ok(());
                }
                let page = Page {
                    rules: rules.clone(),
                    band: band.clone(),
                    now,
                    after,
                    sweep: self.id,
                    tally: self.tally,
                };
                after = self.service.change(new_operation(), page).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// One page of keys that have crossed a threshold.
struct Page {
    rules: Arc<Rules>,
    band: Band,
    /// The instant that the band was made for.
    now: Instant,
    /// Where the page begins.
    after: Place,
    sweep: SweepId,
    tally: Tally,
}

impl Change for Page {
    /// Where the next page begins, if there is one.
    type Answer = Place;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Place> {
        may(tx, Permission::SendReminders, "send reminders")?;
        let next = self.write(tx).await?;
        tx.beat(self.sweep, &self.tally).await?;
        Ok(next)
    }
}

impl Page {
    /// Writes the page's reminders; answers where the next page begins, if there is one.
    async fn write(&self, tx: &mut Tx) -> Result<Place> {
        let subjects = tx.unplanned(&self.band, self.after, PAGE).await?;
        let Some(last) = subjects.last() else { return Ok(None) };
        let next =
            (subjects.len() == PAGE as usize).then(|| (last.expires_at.unwrap_or(last.ends_at), last.key));

        let reminders: Vec<NewReminder> =
            subjects.iter().flat_map(|subject| self.reminders(subject)).collect();
        let new = tx.add_reminders(&reminders).await?;
        let keys: Vec<KeyId> = subjects.iter().map(|subject| subject.key).collect();
        let wider = tx.wider_waiting(&keys, self.band.days).await?;
        if !wider.is_empty() {
            tx.lock_reminders(&wider).await?;
            tx.set_aside(&wider, State::Superseded, &self.words()).await?;
        }
        let count =
            |state: State| reminders.iter().filter(|r| r.state == state && new.contains(&r.id)).count();
        let detail = json!({
            "days_before": self.band.days,
            "reminders": count(State::Pending),
            "superseded": count(State::Superseded) + wider.len(),
            "without_admins": count(State::Failed),
        });
        tx.record(Action::SweepPlan, self.sweep.to_string().as_str(), detail).await?;
        Ok(next)
    }

    fn words(&self) -> String {
        format!("{} days", self.band.days)
    }

    /// The reminder of this band's threshold, and those of the wider ones, which it supersedes (decision 3).
    fn reminders(&self, subject: &Subject) -> Vec<NewReminder> {
        let expires_at = subject.expires_at.unwrap_or(subject.ends_at);
        let recipients = recipients(&subject.admins);
        let reminder = |days: u32, state, why: Option<String>, recipients: Vec<String>| NewReminder {
            id: new_id(self.now),
            key: subject.key,
            account: subject.account.clone(),
            days_before: days,
            expires_at,
            due_at: shifted(expires_at, -crate::domain::days(days)),
            state,
            why,
            recipients,
        };
        let mut all = vec![if recipients.is_empty() {
            let why = format!("account {} has no admin to write to", subject.account);
            reminder(self.band.days, State::Failed, Some(why), recipients)
        } else {
            reminder(self.band.days, State::Pending, None, recipients)
        }];
        let crossed = self.rules.crossed(subject, expires_at, self.now);
        for wider in crossed.into_iter().filter(|days| *days > self.band.days) {
            all.push(reminder(wider, State::Superseded, Some(self.words()), Vec::new()));
        }
        all
    }
}

/// The addresses of an account's admins, each once.
pub(in crate::service) fn recipients(admins: &[String]) -> Vec<String> {
    let mut all: Vec<String> =
        admins.iter().map(|admin| admin.trim().to_owned()).filter(|admin| !admin.is_empty()).collect();
    all.sort_unstable();
    all.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    all
}
