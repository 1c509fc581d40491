//! From the settings below `[gate]` to what the door and its handle on the database work by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use zeroize::Zeroizing;

use super::brake::Pace;
use super::leaks::PublicKeys;
use super::limiter::Address;
use super::limits::Limits;
use super::listener::SocketRights;
use super::origin::Listed;
use super::settings::{Issuers, LeakDoors, Settings, VerifyRule};
use super::webhook::Receiver;
use crate::config::ConfigError;
use crate::config::settings::{Door, GateTable, HeaderNames, Setting};
use crate::domain::listening::Believed;
use crate::domain::network::Networks;
use crate::domain::secret::HashedKey;
use crate::secret_file::SecretFiles;
use crate::service::GateSettings;

/// What people choose themselves shall have this many characters; the password of a server is that server's business.
const SHORTEST_SECRET: usize = 8;

impl Settings {
    /// Reads the files that the settings name. `lost_lines` says how many lines are missing in the log.
    ///
    /// # Errors
    /// In words that name the setting that is wrong, and where it was said.
    pub fn of(table: &GateTable, lost_lines: fn() -> u64) -> Result<Self, ConfigError> {
        table.check()?;
        if !LEASES.contains(&table.lease.value) {
            return Err(mistake(
                &table.lease,
                "a lease lasts from 100 ms to 60 s: a gate that can't ask the database for longer must refuse",
            ));
        }
        let issuers = Issuers::parse(table.issuer.value.iter().map(String::as_str));
        let password = secret(&table.limits_password_file, 1)?;
        let address = |place| Address::of(place, password.as_deref().map(String::as_str));
        let limits = table.limits.value.as_ref().map(address).transpose();
        let signed = secret(&table.webhook_secret_file, SHORTEST_SECRET)?;
        let webhook = table.webhook.value.as_ref().map(|url| Receiver::new(url, signed)).transpose();
        let token = secret(&table.verify_token_file, SHORTEST_SECRET)?;
        Ok(Self {
            listen: table.listen.value.clone(),
            grpc: table.listen_grpc.value.clone(),
            rights: SocketRights { mode: table.socket_mode.value, group: group(&table.socket_group)? },
            admin: table.admin_listen.value.clone(),
            issuers: issuers.map_err(|why| mistake(&table.issuer, why))?,
            issuers_said: table.issuer.source.clone(),
            own: presentation(table),
            trusted: believed(&table.trusted_proxy.value),
            spelling_kept: table.header_names.value == HeaderNames::Kept,
            verify: VerifyRule {
                from: Listed::new(askers(&table.verify_from.value)),
                token: token.map(|token| HashedKey::of(token.as_bytes())),
            },
            pace: Pace { burst: table.unknown_keys.value, every: Duration::from_secs(1) },
            limits: limits.map_err(|why| mistake(&table.limits, why))?,
            limits_said: table.limits.source.clone(),
            leaks: LeakDoors {
                github: table
                    .leaks_github_keys
                    .value
                    .as_deref()
                    .map(PublicKeys::open)
                    .transpose()
                    .map_err(|why| mistake(&table.leaks_github_keys, why))?,
                holders: (table.leaks_revoke.value == Door::Open).then(LeakDoors::turns),
            },
            webhook: webhook.map_err(|why| mistake(&table.webhook, why))?,
            lost_lines,
            connections: Limits { connections: table.connections.value.max(1), ..Limits::default() },
        })
    }
}

/// How the gate presents itself to the others on the database.
fn presentation(table: &GateTable) -> GateSettings {
    let listen: Vec<String> = table.listen.value.iter().map(ToString::to_string).collect();
    let name = table.name.value.clone().or_else(|| listen.first().cloned());
    GateSettings {
        name: name.unwrap_or_else(|| "gate".into()),
        listen: listen.join(" "),
        freshness: table.freshness.value,
        lease: table.lease.value,
        cache: table.cache.value,
        keep_usage: table.keep_usage.value,
        ..GateSettings::default()
    }
}

/// The proxies whose word is believed.
fn believed(named: &[Believed]) -> Listed {
    let networks = named.iter().filter_map(|one| match one {
        Believed::Network(network) => Some(*network),
        Believed::Sockets => None,
    });
    Listed::new(Networks::new(networks)).with_sockets(named.contains(&Believed::Sockets))
}

/// The number of the group that a setting names, or gives.
fn group(setting: &Setting<Option<String>>) -> Result<Option<u32>, ConfigError> {
    let Some(name) = &setting.value else { return Ok(None) };
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    match nix::unistd::Group::from_name(name) {
        Ok(Some(group)) => Ok(Some(group.gid.as_raw())),
        _ => Err(mistake(setting, format!("this machine has no group {name:?}"))),
    }
}

/// The networks that may ask about keys that others sent: this machine where none is named.
fn askers(named: &[IpNet]) -> Networks {
    let here = [
        IpNet::new_assert(IpAddr::V4(Ipv4Addr::LOCALHOST), 8),
        IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    ];
    Networks::new(if named.is_empty() { here.to_vec() } else { named.to_vec() })
}

/// A proof takes some time even on a good day; and a gate that goes on for long without one lets dead keys pass.
const LEASES: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

fn mistake<T>(setting: &Setting<T>, why: impl ToString) -> ConfigError {
    setting.source.error(why.to_string())
}

/// What is in the file that a setting names: `least` characters at least.
fn secret(
    setting: &Setting<Option<PathBuf>>,
    least: usize,
) -> Result<Option<Zeroizing<String>>, ConfigError> {
    let files = SecretFiles::of_this_process();
    let read = setting.value.as_ref().map(|path| files.file(path, least)).transpose();
    read.map_err(|why| mistake(setting, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Source;

    #[test]
    fn a_secret_that_is_not_there_is_refused_with_its_setting() {
        let nowhere = PathBuf::from("/nonexistent/secret");
        let setting = Setting { value: Some(nowhere), source: Source::Flag("--limits-password-file") };
        assert!(secret(&setting, 1).unwrap_err().to_string().starts_with("--limits-password-file: "));
    }
}
