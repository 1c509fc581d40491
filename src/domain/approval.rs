//! Four eyes: a change of many keys that a second person has to approve.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::Instant;
use super::audit::Action;
use super::edit::Edit;
use super::key::KeyId;
use super::pause::Lasting;
use super::text::{SafeText, thousands};

/// A request waits for so long.
pub const LASTS: Duration = Duration::hours(1);

/// What shall be done to the keys of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Wish {
    Revoke {
        reason: Option<String>,
        ticket: Option<String>,
    },
    Pause {
        lasting: Lasting,
        message: Option<String>,
        reason: Option<String>,
    },
    Confirm,
    Edit {
        edit: Box<Edit>,
    },
    /// Whoever asked carries it out after the approval, because the new secrets are theirs to hand on.
    Rotate,
}

impl Wish {
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Revoke { .. } => "revoke",
            Self::Pause { .. } => "pause",
            Self::Confirm => "confirm",
            Self::Edit { .. } => "edit",
            Self::Rotate => "rotate",
        }
    }

    /// Why, where somebody said so.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Revoke { reason, .. } | Self::Pause { reason, .. } => reason.as_deref(),
            Self::Edit { edit } => edit.plan_reason.as_deref(),
            Self::Confirm | Self::Rotate => None,
        }
    }

    /// What more is to be said of a wish: which fields are edited, for how long keys are paused.
    pub fn how(&self) -> Option<String> {
        let mut told = match self {
            Self::Edit { edit } => serde_json::to_value(edit).ok()?,
            Self::Pause { lasting, .. } => serde_json::to_value(lasting).ok()?,
            Self::Rotate => return Some("the person who asked rotates them after the approval".into()),
            Self::Revoke { .. } | Self::Confirm => return None,
        };
        let empty = |value: &serde_json::Value| {
            value.is_null() || *value == false || value.as_array().is_some_and(Vec::is_empty)
        };
        if let Some(members) = told.as_object_mut() {
            members.retain(|_, value| !empty(value));
        }
        let members = told.as_object()?.iter().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name} {value}")
        });
        Some(SafeText::new(members.collect::<Vec<_>>().join(", ")).to_string())
    }
}

/// The rows of the audit by which such changes are counted. To let keys work again that somebody paused never waits.
pub const COUNTED: [Action; 7] = [
    Action::KeyRevoke,
    Action::KeyPause,
    Action::KeyEdit,
    Action::KeyAcknowledge,
    Action::KeyRotate,
    Action::KeyRetire,
    Action::KeyLimit,
];

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, Serialize)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Approved,
    Declined,
    /// Whoever asked did it alone, in an emergency.
    Overridden,
}

/// A request for a second person's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub n: i64,
    pub verb: SafeText,
    /// `None`: a newer version's, which this one can't carry out.
    pub wish: Option<Wish>,
    /// How many keys.
    pub keys: u64,
    pub reason: Option<SafeText>,
    pub asked_at: Instant,
    pub asked_by: SafeText,
    pub ends_at: Instant,
    pub decided_at: Option<Instant>,
    pub decided_by: Option<SafeText>,
    pub outcome: Option<Outcome>,
    /// Why it was done without a second person.
    pub override_reason: Option<SafeText>,
}

impl Approval {
    /// Whether it waits for somebody.
    pub fn waits(&self, now: Instant) -> bool {
        self.outcome.is_none() && now < self.ends_at
    }

    /// `waiting`, `approved`, `declined`, `overridden`, `lapsed`.
    pub fn state(&self, now: Instant) -> &'static str {
        match self.outcome {
            Some(outcome) => outcome.into(),
            None if self.waits(now) => "waiting",
            None => "lapsed",
        }
    }

    /// `revoke 12 keys`
    pub fn what(&self) -> String {
        format!("{} {} {}", self.verb, thousands(self.keys), if self.keys == 1 { "key" } else { "keys" })
    }
}

/// A key as the one who asked was shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub key: KeyId,
    /// See [`super::manifest`].
    pub version: u64,
}

#[cfg(test)]
mod tests;
