//! Where a table comes from.

use super::Form;
use crate::domain::Instant;
use crate::domain::issuer::Hashing;
use crate::domain::secret::{PepperId, Peppers};
use crate::domain::text::check_description;

/// Whose table it is, and what else goes into its hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub form: Form,
    /// The pepper under which that product made its hashes: HMAC-SHA-256 in the place of SHA-256.
    pub pepper: Option<PepperId>,
    /// Those that are at hand.
    pub peppers: Peppers,
}

impl Source {
    /// How such keys are hashed there; `None`: their rows tell.
    pub fn hashing(&self) -> Option<Hashing> {
        match self.pepper {
            Some(_) => Some(Hashing::HmacSha256),
            None => self.form.hashing(),
        }
    }

    /// What a policy may say so that gates look such keys up.
    pub fn usual(&self) -> String {
        let usual = self.form.usual();
        if self.pepper.is_some() { usual.replace("\"sha256\"", "\"hmac-sha256\"") } else { usual.to_owned() }
    }
}

/// Where a key comes from, for who reads of it.
pub(super) fn origin(form: Form, id: Option<&str>, begins: Option<&str>) -> String {
    let id = id.map(|id| format!(", ID {id}")).unwrap_or_default();
    let begins = begins.map(|begins| format!(", begins with {begins}")).unwrap_or_default();
    let words = format!("Imported from {}{id}{begins}", form.as_str());
    check_description(&words).unwrap_or_else(|_| format!("Imported from {}", form.as_str()))
}

/// The same with the day on which it was made there, as far as there is room. Nothing rests on it: a key's own creation is
/// when it moved in.
pub(super) fn made_there(description: &str, made: Instant) -> String {
    let day = made.format("%Y-%m-%d");
    let words = match description {
        "" => format!("Created at its source on {day}"),
        description => format!("{description}, created at its source on {day}"),
    };
    check_description(&words).unwrap_or_else(|_| description.to_owned())
}
