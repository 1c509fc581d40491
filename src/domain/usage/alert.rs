//! Alerts: what somebody should look at.

use std::net::IpAddr;

use chrono::Duration;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::failures::Source;
use super::late::{Late, Share, places, trend};
use super::spike::{SPIKE_MINUTES, Spike};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::text::{SafeText, thousands};
use crate::domain::when::{ago, in_a_sentence};

/// Something out of the ordinary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub at: Instant,
    #[serde(flatten)]
    pub what: What,
}

/// What it is. The JSON form is kept in the database and sent by webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A key is used far more than it ever was; in requests per five minutes.
    Spike { key: KeyId, requests: u64, usual: u64, busiest: u64 },
    /// Many attempts without a key that works.
    FailedAuthentications { source: Source, attempts: u32, seconds: u32 },
    /// A key was used from a network that it was never used from.
    NewNetwork {
        key: KeyId,
        network: IpNet,
        address: IpAddr,
        /// Whether the key's allow-list names the network, so that it was to be expected.
        expected: bool,
    },
    /// A key is tried after its end: in the last 24 hours, and in the 24 hours before.
    AfterEnd {
        key: KeyId,
        /// Revoked, replaced, expired, not confirmed.
        how: SafeText,
        ended_at: Instant,
        tries: u64,
        before: u64,
        networks: Vec<Share>,
        endpoints: Vec<Share>,
    },
    /// A key that is replaced ends soon, and is still used.
    OverlapEnds {
        key: KeyId,
        replacement: KeyId,
        ends_at: Instant,
        last_used_at: Instant,
        /// The address of its last use, and the endpoint.
        from: Option<SafeText>,
        endpoint: Option<SafeText>,
    },
    /// Somebody told a gate that a key leaked.
    Leaked {
        key: KeyId,
        /// Who: `github`, `holder`.
        source: SafeText,
        /// Where it was found, if that was said.
        place: Option<SafeText>,
        /// Whether it still works.
        works: bool,
        /// What was done about it.
        done: SafeText,
    },
    /// Somebody changed many keys without the second person whom the policy asks for.
    Overridden { approval: i64, by: SafeText, verb: SafeText, keys: u64, reason: SafeText },
    /// What the database holds of it can't be read, and why.
    Unread { why: String },
}

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Alert {
    pub fn spike(at: Instant, key: KeyId, Spike { requests, usual, busiest }: Spike) -> Self {
        Self { at, what: What::Spike { key, requests, usual, busiest } }
    }

    pub fn late(at: Instant, key: KeyId, late: Late) -> Self {
        let Late { how, ended_at, last_24h: tries, before_24h: before, networks, endpoints, .. } = late;
        Self { at, what: What::AfterEnd { key, how, ended_at, tries, before, networks, endpoints } }
    }

    /// Of a key whose overlap ends soon.
    pub fn overlap_ends(at: Instant, old: &Key) -> Option<Self> {
        let what = What::OverlapEnds {
            key: old.id,
            replacement: old.successor?,
            ends_at: old.stops_at()?,
            last_used_at: old.last_used_at?,
            from: old.last_used_from.clone(),
            endpoint: old.last_used_endpoint.clone(),
        };
        Some(Self { at, what })
    }

    /// For how long one of them is enough.
    pub fn rest(&self) -> Duration {
        match self.what {
            What::AfterEnd { .. } | What::Leaked { .. } | What::OverlapEnds { .. } => Duration::days(1),
            _ => Duration::hours(1),
        }
    }

    /// The key that it is about.
    pub fn key(&self) -> Option<KeyId> {
        match &self.what {
            What::Spike { key, .. }
            | What::NewNetwork { key, .. }
            | What::AfterEnd { key, .. }
            | What::OverlapEnds { key, .. }
            | What::Leaked { key, .. } => Some(*key),
            What::FailedAuthentications { .. } | What::Overridden { .. } | What::Unread { .. } => None,
        }
    }

    /// The kind, as it stands in JSON.
    pub fn kind(&self) -> &'static str {
        (&self.what).into()
    }

    pub fn severity(&self) -> Severity {
        match &self.what {
            What::Spike { requests, busiest, .. } if *requests >= busiest.saturating_mul(10) => {
                Severity::Critical
            }
            What::Leaked { works: true, .. } | What::Overridden { .. } => Severity::Critical,
            What::NewNetwork { expected: true, .. } => Severity::Info,
            What::FailedAuthentications { source: Source::Issuer(_), .. } => Severity::Critical,
            _ => Severity::Warning,
        }
    }

    /// What alerts about the same thing have in common: kind and key, or kind and source, or network.
    pub fn about(&self) -> String {
        match &self.what {
            What::Spike { key, .. } => format!("spike {key}"),
            What::NewNetwork { key, network, .. } => format!("new-network {key} {network}"),
            What::AfterEnd { key, .. } => format!("after-end {key}"),
            // An overlap that was extended ends once more.
            What::OverlapEnds { key, ends_at, .. } => format!("overlap-ends {key} {}", ends_at.timestamp()),
            What::Leaked { key, source, .. } => format!("leaked {key} {source}"),
            What::Overridden { approval, .. } => format!("overridden {approval}"),
            What::Unread { why } => format!("unread {why}"),
            What::FailedAuthentications { source, .. } => match source {
                Source::Address(address) => format!("failed-authentications {address}"),
                Source::Network(network) => format!("failed-authentications {network}"),
                Source::Issuer(slug) => format!("failed-authentications {slug}"),
                // No slug has a blank in it.
                Source::Others => "failed-authentications from others".to_owned(),
            },
        }
    }

    /// What happened and what to do, for operators. The key's name is for the caller to put beside it.
    pub fn sentence(&self) -> String {
        match &self.what {
            What::Spike { requests, usual, busiest, .. } => format!(
                "{requests} requests in {SPIKE_MINUTES} minutes; usual are {usual}, the most before were {busiest}: ask its \
                 owner, and revoke it if nobody knows why."
            ),
            What::FailedAuthentications { source, attempts, seconds } => {
                let minutes = seconds.div_ceil(60);
                match source {
                    Source::Address(IpAddr::V6(network)) => format!(
                        "{attempts} failed attempts in {minutes} minutes from {network}/64: look at the log, and block it if nobody knows it."
                    ),
                    Source::Address(address) => format!(
                        "{attempts} failed attempts in {minutes} minutes from {address}: look at the log, and block it if nobody knows it."
                    ),
                    Source::Network(network) => format!(
                        "{attempts} failed attempts in {minutes} minutes from {network}, from several addresses: look at the log, and block it if nobody knows it."
                    ),
                    Source::Others => {
                        "Attempts without a key that works come from more places than are told of one by one \
                        within an hour: look at the log, and block what they have in common."
                            .to_owned()
                    }
                    Source::Issuer(slug) => format!(
                        "{attempts} attempts with what looks like keys of {slug} in {minutes} minutes: a client may hold an old key, or somebody is guessing."
                    ),
                }
            }
            What::Overridden { approval, by, verb, keys, reason } => format!(
                "{by} went ahead with {} keys ({verb}) without the second person whom the policy asks for, because {:?}: ask them, and look at \
                 keyrack approval show {approval}.",
                thousands(*keys),
                reason.as_str()
            ),
            What::Unread { why } => {
                format!(
                    "This alert can't be read: {why}. See keyrack doctor, and the gate's log of that time."
                )
            }
            What::AfterEnd { key, how, tries, before, networks, endpoints, .. } => {
                let how = match how.as_str() {
                    "not confirmed" => "nobody confirmed it in time".to_owned(),
                    "expired" => "it expired".to_owned(),
                    how => format!("it was {how}"),
                };
                let times =
                    if *tries == 1 { "once".to_owned() } else { format!("{} times", thousands(*tries)) };
                let (places, trend) = (places(networks, endpoints), trend(*tries, *before));
                format!(
                    "Tried {times} in 24 hours after {how},{places}{trend}: tell its account's admins with keyrack key tell {key}."
                )
            }
            What::OverlapEnds { key, ends_at, last_used_at, from, endpoint, .. } => {
                let from = from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
                let endpoint = endpoint.as_ref().map(|of| format!(" for {of}")).unwrap_or_default();
                format!(
                    "Replaced, and still used: it stops working on {}, and was used {}{from}{endpoint}. Move what uses it to the \
                     new key, or extend the overlap with keyrack rotation extend {key} --by 24h.",
                    in_a_sentence(*ends_at),
                    ago(*last_used_at, self.at)
                )
            }
            What::Leaked { key, source, place, works, done } => {
                let at = place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
                let todo = match works {
                    true => format!(". It works: look at it, and revoke it with keyrack key revoke {key}"),
                    false => String::new(),
                };
                format!("Leaked, says {source}{at}: {done}{todo}.")
            }
            What::NewNetwork { network, address, expected: true, .. } => {
                format!("First used from {network} ({address}), which its allow-list names.")
            }
            What::NewNetwork { network, address, .. } => format!(
                "First used from {network} ({address}): ask its owner, and revoke it if nobody knows that network."
            ),
        }
    }
}

/// An alert that was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlert {
    /// Counts up; its name on the command line.
    pub id: i64,
    pub alert: Alert,
    /// The gate that raised it.
    pub gate: SafeText,
    /// The account's slug, where it is about a key.
    pub account: Option<SafeText>,
    /// The key's name and preview, where it is about a key.
    pub name: Option<SafeText>,
    pub preview: Option<SafeText>,
    pub acknowledged_at: Option<Instant>,
    pub acknowledged_by: Option<SafeText>,
}

impl RaisedAlert {
    /// What happened and what to do, with the key's name before it.
    pub fn sentence(&self) -> SafeText {
        let sentence = self.alert.sentence();
        SafeText::new(match &self.name {
            Some(name) => format!("{:?}: {sentence}", name.as_str()),
            None => sentence,
        })
    }
}
