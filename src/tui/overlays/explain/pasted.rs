//! What somebody pasted as a key, hidden; and what reading it as a gate does came to. The text itself does not stay.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use zeroize::Zeroizing;

use crate::domain::carrier::Carrier;
use crate::domain::credential::{Credential, Directory, Home, Spelling, Unread};
use crate::domain::explain::{Case, Explanation, explain};
use crate::domain::issuer::Issuer;
use crate::domain::reason::Reason;
use crate::domain::secret::{HashedKey, PlainKey};
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
    outcome: Result<(HashedKey, Carrier), Reason>,
}

impl Pasted {
    pub fn is_empty(&self) -> bool {
        self.input.len() == 0
    }

    /// Characters in the field.
    pub fn len(&self) -> usize {
        self.input.len()
    }

    /// Whether something was read.
    pub fn was_read(&self) -> bool {
        self.read.is_some()
    }

    /// Takes a pasted text in the place of what was there, white space and all: it may be what is wrong.
    pub fn paste(&mut self, text: &str) {
        self.input.clear();
        for c in text.chars() {
            let mut buffer = [0; 4];
            self.input.paste(if c.is_whitespace() { " " } else { c.encode_utf8(&mut buffer) });
        }
    }

    pub fn key(&mut self, event: KeyEvent) {
        self.input.key(event);
    }

    /// Reads the text as a gate would, and empties the field. Answers the secret that is worth looking for.
    pub fn read(&mut self, issuers: &[Issuer]) -> Option<PlainKey> {
        let directory = Directory::new(issuers.iter().map(|issuer| Arc::new(issuer.policy.clone())));
        let text = self.input.raw();
        let (name, value) = match header_in(text) {
            Some((name, value)) => (Some(name), value),
            None => ([None, Some("authorization"), Some("X-API-Key")][self.sent.min(SENT.len() - 1)], text),
        };
        // What is pasted for the Bearer header is the key alone, or the whole value.
        let bearer = name == Some("authorization") && !starts_with(value, "bearer ");
        let sent = Zeroizing::new(if bearer { format!("Bearer {value}") } else { value.to_owned() });
        let outcome = match name {
            Some(name) => {
                let headers = [(name.as_bytes(), sent.as_bytes())];
                directory.read(Home::Any, headers, Spelling::Lost)
            }
            None => directory.read_bare(Home::Any, text.as_bytes()),
        };
        let secret = match &outcome {
            Ok(_) | Err(Unread { reason: Reason::Spaces, .. }) => {
                let key = if starts_with(&sent, "bearer ") { &sent["bearer ".len()..] } else { &sent };
                Some(PlainKey::from_input(key))
            }
            Err(_) => None,
        };
        let (policy, outcome) = match outcome {
            Ok(found) => (Some(found.policy.slug.clone()), Ok((found.hash, found.carrier))),
            Err(unread) => (unread.policy.map(|policy| policy.slug.clone()), Err(unread.reason)),
        };
        self.read = Some(Read { directory, policy, outcome });
        self.input.clear();
        secret
    }

    /// Explains what was read; `case` has what is known besides.
    pub fn told(&self, case: Case<'_>) -> Option<Explanation> {
        let Read { directory, policy, outcome } = self.read.as_ref()?;
        let policy = policy.as_ref().and_then(|slug| directory.policy(slug));
        let reading = match (outcome, policy) {
            (Ok((hash, carrier)), Some(policy)) => Ok(Credential { policy, hash: *hash, carrier: *carrier }),
            // A key that was read has a policy.
            (Ok(_), None) => return None,
            (Err(reason), policy) => Err(Unread { policy, reason: reason.clone() }),
        };
        let policy = policy.map(AsRef::as_ref);
        Some(explain(&Case { reading: Some(reading.as_ref()), policy, ..case }))
    }
}

/// The header's name and value, where a whole header was pasted.
fn header_in(text: &str) -> Option<(&'static str, &str)> {
    let text = text.trim_start();
    ["authorization", "X-API-Key"]
        .into_iter()
        .find_map(|name| {
            let value = text.get(name.len()..)?.strip_prefix(':')?;
            // As HTTP has it: one blank behind the colon belongs to neither.
            starts_with(text, name).then(|| (name, value.strip_prefix(' ').unwrap_or(value)))
        })
        .or_else(|| starts_with(text, "bearer ").then_some(("authorization", text)))
}

/// Compares beginnings whatever the case.
fn starts_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}
