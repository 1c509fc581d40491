//! What is planned of a key, as the audit tells it and as its row has it.

use serde_json::Value;

use super::{Kind, Micros, StoredKey, Told, instant, same, time};

/// Whoever edits one of these is who planned the revocation.
pub(super) const NAMES_PLANNER: [&str; 2] = ["revoke_at", "plan_reason"];

impl StoredKey {
    /// When it expires, whatever else is planned.
    pub(super) fn expires_at(&self) -> Option<Micros> {
        if self.revoke_at.is_some() { self.own_expiry } else { self.stops_at }
    }
}

pub(super) fn compare(key: &StoredKey, told: &Told<'_>, differ: &mut impl FnMut(Kind, String, String)) {
    let said = |name: &str| told.edited.get(name).or_else(|| told.creation?.detail.get(name));
    let begins = said("not_before").and_then(instant);
    if !same(begins, key.not_before) {
        let words = |at: Option<Micros>| {
            at.map_or("works from its creation on".into(), |at| format!("works from {} on", time(at)))
        };
        differ(Kind::Plan, words(begins), words(key.not_before));
    }
    let at = said("revoke_at").and_then(instant);
    let reason = said("plan_reason").and_then(Value::as_str);
    let by = told.planner.map_or("nobody", |row| &row.actor);
    let (audit, table) = (
        at.map(|at| revocation(at, by, reason)),
        key.revoke_at.map(|at| {
            revocation(at, key.planned_by.as_deref().unwrap_or("nobody"), key.plan_reason.as_deref())
        }),
    );
    let alike = same(at, key.revoke_at)
        && (at.is_none() || (Some(by), reason) == (key.planned_by.as_deref(), key.plan_reason.as_deref()));
    if !alike {
        let none = || "no revocation is planned".to_owned();
        differ(Kind::Plan, audit.unwrap_or_else(none), table.unwrap_or_else(none));
    }
    // What decides whether it works follows from both.
    let stops = [key.expires_at(), key.revoke_at].into_iter().flatten().min();
    if stops != key.stops_at {
        let words =
            |at: Option<Micros>| at.map_or("never stops".into(), |at| format!("stops at {}", time(at)));
        differ(Kind::Expiry, words(stops), words(key.stops_at));
    }
}

fn revocation(at: Micros, by: &str, reason: Option<&str>) -> String {
    let why = reason.map(|why| format!(": {why}")).unwrap_or_default();
    format!("to be revoked at {} as {by} planned{why}", time(at))
}
