//! Endpoints: who gets events, where they stand, and when a failed one is tried again.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Instant;
use super::event::Kinds;
use super::text::{SafeText, hex};

/// The first pause after a failure; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause within a day of the first failure, and later.
const LONGEST: Duration = Duration::from_secs(5 * 60);
const LATER: Duration = Duration::from_secs(60 * 60);
/// From then on an endpoint counts as failing for good, until it takes something.
const DAY: chrono::Duration = chrono::Duration::days(1);

/// Where the secret is that deliveries are signed with: on the machine that sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file of mode 0600.
    File(String),
    /// A credential of systemd.
    Credential(String),
}

/// An endpoint as somebody adds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    pub name: String,
    /// It may hold a token.
    pub url: String,
    pub kinds: Kinds,
    pub secret: SecretPlace,
    /// The first event that it gets; `None`: the next one that happens.
    pub from: Option<i64>,
}

/// An endpoint as everybody may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub name: SafeText,
    /// Its address without what may be a token.
    pub place: SafeText,
    pub kinds: SafeText,
    /// `file …` or `credential …`
    pub secret: SafeText,
    pub created_at: Instant,
    pub created_by: SafeText,
    /// The number of the next event that it gets.
    pub next: i64,
    /// When it last took one.
    pub taken_at: Option<Instant>,
    /// What it last answered, or what was wrong.
    pub answer: Option<SafeText>,
    /// Since when it takes nothing.
    pub failing_since: Option<Instant>,
    pub retry_at: Option<Instant>,
    /// Tries of the event that it takes next.
    pub tries: i64,
    /// How many rows of the audit it has not got yet.
    pub behind: i64,
}

/// How an endpoint is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Health {
    /// It has all that happened.
    Current,
    /// It gets what it has not got yet.
    Behind,
    /// The last try failed; it is tried again.
    Retrying,
    /// For a day and more.
    Failing,
}

impl Endpoint {
    pub fn health(&self, now: Instant) -> Health {
        match self.failing_since {
            Some(since) if now - since >= DAY => Health::Failing,
            Some(_) => Health::Retrying,
            None if self.behind > 0 => Health::Behind,
            None => Health::Current,
        }
    }
}

/// When it is tried again after so many tries, the first of which failed at `since`.
pub fn retry_at(since: Instant, tries: i64, now: Instant) -> Instant {
    // So many doublings lead beyond the longest.
    let times = u32::try_from(tries.saturating_sub(1).clamp(0, 20)).unwrap_or(0);
    let doubled = PAUSE.saturating_mul(2u32.saturating_pow(times));
    let pause = if now - since >= DAY { LATER } else { doubled.min(LONGEST) };
    super::shifted(now, chrono::Duration::from_std(pause).unwrap_or_default())
}

/// Why an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error(
        "the webhook's address isn't a valid URL: write https://host/path, with special characters such as blanks as %20"
    )]
    Form,
    #[error("a webhook's address begins with https://, or with http:// where it is on this machine")]
    Scheme,
    #[error("a webhook's address must not contain a name or password: others can see it")]
    Credentials,
}

/// Checks an address that something is sent to: what leaves this machine is encrypted.
///
/// # Errors
/// When it is none, or would send in the clear.
pub fn check_url(url: &str) -> Result<(), UrlError> {
    if !url.chars().all(|c| c.is_ascii_graphic()) {
        return Err(UrlError::Form);
    }
    let (scheme, rest) = url.split_once("://").ok_or(UrlError::Form)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password in the address would stand in lists of processes, and in the database.
    if authority.contains('@') {
        return Err(UrlError::Credentials);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(UrlError::Form)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_fits = port.is_empty()
        || port.strip_prefix(':').and_then(|port| port.parse::<u16>().ok()).is_some_and(|port| port > 0);
    if host.is_empty() || !port_fits {
        return Err(UrlError::Form);
    }
    let here = is_here(host);
    match scheme {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => Err(UrlError::Scheme),
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether an address is on this machine, where no proxy has to be asked.
pub fn is_on_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    is_here(host)
}

/// What tells an address from another one without telling it.
pub fn fingerprint(url: &str) -> String {
    hex(&Sha256::digest(url.as_bytes()))
}

/// An address without what may be a token behind its host.
pub fn place(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let more = if host.len() < rest.trim_end_matches('/').len() { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::noon;

    #[test]
    fn kr_16_pauses_grow_to_five_minutes_and_after_a_day_to_an_hour() {
        let since = noon();
        let pause = |tries: i64, after: i64| {
            let now = since + chrono::Duration::seconds(after);
            (retry_at(since, tries, now) - now).num_seconds()
        };
        assert_eq!(
            [1, 2, 3, 4, 9, 10, 60, i64::MAX].map(|tries| pause(tries, 60)),
            [1, 2, 4, 8, 256, 300, 300, 300]
        );
        assert_eq!(pause(300, 86_400), 3_600);
    }

    #[test]
    fn what_is_on_this_machine_is_told_from_what_only_looks_like_it() {
        for here in ["http://localhost:9/x", "http://127.0.0.1", "https://127.8.0.1:9/?x", "http://[::1]:9/"]
        {
            assert!(is_on_this_machine(here), "{here}");
        }
        for away in
            ["https://localhost.example/", "https://h.example/localhost", "https://[2001:db8::1]/", ""]
        {
            assert!(!is_on_this_machine(away), "{away}");
        }
    }

    #[test]
    fn kr_16_an_address_is_shown_without_what_may_be_a_token() {
        assert_eq!(place("https://hooks.example/T0/secret?x=1"), "https://hooks.example/…");
        assert_eq!(place("https://hooks.example:8443/"), "https://hooks.example:8443");
        assert_eq!(place("http://127.0.0.1:9"), "http://127.0.0.1:9");
    }
}
