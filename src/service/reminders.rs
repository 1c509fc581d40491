//! Reminders: looking at them, and what the sweep's callers see. The sweep itself is in [`super::sweep`].

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;

use super::sweep::fit::Rules;
use super::{Error, InHand, Result, Service};
use crate::domain::Instant;
use crate::domain::key::{KeyId, OperationId};
use crate::domain::reminder::{Door, Reminder, ReminderFilter, ReminderId, State, Sweep, Tally};
use crate::domain::text::SafeText;
use crate::mail::{Mailer, Sender, Templates};

mod preview;
mod retry;

/// What it takes to send: where letters go and what they say.
#[derive(Clone, Debug)]
pub struct Post {
    pub(super) mailer: Mailer,
    pub(super) templates: Templates,
    /// The right-hand side of every Message-ID.
    pub(super) domain: String,
}

impl Post {
    /// `sender` is who the mailer's letters come from: their Message-IDs end in its domain.
    pub fn new(mailer: Mailer, templates: Templates, sender: &Sender) -> Self {
        let domain = sender.address().rsplit_once('@').map_or("", |(_, domain)| domain);
        let atom =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        // An address literal or a name beyond ASCII can't stand in a Message-ID (RFC 5322, 3.6.4).
        let fits = domain.len() <= 150 && domain.split('.').all(atom);
        let domain = if fits { domain.to_ascii_lowercase() } else { "keyrack.invalid".into() };
        Self { mailer, templates, domain }
    }
}

impl fmt::Display for Post {
    /// Where letters go, for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mailer.describe())
    }
}

/// Makes what it takes to send, or says in words why it can't: the settings are read when a letter is to be sent, so that
/// a mistake in them stops nothing else, and a new password counts from the next sweep on.
pub type PostMaker = dyn Fn() -> BoxFuture<'static, std::result::Result<Post, String>> + Send + Sync;

/// Where a service takes its [`Post`] from.
#[derive(Clone)]
pub(super) enum Posting {
    Nowhere,
    Ready(Arc<Post>),
    Maker(Arc<PostMaker>),
}

impl Service {
    /// The same service, able to sweep.
    #[must_use]
    pub fn with_post(mut self, post: Post) -> Self {
        self.posting = Posting::Ready(Arc::new(post));
        self
    }

    /// The same service, able to sweep with what `make` makes for each sweep anew.
    #[must_use]
    pub fn with_post_maker(mut self, make: Arc<PostMaker>) -> Self {
        self.posting = Posting::Maker(make);
        self
    }

    /// What a sweep would send with now. Its `Display` says where letters go.
    ///
    /// # Errors
    /// When nobody said where letters go, or what was said can't be used.
    pub async fn post(&self) -> Result<Arc<Post>> {
        match &self.posting {
            Posting::Ready(post) => Ok(post.clone()),
            Posting::Maker(make) => make().await.map(Arc::new).map_err(Error::Refused),
            Posting::Nowhere => Err(Error::Refused(
                "there is nowhere to send reminders to. Name a mail server or a directory in the settings, or one for \
                 this run with --mail-dir"
                    .into(),
            )),
        }
    }

    /// Reminders, the last changed first.
    pub async fn reminders(&self, request: ReminderRequest) -> Result<Vec<Reminder>> {
        self.may_look()?;
        Ok(self.inner.store.reminders(&request.filter, request.after, request.limit).await?)
    }

    pub async fn reminder(&self, id: ReminderId) -> Result<Reminder> {
        self.may_look()?;
        self.inner.store.reminders_by_id(&[id]).await?.pop().ok_or_else(|| Error::no_reminder(id))
    }

    /// The reminders of these keys, for each key the latest expiry and the tightest threshold first.
    pub async fn reminders_of(&self, keys: &[KeyId]) -> Result<Vec<Reminder>> {
        self.may_look()?;
        Ok(self.inner.store.reminders_of(keys).await?)
    }

    /// Sweeps, the last first.
    pub async fn sweeps(&self, limit: u32) -> Result<Vec<Sweep>> {
        self.may_look()?;
        Ok(self.inner.store.sweeps(self.now().await?, limit).await?)
    }

    /// The letters that sweeps have in hand at this moment, if any; one of them may be dead.
    pub async fn in_hand(&self) -> Result<Option<InHand>> {
        self.may_look()?;
        let now = self.now().await?;
        Ok(self.inner.store.in_hand(now).await?)
    }

    /// How the outbox stands: what is due and what went wrong.
    pub async fn outbox(&self) -> Result<Outbox> {
        self.may_look()?;
        let store = &self.inner.store;
        let now = self.now().await?;
        let rules = Rules::new(store.issuers().await?);
        let (_, mut due) = store.count_waiting(now, super::sweep::claim::KEYS).await?;
        for band in rules.bands(now) {
            due += store.count_unplanned(&band, now).await?;
        }
        let mut due_in_7_days = 0;
        for band in rules.coming(now, now + chrono::Duration::days(7)) {
            due_in_7_days += store.count_unplanned(&band, now).await?;
        }
        let mut next_due_at = None;
        if due == 0 {
            for band in rules.coming(now, now + HORIZON) {
                let first = store.next_unplanned(&band, now).await?;
                let first = first.map(|end| end - chrono::Duration::days(i64::from(band.days)));
                next_due_at = [next_due_at, first].into_iter().flatten().min();
            }
        }
        let (deferred, failed, ambiguous) = store.unwell(now).await?;
        Ok(Outbox { due, due_in_7_days, next_due_at, deferred, failed, ambiguous })
    }
}

/// How far ahead the next reminder is looked for.
const HORIZON: chrono::Duration = chrono::Duration::days(10 * 365);

/// Which sweep is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepOrder {
    pub operation: OperationId,
    pub door: Door,
    /// At most this many letters.
    pub limit: Option<u32>,
}

/// What a sweep would send at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepPreview {
    pub now: Instant,
    /// The most urgent first; at most as many as were asked for.
    pub letters: Vec<LetterPreview>,
    /// How many letters there would be without a limit.
    pub letters_in_all: u64,
    /// How many reminders these hold.
    pub reminders_in_all: u64,
    /// Where the letters would go: the mail server or the directory.
    pub post: String,
}

/// A letter that would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterPreview {
    pub recipient: SafeText,
    pub keys: Vec<DueKey>,
}

/// A key in a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueKey {
    pub key: KeyId,
    pub name: SafeText,
    pub preview: SafeText,
    /// The account's slug.
    pub account: String,
    pub days_before: u32,
    pub expires_at: Instant,
    pub last_used_at: Option<Instant>,
    /// Whether a letter with it was tried before.
    pub again: bool,
}

/// What happens in a sweep, while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepNews {
    /// The outbox is filled; this many letters are to be sent, the limit taken into account.
    Planned { letters: u64 },
    /// A letter has met its fate.
    Letter(LetterNews),
}

/// The fate of one letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterNews {
    pub recipient: SafeText,
    pub reminders: u64,
    /// Sent, failed, ambiguous, or pending: to be tried again.
    pub state: State,
    /// The mail server's own words.
    pub answer: SafeText,
    /// All letters of this sweep so far.
    pub tally: Tally,
}

/// Which reminders are wanted, the last changed first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReminderRequest {
    pub filter: ReminderFilter,
    /// Only reminders that come after this one.
    pub after: Option<ReminderId>,
    pub limit: u32,
}

/// How the outbox stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outbox {
    /// Reminders that a sweep would send at this moment, planned or not.
    pub due: u64,
    /// Reminders that will fall due within the coming 7 days.
    pub due_in_7_days: u64,
    /// When the next one falls due, if none is due.
    pub next_due_at: Option<Instant>,
    /// Pending after a passing fault.
    pub deferred: u64,
    pub failed: u64,
    pub ambiguous: u64,
}

/// What became of the wish to send a reminder again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retried {
    pub reminder: Reminder,
    /// Whether it will be sent by the next sweep; if not, `why`.
    pub again: bool,
    pub why: Option<String>,
}
