//! What somebody pasted as a key, hidden; and what reading it as a gate does came to. The text itself does not stay.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use zeroize::Zeroizing;

use crate::domain::carrier::Carrier;
use crate::domain::credential::{Credential, Directory, Home, Spelling, Unread};
use crate::domain::explain::{Case, Explanation, explain};
use crate::domain::issuer::Issuer;
use crate::domain::reason::Reason;
use crate::domain::secret::{HashedKey, SentKey, search};
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

type Outcome = Result<(HashedKey, Carrier), Reason>;

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

    /// Reads a text as a gate would. Where that is no key, it is searched for one. Answers what is worth looking for.
    pub fn read(&mut self, given: SentKey, issuers: &[Issuer]) -> Option<SentKey> {
        let directory = Directory::new(issuers.iter().map(|issuer| Arc::new(issuer.policy.clone())));
        let text = String::from_utf8_lossy(given.expose());
        let (outcome, policy) = self.judge(&directory, &text);
        let Err(reason) = outcome else {
            self.read = Some(Read { directory, policy, outcome });
            return Some(given);
        };
        let findings = search(given.expose(), issuers.iter().map(|issuer| &issuer.policy));
        let mut secrets = findings.iter().filter_map(|finding| Some((finding, finding.readings.first()?)));
        // One that is alone was sent with what stands about or within it, and that is what is wrong with it.
        let within = secrets.next().filter(|(finding, _)| !finding.alone && header_in(&text).is_none());
        let (outcome, policy) = match within {
            Some((finding, secret)) => {
                let name = match finding.header {
                    Some((Carrier::Bearer, _)) => "Authorization: Bearer ",
                    Some((Carrier::ApiKey, _)) => "X-API-Key: ",
                    _ => "",
                };
                self.judge(&directory, &Zeroizing::new(format!("{name}{}", secret.expose())))
            }
            None => (Err(reason), policy),
        };
        let worth = findings.iter().any(|finding| !finding.readings.is_empty())
            && matches!(outcome, Ok(_) | Err(Reason::Spaces | Reason::Altered(_) | Reason::UnknownPrefix));
        self.read = Some(Read { directory, policy, outcome });
        worth.then_some(given)
    }

    /// What a gate makes of a text: a key, or a header with one.
    fn judge(&self, directory: &Directory, text: &str) -> (Outcome, Option<String>) {
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
        match outcome {
            Ok(found) => (Ok((found.hash, found.carrier)), Some(found.policy.slug.clone())),
            Err(unread) => (Err(unread.reason), unread.policy.map(|policy| policy.slug.clone())),
        }
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
    // Blanks and the line's end round a header are not its value's.
    let text = text.trim();
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
