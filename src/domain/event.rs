//! Events: what the audit tells, row by row, for other programs.
//!
//! Each row of the audit is one event with the row's number and an identity of its own, which the same row of the same history has
//! for ever. The kinds and the members are a contract: new ones may come, none goes or changes its meaning.

use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value, json};
use strum::{EnumString, IntoStaticStr, VariantNames};

use super::Instant;
use super::audit::{Action, Entry};
use super::key::{KeyId, OperationId};
use super::person::Person;
use super::text::SafeText;

/// What happened.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantNames,
    Serialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key was made.
    Created,
    /// A key that another product made was taken over.
    Imported,
    /// Somebody confirmed that the secret was taken over.
    Confirmed,
    /// A key was made in the place of another: `replaces`.
    Rotated,
    /// A key that is replaced got the end of its overlap.
    Retiring,
    Revoked,
    Paused,
    Resumed,
    /// What a key is, or its budgets: `changed`.
    Changed,
    /// The admins of its account were told of a key.
    Told,
    /// Somebody told a gate that a key leaked. A key that a gate revoked or paused for that is `revoked` or `paused`, and who
    /// asks for leaks gets those too.
    Leaked,
    /// An admin was told that a key expires.
    Expiring,
    AccountCreated,
    AccountChanged,
    AccountSuspended,
    AccountReinstated,
    PolicyApplied,
    OperatorSet,
    OperatorRemoved,
    Frozen,
    Unfrozen,
    CreationStopped,
    CreationAllowed,
    AlertAcknowledged,
    /// Reminders that were planned, put aside, or not sent.
    Reminders,
    EndpointAdded,
    EndpointRemoved,
    /// A change of many keys waits for a second person.
    ApprovalAsked,
    /// It was carried out with their approval.
    Approved,
    Declined,
    /// It was carried out without, in an emergency.
    Overridden,
    /// Everything was written out, the hashes of keys among it.
    Exported,
    /// Somebody decided about the history or the clock of the database.
    Accepted,
    /// More changes may commit at the same time.
    LanesSet,
    DemoLoaded,
    /// What this version of Keyrack does not know.
    Other,
    /// Of `keyrack events endpoints test` alone.
    Test,
}

impl Kind {
    /// Their words, in the order in which help shows them.
    pub const WORDS: &[&str] = <Self as VariantNames>::VARIANTS;

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of a row with this action.
    pub fn of(action: &str) -> Self {
        let known = Action::ALL.iter().copied().find(|known| known.as_str() == action);
        let Some(action) = known else { return Self::Other };
        match action {
            Action::KeyCreate => Self::Created,
            Action::KeyImport => Self::Imported,
            Action::KeyAcknowledge => Self::Confirmed,
            Action::KeyRotate => Self::Rotated,
            Action::KeyRetire => Self::Retiring,
            Action::KeyRevoke => Self::Revoked,
            Action::KeyPause => Self::Paused,
            Action::KeyResume => Self::Resumed,
            Action::KeyEdit | Action::KeyLimit => Self::Changed,
            Action::KeyTell => Self::Told,
            Action::LeakReport => Self::Leaked,
            Action::ReminderSend | Action::ReminderWrite => Self::Expiring,
            Action::AccountCreate => Self::AccountCreated,
            Action::AccountChange => Self::AccountChanged,
            Action::AccountSuspend => Self::AccountSuspended,
            Action::AccountReinstate => Self::AccountReinstated,
            Action::IssuerApply => Self::PolicyApplied,
            Action::OperatorSet => Self::OperatorSet,
            Action::OperatorRemove => Self::OperatorRemoved,
            Action::FreezeAdd => Self::Frozen,
            Action::FreezeLift => Self::Unfrozen,
            Action::CreationStop => Self::CreationStopped,
            Action::CreationAllow => Self::CreationAllowed,
            Action::AlertAcknowledge => Self::AlertAcknowledged,
            Action::SweepBegin
            | Action::SweepPlan
            | Action::SweepEnd
            | Action::ReminderFail
            | Action::ReminderDefer
            | Action::ReminderAmbiguous
            | Action::ReminderCancel
            | Action::ReminderRetry => Self::Reminders,
            Action::EndpointAdd => Self::EndpointAdded,
            Action::EndpointRemove => Self::EndpointRemoved,
            Action::ApprovalAsk => Self::ApprovalAsked,
            Action::ApprovalApprove => Self::Approved,
            Action::ApprovalDecline => Self::Declined,
            Action::ApprovalOverride => Self::Overridden,
            Action::ExportWrite => Self::Exported,
            Action::AuditAccept | Action::ClockAccept => Self::Accepted,
            Action::AuditLanes => Self::LanesSet,
            Action::DemoLoad => Self::DemoLoaded,
        }
    }
}

/// The key that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfKey {
    pub id: KeyId,
    pub name: Option<SafeText>,
    pub preview: Option<SafeText>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// 1, 2, 3, … without a gap: the number of the audit's row.
    pub n: i64,
    /// The same for the same row of the same history, and no other.
    pub id: String,
    pub at: Instant,
    pub kind: Kind,
    /// The word of the audit.
    pub action: SafeText,
    pub actor: SafeText,
    pub host: SafeText,
    /// Who was behind the actor: `{mark, value, proof}` each; empty where nothing is known.
    pub person: Person,
    pub operation: OperationId,
    pub account: Option<SafeText>,
    pub key: Option<OfKey>,
    pub subject: SafeText,
    /// What was changed: `{field: [old, new]}`.
    pub changed: Map<String, Value>,
    /// The rest of the particulars.
    pub details: Map<String, Value>,
}

/// So much of a row's hash tells rows and histories apart.
const ID: usize = 32;

impl Event {
    /// What a row of the audit tells.
    pub fn of(entry: Entry) -> Self {
        let mut details = match serde_json::from_str(&entry.detail).map(safe) {
            Ok(Value::Object(members)) => members,
            Ok(other) => Map::from_iter([("detail".to_owned(), other)]),
            Err(_) => Map::from_iter([("detail".to_owned(), json!(entry.detail))]),
        };
        // It serves the verification of the audit, and nobody else.
        details.remove("fingerprint");
        let changed = changed(&entry.action, &mut details);
        let mut text = |name: &str| match details.get(name) {
            Some(Value::String(_)) if entry.key.is_some() => {
                details.remove(name).and_then(|value| value.as_str().map(SafeText::new))
            }
            _ => None,
        };
        let (name, preview) = (text("name"), text("preview"));
        let key = entry.key.map(|id| OfKey { id, name: name.or(entry.name), preview });
        details.retain(|_, value| !value.is_null());
        Self {
            n: entry.seq,
            id: entry.hash.chars().take(ID).collect(),
            at: entry.at,
            kind: Kind::of(&entry.action),
            action: entry.action,
            actor: entry.actor,
            host: entry.host,
            person: entry.person,
            operation: entry.operation,
            account: entry.account,
            key,
            subject: entry.subject,
            changed,
            details,
        }
    }

    /// One that tells of nothing, to see whether somebody takes it.
    pub fn test(at: Instant, actor: &str, host: &str, operation: OperationId) -> Self {
        let words = "A test of Keyrack's: nothing happened.";
        Self {
            n: 0,
            id: format!("test-{}", operation.simple()),
            at,
            kind: Kind::Test,
            action: "test".into(),
            actor: SafeText::new(actor),
            host: SafeText::new(host),
            person: Person::default(),
            operation,
            account: None,
            key: None,
            subject: SafeText::default(),
            changed: Map::new(),
            details: Map::from_iter([("words".to_owned(), json!(words))]),
        }
    }

    /// In one line, without its end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether a gate heard of a leak, whatever was done about it.
    fn is_leak(&self) -> bool {
        self.kind == Kind::Leaked || (self.key.is_some() && self.details.contains_key("source"))
    }
}

/// The kinds that somebody asks for; none: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(Vec<Kind>);

/// What is no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of event {:?}. The kinds are {}", .0.as_str(), Kind::WORDS.join(", "))]
pub struct NoKind(SafeText);

impl Kinds {
    /// Whether it asks for this event.
    pub fn want(&self, event: &Event) -> bool {
        self.0.is_empty()
            || self.0.contains(&event.kind)
            || (self.0.contains(&Kind::Leaked) && event.is_leak())
    }

    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Kinds {
    type Err = NoKind;

    /// With commas or blanks between.
    fn from_str(text: &str) -> Result<Self, NoKind> {
        let mut kinds = Vec::new();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            let kind = Kind::from_str(&word.to_ascii_lowercase()).ok().filter(|kind| *kind != Kind::Test);
            kinds.push(kind.ok_or_else(|| NoKind(SafeText::new(word)))?);
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Self(kinds))
    }
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|kind| kind.as_str()).collect();
        f.write_str(&words.join(" "))
    }
}

/// Takes what was changed out of the particulars, in the form that each action has it.
fn changed(action: &str, details: &mut Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(changed)) = details.remove("changed") {
        return changed;
    }
    let pair = |old: Value, new: Value| json!([old, new]);
    let mut changed = Map::new();
    match (action, details.remove("from"), details.remove("to")) {
        // A budget is one value, an account has several.
        ("key.limit", from, to) => {
            changed.insert("limits".into(), pair(from.unwrap_or_default(), to.unwrap_or_default()));
        }
        (_, Some(Value::Object(from)), Some(Value::Object(to))) => {
            for (name, new) in to {
                let old = from.get(&name).cloned().unwrap_or_default();
                if old != new {
                    changed.insert(name, pair(old, new));
                }
            }
        }
        (_, from, to) => {
            details.extend(from.map(|from| ("from".to_owned(), from)));
            details.extend(to.map(|to| ("to".to_owned(), to)));
        }
    }
    match action {
        "operator.set" | "operator.remove" => {
            let (old, new) = (details.remove("before"), details.remove("role"));
            changed.insert("role".into(), pair(old.unwrap_or_default(), new.unwrap_or_default()));
        }
        "key.pause" | "key.resume" => {
            let (old, new) = (details.remove("was_until"), details.remove("until"));
            changed.insert("paused_until".into(), pair(old.unwrap_or_default(), new.unwrap_or_default()));
        }
        "account.suspend" => {
            changed.insert("standing".into(), json!(["good", "suspended"]));
        }
        "account.reinstate" => {
            changed.insert("standing".into(), json!(["suspended", "good"]));
        }
        _ => {}
    }
    changed
}

/// The same value with every text in it cleaned.
pub fn safe(value: Value) -> Value {
    let clean = |text: String| SafeText::new(text).to_string();
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => items.into_iter().map(safe).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (clean(name), safe(value))).collect()
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests;
