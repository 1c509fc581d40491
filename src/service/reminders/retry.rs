//! Sending again what failed or may not have arrived.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::Retried;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::{Identity, Permission};
use crate::domain::reminder::{ReminderId, State};
use crate::service::permit::may;
use crate::service::sweep::fit::{Fit, Rules};
use crate::service::sweep::plan::recipients;
use crate::service::{Error, OperationId, Result, Service};
use crate::store::{Case, Tried, Tx};

impl Service {
    /// Lets the next sweep send these reminders again, to those who are the account's admins now: what failed, what is
    /// ambiguous, and what waits for another try. A letter that may have arrived goes out again whole, under its old
    /// Message-ID. What makes no sense any more is answered with the reason and left as it is.
    pub async fn retry_reminders(
        &self,
        operation: OperationId,
        reminders: &[ReminderId],
    ) -> Result<Vec<Retried>> {
        let identity = self.inner.identity.clone();
        let mut wanted = reminders.to_vec();
        let mut seen = HashSet::new();
        wanted.retain(|id| seen.insert(*id));
        let ids = wanted.clone();
        let refused: HashMap<ReminderId, String> = self
            .inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, ids) = (identity.clone(), ids.clone());
                Box::pin(async move {
                    may(tx, &identity, Permission::SendReminders, "send reminders again")?;
                    let mut all = tx.in_one_letter_with(&ids).await?;
                    all.extend(&ids);
                    tx.lock_reminders(&all).await?;
                    if tx.seen().await? {
                        return Ok(HashMap::new());
                    }
                    let retry = Retry { rules: Rules::new(tx.issuers().await?), operation };
                    retry.carry_out(tx, &identity, &ids, &all).await
                })
            })
            .await?;
        let mut read: HashMap<ReminderId, _> = self
            .inner
            .store
            .reminders_by_id(&wanted)
            .await?
            .into_iter()
            .map(|reminder| (reminder.id, reminder))
            .collect();
        wanted
            .into_iter()
            .map(|id| {
                let reminder = read.remove(&id).ok_or_else(|| Error::no_reminder(id))?;
                let why = refused.get(&id).cloned();
                Ok(Retried { reminder, again: why.is_none(), why })
            })
            .collect()
    }
}

struct Retry {
    rules: Rules,
    operation: OperationId,
}

impl Retry {
    /// `all` are the reminders asked for and those that share a letter with them; all are locked.
    async fn carry_out(
        &self,
        tx: &mut Tx,
        who: &Identity,
        asked: &[ReminderId],
        all: &[ReminderId],
    ) -> Result<HashMap<ReminderId, String>> {
        let mut cases: HashMap<ReminderId, Case> =
            tx.cases(all).await?.into_iter().map(|case| (case.reminder, case)).collect();
        let mut refused = HashMap::new();
        let mut letters = HashSet::new();
        let mut changed = Vec::new();
        for id in asked {
            let case = cases.remove(id).ok_or_else(|| Error::no_reminder(*id))?;
            match self.one(tx, &case, &mut letters).await? {
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
        for case in changed {
            let change = Change {
                operation: self.operation,
                action: Action::ReminderRetry,
                subject: case.reminder.to_string(),
                account: Some(case.subject.account),
                key: Some(case.subject.key),
                detail: json!({ "days_before": case.days_before, "state": case.state }),
            };
            tx.record(who, &change).await?;
        }
        Ok(refused)
    }

    /// Lets one reminder be sent again, or tells why not.
    async fn one(
        &self,
        tx: &mut Tx,
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
            State::Pending | State::Failed | State::Ambiguous => {}
        }
        match self.rules.fit(case, tx.now()) {
            Fit::Until(_) => {}
            Fit::Not { state: State::Superseded, why } => {
                return Ok(Err(format!("the reminder {why} before the expiry has taken its place")));
            }
            Fit::Not { why, .. } => return Ok(Err(format!("nothing is left to remind of: {why}"))),
        }
        let admins = recipients(&case.subject.admins);
        if admins.is_empty() {
            let account = &case.subject.account;
            return Ok(Err(format!("account {account} has no admin to write to")));
        }
        let tried = tx.tried(case.reminder).await?;
        for Tried { recipient, state, letter } in &tried {
            if !matches!(state, State::Failed | State::Ambiguous | State::Pending) {
                continue;
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
