//! The table as `keyrack info` shows it.

use std::fmt::Display;
use std::time::Duration;

use super::super::{Setting, Source, table};
use super::{GateTable, Name, TABLE};

impl GateTable {
    /// Name, value and source of every setting, for `keyrack info`. What is not set is empty.
    pub(in crate::config::settings) fn rows(&self) -> Vec<(&'static str, String, &Source)> {
        let row = |name: Name| -> (String, &Source) {
            match name {
                Name::Listen => list(&self.listen),
                Name::AdminListen => some(&self.admin_listen),
                Name::Issuer => list(&self.issuer),
                Name::TrustedProxy => list(&self.trusted_proxy),
                Name::HeaderNames => (self.header_names.value.as_str().into(), &self.header_names.source),
                Name::VerifyFrom => list(&self.verify_from),
                Name::VerifyTokenFile => table::path(&self.verify_token_file),
                Name::Limits => some(&self.limits),
                Name::LimitsPasswordFile => table::path(&self.limits_password_file),
                Name::Called => some(&self.name),
                Name::Lease => (time(self.lease.value), &self.lease.source),
                Name::Cache => (self.cache.value.to_string(), &self.cache.source),
                Name::KeepUsage => (time(self.keep_usage.value), &self.keep_usage.source),
                Name::Webhook => {
                    let shown = self.webhook.value.as_deref().map(without_path);
                    (shown.unwrap_or_default(), &self.webhook.source)
                }
                Name::WebhookSecretFile => table::path(&self.webhook_secret_file),
                Name::Connections => (self.connections.value.to_string(), &self.connections.source),
                Name::UnknownKeys => (self.unknown_keys.value.to_string(), &self.unknown_keys.source),
                Name::LogForm => (self.log_form.value.as_str().into(), &self.log_form.source),
            }
        };
        table::rows(&TABLE, row)
    }
}

fn list<T: Display>(setting: &Setting<Vec<T>>) -> (String, &Source) {
    let all: Vec<String> = setting.value.iter().map(T::to_string).collect();
    (all.join(", "), &setting.source)
}

fn some<T: Display>(setting: &Setting<Option<T>>) -> (String, &Source) {
    (setting.value.as_ref().map(T::to_string).unwrap_or_default(), &setting.source)
}

/// A time in the largest unit that it is a whole number of.
fn time(time: Duration) -> String {
    let millis = time.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(size, _)| millis > 0 && millis.is_multiple_of(*size));
    let (size, unit) = unit.unwrap_or((1, "ms"));
    format!("{}{unit}", millis / size)
}

/// Some receivers have a token in the path, which is nobody's business.
fn without_path(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let more = if host.len() < rest.len() { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}
