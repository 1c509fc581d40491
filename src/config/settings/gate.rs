//! The `[gate]` table: what `keyrack gate` is told for good. Each setting is a flag of the same name too; none holds a secret.
//!
//! A mistake in it is kept, not thrown: who must revoke a key right now is not stopped by a misspelt address. It is told by
//! `keyrack doctor` and `keyrack info`, and by every gate, which it does stop.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

use super::super::document::{ConfigError, Result};
use super::codec::{Codec, PATH, TEXT, TIME, Wrong};
use super::database::has_password;
use super::row::Row;
use super::setting::{Setting, Source};
use super::table::Table;
use crate::domain::counting::{CountingPlace, CountingPlaceError};
use crate::domain::endpoint::place;
use crate::domain::freshness::{Freshness, FreshnessError};
use crate::domain::listening::{Believed, ListenPlace, ListenPlaceError, SocketMode, SocketModeError};
use crate::domain::network::{NetworkError, parse_network};

#[cfg(test)]
mod tests;

/// The form of the log's lines.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum LogForm {
    #[default]
    Text,
    Json,
}

/// Whether proxies leave the names of headers as their clients spelled them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum HeaderNames {
    #[default]
    #[strum(message = "Passed on as sent, as nginx does with HTTP/1.1")]
    Kept,
    #[strum(
        message = "Rewritten, as by Caddy, Traefik, HAProxy and HTTP/2: a policy that requires a spelling can't be enforced"
    )]
    Rewritten,
}

/// Whether a door is open.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum Door {
    #[default]
    Shut,
    Open,
}

const PLACE: Codec<ListenPlace> = Codec::new(
    "ADDRESS:PORT|unix:PATH",
    |text| text.parse().map_err(|why: ListenPlaceError| Wrong::new(format!("is {text:?}: {why}"))),
    ListenPlace::to_string,
);

const MODE: Codec<SocketMode> = Codec::new(
    "MODE",
    |text| text.parse().map_err(|why: SocketModeError| Wrong::new(format!("is {text:?}: {why}"))),
    SocketMode::to_string,
);

const PROXY: Codec<Believed> = Codec::new(
    "NETWORK|unix",
    |text| {
        text.parse().map_err(|error| match error {
            NetworkError::Form(_) => {
                Wrong::odd(text, "an address or a network, as 10.0.0.0/8, or unix for sockets")
            }
            error @ NetworkError::Mapped(_) => Wrong::new(format!("can't be used: {error}")),
        })
    },
    Believed::to_string,
);

const NETWORK: Codec<IpNet> = Codec::new(
    "NETWORK",
    |text| {
        parse_network(text).map_err(|error| match error {
            NetworkError::Form(_) => Wrong::odd(text, "an address or a network, as 10.0.0.0/8"),
            error @ NetworkError::Mapped(_) => Wrong::new(format!("can't be used: {error}")),
        })
    },
    IpNet::to_string,
);

/// The address of a Redis or of a Redis Cluster, without a password.
const LIMITS: Codec<CountingPlace> = Codec::new(
    "URL",
    |text| {
        if has_password(text) || text.contains("pass=") {
            let why = format!("has a password in it: remove it, {}", put_into("limits-password-file"));
            return Err(Wrong::new(why));
        }
        text.parse().map_err(|why: CountingPlaceError| Wrong::new(format!("can't be used: {why}")))
    },
    CountingPlace::to_string,
);

const FRESHNESS: Codec<Freshness> = Codec::new(
    "proof|lease=TIME",
    |text| text.parse().map_err(|why: FreshnessError| Wrong::new(why.to_string())),
    Freshness::to_string,
);

/// Some receivers have a token in the path, which is nobody's business.
const WEBHOOK: Codec<String> = Codec::new(
    "URL",
    |text| {
        if text.contains('@') {
            return Err(Wrong::new("has an @ in it, as if there were a password before it: remove that"));
        }
        Ok(text.to_owned())
    },
    |address| place(address),
);

macro_rules! gate {
    ($how:ident $field:ident: $codec:expr, $doc:literal) => {{
        let row = super::row::row!(GateTable, "gate.", "keyrack_gate_", $how $field: $codec, $doc);
        row.flag(super::row::spelled!(b'-', false, "--", stringify!($field)), $doc)
    }};
}

/// Every setting, in the order of the help.
const ROWS: &[Row<GateTable>] = &[
    gate!(several listen: PLACE, "Where to listen; may be repeated. Port 0: any free port, printed on standard error")
        .default("127.0.0.1:8100"),
    gate!(many listen_grpc: PLACE, "Where to answer Envoy by gRPC (envoy.service.auth.v3, HTTP/2 without TLS), for trusted proxies only. Default: nowhere"),
    gate!(some admin_listen: PLACE, "Serve /healthz, /readyz and /metrics here instead, and /api/v1/verify as well. No proxy may forward to it"),
    gate!(one socket_mode: MODE, "The mode of the sockets it listens on: whoever may write to one may ask").default("0660"),
    gate!(some socket_group: TEXT, "The group of the sockets. Default: the gate's own"),
    gate!(many issuer: TEXT, "Accept only this issuer's keys; HOST=SLUG for one host. Default: keys of every issuer")
        .hint("SLUG|HOST=SLUG"),
    gate!(many trusted_proxy: PROXY, "A network of trusted proxies, or unix for those that connect by a socket; /auth answers only them. Default: none"),
    gate!(one header_names: Codec::<HeaderNames>::choice("WHAT"), "What the trusted proxies do to header names")
        .default("kept"),
    gate!(many verify_from: NETWORK, "A network that may use POST /api/v1/verify. Default: this machine"),
    gate!(some verify_token_file: PATH, "A file with the token for POST /api/v1/verify, and for /metrics unless --admin-listen serves it")
        .secret(&["verify-token", "token"]),
    gate!(some limits: LIMITS, "Count requests in this Redis or Valkey, or this Redis Cluster (redis-cluster://host:port,host:port), together with other gates. Default: this gate counts by itself"),
    gate!(some limits_password_file: PATH, "A file with the password of --limits")
        .secret(&["limits-password", "password"]),
    gate!(some name: TEXT, "The gate's unique name; its counts are kept under it. Default: the first address it listens on"),
    gate!(one freshness: FRESHNESS, "proof: check the database for each answer. lease=TIME: answer from memory for at most this time after the last check; a revocation then counts as done once the gate has confirmed it or the time has passed")
        .default("proof"),
    gate!(one lease: TIME, "Refuse everything after this long without the database").default("1s"),
    gate!(one cache: Codec::<usize>::from::<0>(), "Remember at most this many keys").default("100000"),
    gate!(one keep_usage: TIME, "How long to keep usage counts, and, once a key has stopped working, the networks it was used from").default("35d"),
    gate!(some webhook: WEBHOOK, "Send alerts to this address, as JSON: https://…, or http:// on this machine"),
    gate!(some webhook_secret_file: PATH, "A file with the secret that signs these alerts")
        .secret(&["webhook-secret", "secret"]),
    gate!(some leaks_github_keys: PATH, "Open POST /leaks/github to GitHub's secret scanning. A file with its public keys, as api.github.com/meta/public_keys/secret_scanning gives them"),
    gate!(one leaks_revoke: Codec::<Door>::choice("WHAT"), "Open POST /leaks/revoke: anyone who holds a leaked key can report it, and its policy decides what happens to it")
        .default("shut"),
    gate!(one connections: Codec::<usize>::from::<1>(), "Accept at most this many connections at once").default("10000"),
    gate!(one unknown_keys: Codec::<u32>::from::<0>(), "How many keys that don't work one address may try in a burst; one more is allowed each second. 0: no limit")
        .default("60"),
    gate!(one log_form: Codec::<LogForm>::choice("FORM"), "The log format on standard error").default("text"),
];

pub const GATE: Table<GateTable> = Table {
    name: "gate",
    rows: ROWS,
    tables: &[],
    elsewhere: &[("unmatched", POLICY), ("when-unreachable", POLICY)],
    instead: put_into,
};

const POLICY: &str = "an issuer's policy: see `keyrack issuer show`";

/// What to do with a secret.
fn put_into(name: &str) -> String {
    format!("put it into a file of mode 0600 and name that with `{name}`")
}

/// What a gate is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateTable {
    pub listen: Setting<Vec<ListenPlace>>,
    pub listen_grpc: Setting<Vec<ListenPlace>>,
    pub admin_listen: Setting<Option<ListenPlace>>,
    pub socket_mode: Setting<SocketMode>,
    /// A name or a number.
    pub socket_group: Setting<Option<String>>,
    /// Slugs, and `HOST=SLUG`.
    pub issuer: Setting<Vec<String>>,
    pub trusted_proxy: Setting<Vec<Believed>>,
    pub header_names: Setting<HeaderNames>,
    /// Empty: this machine.
    pub verify_from: Setting<Vec<IpNet>>,
    pub verify_token_file: Setting<Option<PathBuf>>,
    pub limits: Setting<Option<CountingPlace>>,
    pub limits_password_file: Setting<Option<PathBuf>>,
    pub name: Setting<Option<String>>,
    pub freshness: Setting<Freshness>,
    pub lease: Setting<Duration>,
    pub cache: Setting<usize>,
    pub keep_usage: Setting<Duration>,
    /// May hold a token in its path: not to be shown whole.
    pub webhook: Setting<Option<String>>,
    pub webhook_secret_file: Setting<Option<PathBuf>>,
    pub leaks_github_keys: Setting<Option<PathBuf>>,
    pub leaks_revoke: Setting<Door>,
    pub connections: Setting<usize>,
    pub unknown_keys: Setting<u32>,
    pub log_form: Setting<LogForm>,
    /// What can't be read, in the order of reading.
    pub mistakes: Vec<ConfigError>,
}

impl GateTable {
    /// Forgets what reaches other machines. A demo tells nobody and counts by itself, whatever the settings say.
    pub fn keep_to_itself(&mut self) {
        self.limits = Setting::default();
        self.limits_password_file = Setting::default();
        self.webhook = Setting::default();
        self.webhook_secret_file = Setting::default();
    }

    /// Whether somebody said anything.
    pub fn is_told(&self) -> bool {
        GATE.shown(self).iter().any(|(_, _, source)| **source != Source::Default)
    }

    /// Whether a gate can be started with these settings; looks at no file. The first mistake is told with its place.
    pub fn check(&self) -> Result<()> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        let pairs = [
            (&self.limits_password_file, self.limits.value.is_some(), "limits"),
            (&self.webhook_secret_file, self.webhook.value.is_some(), "webhook"),
        ];
        for (file, is_there, name) in pairs {
            if file.value.is_some() && !is_there {
                let why =
                    format!("the file of a secret is named and no `{name}` that it is for: set that too");
                return Err(file.source.error(why));
            }
        }
        Ok(())
    }
}
