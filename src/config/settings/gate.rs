//! The `[gate]` table: what `keyrack gate` is told for good. Each flag of it has a key of the same name, but none holds a
//! secret.
//!
//! A mistake in it is kept, not thrown: who must revoke a key right now is not stopped by a misspelt address. It is told by
//! `keyrack doctor` and `keyrack info`, and by every gate, which it does stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use super::super::document::{ConfigError, Result, Text, Value};
use super::database::has_password;
use super::table::{self, Entry, odd};
use super::{Setting, Source};
use crate::domain::network::{NetworkError, parse_network};
use crate::domain::when::{Span, SpanError};

mod show;
#[cfg(test)]
mod tests;

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    Text,
    Json,
}

/// Whether proxies leave the names of headers as their clients spelled them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderNames {
    Kept,
    Rewritten,
}

impl LogForm {
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl HeaderNames {
    pub const ALL: [Self; 2] = [Self::Kept, Self::Rewritten];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Rewritten => "rewritten",
        }
    }
}

/// A setting of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Listen,
    AdminListen,
    Issuer,
    TrustedProxy,
    HeaderNames,
    VerifyFrom,
    VerifyTokenFile,
    Limits,
    LimitsPasswordFile,
    Called,
    Lease,
    Cache,
    KeepUsage,
    Webhook,
    WebhookSecretFile,
    Connections,
    UnknownKeys,
    LogForm,
}

/// Every setting.
const TABLE: [Entry<Name>; 18] = [
    (Name::Listen, "listen", "gate.listen", "KEYRACK_GATE_LISTEN"),
    (Name::AdminListen, "admin-listen", "gate.admin-listen", "KEYRACK_GATE_ADMIN_LISTEN"),
    (Name::Issuer, "issuer", "gate.issuer", "KEYRACK_GATE_ISSUER"),
    (Name::TrustedProxy, "trusted-proxy", "gate.trusted-proxy", "KEYRACK_GATE_TRUSTED_PROXY"),
    (Name::HeaderNames, "header-names", "gate.header-names", "KEYRACK_GATE_HEADER_NAMES"),
    (Name::VerifyFrom, "verify-from", "gate.verify-from", "KEYRACK_GATE_VERIFY_FROM"),
    (Name::VerifyTokenFile, "verify-token-file", "gate.verify-token-file", "KEYRACK_GATE_VERIFY_TOKEN_FILE"),
    (Name::Limits, "limits", "gate.limits", "KEYRACK_GATE_LIMITS"),
    (
        Name::LimitsPasswordFile,
        "limits-password-file",
        "gate.limits-password-file",
        "KEYRACK_GATE_LIMITS_PASSWORD_FILE",
    ),
    (Name::Called, "name", "gate.name", "KEYRACK_GATE_NAME"),
    (Name::Lease, "lease", "gate.lease", "KEYRACK_GATE_LEASE"),
    (Name::Cache, "cache", "gate.cache", "KEYRACK_GATE_CACHE"),
    (Name::KeepUsage, "keep-usage", "gate.keep-usage", "KEYRACK_GATE_KEEP_USAGE"),
    (Name::Webhook, "webhook", "gate.webhook", "KEYRACK_GATE_WEBHOOK"),
    (
        Name::WebhookSecretFile,
        "webhook-secret-file",
        "gate.webhook-secret-file",
        "KEYRACK_GATE_WEBHOOK_SECRET_FILE",
    ),
    (Name::Connections, "connections", "gate.connections", "KEYRACK_GATE_CONNECTIONS"),
    (Name::UnknownKeys, "unknown-keys", "gate.unknown-keys", "KEYRACK_GATE_UNKNOWN_KEYS"),
    (Name::LogForm, "log-form", "gate.log-form", "KEYRACK_GATE_LOG_FORM"),
];

/// What nobody may write down, the variable that nobody may use, and where it belongs.
const SECRETS: [(&str, &str, &str); 3] = [
    ("verify-token", "KEYRACK_GATE_VERIFY_TOKEN", "verify-token-file"),
    ("limits-password", "KEYRACK_GATE_LIMITS_PASSWORD", "limits-password-file"),
    ("webhook-secret", "KEYRACK_GATE_WEBHOOK_SECRET", "webhook-secret-file"),
];

/// What a gate is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateTable {
    pub listen: Setting<Vec<SocketAddr>>,
    pub admin_listen: Setting<Option<SocketAddr>>,
    /// Slugs, and `HOST=SLUG`.
    pub issuer: Setting<Vec<String>>,
    pub trusted_proxy: Setting<Vec<IpNet>>,
    pub header_names: Setting<HeaderNames>,
    /// Empty: this machine.
    pub verify_from: Setting<Vec<IpNet>>,
    pub verify_token_file: Setting<Option<PathBuf>>,
    /// The address of a Redis, without a password.
    pub limits: Setting<Option<String>>,
    pub limits_password_file: Setting<Option<PathBuf>>,
    pub name: Setting<Option<String>>,
    pub lease: Setting<Duration>,
    pub cache: Setting<usize>,
    pub keep_usage: Setting<Duration>,
    /// May hold a token in its path: not to be shown whole.
    pub webhook: Setting<Option<String>>,
    pub webhook_secret_file: Setting<Option<PathBuf>>,
    pub connections: Setting<usize>,
    pub unknown_keys: Setting<u32>,
    pub log_form: Setting<LogForm>,
    /// What can't be read, in the order of reading.
    pub mistakes: Vec<ConfigError>,
}

impl GateTable {
    pub(super) fn defaults() -> Self {
        Self {
            listen: Setting::default(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8100)]),
            admin_listen: Setting::default(None),
            issuer: Setting::default(Vec::new()),
            trusted_proxy: Setting::default(Vec::new()),
            header_names: Setting::default(HeaderNames::Kept),
            verify_from: Setting::default(Vec::new()),
            verify_token_file: Setting::default(None),
            limits: Setting::default(None),
            limits_password_file: Setting::default(None),
            name: Setting::default(None),
            lease: Setting::default(Duration::from_secs(1)),
            cache: Setting::default(100_000),
            keep_usage: Setting::default(Duration::from_secs(35 * 86_400)),
            webhook: Setting::default(None),
            webhook_secret_file: Setting::default(None),
            connections: Setting::default(10_000),
            unknown_keys: Setting::default(60),
            log_form: Setting::default(LogForm::Text),
            mistakes: Vec::new(),
        }
    }

    /// Takes over the table of a file.
    pub(super) fn apply_table(&mut self, source: Text<'_>, table: &Value<'_, '_>) {
        let mistakes = table::read(source, table, |member| self.apply_member(source.file, member));
        self.mistakes.extend(mistakes);
    }

    fn apply_member(&mut self, file: &Path, member: &Value<'_, '_>) -> Result<()> {
        let word = member.key.replace('_', "-");
        let Some((name, ..)) = TABLE.into_iter().find(|(_, known, ..)| *known == word) else {
            return Err(member.at.error(unknown(&word, member.key)));
        };
        let from = Source::File(file.to_owned(), member.at.line());
        let number;
        let texts = match name {
            _ if name.is_list() => member.strings()?,
            Name::Cache | Name::Connections | Name::UnknownKeys => {
                number = member.integer()?.to_string();
                vec![number.as_str()]
            }
            _ => vec![member.str()?],
        };
        self.set(name, &texts, from).map_err(|why| member.at.error(format!("`{}` {why}", member.key)))
    }

    /// Takes over what variables say; several values stand beside each other, with blanks or commas between.
    pub(super) fn apply_environment(&mut self, get: &dyn Fn(&'static str) -> Option<(String, Source)>) {
        for (name, _, _, variable) in TABLE {
            let Some((text, from)) = get(variable) else { continue };
            let texts: Vec<&str> = if name.is_list() {
                text.split([' ', ',']).filter(|part| !part.is_empty()).collect()
            } else {
                vec![&text]
            };
            if let Err(why) = self.set(name, &texts, from) {
                self.mistakes.push(ConfigError::new(format!("{variable} {why}")));
            }
        }
        for (_, variable, instead) in SECRETS {
            if get(variable).is_some() {
                let why = format!(
                    "{variable} holds a secret, and the environment of a process can be read by others: {}, and take the variable away",
                    put_into(instead)
                );
                self.mistakes.push(ConfigError::new(why));
            }
        }
    }

    /// Forgets what reaches other machines. A demo tells nobody and counts by itself, whatever the settings say.
    pub(super) fn keep_to_itself(&mut self) {
        self.limits = Setting::default(None);
        self.limits_password_file = Setting::default(None);
        self.webhook = Setting::default(None);
        self.webhook_secret_file = Setting::default(None);
    }

    /// Whether somebody said anything.
    pub fn is_told(&self) -> bool {
        self.rows().iter().any(|(_, _, source)| **source != Source::Default)
    }

    /// Whether a gate can be started with these settings; looks at no file. The first mistake is told with its place.
    pub fn check(&self) -> Result<()> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        let pairs = [
            (&self.limits_password_file, &self.limits, "limits"),
            (&self.webhook_secret_file, &self.webhook, "webhook"),
        ];
        for (file, whose, name) in pairs {
            if file.value.is_some() && whose.value.is_none() {
                let why =
                    format!("the file of a secret is named and no `{name}` that it is for: set that too");
                return Err(file.source.error(why));
            }
        }
        Ok(())
    }

    /// Takes over the values of one setting. The error goes on after the setting's name.
    fn set(&mut self, name: Name, texts: &[&str], from: Source) -> std::result::Result<(), String> {
        let empty = || "is empty: give it a value, or take it away".to_owned();
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(empty());
        }
        // Of a setting that is no list there is one text.
        let text = texts.first().map(|text| text.trim()).unwrap_or_default();
        let path = || Some(PathBuf::from(text));
        match name {
            Name::Listen if texts.is_empty() => return Err(empty()),
            Name::Listen => self.listen.set(each(texts, address)?, from),
            Name::AdminListen => self.admin_listen.set(Some(address(text)?), from),
            Name::Issuer => self.issuer.set(each(texts, |text| Ok(text.to_owned()))?, from),
            Name::TrustedProxy => self.trusted_proxy.set(each(texts, network)?, from),
            Name::VerifyFrom => self.verify_from.set(each(texts, network)?, from),
            Name::HeaderNames => {
                let choice = HeaderNames::ALL.into_iter().find(|choice| choice.as_str() == text);
                self.header_names.set(choice.ok_or_else(|| odd(text, "kept or rewritten"))?, from);
            }
            Name::LogForm => {
                let choice = LogForm::ALL.into_iter().find(|choice| choice.as_str() == text);
                self.log_form.set(choice.ok_or_else(|| odd(text, "text or json"))?, from);
            }
            Name::Limits if has_password(text) || text.contains("pass=") => {
                return Err(format!(
                    "has a password in it: take it out, {}",
                    put_into("limits-password-file")
                ));
            }
            Name::Limits => self.limits.set(Some(text.to_owned()), from),
            Name::Webhook if text.contains('@') => {
                return Err("has an @ in it, as if there were a password before: take that out".into());
            }
            Name::Webhook => self.webhook.set(Some(text.to_owned()), from),
            Name::Called => self.name.set(Some(text.to_owned()), from),
            Name::Lease => self.lease.set(time(text)?, from),
            Name::KeepUsage => self.keep_usage.set(time(text)?, from),
            Name::Cache => self.cache.set(whole(text, 0)?, from),
            Name::Connections => self.connections.set(whole(text, 1)?, from),
            Name::UnknownKeys => self.unknown_keys.set(whole(text, 0)?, from),
            Name::VerifyTokenFile => self.verify_token_file.set(path(), from),
            Name::LimitsPasswordFile => self.limits_password_file.set(path(), from),
            Name::WebhookSecretFile => self.webhook_secret_file.set(path(), from),
        }
        Ok(())
    }
}

impl Name {
    /// Whether several values may be given.
    fn is_list(self) -> bool {
        matches!(self, Self::Listen | Self::Issuer | Self::TrustedProxy | Self::VerifyFrom)
    }
}

fn each<T>(
    texts: &[&str],
    read: impl Fn(&str) -> std::result::Result<T, String>,
) -> std::result::Result<Vec<T>, String> {
    texts.iter().map(|text| read(text.trim())).collect()
}

fn address(text: &str) -> std::result::Result<SocketAddr, String> {
    text.parse().map_err(|_| odd(text, "an address and a port, as 127.0.0.1:8100 or [::1]:8100"))
}

fn network(text: &str) -> std::result::Result<IpNet, String> {
    parse_network(text).map_err(|error| match error {
        NetworkError::Form(_) => odd(text, "an address or a network, as 10.0.0.0/8"),
        error @ NetworkError::Mapped(_) => format!("is no use: {error}"),
    })
}

fn time(text: &str) -> std::result::Result<Duration, String> {
    Span::parse(text).map(Span::longest).map_err(|error| match error {
        SpanError::NoSpan(_) => odd(text, "a time, as 500ms, 1s, 10m or 35d"),
        error => format!("is {text:?}: {error}"),
    })
}

fn whole<T: TryFrom<u64>>(text: &str, least: u64) -> std::result::Result<T, String> {
    let number = text.parse::<u64>().ok().filter(|number| *number >= least);
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| odd(text, &format!("a whole number from {least} on")))
}

/// What to do with a secret.
fn put_into(name: &str) -> String {
    format!("put it into a file of mode 0600 and name that with `{name}`")
}

fn unknown(word: &str, as_written: &str) -> String {
    let plain = [
        ("token", "verify-token-file"),
        ("password", "limits-password-file"),
        ("secret", "webhook-secret-file"),
    ];
    let secrets = SECRETS.into_iter().map(|(secret, _, instead)| (secret, instead)).chain(plain);
    if let Some((_, instead)) = secrets.into_iter().find(|(secret, _)| *secret == word) {
        return table::misplaced(as_written, &put_into(instead));
    }
    if ["unmatched", "when-unreachable"].contains(&word) {
        return format!("`{as_written}` belongs into an issuer's policy: see `keyrack issuer show`");
    }
    table::unknown("gate", &TABLE, word, as_written)
}
