//! Why a request may not pass: the exact reason, for the log, the counters and `keyrack explain`. What the caller is told
//! is in [`super::verdict::Answer`].

use std::net::IpAddr;

use strum::IntoStaticStr;

use crate::domain::Instant;
use crate::domain::carrier::Carrier;
use crate::domain::issuer::{LineFault, Policy};
use crate::domain::key::Revoked;
use crate::domain::limit::State;
use crate::domain::pause::Pause;
use crate::domain::secret::Lack;
use crate::domain::text::SafeText;
use crate::domain::when;

/// Why a request may not pass. Holds no part of a secret.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Reason {
    /// No header carries a key.
    Missing,
    /// `Authorization` has another scheme than Bearer.
    OtherScheme,
    /// `Authorization` holds a key without the word Bearer before it.
    NoScheme,
    /// The header is there, with nothing in it.
    Empty,
    /// Several keys that are not the same one (VP-02).
    #[strum(serialize = "several-keys")]
    Several,
    /// The issuer does not take keys in this header (VI-01).
    WrongHeader {
        used: Carrier,
    },
    /// The header's name is not spelled as this policy demands (VI-02).
    HeaderSpelling,
    TooLong {
        bytes: usize,
    },
    /// No UTF-8.
    NotText,
    /// White space before, in or behind the key (VA-11).
    Spaces,
    /// The masked preview was taken for the key (VA-10).
    Preview,
    /// No issuer's keys begin like this.
    UnknownPrefix,
    /// Characters after the prefix, and how many a key has.
    Truncated {
        found: usize,
        wanted: usize,
    },
    Altered(Damage),
    /// A key of another issuer than the one asked for.
    OtherIssuer,
    /// The form is right, but there is no such key.
    Unknown,
    /// The same, where a pepper is missing that living keys were hashed with: it may be one of them.
    PepperMissing {
        lack: Lack,
    },
    Revoked {
        at: Instant,
        by: Option<SafeText>,
        note: Option<SafeText>,
        /// Whether it was planned.
        planned: bool,
    },
    Expired {
        at: Instant,
    },
    /// Nobody took the secret over in time (VP-27).
    Abandoned {
        at: Instant,
    },
    /// A part of the key's row, or of its policy, can't be read, and why.
    Damaged {
        what: SafeText,
    },
    /// It works from this instant on.
    Planned {
        at: Instant,
    },
    /// It is refused for a while. `told`: who is refused may see that.
    Paused {
        pause: Box<Pause>,
        told: bool,
    },
    /// The account, by its slug, is not in good standing.
    Suspended {
        account: SafeText,
    },
    /// The key's allow-list does not hold the address (VP-07).
    Address {
        address: Option<IpAddr>,
    },
    #[strum(serialize = "bad-path")]
    Line(LineFault),
    /// But for a slash at its end the path would fit a route.
    #[strum(serialize = "trailing-slash")]
    Slash,
    /// But for the size of its letters the path would fit a route.
    LetterCase,
    Unrouted,
    /// The policy has no routes at all, as those have that were written before there was a gate.
    NoRoutes,
    Scope {
        needed: SafeText,
    },
    /// A budget is used up; the one that keeps waiting the longest.
    Limited {
        spent: State,
    },
    /// Too many failed attempts from one address; seconds to wait.
    Braked {
        seconds: u32,
    },
    /// The shared limiter can't be asked.
    #[strum(serialize = "limiter-unreachable")]
    LimiterGone,
    /// The database can't be asked.
    #[strum(serialize = "database-unreachable")]
    StoreGone,
}

/// What is wrong with a key of the right prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Characters that no key has.
    Characters,
    /// Capital letters where small ones belong, or the other way round.
    Case,
    /// Characters after the prefix, and how many a key has.
    Longer { found: usize, wanted: usize },
    /// A character was mistyped: the checksum says so.
    Checksum,
}

impl Reason {
    /// A short name for logs, counters and JSON.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Whether somebody tried to pass without a key that works: what a run of failed authentications is made of.
    pub fn is_failed_authentication(&self) -> bool {
        !matches!(
            self,
            Self::Line(_)
                | Self::Slash
                | Self::LetterCase
                | Self::Unrouted
                | Self::NoRoutes
                | Self::Paused { told: true, .. }
                | Self::Scope { .. }
                | Self::Limited { .. }
                | Self::Braked { .. }
                | Self::LimiterGone
                | Self::StoreGone
        )
    }

    /// Whether no key was found at all, or not one; else something was there that is no key, or one that may not pass.
    pub(crate) fn is_about_finding(&self) -> bool {
        matches!(
            self,
            Self::Missing
                | Self::OtherScheme
                | Self::NoScheme
                | Self::Empty
                | Self::Several
                | Self::WrongHeader { .. }
                | Self::HeaderSpelling
        )
    }

    /// What happened and what to do, for operators. `policy` is the one that decided, if one did.
    pub fn sentence(&self, policy: Option<&Policy>) -> String {
        let issuer = policy.map_or("this gate", |policy| &policy.name);
        let headers = policy.map_or("Authorization: Bearer or X-API-Key", accepted);
        let text = match self {
            Self::Missing => return format!("No header carries a key: send it in {headers}."),
            Self::OtherScheme => {
                return format!("Authorization has another scheme than Bearer: send the key in {headers}.");
            }
            Self::NoScheme => {
                "Authorization holds a key without its scheme: write Bearer and one space before it."
            }
            Self::Empty => {
                "The header is there, but no key is in it: the variable that should hold the key may be empty."
            }
            Self::Several => "The request carries several keys that are not the same: send one.",
            Self::WrongHeader { used } => {
                let used = used.header();
                return format!(
                    "The key was sent in {used}, where {issuer} does not take it: send it in {headers}."
                );
            }
            Self::HeaderSpelling => {
                return format!(
                    "The header's name is not spelled exactly X-API-Key, which {issuer} insists on."
                );
            }
            Self::TooLong { bytes } => {
                return format!("{bytes} bytes can't be a key: check what the variable contains.");
            }
            Self::NotText => "What was sent isn't text: check how the key was stored.",
            Self::Spaces => {
                "There is white space around or in the key: copy it again without blanks and line breaks."
            }
            Self::Preview => {
                "The masked preview was sent instead of the key. The key was shown only once, at its creation: if nobody has it, create a new one."
            }
            Self::UnknownPrefix => "No issuer's keys begin like this: check which key belongs here.",
            Self::Truncated { found, wanted } => {
                return format!(
                    "The key is cut off: {found} characters after the prefix instead of {wanted}. Copy it again."
                );
            }
            Self::Altered(Damage::Characters) => "The key holds characters that no key has: copy it again.",
            Self::Altered(Damage::Case) => {
                "Upper and lower case were changed in the key: copy it again unchanged."
            }
            Self::Altered(Damage::Longer { found, wanted }) => {
                return format!(
                    "The key is too long: {found} characters after the prefix instead of {wanted}. Copy it again."
                );
            }
            Self::Altered(Damage::Checksum) => {
                "A character of the key is wrong, so its checksum does not match: copy it again."
            }
            Self::OtherIssuer => {
                return format!(
                    "The key belongs to another issuer than {issuer}: check which key belongs here."
                );
            }
            Self::Unknown => {
                "The format is right, but this database has no such key: check whether it belongs to another one."
            }
            Self::PepperMissing { lack } => {
                return format!(
                    "No key was found, and {lack}: keys that were hashed with it can't be told from unknown ones. Put the file of v{} back into the folder of the peppers.",
                    lack.version
                );
            }
            Self::Revoked { at, by, note, planned } => {
                let (at, by, planned) = (*at, by.as_ref(), *planned);
                let by = Revoked { at, by, reason: None, planned }.by_whom();
                let note = note.as_ref().filter(|note| !note.is_empty()).map(|note| format!(" ({note})"));
                let note = note.unwrap_or_default();
                return format!(
                    "The key was revoked on {}{by}{note}. That is final: create a new one.",
                    when::in_a_sentence(at)
                );
            }
            Self::Expired { at } => {
                return format!("The key expired on {}: create a new one.", when::in_a_sentence(*at));
            }
            Self::Abandoned { at } => {
                return format!(
                    "Nobody confirmed the secret, so the key expired on {}: create a new one.",
                    when::in_a_sentence(*at)
                );
            }
            Self::Damaged { what } => {
                return format!(
                    "The database holds something of this key that can't be read ({what}), so it is refused: revoke it and create a new one, or fix the row (see keyrack doctor)."
                );
            }
            Self::Planned { at } => {
                return format!(
                    "The key works from {} on, and is refused before: wait, or have it work sooner with `keyrack key edit --not-before`.",
                    when::in_a_sentence(*at)
                );
            }
            Self::Paused { pause, .. } => {
                let sooner = match pause.freeze {
                    Some(n) => format!("an admin lifts the freeze with `keyrack freeze lift {n}`"),
                    None => "somebody resumes it with `keyrack key resume`".into(),
                };
                return format!("The key is {}. It works again then, or sooner if {sooner}.", pause.words());
            }
            Self::Suspended { account } => {
                return format!(
                    "Account {account} is suspended: its keys work again once it is in good standing."
                );
            }
            Self::Address { address: Some(address) } => {
                return format!(
                    "The key can't be used from {address}: use it from an allowed network, or create a key that allows this one."
                );
            }
            Self::Address { address: None } => {
                "The key may be used from certain networks only, and the caller's address is not known."
            }
            Self::Line(fault) => return format!("The request can't be checked: {fault}."),
            Self::LetterCase => {
                "The path matches a route except for upper and lower case: write it like the route."
            }
            Self::Slash => {
                "The path matches a route except for the slash at its end: write it like the route."
            }
            Self::Unrouted => {
                return format!(
                    "No route of {issuer} matches this method and path: add one under [[routes]], or set unmatched = \"allow\" in [gate]."
                );
            }
            Self::NoRoutes => {
                return format!(
                    "The policy of {issuer} has no routes, so every request is refused: add [[routes]], or set unmatched = \"allow\" in [gate]."
                );
            }
            Self::Scope { needed } => {
                return format!("The key lacks the scope {needed}: create one that has it.");
            }
            Self::Limited { spent } => {
                let budget = spent.budget;
                return format!(
                    "The budget of {budget} per {} is used up: wait, or ask for more.",
                    spent.per
                );
            }
            Self::Braked { seconds } => {
                return format!("Too many failed attempts came from this address: wait {seconds} s.");
            }
            Self::LimiterGone => {
                "The shared limiter can't be reached, and the policy says to refuse then: check the limiter."
            }
            Self::StoreGone => "The database can't be reached, so nothing may pass: check the database.",
        };
        text.to_owned()
    }
}

/// The headers that a policy takes keys in.
fn accepted(policy: &Policy) -> &'static str {
    match (policy.headers.bearer, policy.headers.api_key) {
        (true, true) => "Authorization: Bearer or X-API-Key",
        (true, false) => "Authorization: Bearer",
        _ => "X-API-Key",
    }
}
