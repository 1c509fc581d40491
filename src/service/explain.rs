//! Why a key may or may not pass, step by step, by the very rules that gates judge by.

use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::credential::{Directory, Home, Spelling};
use crate::domain::explain::{Case, Explanation, explain};
use crate::domain::issuer::RequestLine;
use crate::domain::key::{Key, KeyId};
use crate::domain::reason::Reason;
use crate::domain::secret::SentKey;
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
        let directory = Directory::new(issuers.into_iter().map(|issuer| Arc::new(issuer.policy)));
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
            Presented::Sent(secret, carriage) => Some(read(&directory, home, secret, *carriage)),
            Presented::Record(_) => None,
        };
        let sight: Option<Sight> = match (&asked.what, &reading) {
            (Presented::Record(id), _) => {
                Some(self.inner.store.sight_of(*id).await?.ok_or_else(|| Error::no_key(*id))?)
            }
            (_, Some(Ok(found))) => self.inner.store.sight(found.hash).await?,
            // Without the white space round it, it may be a key all the same.
            (Presented::Sent(secret, _), _) => match secret.trimmed() {
                Some(trimmed) => self.inner.store.sight(trimmed.hash()).await?,
                None => None,
            },
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
                    Ask::Line(RequestLine::new(method.as_bytes(), path.as_bytes()))
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
            now,
        };
        let explanation = explain(&case);
        let issuer = policy.map(|policy| policy.name.clone());
        Ok(Explained { explanation, key: sight.map(|sight| sight.key), issuer, now })
    }
}

type Reading<'d> =
    std::result::Result<crate::domain::credential::Credential<'d>, crate::domain::credential::Unread<'d>>;

fn read<'d>(directory: &'d Directory, home: Home<'_>, secret: &SentKey, carriage: Carriage) -> Reading<'d> {
    let text = secret.expose();
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
