//! Why a key may or may not pass, step by step, by the very rules that gates judge by.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::find::searched;
use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::carrier::Carrier;
use crate::domain::credential::{Credential, Directory, Home, Spelling, Unread};
use crate::domain::explain::pasted;
use crate::domain::explain::{Case, Explanation, explain};
use crate::domain::issuer::RequestLine;
use crate::domain::key::{Key, KeyId};
use crate::domain::reason::{Damage, Reason};
use crate::domain::secret::{Finding, Kind, PlainKey, SentKey, wipe_stack};
use crate::domain::verdict::{Ask, KeyFacts, Request};
use crate::store::Sight;

/// What is to be explained.
#[derive(Debug)]
pub struct Explain {
    pub what: Presented,
    /// Only keys of this issuer, by its slug, count, as for a gate that serves it alone.
    pub issuer: Option<String>,
    /// The request that it was sent with, or would be; none: only the key itself is asked about.
    pub request: Option<Asked>,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
}

/// What somebody has in hand.
#[derive(Debug)]
pub enum Presented {
    /// What was sent, exactly as it was, and how.
    Sent(SentKey, Carriage),
    /// The record of a key.
    Record(KeyId),
}

/// How a key was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carriage {
    /// In no header: handed over.
    #[default]
    Bare,
    /// `Authorization: Bearer`
    Bearer,
    /// `X-API-Key`, spelled exactly so.
    ApiKey,
    /// `x-api-key`
    ApiKeyInSmallLetters,
}

/// A request, as far as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By its method and path.
    Line { method: String, path: String },
    /// By the scope that it needs.
    Scope(String),
}

/// Why a key may or may not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub explanation: Explanation,
    /// The key, if one was found.
    pub key: Option<Key>,
    /// The name of the issuer whose policy decides.
    pub issuer: Option<String>,
    /// Line and column of the key, counted from 1, where more was given than the key.
    pub place: Option<(usize, usize)>,
    pub now: Instant,
}

impl Explained {
    /// Why it would be refused; `None`: nothing that was looked at stands in its way.
    pub fn refused(&self) -> Option<&Reason> {
        self.explanation.refused()
    }
}

impl Service {
    /// Explains. Changes nothing, uses no budget, and keeps nothing of the secret.
    pub async fn explain(&self, asked: Explain) -> Result<Explained> {
        let now = self.look().await?;
        let issuers = self.inner.store.issuers().await?;
        let directory = self.directory(&issuers);
        let used = self.inner.store.peppered(now, 1).await?;
        let mut lack = self.peppers().lacks(&used).into_iter().next();
        if let Some(slug) = &asked.issuer
            && directory.policy(slug).is_none()
        {
            return Err(Error::no_issuer(slug));
        }
        let home = match (&asked.issuer, directory.policies()) {
            (Some(slug), _) => Home::Only(slug),
            (None, [one]) => Home::Default(&one.slug),
            (None, _) => Home::Any,
        };
        let reading = match &asked.what {
            Presented::Sent(secret, carriage) => Some(read(&directory, home, secret.expose(), *carriage)),
            Presented::Record(_) => None,
        };
        let mut place = None;
        let (reading, sight): (_, Option<Sight>) = match (asked.what, reading) {
            (Presented::Record(id), _) => {
                let scheme = self.inner.store.scheme_of(id).await?;
                lack = scheme.and_then(|scheme| self.peppers().can_find(scheme).err());
                (None, Some(self.inner.store.sight_of(id).await?.ok_or_else(|| Error::no_key(id))?))
            }
            (_, Some(Ok(found))) => {
                let hash = self.inner.store.which(&found.hashes()).await?.unwrap_or(found.hash);
                let sight = self.inner.store.sight(hash).await?;
                let key = sight.as_ref().map(|sight| &sight.key);
                let policy = directory.policy_for(&found, hash, key);
                (Some(Ok(Credential { policy, ..found })), sight)
            }
            (_, None) => (None, None),
            // Within what was given there may be a key all the same.
            (Presented::Sent(given, carriage), Some(Err(unread))) => {
                let nul = given.expose().contains(&0);
                let (_, _, findings) = searched(given, issuers).await?;
                match self.within(findings, &directory).await? {
                    None => (Some(Err(unread)), None),
                    Some((finding, secret, sight)) => {
                        // Where nothing else is in it, what was sent was no key: what stands about or within it is why.
                        let exact = finding.alone || matches!(unread.reason, Reason::NotText) && !nul;
                        let reason = match unread.reason {
                            reason if matches!(finding.kind, Kind::Headless { .. }) => reason,
                            // What nobody sees stands about it or within it.
                            Reason::UnknownPrefix | Reason::Truncated { .. } | Reason::Altered(_) => {
                                Reason::Altered(Damage::Characters)
                            }
                            reason => reason,
                        };
                        let reading = if exact {
                            Err(Unread { reason, ..unread })
                        } else {
                            place = Some((finding.line, finding.column));
                            let carriage = match (carriage, finding.header) {
                                (Carriage::Bare, Some((Carrier::Bearer, _))) => Carriage::Bearer,
                                (Carriage::Bare, Some((Carrier::ApiKey, true))) => Carriage::ApiKey,
                                (Carriage::Bare, Some((Carrier::ApiKey, false))) => {
                                    Carriage::ApiKeyInSmallLetters
                                }
                                (carriage, _) => carriage,
                            };
                            read(&directory, home, secret.expose().as_bytes(), carriage)
                        };
                        (Some(reading), sight)
                    }
                }
            }
        };
        let policy = match (&reading, &sight) {
            (Some(Ok(found)), _) => Some(found.policy),
            (Some(Err(unread)), None) => unread.policy,
            (_, Some(sight)) => directory.policy(&sight.key.issuer),
            (None, None) => None,
        };
        let request = asked.request.as_ref().map(|request| Request {
            ask: match request {
                Asked::Line { method, path } => {
                    Ask::Line(RequestLine::read(method.as_bytes(), path.as_bytes()))
                }
                Asked::Scope(scope) => Ask::Direct { scope: Some(scope), endpoint: None },
            },
            address: asked.address,
        });
        // An address by itself is worth a look too.
        let request = request.or_else(|| {
            asked.address.map(|address| Request {
                ask: Ask::Direct { scope: None, endpoint: None },
                address: Some(address),
            })
        });
        // What gates read of a key does not say it.
        let sight = sight.map(|mut sight| {
            sight.key.refused =
                !directory.policy(&sight.key.issuer).is_some_and(|policy| policy.takes(&sight.key));
            sight
        });
        if reading.is_some() && sight.is_some() {
            lack = None;
        }
        let facts = sight.as_ref().map(|sight| KeyFacts {
            key: &sight.key,
            account: &sight.account,
            limits: &sight.key.limits,
        });
        let case = Case {
            reading: reading.as_ref().map(|reading| reading.as_ref()),
            policy: policy.map(AsRef::as_ref),
            facts,
            request: request.as_ref(),
            // Windows are kept by gates, and what one of them saved last may be seconds old.
            quota: None,
            lack,
            now,
        };
        let explanation = explain(&case);
        let issuer = policy.map(|policy| policy.name.clone());
        Ok(Explained { explanation, key: sight.map(|sight| sight.key), issuer, place, now })
    }

    /// Reads what somebody pasted as a key, as a gate reads it in this header, if that is known: off the threads that do
    /// the work, for it may be long.
    pub async fn read_pasted(&self, given: SentKey, header: Option<&'static str>) -> Result<pasted::Reading> {
        self.look().await?;
        let issuers = self.inner.store.issuers().await?;
        let reading = tokio::task::spawn_blocking(move || {
            let reading = pasted::read(given, header, &issuers);
            wipe_stack();
            reading
        });
        reading.await.map_err(|_| Error::Refused("the text could not be read: try a part of it".into()))
    }

    /// The one secret of a text, and its key if there is one. Where nothing in it is the secret of a key, the first that
    /// has the form of one.
    async fn within(
        &self,
        findings: Vec<Finding>,
        directory: &Directory,
    ) -> Result<Option<(Finding, PlainKey, Option<Sight>)>> {
        let mut known: Option<(Finding, PlainKey, Option<Sight>)> = None;
        let mut formed = None;
        let mut several: Vec<KeyId> = Vec::new();
        for mut finding in findings {
            let mut found = None;
            for (place, secret) in finding.readings.iter().enumerate() {
                let hashes = directory.hashes(secret.expose().as_bytes());
                let Some(hash) = self.inner.store.which(&hashes).await? else { continue };
                if let Some(sight) = self.inner.store.sight(hash).await? {
                    found = Some((place, sight));
                    break;
                }
            }
            match found {
                Some((place, sight)) if !several.contains(&sight.key.id) => {
                    several.push(sight.key.id);
                    let secret = finding.readings.swap_remove(place);
                    known = known.or(Some((finding, secret, Some(sight))));
                }
                None if finding.kind == Kind::Whole && formed.is_none() && !finding.readings.is_empty() => {
                    let secret = finding.readings.swap_remove(0);
                    formed = Some((finding, secret, None));
                }
                _ => {}
            }
        }
        if several.len() > 1 {
            return Err(Error::Ambiguous { name: "what was given".into(), candidates: several });
        }
        Ok(known.or(formed))
    }
}

type Reading<'d> =
    std::result::Result<crate::domain::credential::Credential<'d>, crate::domain::credential::Unread<'d>>;

fn read<'d>(directory: &'d Directory, home: Home<'_>, text: &[u8], carriage: Carriage) -> Reading<'d> {
    let with = |name: &[u8], value: &[u8]| directory.read(home, [(name, value)], Spelling::AsSent);
    match carriage {
        Carriage::Bare => directory.read_bare(home, text),
        Carriage::ApiKey => with(b"X-API-Key", text),
        Carriage::ApiKeyInSmallLetters => with(b"x-api-key", text),
        Carriage::Bearer => {
            let mut value = Zeroizing::new(Vec::with_capacity(text.len() + 7));
            value.extend_from_slice(b"Bearer ");
            value.extend_from_slice(text);
            with(b"Authorization", &value)
        }
    }
}
