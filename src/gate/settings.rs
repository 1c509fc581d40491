//! What an operator decides about a gate's door.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::brake::Pace;
use super::leaks::PublicKeys;
use super::limiter::Address;
use super::limits::Limits;
use super::listener::SocketRights;
use super::origin::{Listed, bare_host};
use super::webhook::Receiver;
use crate::config::settings::Source;
use crate::domain::credential::Home;
use crate::domain::listening::ListenPlace;
use crate::domain::secret::HashedKey;
use crate::service::GateSettings;

/// How a gate listens, whom it believes and whose keys it takes.
#[derive(Debug)]
pub struct Settings {
    pub listen: Vec<ListenPlace>,
    /// Where Envoy asks by gRPC.
    pub grpc: Vec<ListenPlace>,
    /// Who may use those of them that are sockets.
    pub rights: SocketRights,
    /// Where health and metrics are instead, if not with the rest.
    pub admin: Option<ListenPlace>,
    pub issuers: Issuers,
    /// Where those were named.
    pub issuers_said: Source,
    /// How the gate presents itself to others on the database.
    pub own: GateSettings,
    /// Proxies whose headers are believed.
    pub trusted: Listed,
    /// Whether the proxies leave the spelling of header names alone (VI-02).
    pub spelling_kept: bool,
    pub verify: VerifyRule,
    pub pace: Pace,
    /// The limiter that is shared with other gates; none: this gate counts by itself.
    pub limits: Option<Address>,
    /// Where that was named.
    pub limits_said: Source,
    pub connections: Limits,
    /// The doors for leaked keys.
    pub leaks: LeakDoors,
    /// Where alerts are sent.
    pub webhook: Option<Receiver>,
    /// Says how many lines are missing in the log because its reader did not keep up.
    pub lost_lines: fn() -> u64,
}

/// Which doors for leaked keys are open.
#[derive(Debug, Default)]
pub struct LeakDoors {
    /// GitHub's, with the public keys that its messages are signed by.
    pub github: Option<PublicKeys>,
    /// That of whoever holds keys: so many of their messages are worked on at once.
    pub holders: Option<Arc<Semaphore>>,
}

/// Who may ask for verdicts on keys that somebody else sent.
#[derive(Debug)]
pub struct VerifyRule {
    pub from: Listed,
    /// The hash of the token that askers must send as well, if there is one.
    pub token: Option<HashedKey>,
}

/// Whose keys are taken: by the host that a request is for, or all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    /// Hosts in lower case, without a port, and the issuer's slug.
    hosts: Vec<(String, String)>,
    other: Option<String>,
}

/// Why issuers can't be taken as they were given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuersError {
    #[error("{0} is named twice: keep one")]
    Twice(String),
    #[error("{0:?} isn't a valid issuer: write SLUG, or HOST=SLUG")]
    Form(String),
}

impl Issuers {
    /// Reads `SLUG` (for every host that is not named) and `HOST=SLUG`.
    pub fn parse<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<Self, IssuersError> {
        let mut all = Self::default();
        for entry in entries {
            let (host, slug) = match entry.split_once('=') {
                Some((host, slug)) => (Some(host), slug),
                None => (None, entry),
            };
            if crate::domain::account::check_slug(slug).is_err() || host == Some("") {
                return Err(IssuersError::Form(entry.chars().take(100).collect()));
            }
            match host.map(plain_host) {
                None if all.other.is_some() => return Err(IssuersError::Twice("the issuer".into())),
                None => all.other = Some(slug.to_owned()),
                Some(host) if all.hosts.iter().any(|(known, _)| *known == host) => {
                    return Err(IssuersError::Twice(host));
                }
                Some(host) => all.hosts.push((host, slug.to_owned())),
            }
        }
        Ok(all)
    }

    /// Whose keys count for a request to `host`.
    pub fn of(&self, host: Option<&str>) -> Home<'_> {
        let named = host.filter(|_| !self.hosts.is_empty()).and_then(|host| {
            let host = plain_host(host);
            self.hosts.iter().find(|(known, _)| *known == host)
        });
        match (named, &self.other) {
            (Some((_, slug)), _) | (None, Some(slug)) => Home::Only(slug),
            (None, None) if self.hosts.is_empty() => Home::Any,
            (None, None) => Home::Nobody,
        }
    }

    /// The same where the asker names an issuer as well: that makes it fewer keys, never other ones.
    pub fn within<'a>(&'a self, host: Option<&str>, named: Option<&'a str>) -> Home<'a> {
        match (self.of(host), named) {
            (home, None) => home,
            (Home::Any | Home::Default(_), Some(slug)) => Home::Only(slug),
            (Home::Only(own), Some(slug)) if own == slug => Home::Only(own),
            (Home::Only(_) | Home::Nobody, Some(_)) => Home::Nobody,
        }
    }

    /// Every issuer that is named.
    pub fn slugs(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|(_, slug)| slug).chain(&self.other).map(String::as_str)
    }
}

fn plain_host(host: &str) -> String {
    bare_host(host).trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_named_for_a_host_or_for_all() {
        let none = Issuers::default();
        assert_eq!(none.of(Some("x.example")), Home::Any);
        let one = Issuers::parse(["voxpria"]).unwrap();
        assert_eq!(one.of(None), Home::Only("voxpria"));
        let hosts = Issuers::parse(["api.voxpria.com=voxpria", "API.VoiceInfra.ai:443=voiceinfra"]).unwrap();
        assert_eq!(hosts.of(Some("api.voiceinfra.ai")), Home::Only("voiceinfra"));
        assert_eq!(hosts.of(Some("API.voxpria.com.:8443")), Home::Only("voxpria"));
        assert_eq!(hosts.of(Some("elsewhere.example")), Home::Nobody, "a strange host has no issuer");
        assert_eq!(hosts.of(None), Home::Nobody);
        let mixed = Issuers::parse(["a.example=voxpria", "voicegram"]).unwrap();
        assert_eq!(mixed.of(Some("b.example")), Home::Only("voicegram"));
        assert_eq!(mixed.slugs().collect::<Vec<_>>(), ["voxpria", "voicegram"]);
    }

    #[test]
    fn who_asks_may_name_an_issuer_among_those_of_the_settings_and_no_other() {
        let within = |entries: &[&str], host| {
            let issuers = Issuers::parse(entries.iter().copied()).unwrap();
            ["voxpria", "voicegram", ""].map(|slug| match issuers.within(host, Some(slug)) {
                Home::Only(own) => own == slug,
                Home::Nobody => false,
                Home::Any | Home::Default(_) => panic!("an issuer was named"),
            })
        };
        assert_eq!(within(&[], None), [true, true, true], "what is no issuer has no keys");
        assert_eq!(within(&["voxpria"], Some("b.example")), [true, false, false]);
        assert_eq!(within(&["a.example=voxpria"], Some("a.example")), [true, false, false]);
        assert_eq!(within(&["a.example=voxpria"], Some("b.example")), [false, false, false]);
        assert_eq!(within(&["a.example=voxpria", "voicegram"], None), [false, true, false]);
        assert_eq!(Issuers::parse(["voxpria"]).unwrap().within(None, None), Home::Only("voxpria"));
    }

    #[test]
    fn what_is_no_issuer_is_refused() {
        for bad in ["", "=x", "a.example=", "No Slug", "a=b=c"] {
            assert_eq!(Issuers::parse([bad]), Err(IssuersError::Form(bad.into())), "{bad:?}");
        }
        assert!(matches!(Issuers::parse(["a", "b"]), Err(IssuersError::Twice(_))));
        assert!(matches!(Issuers::parse(["h=a", "H=b"]), Err(IssuersError::Twice(_))));
    }
}
