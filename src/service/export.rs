//! Keys as text for other programs: to a file or a clipboard.

use serde_json::{Value, json};

use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::text::for_spreadsheets;

mod whole;

/// In what form keys are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
pub enum Form {
    #[default]
    #[strum(serialize = "CSV")]
    Csv,
    #[strum(serialize = "NDJSON")]
    Ndjson,
    /// One a line, with the name behind a `#`: what `--ids-from` reads.
    #[strum(serialize = "IDs")]
    Ids,
    #[strum(serialize = "Previews")]
    Previews,
}

impl Form {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Service {
    /// These keys in this form, in the order of their ids, and how many they are. Those that are not there are left out.
    pub async fn export(&self, ids: &[KeyId], form: Form) -> Result<(usize, String)> {
        let keys = self.keys(ids).await?;
        let now = self.now().await?;
        let text = match form {
            Form::Csv => csv(&keys, now)?,
            Form::Ndjson => keys.iter().map(|key| object(key, now)).collect(),
            Form::Ids => {
                keys.iter().map(|key| format!("{} # {}, {}\n", key.id, key.name, key.account)).collect()
            }
            Form::Previews => keys.iter().map(|key| format!("{}\n", key.preview)).collect(),
        };
        Ok((keys.len(), text))
    }
}

/// The fields that `key list` has, by the same names.
fn fields(key: &Key, now: Instant) -> Vec<(&'static str, Value)> {
    let ids = |id: Option<KeyId>| json!(id.map(|id| id.to_string()));
    let revoked = key.revoked(now);
    vec![
        ("id", ids(Some(key.id))),
        ("account", json!(key.account)),
        ("issuer", json!(key.issuer)),
        ("name", json!(key.name)),
        ("description", json!(key.description)),
        ("preview", json!(key.preview)),
        ("scopes", key.scopes.iter().collect()),
        ("allow", key.allow.as_slice().iter().map(ToString::to_string).collect()),
        ("created_at", at(Some(key.created_at))),
        ("created_by", json!(key.created_by)),
        ("expires_at", at(key.expires_at)),
        ("last_used_at", at(key.last_used_at)),
        ("last_used_from", json!(key.last_used_from)),
        ("last_used_endpoint", json!(key.last_used_endpoint)),
        ("limits", key.limits.as_slice().iter().map(ToString::to_string).collect()),
        ("status", json!(key.status(now).as_str())),
        ("acknowledged_at", at(key.acknowledged_at)),
        ("revoked_at", at(revoked.map(|revoked| revoked.at))),
        ("revoked_by", json!(revoked.and_then(|revoked| revoked.by))),
        ("revoke_reason", json!(revoked.and_then(|revoked| revoked.reason))),
        ("predecessor", ids(key.predecessor)),
        ("successor", ids(key.successor)),
        ("rotation_due_at", at(key.rotation_due_at)),
        ("unreadable", json!(Some(key.odd.as_str()).filter(|odd| !odd.is_empty()))),
        ("paused_until", at(key.held(now).map(|pause| pause.until))),
        ("owner", json!(key.owner.as_ref().map(|owner| &owner.name))),
        ("owner_mail", json!(key.owner.as_ref().and_then(|owner| owner.mail.as_ref()))),
        ("tags", key.tags.iter().collect()),
        ("overlap", json!(key.overlap_side(now))),
        ("not_before", at(key.not_before)),
        ("revoke_at", at(key.planned.as_ref().map(|plan| plan.at))),
        ("planned_by", json!(key.planned.as_ref().map(|plan| &plan.by))),
        ("plan_reason", json!(key.planned.as_ref().and_then(|plan| plan.reason.as_ref()))),
    ]
}

fn at(at: Option<Instant>) -> Value {
    at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)).into()
}

/// One object, whose members keep their places.
fn object(key: &Key, now: Instant) -> String {
    let members: Vec<String> =
        fields(key, now).into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", members.join(","))
}

fn csv(keys: &[Key], now: Instant) -> Result<String> {
    let broke =
        |error: &dyn std::fmt::Display| Error::Refused(format!("the keys can't be written as CSV: {error}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    for (place, key) in keys.iter().enumerate() {
        let fields = fields(key, now);
        if place == 0 {
            csv.write_record(fields.iter().map(|(name, _)| name)).map_err(|error| broke(&error))?;
        }
        csv.write_record(fields.into_iter().map(|(_, value)| cell(value))).map_err(|error| broke(&error))?;
    }
    let bytes = csv.into_inner().map_err(|error| broke(&error))?;
    String::from_utf8(bytes).map_err(|error| broke(&error))
}

fn cell(value: Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    for_spreadsheets(text)
}
