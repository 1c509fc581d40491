//! What an operation can answer instead of a result.

use crate::domain::key::KeyId;
use crate::domain::manifest::Moved;
use crate::domain::operator::Role;
use crate::domain::text::SafeText;
use crate::store;

pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation was not carried out. Each message says what happened and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The role does not permit it (VP-28, VG-04).
    #[error(
        "{who} can't {what}: that needs the role {needs}. Ask an admin to run `keyrack operator set {who} {needs}`"
    )]
    NotPermitted { who: String, what: &'static str, needs: Role },
    /// The account is suspended (VP-28).
    #[error(
        "account {account} is suspended, so no key can be created for it. Reinstate it first: `keyrack account reinstate {account}`"
    )]
    Suspended { account: String },
    /// The account has as many active keys as its policy allows (VG-19, VP-28).
    #[error("account {account} has {active} active keys and its limit is {cap}. Revoke {} first", too_many(*active, *cap))]
    KeyLimit { account: String, active: u64, cap: u32 },
    /// Too many creations within a minute (VG-22).
    #[error(
        "account {account} had {made} keys created within a minute and its limit is {cap}. Wait {wait} s and try again"
    )]
    TooFast { account: String, made: u64, cap: u32, wait: u64 },
    /// The state of the thing forbids it.
    #[error("{0}")]
    Refused(String),
    /// It takes a second person, and none was asked: what it is can't be kept for them.
    #[error("{0}. Change fewer keys at once, or one by one")]
    FourEyes(String),
    /// It waits for a second person.
    #[error("{words}")]
    Asked { n: i64, words: String },
    /// What was given is not acceptable.
    #[error("{field}: {why}")]
    Invalid { field: Field, why: String },
    #[error("no {kind} {name:?}. {hint}")]
    NotFound { kind: &'static str, name: String, hint: &'static str },
    /// More than one thing answers to what was given.
    #[error("{name:?} matches {} keys: {}", .candidates.len(), list(.candidates))]
    Ambiguous { name: String, candidates: Vec<KeyId> },
    /// A revocation was sent, but the database does not show it.
    #[error(
        "the database does not show key {0} as revoked although it accepted the change. Treat it as STILL WORKING and revoke it again"
    )]
    Unconfirmed(KeyId),
    /// A revocation was sent and accepted, but it could not be read back.
    #[error(
        "the revocation of key {key} was accepted, but reading it back failed: {error}. Look at the key again, or revoke it again: that does no harm"
    )]
    NotReadBack { key: KeyId, error: store::Error },
    /// Keys are not what was shown to the person who decided about them.
    #[error("{} since this list was read: {}. Nothing was changed. Look at the list again", moved(.0.keys.len()), .0.words)]
    Moved(Moved),
    /// The machine failed to write the secrets: its disk is full, or broke.
    #[error("{0}")]
    Unwritten(String),
    /// Keys were to be replaced by others whose secrets are written, and whether they were is not known.
    #[error(
        "it is unknown whether the keys were rotated: {error}. Their new secrets are kept in {place}. Look with `keyrack rotation list`; if nothing was rotated, remove the files and rotate again"
    )]
    Uncertain { place: String, error: store::Error },
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What was given for `field` is not acceptable.
    pub(super) fn invalid(field: Field, why: impl std::fmt::Display) -> Self {
        Self::Invalid { field, why: why.to_string() }
    }

    pub(super) fn no_key(id: KeyId) -> Self {
        Self::NotFound { kind: "key", name: id.to_string(), hint: "Look it up with `keyrack key list`" }
    }

    pub(super) fn no_reminder(id: crate::domain::reminder::ReminderId) -> Self {
        Self::NotFound { kind: "reminder", name: id.to_string(), hint: "See `keyrack reminders list`" }
    }

    pub(super) fn no_account(slug: &str) -> Self {
        let hint = "See `keyrack account list`, or make it with `keyrack account create`";
        Self::NotFound { kind: "account", name: SafeText::new(slug).to_string(), hint }
    }

    pub(super) fn no_issuer(slug: &str) -> Self {
        let hint = "See `keyrack issuer list`, or add a preset with `keyrack issuer add PRESET`";
        Self::NotFound { kind: "issuer", name: SafeText::new(slug).to_string(), hint }
    }

    pub(super) fn no_operator(name: &str) -> Self {
        let hint = "See `keyrack operator list`";
        Self::NotFound { kind: "operator", name: SafeText::new(name).to_string(), hint }
    }
}

impl Error {
    /// Whether it is certain that nothing was changed, by this try or by one before it of the same operation.
    pub fn changed_nothing(&self) -> bool {
        match self {
            Self::Unconfirmed(_) | Self::NotReadBack { .. } | Self::Uncertain { .. } => false,
            Self::Store(error) => error.changed_nothing(),
            _ => true,
        }
    }
}

impl store::MaybeTransient for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

/// The part of a request that an error is about, so that a form can show it at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Field {
    Account,
    Name,
    Description,
    Scopes,
    Expiry,
    #[strum(serialize = "allow-list")]
    Allow,
    Slug,
    Admins,
    Plan,
    Policy,
    Operator,
    Reason,
    Filter,
    Message,
    /// The end of a pause.
    #[strum(serialize = "end of the pause")]
    Until,
    /// Of a report.
    Period,
    /// The name of an endpoint.
    Endpoint,
    /// Of an endpoint.
    Address,
    Secret,
    Overlap,
    Owner,
    Tags,
    Budgets,
    #[strum(serialize = "not-before")]
    NotBefore,
    #[strum(serialize = "revoke-at")]
    RevokeAt,
    /// Where secrets are to be written.
    #[strum(serialize = "place of the secrets")]
    Place,
}

fn moved(keys: usize) -> String {
    if keys == 1 { "a key is another one".into() } else { format!("{keys} keys are others") }
}

fn list(ids: &[KeyId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// How many keys must go before there is room for one.
fn too_many(active: u64, cap: u32) -> String {
    match active.saturating_sub(u64::from(cap)) {
        0 => "one".into(),
        more => (more + 1).to_string(),
    }
}
