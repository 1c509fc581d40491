//! `keyrack gate`: the arguments of the door that enforces keys.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::config::settings::{GateTable, HeaderNames, LogForm, Setting, Source};
use crate::domain::network::parse_network;
use crate::domain::when::{Span, SpanError};

impl ValueEnum for LogForm {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for HeaderNames {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(match self {
            Self::Kept => "nginx does, with HTTP/1.1",
            Self::Rewritten => {
                "Caddy, Traefik and HAProxy rewrite them, and so does HTTP/2: a policy that insists on a spelling can't be kept then"
            }
        }))
    }
}

/// Each option can stand in the settings too, below [gate] and under the same name; what is said here outranks that.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Each of these can stand in the settings, below [gate], and in a variable like KEYRACK_GATE_LISTEN;\nwhat is said here outranks both. `keyrack info` shows what holds."
)]
pub struct Arguments {
    /// Where to listen; several times for several addresses. Port 0: any that is free, told on standard error [default: 127.0.0.1:8100]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Vec<SocketAddr>,
    /// Have /healthz, /readyz and /metrics there instead
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub admin_listen: Option<SocketAddr>,
    /// Take this issuer's keys only; HOST=SLUG for one host. Without: keys of every issuer
    #[arg(long, value_name = "SLUG|HOST=SLUG")]
    pub issuer: Vec<String>,
    /// A network of proxies whose word is believed: /auth answers nobody else. Without: none
    #[arg(long, value_name = "NETWORK", value_parser = parse_network)]
    pub trusted_proxy: Vec<IpNet>,
    /// What the trusted proxies do to the names of headers [default: kept]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub header_names: Option<HeaderNames>,
    /// A network that may ask POST /api/v1/verify. Without: this machine
    #[arg(long, value_name = "NETWORK", value_parser = parse_network)]
    pub verify_from: Vec<IpNet>,
    /// A file with the token that askers of POST /api/v1/verify must send as well
    #[arg(long, value_name = "FILE")]
    pub verify_token_file: Option<PathBuf>,
    /// Count requests in this Redis or Valkey, together with other gates. Without: this gate counts by itself
    #[arg(long, value_name = "URL")]
    pub limits: Option<String>,
    /// A file with the password of --limits
    #[arg(long, value_name = "FILE")]
    pub limits_password_file: Option<PathBuf>,
    /// The gate's name among gates: what it counts is kept under it. Without: the first address it listens on
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Out of touch with the database for so long, it refuses everything [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub lease: Option<Duration>,
    /// Remember at most so many keys [default: 100000]
    #[arg(long, value_name = "N")]
    pub cache: Option<usize>,
    /// Keep counts of use for so long [default: 35d]
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub keep_usage: Option<Duration>,
    /// Send alerts to this address, as JSON: https://…, or http:// on this machine
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// A file with the secret that what is sent there is signed with
    #[arg(long, value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Have at most so many connections at once [default: 10000]
    #[arg(long, value_name = "N")]
    pub connections: Option<usize>,
    /// Keys that do not work that one address may try at once; it gets one more a second. 0: as many as it likes [default: 60]
    #[arg(long, value_name = "N")]
    pub unknown_keys: Option<u32>,
    /// The form of the log on standard error [default: text]
    #[arg(long, value_enum, value_name = "FORM")]
    pub log_form: Option<LogForm>,
}

impl Arguments {
    /// Lets what was said here outrank the settings.
    pub fn outrank(&self, table: &mut GateTable) {
        let Self { listen, admin_listen, issuer, trusted_proxy, header_names, verify_from, .. } = self;
        all("--listen", listen, &mut table.listen);
        some("--admin-listen", admin_listen, &mut table.admin_listen);
        all("--issuer", issuer, &mut table.issuer);
        all("--trusted-proxy", trusted_proxy, &mut table.trusted_proxy);
        one("--header-names", header_names, &mut table.header_names);
        all("--verify-from", verify_from, &mut table.verify_from);
        some("--verify-token-file", &self.verify_token_file, &mut table.verify_token_file);
        some("--limits", &self.limits, &mut table.limits);
        some("--limits-password-file", &self.limits_password_file, &mut table.limits_password_file);
        some("--name", &self.name, &mut table.name);
        one("--lease", &self.lease, &mut table.lease);
        one("--cache", &self.cache, &mut table.cache);
        one("--keep-usage", &self.keep_usage, &mut table.keep_usage);
        some("--webhook", &self.webhook, &mut table.webhook);
        some("--webhook-secret-file", &self.webhook_secret_file, &mut table.webhook_secret_file);
        one("--connections", &self.connections, &mut table.connections);
        one("--unknown-keys", &self.unknown_keys, &mut table.unknown_keys);
        one("--log-form", &self.log_form, &mut table.log_form);
    }
}

fn one<T: Clone>(flag: &'static str, said: &Option<T>, setting: &mut Setting<T>) {
    if let Some(value) = said {
        *setting = Setting { value: value.clone(), source: Source::Flag(flag) };
    }
}

fn some<T: Clone>(flag: &'static str, said: &Option<T>, setting: &mut Setting<Option<T>>) {
    if said.is_some() {
        *setting = Setting { value: said.clone(), source: Source::Flag(flag) };
    }
}

fn all<T: Clone>(flag: &'static str, said: &[T], setting: &mut Setting<Vec<T>>) {
    if !said.is_empty() {
        *setting = Setting { value: said.to_vec(), source: Source::Flag(flag) };
    }
}

/// Reads a span of time; months and years count as the longest that they can be.
fn span(text: &str) -> std::result::Result<Duration, SpanError> {
    Span::parse(text).map(Span::longest)
}

#[cfg(test)]
mod tests;
