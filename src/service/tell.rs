//! Telling the admins of accounts about their keys: one letter to each, now, because somebody decided so.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::{Instant as Moment, sleep_until};

use super::change::Change;
use super::permit::permit;
use super::revoke::checked;
use super::sweep::Pace;
use super::{Error, Intent, Post, Result, Service};
use crate::domain::Instant;
use crate::domain::audit::{self, Action};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::notice::Occasion;
use crate::domain::operator::Permission;
use crate::domain::reminder::State;
use crate::domain::reminder::fit::Rules;
use crate::domain::text::{SafeText, hex};
use crate::domain::usage::{Late, LateTries};
use crate::mail::{KeyLine, Letter, LetterOutcome, NoticeLine, NoticeMail};
use crate::store::{AccountFilter, Tx};

/// So many keys in one letter at most; an account with more gets several.
const KEYS: usize = 100;
/// So many letters at a time at most: who has more to tell should not do it by hand.
const LETTERS: usize = 500;

/// Whom to tell of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tell {
    pub operation: OperationId,
    pub keys: Vec<KeyId>,
    pub occasion: Occasion,
    /// What is added to the letter, and kept in the audit.
    pub reason: Option<String>,
}

/// A letter, and what became of it. In a dry run it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub recipient: SafeText,
    pub account: SafeText,
    pub keys: Vec<KeyId>,
    pub state: State,
    /// The mail server's words, or ours.
    pub answer: SafeText,
}

/// A letter to one admin of one account.
struct Due {
    account: String,
    mail: NoticeMail,
    keys: Vec<KeyId>,
}

impl Service {
    /// Sends each admin of the keys' accounts a letter about them, as fast as the mail server is to be sent to. What became of
    /// it is in the audit of each key.
    ///
    /// # Errors
    /// Without the permission, without a mailer, when a key is not there or nobody can be told, or when what was sent can't
    /// be written down.
    pub async fn tell(&self, tell: Tell) -> Result<Vec<Told>> {
        let reason = checked(tell.reason.as_deref())?;
        // Who may not is refused before a letter leaves.
        let may = Record {
            occasion: tell.occasion,
            reason: reason.clone(),
            told: Vec::new(),
            keys: Arc::default(),
        };
        self.trying().change(tell.operation, may).await?;
        let (due, keys) = Box::pin(self.due(&tell, reason.as_deref())).await?;
        if self.intent == Intent::Try {
            return Ok(due.into_iter().map(|due| due.told(State::Pending, "")).collect());
        }
        let post = self.post().await?;
        let mut pace = Pace::new(1, post.mailer.rate(), Moment::now());
        let (mut told, now) = (Vec::with_capacity(due.len()), self.now().await?);
        for mut due in due {
            due.mail.contact.clone_from(&post.contact);
            sleep_until(pace.next()).await;
            pace.leaves(Moment::now());
            told.push(Box::pin(due.send(&post, now)).await);
        }
        post.mailer.close().await;
        let record = Record { occasion: tell.occasion, reason, told: told.clone(), keys: Arc::new(keys) };
        self.change(tell.operation, record).await?;
        Ok(told)
    }

    /// The letters that are due, and the keys.
    async fn due(&self, tell: &Tell, reason: Option<&str>) -> Result<(Vec<Due>, Vec<Key>)> {
        let now = self.now().await?;
        let mut ids = tell.keys.clone();
        ids.sort_unstable();
        ids.dedup();
        let keys = self.inner.store.keys(&ids).await?;
        let is_missing = |id: &&KeyId| keys.binary_search_by(|key| key.id.cmp(id)).is_err();
        if let Some(missing) = ids.iter().find(is_missing) {
            return Err(Error::no_key(*missing));
        }
        let ended: Vec<KeyId> = keys.iter().filter(|key| key.has_ended(now)).map(|key| key.id).collect();
        let mut tries: BTreeMap<KeyId, Vec<LateTries>> = BTreeMap::new();
        for (key, one) in self.inner.store.late(&ended, now - Late::KEPT).await? {
            tries.entry(key).or_default().push(one);
        }
        let rules = Rules::new(self.inner.store.issuers().await?);
        let mut accounts: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
        for key in &keys {
            accounts.entry(&key.account).or_default().push(key);
        }
        let mut due = Vec::new();
        for (slug, own) in accounts {
            let filter = AccountFilter { slug: Some(slug.into()), limit: 1, ..AccountFilter::default() };
            let account = self
                .inner
                .store
                .accounts(&filter, now)
                .await?
                .pop()
                .ok_or_else(|| Error::no_account(slug))?;
            let line = |key: &&Key| {
                let rule = rules.of(&key.issuer);
                let late = Late::of(key, tries.get(&key.id).map_or(&[], Vec::as_slice), now);
                NoticeLine {
                    key: KeyLine {
                        name: key.name.to_string(),
                        account: account.account.name.to_string(),
                        account_slug: slug.to_owned(),
                        issuer: rule.map_or_else(|| key.issuer.clone(), |rule| rule.name.clone()),
                        noun: rule.map_or_else(|| "key".into(), |rule| rule.noun.clone()),
                        preview: key.preview.to_string(),
                        id: key.id.to_string(),
                        last_used_at: key.last_used_at,
                        link: rule.and_then(|rule| rule.help.link(slug, &key.id.to_string())),
                        contact: rule.and_then(|rule| rule.help.address()).map(str::to_owned),
                    },
                    status: match key.ended(now) {
                        Some((how, _)) => how,
                        None if key.is_being_replaced(now) => "replaced",
                        None => key.status(now).as_str(),
                    }
                    .to_owned(),
                    ended_at: key.ended(now).map(|(_, at)| at),
                    ends_at: key.ends_at().filter(|_| key.is_being_replaced(now)),
                    tried: late.map(|late| late.words()),
                }
            };
            for own in own.chunks(KEYS) {
                let lines: Vec<NoticeLine> = own.iter().map(line).collect();
                for admin in &account.account.admins {
                    let recipient = admin.to_string();
                    let reason = reason.map(str::to_owned);
                    let (occasion, keys) = (tell.occasion, lines.clone());
                    let mail = NoticeMail { recipient, occasion, reason, contact: None, keys };
                    due.push(Due {
                        account: slug.to_owned(),
                        mail,
                        keys: own.iter().map(|key| key.id).collect(),
                    });
                }
            }
        }
        match due.len() {
            0 => Err(Error::Refused(
                "no admin of these keys' accounts has a mail address: nobody can be notified".into(),
            )),
            many if many > LETTERS => Err(Error::Refused(format!(
                "that is {many} letters, and at most {LETTERS} are sent at a time: tell of fewer keys"
            ))),
            _ => Ok((due, keys)),
        }
    }
}

impl Due {
    fn told(self, state: State, answer: &str) -> Told {
        Told {
            recipient: SafeText::new(self.mail.recipient),
            account: SafeText::new(self.account),
            keys: self.keys,
            state,
            answer: SafeText::new(answer),
        }
    }

    async fn send(self, post: &Post, at: Instant) -> Told {
        let letter = match post.templates.notice(&self.mail) {
            Ok(words) => Letter {
                message_id: self.message_id(at, &post.domain),
                to: self.mail.recipient.clone(),
                subject: words.subject,
                text: words.text,
                html: words.html,
                reply_to: self.mail.reply_to().map(str::to_owned),
                calendar: None,
                at,
            },
            Err(error) => return self.told(State::Failed, &error.to_string()),
        };
        let outcome = post.mailer.send(&letter).await;
        let state = match &outcome {
            LetterOutcome::Sent { .. } if post.leaves() => State::Sent,
            LetterOutcome::Sent { .. } => State::Written,
            LetterOutcome::Ambiguous { .. } => State::Ambiguous,
            LetterOutcome::Failed { .. }
            | LetterOutcome::Deferred { .. }
            | LetterOutcome::Broken { .. }
            | LetterOutcome::Unavailable { .. } => State::Failed,
        };
        let answer = outcome.answer().to_owned();
        self.told(state, &answer)
    }

    /// The same for the same letter on the same day, so that a repeat can be recognised (H19).
    fn message_id(&self, at: Instant, domain: &str) -> String {
        let mut sha = Sha256::new();
        for part in [&self.mail.recipient, self.mail.occasion.as_str(), &at.date_naive().to_string()] {
            sha.update(part.as_bytes());
            sha.update([0]);
        }
        for key in &self.keys {
            sha.update(key.as_bytes());
        }
        format!("{}@{domain}", hex(&sha.finalize()[..16]))
    }
}

/// What became of letters, in the audit of each key.
struct Record {
    occasion: Occasion,
    reason: Option<String>,
    told: Vec<Told>,
    keys: Arc<Vec<Key>>,
}

impl Change for Record {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        permit(tx, Permission::SendReminders, "tell the admins of accounts").await?;
        if tx.seen().await? {
            return Ok(());
        }
        let mut changes = Vec::with_capacity(self.keys.len());
        for key in self.keys.iter() {
            let letters = self.told.iter().filter(|told| told.keys.contains(&key.id));
            let to: Vec<_> =
                letters.map(|told| json!({ "to": told.recipient, "state": told.state.as_str(), "answer": told.answer })).collect();
            let mut detail = json!({ "name": key.name, "preview": key.preview, "about": self.occasion.as_str(), "letters": to });
            if let Some(reason) = &self.reason {
                detail["reason"] = json!(reason);
            }
            changes.push(audit::Change::new(Action::KeyTell, key, detail));
        }
        Ok(tx.record_all(&changes).await?)
    }
}
