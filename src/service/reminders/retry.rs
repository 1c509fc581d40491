//! Sending again what failed or may not have arrived, and sending what was only written.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::Retried;
use crate::domain::audit::{self, Action};
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::domain::reminder::fit::{Fit, Rules};
use crate::domain::reminder::{Case, Reminder, ReminderId, State, Tried};
use crate::service::change::Change;
use crate::service::permit::may;
use crate::service::sweep::plan::recipients;
use crate::service::{Error, Result, Service};
use crate::store::Tx;

impl Service {
    /// Lets the next sweep send these reminders again, to those who are the account's admins now: what failed, what is
    /// ambiguous, what waits for another try, and, where letters leave this machine by now, what was only written. A letter that may have arrived goes out again whole, under its old
    /// Message-ID. What makes no sense any more is answered with the reason and left as it is.
    pub async fn retry_reminders(
        &self,
        operation: OperationId,
        reminders: &[ReminderId],
    ) -> Result<Vec<Retried>> {
        let mut asked = reminders.to_vec();
        let mut seen = HashSet::new();
        asked.retain(|id| seen.insert(*id));
        let leaves = self.post().await.is_ok_and(|post| post.whither().leaves);
        self.change(operation, Retry { asked, leaves }).await
    }
}

/// The reminders that are to be sent again, each once.
struct Retry {
    asked: Vec<ReminderId>,
    /// Whether letters leave this machine.
    leaves: bool,
}

impl Change for Retry {
    type Answer = Vec<Retried>;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Retried>> {
        may(tx, Permission::SendReminders, "send reminders again")?;
        let mut all = tx.in_one_letter_with(&self.asked).await?;
        all.extend(&self.asked);
        tx.lock_reminders(&all).await?;
        let refused = if tx.seen().await? { HashMap::new() } else { self.let_go(tx, &all).await? };
        let read = tx.reminders_by_id(&self.asked).await?.into_iter().map(|reminder| (reminder.id, reminder));
        let mut read: HashMap<ReminderId, Reminder> = read.collect();
        self.asked
            .iter()
            .map(|id| {
                let reminder = read.remove(id).ok_or_else(|| Error::no_reminder(*id))?;
                let why = refused.get(id).cloned();
                Ok(Retried { reminder, again: why.is_none(), why })
            })
            .collect()
    }
}

impl Retry {
    /// Lets go out again what may; answers why the rest may not. `all` are the reminders asked for and those that share a
    /// letter with them; all are locked.
    async fn let_go(&self, tx: &mut Tx, all: &[ReminderId]) -> Result<HashMap<ReminderId, String>> {
        let rules = Rules::new(tx.issuers().await?);
        let mut cases: HashMap<ReminderId, Case> =
            tx.cases(all).await?.into_iter().map(|case| (case.reminder, case)).collect();
        let mut refused = HashMap::new();
        let mut letters = HashSet::new();
        let mut changed = Vec::new();
        for id in &self.asked {
            let case = cases.remove(id).ok_or_else(|| Error::no_reminder(*id))?;
            match self.one(tx, &rules, &case, &mut letters).await? {
                Ok(()) => changed.push(case),
                Err(why) => {
                    refused.insert(*id, why);
                }
            }
        }
        // The rest of the letters that go out again.
        for case in cases.into_values() {
            let mut touched = false;
            for tried in tx.tried(case.reminder).await? {
                if tried.state == State::Ambiguous
                    && tried.letter.as_ref().is_some_and(|id| letters.contains(id))
                {
                    tx.send_again(case.reminder, &tried.recipient).await?;
                    touched = true;
                }
            }
            if touched {
                changed.push(case);
            }
        }
        let ids: Vec<ReminderId> = changed.iter().map(|case| case.reminder).collect();
        tx.waits_again(&ids).await?;
        let changes = changed.iter().map(|case| {
            let detail = json!({ "days_before": case.days_before, "state": case.state });
            audit::Change::new(Action::ReminderRetry, case, detail)
        });
        let changes: Vec<_> = changes.collect();
        tx.record_all(&changes).await?;
        Ok(refused)
    }

    /// Lets one reminder be sent again, or tells why not.
    async fn one(
        &self,
        tx: &mut Tx,
        rules: &Rules,
        case: &Case,
        letters: &mut HashSet<String>,
    ) -> Result<std::result::Result<(), String>> {
        match case.state {
            State::Sent => return Ok(Err("it was sent".into())),
            State::Sending => return Ok(Err("a sweep is sending it at this moment".into())),
            State::Superseded => {
                return Ok(Err("a tighter threshold was crossed since, with a reminder of its own".into()));
            }
            State::Cancelled => return Ok(Err("it was cancelled before it was sent".into())),
            State::Written if !self.leaves => {
                return Ok(Err(
                    "it was written as a file, and mail still goes to a folder: set up a mail server first"
                        .into(),
                ));
            }
            State::Pending | State::Failed | State::Ambiguous | State::Written => {}
        }
        match rules.fit(case, tx.now()) {
            Fit::Until(_) => {}
            Fit::Not { state: State::Superseded, why } => {
                return Ok(Err(format!("the reminder {why} before the expiry has taken its place")));
            }
            Fit::Not { why, .. } => return Ok(Err(format!("no reminder is needed any more: {why}"))),
        }
        let admins = recipients(&case.subject.admins);
        if admins.is_empty() {
            let account = &case.subject.account;
            return Ok(Err(format!("account {account} has no admin to write to")));
        }
        let tried = tx.tried(case.reminder).await?;
        for Tried { recipient, state, letter } in &tried {
            match state {
                State::Failed | State::Ambiguous | State::Pending => {}
                State::Written if self.leaves => {}
                _ => continue,
            }
            if admins.contains(recipient) {
                if *state == State::Ambiguous {
                    letters.extend(letter.clone());
                }
                tx.send_again(case.reminder, recipient).await?;
            } else {
                tx.give_up(case.reminder, recipient).await?;
            }
        }
        for admin in admins {
            if !tried.iter().any(|known| known.recipient == admin) {
                tx.add_delivery(case.reminder, &admin).await?;
            }
        }
        Ok(Ok(()))
    }
}
