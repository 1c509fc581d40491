//! A key as a row, an object or a CSV line. Never with a secret: a [`Key`] has none.

use serde_json::Value;

use super::super::output::{Record, Tone, instant, text, when};
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::service::{GateReceipt, Revoked, Row};

/// The colour that says what a status means.
pub fn tone(status: Status) -> Tone {
    match status {
        Status::Active => Tone::Good,
        Status::Expired => Tone::Warning,
        Status::Abandoned => Tone::Quiet,
        Status::Revoked => Tone::Bad,
    }
}

impl Record for Key {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &[
                "STATUS",
                "NAME",
                "DESCRIPTION",
                "ACCOUNT",
                "ISSUER",
                "KEY",
                "SCOPES",
                "ALLOW",
                "CREATED",
                "BY",
                "EXPIRES",
                "LAST USED",
                "FROM",
                "ENDPOINT",
                "LIMITS",
                "ROTATION DUE",
                "REVOKED",
                "REVOKED BY",
                "REASON",
                "ID",
            ]
        } else {
            &["STATUS", "NAME", "ACCOUNT", "KEY", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "ID"]
        }
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        let shown = |at, missing| when::shown(at, wide, now, missing);
        let status = self.status(now).as_str().to_owned();
        let optional =
            |text: &Option<crate::domain::text::SafeText>| text.as_deref().unwrap_or_default().to_owned();
        if wide {
            vec![
                status,
                self.name.to_string(),
                self.description.to_string(),
                self.account.clone(),
                self.issuer.clone(),
                self.preview.to_string(),
                self.scopes.to_string(),
                self.allow.to_string(),
                shown(Some(self.created_at), ""),
                self.created_by.to_string(),
                shown(self.expires_at, "never"),
                shown(self.last_used_at, "never"),
                optional(&self.last_used_from),
                optional(&self.last_used_endpoint),
                self.limits.to_string(),
                shown(self.rotation_due_at, ""),
                shown(self.revoked_at, ""),
                optional(&self.revoked_by),
                optional(&self.revoke_reason),
                self.id.to_string(),
            ]
        } else {
            vec![
                status,
                self.name.to_string(),
                self.account.clone(),
                self.preview.to_string(),
                few(self.scopes.iter()),
                shown(Some(self.created_at), ""),
                shown(self.expires_at, "never"),
                shown(self.last_used_at, "never"),
                short_id(self),
            ]
        }
    }

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(tone(self.status(now)))
    }

    fn fields() -> &'static [&'static str] {
        &[
            "id",
            "account",
            "issuer",
            "name",
            "description",
            "preview",
            "scopes",
            "allow",
            "created_at",
            "created_by",
            "expires_at",
            "last_used_at",
            "last_used_from",
            "last_used_endpoint",
            "limits",
            "status",
            "acknowledged_at",
            "revoked_at",
            "revoked_by",
            "revoke_reason",
            "predecessor",
            "successor",
            "rotation_due_at",
        ]
    }

    fn values(&self, now: Instant) -> Vec<Value> {
        vec![
            self.id.to_string().into(),
            self.account.as_str().into(),
            self.issuer.as_str().into(),
            self.name.as_str().into(),
            self.description.as_str().into(),
            self.preview.as_str().into(),
            scopes(self),
            self.allow.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            instant(Some(self.created_at)),
            self.created_by.as_str().into(),
            instant(self.expires_at),
            instant(self.last_used_at),
            text(self.last_used_from.as_deref()),
            text(self.last_used_endpoint.as_deref()),
            budgets(self),
            self.status(now).as_str().into(),
            instant(self.acknowledged_at),
            instant(self.revoked_at),
            text(self.revoked_by.as_deref()),
            text(self.revoke_reason.as_deref()),
            text(self.predecessor.map(|id| id.to_string()).as_deref()),
            text(self.successor.map(|id| id.to_string()).as_deref()),
            instant(self.rotation_due_at),
        ]
    }
}

/// The key's own budgets as a JSON array.
fn budgets(key: &Key) -> Value {
    key.limits.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().into()
}

/// The scopes as a JSON array.
pub fn scopes(key: &Key) -> Value {
    key.scopes.iter().collect::<Vec<_>>().into()
}

/// The last group of the id: what tells keys apart, since ids made together begin alike.
pub fn short_id(key: &Key) -> String {
    let id = key.id.to_string();
    id.rsplit('-').next().unwrap_or_default().to_owned()
}

/// The first two of a list, and how many more there are.
fn few<'a>(mut items: impl Iterator<Item = &'a str>) -> String {
    let mut shown: String = items.by_ref().take(2).collect::<Vec<_>>().join(" ");
    let more = items.count();
    if more > 0 {
        shown.push_str(&format!(" +{more}"));
    }
    shown
}

impl Record for Row {
    fn heads(wide: bool) -> &'static [&'static str] {
        Key::heads(wide)
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        self.key.cells(wide, now)
    }

    fn tone(&self, now: Instant) -> Option<Tone> {
        self.key.tone(now)
    }

    fn fields() -> &'static [&'static str] {
        Key::fields()
    }

    fn values(&self, now: Instant) -> Vec<Value> {
        self.key.values(now)
    }
}

/// A revoked key, and what the gates say to it.
pub struct Ended {
    pub revoked: Revoked,
    pub gates: std::sync::Arc<[GateReceipt]>,
}

impl Record for Ended {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &["STATUS", "NAME", "ACCOUNT", "KEY", "REVOKED", "BY", "REASON", "ID"]
        } else {
            &["STATUS", "NAME", "ACCOUNT", "KEY", "REVOKED", "ID"]
        }
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        let key = &self.revoked.key;
        let mut cells = vec![
            key.status(now).as_str().to_owned(),
            key.name.to_string(),
            key.account.clone(),
            key.preview.to_string(),
            when::shown(key.revoked_at, wide, now, ""),
        ];
        if wide {
            cells.push(key.revoked_by.as_deref().unwrap_or_default().to_owned());
            cells.push(key.revoke_reason.as_deref().unwrap_or_default().to_owned());
        }
        cells.push(if wide { key.id.to_string() } else { short_id(key) });
        cells
    }

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(tone(self.revoked.key.status(now)))
    }

    fn fields() -> &'static [&'static str] {
        &[
            "id",
            "status",
            "revoked_at",
            "revoked_by",
            "reason",
            "account",
            "name",
            "preview",
            "already",
            "gates",
        ]
    }

    fn values(&self, now: Instant) -> Vec<Value> {
        let key = &self.revoked.key;
        vec![
            key.id.to_string().into(),
            key.status(now).as_str().into(),
            instant(key.revoked_at),
            text(key.revoked_by.as_deref()),
            text(key.revoke_reason.as_deref()),
            key.account.as_str().into(),
            key.name.as_str().into(),
            key.preview.as_str().into(),
            self.revoked.already.into(),
            self.gates.iter().filter_map(|gate| serde_json::to_value(gate).ok()).collect::<Vec<_>>().into(),
        ]
    }
}
