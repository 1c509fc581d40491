//! `keyrack gate`: the arguments of the door that enforces keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::failure::{Failure, Result};
use crate::domain::network::{Networks, parse_network};

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    Text,
    Json,
}

/// Whether proxies leave the names of headers as their clients spelled them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HeaderNames {
    /// nginx does, with HTTP/1.1
    Kept,
    /// Caddy, Traefik and HAProxy rewrite them, and so does HTTP/2: a policy that insists on a spelling can't be kept then
    Rewritten,
}

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where to listen; several times for several addresses. Port 0: any that is free, told on standard error
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8100")]
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
    /// What the trusted proxies do to the names of headers
    #[arg(long, value_enum, value_name = "WHAT", default_value = "kept")]
    pub header_names: HeaderNames,
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
    #[arg(long, value_name = "FILE", requires = "limits")]
    pub limits_password_file: Option<PathBuf>,
    /// The gate's name among gates: what it counts is kept under it. Without: the first address it listens on
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Out of touch with the database for so long, it refuses everything
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    pub lease: Duration,
    /// Remember at most so many keys
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub cache: usize,
    /// Keep counts of use for so long
    #[arg(long, value_name = "TIME", default_value = "35d", value_parser = humantime::parse_duration)]
    pub keep_usage: Duration,
    /// Send alerts to this address, as JSON: https://…, or http:// on this machine
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// A file with the secret that what is sent there is signed with
    #[arg(long, value_name = "FILE", requires = "webhook")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Have at most so many connections at once
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub connections: usize,
    /// Unknown keys that one address may try at once; it gets one more each second. 0: as many as it likes
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub unknown_keys: u32,
    /// The form of the log on standard error
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    pub log_form: LogForm,
}

impl Arguments {
    /// The networks that may ask about keys that others sent.
    pub fn askers(&self) -> Networks {
        if self.verify_from.is_empty() {
            let v4 = IpNet::new_assert(IpAddr::V4(Ipv4Addr::LOCALHOST), 8);
            let v6 = IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128);
            return Networks::new([v4, v6]);
        }
        Networks::new(self.verify_from.iter().copied())
    }

    /// What is in the file of the gate's token.
    pub fn token(&self) -> Result<Option<zeroize::Zeroizing<String>>> {
        self.verify_token_file.as_ref().map(secret).transpose()
    }

    /// What is in the file of the webhook's secret.
    pub fn webhook_secret(&self) -> Result<Option<zeroize::Zeroizing<String>>> {
        self.webhook_secret_file.as_ref().map(secret).transpose()
    }

    /// What is in the file of the limiter's password.
    pub fn limits_password(&self) -> Result<Option<zeroize::Zeroizing<String>>> {
        self.limits_password_file.as_ref().map(secret).transpose()
    }
}

/// The first line of a file that only its owner may read.
fn secret(path: &PathBuf) -> Result<zeroize::Zeroizing<String>> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let unreadable = |error: std::io::Error| Failure::usage(format!("{shown} can't be read: {error}"));
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::usage(format!("{shown} may be read by others: run chmod 600 {shown}")));
    }
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(unreadable)?);
    let line = text.lines().next().unwrap_or_default().trim();
    if line.len() < 8 {
        return Err(Failure::usage(format!(
            "{shown} holds no secret: its first line has fewer than 8 characters"
        )));
    }
    Ok(zeroize::Zeroizing::new(line.to_owned()))
}
