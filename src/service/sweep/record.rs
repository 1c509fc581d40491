//! Writing down what became of letters: all of it in the audit of the keys, in the transaction that says so.

use serde_json::json;

use super::Run;
use super::claim::Claimed;
use crate::domain::Instant;
use crate::domain::audit::{self, Action};
use crate::domain::key::OperationId;
use crate::domain::reminder::{Case, Fate, Settled, State, SweepId, Tally, pause_after};
use crate::domain::text::SafeText;
use crate::mail::LetterOutcome;
use crate::service::change::Change;
use crate::service::{LetterNews, Result, SweepNews};
use crate::store::Tx;

/// A letter that this sweep is done with.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub letter: Claimed,
    /// `None`: never tried, to be let go.
    pub outcome: Option<LetterOutcome>,
}

impl Finished {
    /// `leaves`: whether letters leave this machine; so in the following.
    fn fate(&self, now: Instant, leaves: bool) -> Fate {
        match &self.outcome {
            Some(LetterOutcome::Sent { .. }) if leaves => Fate::Sent,
            Some(LetterOutcome::Sent { .. }) => Fate::Written,
            Some(LetterOutcome::Failed { .. }) => Fate::Failed,
            Some(LetterOutcome::Ambiguous { .. }) => Fate::Ambiguous,
            Some(
                LetterOutcome::Deferred { .. }
                | LetterOutcome::Broken { .. }
                | LetterOutcome::Unavailable { .. },
            ) => {
                // Never so long a pause that it would be moot before the next try.
                let left = (self.letter.moot_at - now) / 2;
                let pause = pause_after(self.letter.attempts + 1).min(left);
                Fate::Deferred(now + pause.max(chrono::Duration::zero()))
            }
            None => Fate::Released,
        }
    }

    fn action(&self, leaves: bool) -> Option<(Action, State)> {
        Some(match self.outcome.as_ref()? {
            LetterOutcome::Sent { .. } if leaves => (Action::ReminderSend, State::Sent),
            LetterOutcome::Sent { .. } => (Action::ReminderWrite, State::Written),
            LetterOutcome::Failed { .. } => (Action::ReminderFail, State::Failed),
            LetterOutcome::Ambiguous { .. } => (Action::ReminderAmbiguous, State::Ambiguous),
            LetterOutcome::Deferred { .. }
            | LetterOutcome::Broken { .. }
            | LetterOutcome::Unavailable { .. } => (Action::ReminderDefer, State::Pending),
        })
    }

    /// The audit's rows: one for each reminder, so that each key's history has its own.
    fn changes(&self, sweep: SweepId, leaves: bool) -> Vec<(OperationId, audit::Change)> {
        let Some((action, _)) = self.action(leaves) else { return Vec::new() };
        let letter = &self.letter;
        let change = |case: &Case| {
            let detail = json!({
                "to": SafeText::new(letter.recipient.as_str()),
                "days_before": case.days_before,
                "letter": letter.message_id,
                "answer": self.answer(),
                "sweep": sweep,
            });
            (letter.operation, audit::Change::new(action, case, detail))
        };
        letter.cases.iter().map(change).collect()
    }

    fn answer(&self) -> String {
        SafeText::new(self.outcome.as_ref().map_or("", LetterOutcome::answer)).to_string()
    }
}

impl Run {
    /// Counts a letter's fate and tells of it.
    pub(super) fn tell(&mut self, finished: &Finished) {
        let reminders = finished.letter.cases.len() as u64;
        let Some((_, state)) = finished.action(self.post.leaves()) else { return };
        match state {
            State::Sent | State::Written => {
                match state {
                    State::Sent => self.tally.sent += 1,
                    _ => self.tally.written += 1,
                }
                let told = finished.letter.cases.iter().filter(|case| self.told.insert(case.reminder));
                self.tally.reminders += told.count() as u64;
            }
            State::Failed => self.tally.failed += 1,
            State::Ambiguous => self.tally.ambiguous += 1,
            _ => self.tally.deferred += 1,
        }
        let news = LetterNews {
            recipient: SafeText::new(finished.letter.recipient.as_str()),
            reminders,
            state,
            answer: SafeText::new(finished.answer()),
            tally: self.tally,
        };
        // Who asked may have gone; the sweep goes on.
        let _ = self.news.send(SweepNews::Letter(news));
    }

    /// Writes fates down. Asks for no permission: this is what happened.
    pub(super) async fn record(&self, finished: Vec<Finished>) -> Result<()> {
        let Some(first) = finished.first() else { return Ok(()) };
        let operation = first.letter.operation;
        let leaves = self.post.leaves();
        self.service.change(operation, Record { finished, sweep: self.id, tally: self.tally, leaves }).await
    }
}

/// Letters whose fates are to be written down together.
struct Record {
    finished: Vec<Finished>,
    sweep: SweepId,
    tally: Tally,
    leaves: bool,
}

impl Change for Record {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        let ids: Vec<_> = self.finished.iter().flat_map(|one| one.letter.reminders()).collect();
        tx.lock_reminders(&ids).await?;
        if tx.seen().await? {
            return Ok(());
        }
        let now = tx.now();
        let settled = self.finished.iter().map(|one| Settled {
            recipient: one.letter.recipient.clone(),
            reminders: one.letter.reminders(),
            again: one.letter.again,
            fate: one.fate(now, self.leaves),
            answer: one.answer(),
        });
        let settled: Vec<Settled> = settled.collect();
        tx.settle(self.sweep, &settled).await?;
        tx.beat(self.sweep, &self.tally).await?;
        let changes: Vec<_> =
            self.finished.iter().flat_map(|one| one.changes(self.sweep, self.leaves)).collect();
        Ok(tx.record_each(&changes).await?)
    }
}
