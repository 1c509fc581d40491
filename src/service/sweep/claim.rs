//! Taking letters in hand, so that no other sweep sends them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant as Moment;

use super::Run;
use crate::domain::Instant;
use crate::domain::audit::{self, Action};
use crate::domain::calendar;
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::domain::reminder::fit::{Fit, KEYS, Rules};
use crate::domain::reminder::{Case, ReminderId, State, SweepId, Waiting};
use crate::domain::text::hex;
use crate::mail::{KeyLine, ReminderLine, ReminderMail};
use crate::service::Result;
use crate::service::change::Change;
use crate::service::ids::new_operation;
use crate::service::permit::may;
use crate::store::Tx;

/// How long a claim holds. After that the sweep that made it is taken for dead.
const CLAIM: Duration = Duration::from_secs(120);
/// No letter is sent with less than this left of its claim: sending takes at most half a minute.
const MARGIN: Duration = Duration::from_secs(35);

/// A letter in hand.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    /// What its audit rows carry.
    pub operation: OperationId,
    pub recipient: String,
    pub message_id: String,
    /// Whether it may have arrived earlier.
    pub again: bool,
    /// The most urgent first.
    pub cases: Vec<Case>,
    /// How often the most often tried of its deliveries was tried.
    pub attempts: u32,
    /// When the first of its reminders will be moot.
    pub moot_at: Instant,
    /// The instant of the claim.
    pub at: Instant,
    /// Not to be sent after this moment.
    pub send_by: Moment,
    /// When it left.
    pub left_at: Moment,
}

impl Claimed {
    pub fn reminders(&self) -> Vec<ReminderId> {
        self.cases.iter().map(|case| case.reminder).collect()
    }

    /// What the letter is to tell. `contact` is asked where a policy names nobody.
    pub fn mail(&self, rules: &Rules, contact: Option<&str>) -> ReminderMail {
        let line = |case: &Case| {
            let subject = &case.subject;
            let rule = rules.of(&subject.issuer);
            ReminderLine {
                key: KeyLine {
                    name: subject.name.to_string(),
                    account: subject.account_name.to_string(),
                    account_slug: subject.account.clone(),
                    issuer: rule.map_or_else(|| subject.issuer.clone(), |rule| rule.name.clone()),
                    noun: rule.map_or_else(|| "key".into(), |rule| rule.noun.clone()),
                    preview: subject.preview.to_string(),
                    id: subject.key.to_string(),
                    last_used_at: subject.last_used_at,
                    link: rule.and_then(|rule| rule.help.link(&subject.account, &subject.key.to_string())),
                    contact: rule.and_then(|rule| rule.help.address()).map(str::to_owned),
                },
                expires_at: case.expires_at,
                planned: subject.planned && subject.expires_at == Some(case.expires_at),
                created_at: subject.created_at,
                rotation_overlap: rule.is_some_and(|rule| rule.overlap),
            }
        };
        ReminderMail {
            recipient: self.recipient.clone(),
            now: self.at,
            contact: contact.map(str::to_owned),
            keys: self.cases.iter().map(line).collect(),
        }
    }
}

/// The keys of a letter as events for a calendar.
pub(super) fn calendar_of(mail: &ReminderMail) -> String {
    calendar::of(mail.keys.iter().map(ending), mail.now)
}

fn ending(line: &ReminderLine) -> calendar::Ending<'_> {
    let ReminderLine { key, expires_at, planned, .. } = line;
    let KeyLine { id, name, account, preview, issuer, .. } = key;
    calendar::Ending { id, name, account, preview, issuer, at: *expires_at, planned: *planned }
}

/// What a claim came to.
pub(super) struct Claim {
    pub letters: Vec<Claimed>,
    pub rules: Arc<Rules>,
}

impl Run {
    /// Takes up to `wanted` letters in hand, the most urgent first. `None`: nothing waits.
    pub(super) async fn claim(&self, wanted: usize) -> Result<Option<Claim>> {
        // Reckoned from before the transaction, so that the claim ends later than this sweep believes.
        let send_by = Moment::now() + CLAIM - MARGIN;
        let (sweep, domain) = (self.id, self.post.domain.clone());
        self.service.change(new_operation(), Claiming { wanted, sweep, domain, send_by }).await
    }
}

/// What waits, letter by letter, with its reminders locked.
async fn waiting(tx: &mut Tx, wanted: usize) -> Result<Option<Vec<Vec<Waiting>>>> {
    let next = tx.next_letters(wanted).await?;
    if next.is_empty() {
        return Ok(None);
    }
    let mut all: Vec<Waiting> = tx.waiting_in(&next, KEYS as usize).await?.into_iter().flatten().collect();
    tx.lock_waiting(&mut all).await?;
    let mut letters: Vec<Vec<Waiting>> = Vec::with_capacity(next.len());
    for one in all {
        match letters.last_mut() {
            Some(last) if last[0].recipient == one.recipient && last[0].letter == one.letter => {
                last.push(one)
            }
            _ => letters.push(vec![one]),
        }
    }
    Ok(Some(letters))
}

struct Claiming {
    wanted: usize,
    sweep: SweepId,
    domain: String,
    send_by: Moment,
}

impl Change for Claiming {
    type Answer = Option<Claim>;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Option<Claim>> {
        may(tx, Permission::SendReminders, "send reminders")?;
        tx.lock_claims().await?;
        let Some(waiting) = waiting(tx, self.wanted).await? else { return Ok(None) };
        let rules = Arc::new(Rules::new(tx.issuers().await?));
        let letters = self.claim(tx, &rules, waiting).await?;
        Ok(Some(Claim { letters, rules }))
    }
}

impl Claiming {
    /// Claims what is still to be sent, and puts the rest aside.
    async fn claim(&self, tx: &mut Tx, rules: &Rules, waiting: Vec<Vec<Waiting>>) -> Result<Vec<Claimed>> {
        let now = tx.now();
        let until = now + chrono::Duration::from_std(CLAIM).unwrap_or_default();
        let mut unfit: BTreeMap<(&str, String), Vec<Case>> = BTreeMap::new();
        let mut letters = Vec::with_capacity(waiting.len());
        for group in waiting {
            let (again, recipient) = (group[0].letter.clone(), group[0].recipient.clone());
            let (mut cases, mut moot, mut attempts) = (Vec::with_capacity(group.len()), Vec::new(), 0);
            for one in group {
                match rules.fit(&one.case, now) {
                    Fit::Until(at) => {
                        moot.push(at);
                        attempts = attempts.max(one.attempts);
                        cases.push(one.case);
                    }
                    Fit::Not { state, why } => unfit.entry((state.as_str(), why)).or_default().push(one.case),
                }
            }
            let Some(moot_at) = moot.into_iter().min() else { continue };
            let ids: Vec<ReminderId> = cases.iter().map(|case| case.reminder).collect();
            let letter = Claimed {
                operation: new_operation(),
                message_id: again.clone().unwrap_or_else(|| message_id(&ids, &recipient, &self.domain)),
                again: again.is_some(),
                recipient,
                cases,
                attempts,
                moot_at,
                at: now,
                send_by: self.send_by,
                left_at: self.send_by,
            };
            tx.claim(self.sweep, &letter.recipient, &ids, &letter.message_id, until).await?;
            letters.push(letter);
        }
        let claimed: Vec<ReminderId> = letters.iter().flat_map(Claimed::reminders).collect();
        tx.tell_states(&claimed, None).await?;
        for ((word, why), cases) in &unfit {
            let ids: Vec<ReminderId> = cases.iter().map(|case| case.reminder).collect();
            tx.set_aside(&ids, word.parse().unwrap_or(State::Cancelled), why).await?;
        }
        self.tell(tx, unfit).await?;
        Ok(letters)
    }

    /// Records what was put aside.
    async fn tell(&self, tx: &mut Tx, unfit: BTreeMap<(&str, String), Vec<Case>>) -> Result<()> {
        let mut changes = Vec::new();
        for ((state, why), mut cases) in unfit {
            // Once for each reminder, however many recipients it has.
            cases.sort_by_key(|case| case.reminder);
            cases.dedup_by_key(|case| case.reminder);
            for case in &cases {
                let detail = json!({ "days_before": case.days_before, "state": state, "why": why, "sweep": self.sweep });
                changes.push(audit::Change::new(Action::ReminderCancel, case, detail));
            }
        }
        Ok(tx.record_all(&changes).await?)
    }
}

/// The same for the same reminders to the same recipient, so that a repeat can be recognised (H19).
fn message_id(reminders: &[ReminderId], recipient: &str, domain: &str) -> String {
    let mut sorted = reminders.to_vec();
    sorted.sort_unstable();
    let mut sha = Sha256::new();
    sha.update(recipient.as_bytes());
    for id in sorted {
        sha.update(id.as_bytes());
    }
    format!("{}@{domain}", hex(&sha.finalize()[..16]))
}

#[cfg(test)]
mod tests;
