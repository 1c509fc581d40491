//! What the audit says of a key, and whether the key's row says the same.
//!
//! Each row of the audit is judged by what it says: rows of earlier versions say less. What changes without a row is the
//! last use (`last_used_at`, `last_used_from`, `last_used_endpoint`), which gates write; what is derived (`ends_at`,
//! `search`, `name_key`); the link to a successor, which follows from the successor's own row; and the spelling of texts,
//! which a migration made one. A key lives by its first use too: that is told by the counts which gates keep.

use chrono::DateTime;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Action;
use super::finding::{Finding, Kind};
use crate::domain::budget::Budgets;
use crate::domain::key::CLAIM_TIME;
use crate::domain::text::{composed, hex};

mod lists;
mod owned;
mod planned;

use lists::{network, split, words};

/// An instant in microseconds since the epoch, so that no value of a database is out of range.
pub type Micros = i64;

/// Further apart than this, two clocks do not tell of one moment: the row's instant may be the server's at its writing.
const NEAR: Micros = 10 * 60 * 1_000_000;
/// The counts of use reach back reliably only to what is so much younger than the oldest of them.
const COUNTED: Micros = 60 * 60 * 1_000_000;

/// A row of the audit, as far as it is needed to replay it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub at: Micros,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub account: Option<String>,
    pub detail: Value,
}

/// A key exactly as it stands in the database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredKey {
    pub id: Uuid,
    pub account: String,
    pub issuer: String,
    pub name: String,
    pub description: String,
    pub owner: Option<String>,
    pub owner_mail: Option<String>,
    pub tags: String,
    pub preview: String,
    /// Of the stored hash; none where this login can't read that.
    pub fingerprint: Option<String>,
    pub scopes: String,
    pub allow: String,
    pub limits: Option<String>,
    pub created_at: Micros,
    pub created_by: String,
    pub claim_by: Micros,
    /// When it stops, by its expiry or by its planned revocation.
    pub stops_at: Option<Micros>,
    /// Its expiry where a revocation is planned.
    pub own_expiry: Option<Micros>,
    pub not_before: Option<Micros>,
    pub revoke_at: Option<Micros>,
    pub planned_by: Option<String>,
    pub plan_reason: Option<String>,
    pub acknowledged_at: Option<Micros>,
    pub last_used_at: Option<Micros>,
    pub revoked_at: Option<Micros>,
    pub revoked_by: Option<String>,
    pub revoke_reason: Option<String>,
    pub paused_until: Option<Micros>,
    pub paused_by: Option<String>,
    pub predecessor: Option<Uuid>,
    pub overlap_seconds: Option<i64>,
    pub scheme: String,
    pub imported_from: Option<String>,
    /// Of a key that lives by its use alone: whether a gate counted one before the key's claim time was over.
    pub counted: Option<bool>,
}

/// What holds for the whole database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Era {
    pub now: Micros,
    /// When a demo was loaded. Its keys are older, and their histories lie before the rows that tell of them.
    pub demo: Option<Micros>,
    /// The oldest count of use that is kept.
    pub counted_since: Option<Micros>,
}

/// What stands for a stored hash in the audit: it tells one from another, and nothing opens with it.
pub fn fingerprint(key: Uuid, hash: &[u8]) -> String {
    let mut sha = Sha256::new();
    sha.update(b"keyrack key\0");
    sha.update(key.as_bytes());
    sha.update(hash);
    hex(&sha.finalize())
}

impl Era {
    /// Whether a key of this age came with a demo.
    pub fn is_of_demo(&self, created_at: Micros) -> bool {
        self.demo.is_some_and(|loaded| created_at <= loaded)
    }

    /// Whether a demo's data may say this without a row.
    fn excuses(&self, key: &StoredKey, at: Micros) -> bool {
        self.is_of_demo(key.created_at) && self.is_of_demo(at)
    }
}

/// What the rows of a key come to.
#[derive(Default)]
struct Told<'a> {
    creation: Option<&'a Row>,
    expires_at: Option<Option<Micros>>,
    limits: Option<Option<&'a str>>,
    acknowledged: Option<&'a Row>,
    revoked: Option<&'a Row>,
    /// What fields were edited to, by their names.
    edited: serde_json::Map<String, Value>,
    /// Who said last when it is to be revoked, or why.
    planner: Option<&'a Row>,
    /// The last pause, if nobody resumed the key since.
    paused: Option<&'a Row>,
}

impl<'a> Told<'a> {
    fn by(rows: &'a [Row]) -> Self {
        let mut told = Self::default();
        for row in rows {
            let is = |action: Action| row.action == action.as_str();
            let detail = &row.detail;
            if Action::CREATIONS.into_iter().any(is) {
                told.creation = told.creation.or(Some(row));
                // One that moves in works at once: who imported it confirmed it.
                told.acknowledged = told.acknowledged.or(is(Action::KeyImport).then_some(row));
                told.expires_at = detail.get("expires_at").map(instant);
                told.planner = detail.get("revoke_at").filter(|at| !at.is_null()).map(|_| row);
                // Before limits were told, a new key had none, and one that replaces another had that one's.
                told.limits = match detail.get("limits") {
                    Some(limits) => Some(limits.as_str()),
                    None if is(Action::KeyCreate) || is(Action::KeyImport) => Some(None),
                    None => None,
                };
            } else if is(Action::KeyAcknowledge) {
                told.acknowledged = told.acknowledged.or(Some(row));
            } else if is(Action::KeyRetire) {
                told.expires_at = detail.get("ends_at").map(instant).or(told.expires_at);
            } else if is(Action::KeyLimit) {
                told.limits = detail.get("to").map(Value::as_str).or(told.limits);
            } else if is(Action::KeyEdit) {
                for (field, pair) in detail.get("changed").and_then(Value::as_object).into_iter().flatten() {
                    if let Some(new) = pair.get(1) {
                        told.edited.insert(field.clone(), new.clone());
                        if field == "expires_at" {
                            told.expires_at = Some(instant(new));
                        }
                        if planned::NAMES_PLANNER.contains(&field.as_str()) {
                            told.planner = Some(row);
                        }
                    }
                }
            } else if is(Action::KeyPause) {
                told.paused = Some(row);
            } else if is(Action::KeyResume) {
                told.paused = None;
            } else if is(Action::KeyRevoke) {
                told.revoked = told.revoked.or(Some(row));
            }
        }
        told
    }
}

/// Compares a key with the rows that tell of it, which are in their order.
pub fn judge(key: &StoredKey, rows: &[Row], era: &Era) -> Vec<Finding> {
    let told = Told::by(rows);
    let of_demo = era.is_of_demo(key.created_at);
    let mut findings = match told.creation {
        Some(creation) => identity(key, creation, &told.edited, of_demo),
        None if of_demo => Vec::new(),
        None => {
            let made = format!("{:?}, of {} by {}", key.name, time(key.created_at), key.created_by);
            return vec![Finding::new(Kind::Planted, key.id, "no row records its creation", made)];
        }
    };
    findings.extend(changed(key, &told, era));
    findings
}

/// What never changes of a key, or only by an edit.
fn identity(
    key: &StoredKey,
    creation: &Row,
    edited: &serde_json::Map<String, Value>,
    of_demo: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let detail = &creation.detail;
    let told = |name: &str| edited.get(name).or_else(|| detail.get(name));
    let text = |name: &str| told(name).and_then(Value::as_str);
    let mut differ = |kind, what: &str, audit: String, table: String| {
        if audit != table {
            let words = |text: String| format!("{what} {}", if text.is_empty() { "none" } else { &text });
            findings.push(Finding::new(kind, key.id, words(audit), words(table)));
        }
    };
    if let Some(account) = &creation.account {
        differ(Kind::Identity, "account", account.clone(), key.account.clone());
    }
    for (what, table) in [("name", &key.name), ("description", &key.description)] {
        if let Some(audit) = text(what) {
            differ(Kind::Identity, what, composed(audit), composed(table));
        }
    }
    for (what, table) in [("preview", &key.preview), ("issuer", &key.issuer)] {
        if let Some(audit) = text(what) {
            differ(Kind::Identity, what, audit.to_owned(), table.clone());
        }
    }
    owned::compare(key, &told, &mut differ);
    if let Some(audit) = detail.get("replaces") {
        let table = key.predecessor.map(|id| id.to_string()).unwrap_or_default();
        differ(Kind::Identity, "replaces", audit.as_str().unwrap_or_default().to_owned(), table);
    }
    if let Some(audit) = detail.get("overlap_seconds") {
        let seconds = |seconds: Option<i64>| seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        differ(Kind::Identity, "overlap in seconds", seconds(audit.as_i64()), seconds(key.overlap_seconds));
    }
    let scheme = text("scheme").unwrap_or("sha256");
    differ(Kind::Secret, "hashed by", scheme.to_owned(), key.scheme.clone());
    let from = text("imported_from").unwrap_or_default();
    differ(Kind::Identity, "imported from", from.to_owned(), key.imported_from.clone().unwrap_or_default());
    if let (Some(audit), Some(table)) = (text("fingerprint"), &key.fingerprint) {
        differ(Kind::Secret, "hash with the fingerprint", audit.to_owned(), table.clone());
    }
    if let Some(audit) = told("scopes") {
        differ(Kind::Scopes, "scopes", words(audit, str::to_owned), split(&key.scopes, str::to_owned));
    }
    if let Some(audit) = told("allow") {
        differ(Kind::Networks, "networks", words(audit, network), split(&key.allow, network));
    }
    if !of_demo {
        differ(Kind::Identity, "created by", creation.actor.clone(), key.created_by.clone());
        if !near(creation.at, key.created_at) {
            differ(Kind::Identity, "created at", time(creation.at), time(key.created_at));
        }
    }
    let claim_by = key.created_at.saturating_add(CLAIM_TIME.num_microseconds().unwrap_or_default());
    if claim_by != key.claim_by {
        differ(Kind::Identity, "to be confirmed until", time(claim_by), time(key.claim_by));
    }
    findings
}

/// What may change of a key.
fn changed(key: &StoredKey, told: &Told<'_>, era: &Era) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut differ =
        |kind, audit: String, table: String| findings.push(Finding::new(kind, key.id, audit, table));
    let reason = |reason: Option<&str>| reason.map(|why| format!(": {why}")).unwrap_or_default();
    let revoked = |at, by: &str, why| format!("revoked at {} by {by}{}", time(at), reason(why));
    let by = key.revoked_by.as_deref().unwrap_or("nobody");
    let table = |at| revoked(at, by, key.revoke_reason.as_deref());
    match (told.revoked, key.revoked_at) {
        (None, Some(at)) if !era.excuses(key, at) => {
            differ(Kind::Revocation, "no row records a revocation".into(), table(at));
        }
        (Some(row), there) => {
            let why = row.detail.get("reason").and_then(Value::as_str);
            let audit = revoked(row.at, &row.actor, why);
            match there {
                None => differ(Kind::Unrevoked, audit, "not revoked".into()),
                Some(at) => {
                    let same = near(row.at, at) && row.actor == by;
                    if why != key.revoke_reason.as_deref() || !same && !era.excuses(key, at) {
                        differ(Kind::Revocation, audit, table(at));
                    }
                }
            }
        }
        _ => {}
    }
    match (told.acknowledged, key.acknowledged_at) {
        (None, Some(at)) if !era.excuses(key, at) => {
            let words = "no row records that its secret was confirmed";
            differ(Kind::Confirmation, words.into(), format!("confirmed at {}", time(at)));
        }
        (Some(row), None) => {
            differ(Kind::Confirmation, format!("confirmed at {}", time(row.at)), "not confirmed".into());
        }
        (Some(row), Some(at)) if !near(row.at, at) && !era.excuses(key, at) => {
            differ(
                Kind::Confirmation,
                format!("confirmed at {}", time(row.at)),
                format!("confirmed at {}", time(at)),
            );
        }
        _ => {}
    }
    if let Some(audit) = told.expires_at.filter(|audit| !same(*audit, key.expires_at())) {
        let words =
            |at: Option<Micros>| at.map_or("never expires".into(), |at| format!("expires at {}", time(at)));
        differ(Kind::Expiry, words(audit), words(key.expires_at()));
    }
    planned::compare(key, told, &mut differ);
    let pause = |until: Option<Micros>, by: &str| {
        until.map_or("not paused".into(), |until| format!("paused until {} by {by}", time(until)))
    };
    let until = told.paused.and_then(|row| row.detail.get("until")).and_then(instant);
    let paused_by = key.paused_by.as_deref().unwrap_or("nobody");
    let actor = told.paused.map_or("nobody", |row| &row.actor);
    if !same(until, key.paused_until) || (until.is_some() && actor != paused_by) {
        differ(Kind::Pause, pause(until, actor), pause(key.paused_until, paused_by));
    }
    if let Some(audit) = told.limits {
        let budgets = |text: Option<&str>| {
            let text = text.unwrap_or_default();
            Budgets::parse(text).map_or_else(|_| text.to_owned(), |budgets| budgets.to_string())
        };
        let (audit, table) = (budgets(audit), budgets(key.limits.as_deref()));
        let words = |text: String| if text.is_empty() { "no limits of its own".into() } else { text };
        if audit != table {
            differ(Kind::Limits, words(audit), words(table));
        }
    }
    if let Some(at) = key.last_used_at {
        let words = format!("last used at {}", time(at));
        // What another product knew of its last use came with it.
        let before = told.creation.and_then(|row| row.detail.get("last_used_at")).and_then(instant);
        if at < key.created_at.saturating_sub(NEAR) && !same(before, Some(at)) {
            differ(Kind::Use, format!("created at {}", time(key.created_at)), words);
        } else if at > era.now.saturating_add(NEAR) {
            differ(Kind::Use, format!("it is {}", time(era.now)), words);
        } else if key.counted == Some(false)
            && !era.is_of_demo(key.created_at)
            && era.counted_since.is_some_and(|since| since.saturating_add(COUNTED) < key.created_at)
        {
            let audit = format!(
                "nobody confirmed its secret, and no gate counted a use of it before {}",
                time(key.claim_by)
            );
            differ(Kind::Use, audit, words);
        }
    }
    findings
}

fn same(one: Option<Micros>, other: Option<Micros>) -> bool {
    match (one, other) {
        // A finer clock may be cut or rounded.
        (Some(one), Some(other)) => one.abs_diff(other) <= 1,
        (one, other) => one == other,
    }
}

fn near(one: Micros, other: Micros) -> bool {
    one.abs_diff(other) <= NEAR.unsigned_abs()
}

/// An instant that a detail tells; `null` is never, and so is what can't be read.
fn instant(value: &Value) -> Option<Micros> {
    let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(at.timestamp_micros())
}

/// An instant in words, whatever it is.
pub fn time(at: Micros) -> String {
    let format = "%Y-%m-%dT%H:%M:%SZ";
    match DateTime::from_timestamp_micros(at) {
        Some(known) => known.format(format).to_string(),
        None => format!("{at} µs"),
    }
}

#[cfg(test)]
mod tests;
