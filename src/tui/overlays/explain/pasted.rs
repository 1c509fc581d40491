//! What somebody pasted as a key, hidden; and what reading it as a gate does came to. The text itself does not stay.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use crate::domain::credential::{Credential, Directory, Unread};
use crate::domain::explain::pasted::{API_KEY, AUTHORIZATION, Outcome, Reading};
use crate::domain::explain::{Case, Explanation, explain};
use crate::domain::issuer::Issuer;
use crate::domain::secret::SentKey;
use crate::tui::effect::Effect;
use crate::tui::widgets::secret_field::SecretInput;

/// How the key may have been sent, in words.
pub const SENT: [&str; 3] = ["not known", "Authorization: Bearer", "X-API-Key"];

/// The field, and what it came to.
#[derive(Debug, Default)]
pub struct Pasted {
    input: SecretInput,
    /// The place in [`SENT`].
    pub sent: usize,
    read: Option<Read>,
}

/// What is known of a text that was read. Holds no part of it.
#[derive(Debug)]
struct Read {
    directory: Directory,
    /// The slug of the policy that decides.
    policy: Option<String>,
    outcome: Outcome,
}

impl Pasted {
    /// Characters in the field.
    pub fn len(&self) -> usize {
        self.input.len()
    }

    /// Whether something was read.
    pub fn was_read(&self) -> bool {
        self.read.is_some()
    }

    pub fn clear(&mut self) {
        self.input.clear();
    }

    /// What was typed leaves the field.
    pub fn take(&mut self) -> SentKey {
        self.input.take_with("")
    }

    /// See [`SecretInput::end_line`], [`SecretInput::touched`], [`SecretInput::was_entered`].
    pub fn end_line(&mut self, overlay: u64) -> Effect {
        self.input.end_line(overlay)
    }

    pub fn touched(&mut self) {
        self.input.touched();
    }

    pub fn was_entered(&mut self) -> bool {
        self.input.was_entered()
    }

    pub fn key(&mut self, event: KeyEvent) {
        self.input.key(event);
    }

    /// What reading a text came to is known.
    pub fn was_told(&mut self, reading: Reading, issuers: &[Issuer]) {
        let directory = Directory::new(issuers.iter().map(|issuer| Arc::new(issuer.policy.clone())));
        self.read = Some(Read { directory, policy: reading.policy, outcome: reading.outcome });
    }

    /// The header that it was sent in, if that is known.
    pub fn header(&self) -> Option<&'static str> {
        [None, Some(AUTHORIZATION), Some(API_KEY)][self.sent.min(SENT.len() - 1)]
    }

    /// Explains what was read; `case` has what is known besides.
    pub fn told(&self, case: Case<'_>) -> Option<Explanation> {
        let Read { directory, policy, outcome } = self.read.as_ref()?;
        let policy = policy.as_ref().and_then(|slug| directory.policy(slug));
        let reading = match (outcome, policy) {
            (Ok((hash, carrier)), Some(policy)) => Ok(Credential {
                policy,
                hash: *hash,
                others: Vec::new(),
                rivals: Vec::new(),
                carrier: *carrier,
            }),
            // A key that was read has a policy.
            (Ok(_), None) => return None,
            (Err(reason), policy) => Err(Unread { policy, reason: reason.clone() }),
        };
        let policy = policy.map(AsRef::as_ref);
        Some(explain(&Case { reading: Some(reading.as_ref()), policy, ..case }))
    }
}
