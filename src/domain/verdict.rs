//! The verdict: whether a request may pass. Pure, and in one order for all policies: credential found, shape, known, not
//! revoked, not expired, not planned for later, not paused, account in good standing, address allowed, scope allowed, within the limits.
//!
//! [`Directory::read`](super::credential::Directory::read) does the first two steps, the database the third, [`check`]
//! all others but the last; the limiter is asked only for requests that may pass otherwise, so that a refused address or
//! scope costs no quota (VP-07).

use std::net::IpAddr;

use super::Instant;
use super::account::Account;
use super::budget::Budgets;
use super::issuer::{LineFault, Policy, RequestLine, Routed, Unmatched};
use super::key::{Key, Status};
use super::limit::{Charge, Quota, charges};
use super::reason::Reason;
use super::when;

mod answer;

pub use answer::Answer;

/// The endpoint whose budget requests use that no route fits, where the policy lets them pass.
pub const UNMATCHED: &str = "unmatched";

/// What the database knows of a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyFacts<'a> {
    pub key: &'a Key,
    pub account: &'a Account,
    /// Budgets agreed for this key; empty for the policy's.
    pub limits: &'a Budgets,
}

/// What somebody wants to do with a key.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub ask: Ask<'a>,
    /// Where it comes from; `None` if nobody said, which passes no allow-list.
    pub address: Option<IpAddr>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Ask<'a> {
    /// A request to the API behind the gate: the policy's routes say what it needs.
    Line(Result<RequestLine<'a>, LineFault>),
    /// The asker says itself what is needed.
    Direct { scope: Option<&'a str>, endpoint: Option<&'a str> },
}

/// A request that may pass if its budgets have room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub charges: Vec<Charge>,
    pub endpoint: Option<String>,
    /// The scope that was needed and is held.
    pub scope: Option<String>,
    /// Whether nobody acknowledged or used the key before: this use claims it (decision 6).
    pub claims: bool,
}

/// A request that may not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: Reason,
    /// The budgets that the answer's headers tell of, without using them (VP-13); none where the answer must look like
    /// that to an unknown key.
    pub shows: Vec<Charge>,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason, shows: Vec::new() }
    }
}

/// What the limiter said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limited {
    /// There is nothing to limit, or every budget had room and the request is counted; or one had none.
    Told(Option<Quota>),
    /// It could not be asked and the policy does not let a gate count by itself.
    Gone,
}

/// The end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why the request may not pass; `None`: it may.
    pub refused: Option<Reason>,
    /// What is left of the budgets.
    pub quota: Option<Quota>,
    pub endpoint: Option<String>,
    pub scope: Option<String>,
    /// Whether this use claims the key.
    pub claims: bool,
}

impl Verdict {
    pub fn allowed(&self) -> bool {
        self.refused.is_none()
    }

    /// The verdict on a request that needs no key.
    pub fn pass() -> Self {
        Self { refused: None, quota: None, endpoint: None, scope: None, claims: false }
    }

    /// The verdict on a request that was refused before the limiter was asked; `quota` is what its headers may tell.
    pub fn refuse(reason: Reason, quota: Option<Quota>) -> Self {
        Self { refused: Some(reason), quota, endpoint: None, scope: None, claims: false }
    }
}

/// All steps between "what does the database say" and the limits. `facts` are `None` if no key has the hash.
pub fn check(
    policy: &Policy,
    facts: Option<KeyFacts<'_>>,
    request: &Request<'_>,
    now: Instant,
) -> Result<Checked, Refused> {
    let Some(KeyFacts { key, account, limits }) = facts else { return Err(Reason::Unknown.into()) };
    if key.issuer != policy.slug {
        return Err(Reason::OtherIssuer.into());
    }
    if let Some(mut reason) = dead(key, now) {
        if let Reason::Paused { told, .. } = &mut reason {
            *told = policy.pause.tell;
        }
        return Err(reason.into());
    }
    if !policy.odd.is_empty() {
        return Err(Reason::Damaged { what: policy.odd.clone() }.into());
    }
    let allowed = match request.address {
        Some(address) => key.allow.allows(address),
        None => key.allow.is_empty(),
    };
    if !allowed {
        return Err(Reason::Address { address: request.address }.into());
    }
    let need = needed(policy, request)
        .map_err(|reason| Refused { reason, shows: charges(policy, account, key, limits, None) })?;
    let charges = charges(policy, account, key, limits, need.endpoint);
    if let Some(reason) = lacking(policy, key, &need) {
        return Err(Refused { reason, shows: charges });
    }
    Ok(Checked {
        charges,
        endpoint: need.endpoint.map(str::to_owned),
        scope: need.scope.map(str::to_owned),
        claims: key.claim_by().is_some(),
    })
}

/// Why a key does not work at `now`, whatever is asked for; `None` if it does: what any request with it would meet. What a
/// second look before an answer is let go asks again (VG-17, VI-08).
pub fn dead(key: &Key, now: Instant) -> Option<Reason> {
    match key.status(now) {
        Status::Active => None,
        Status::Revoked => key.revoked(now).map(|revoked| Reason::Revoked {
            at: revoked.at,
            by: revoked.by.cloned(),
            note: revoked.reason.cloned(),
            planned: revoked.planned,
        }),
        Status::Planned => key.starts_at(now).map(|at| Reason::Planned { at }),
        Status::Expired => Some(Reason::Expired { at: key.expires_at.unwrap_or(now) }),
        Status::Abandoned => Some(Reason::Abandoned { at: key.claim_by().unwrap_or(now) }),
        Status::Damaged => Some(Reason::Damaged { what: key.odd.clone() }),
        Status::Paused => {
            key.held(now).map(|pause| Reason::Paused { pause: Box::new(pause.clone()), told: false })
        }
        Status::Suspended => Some(Reason::Suspended { account: key.account.as_str().into() }),
        Status::Refused => Some(Reason::UnknownPrefix),
    }
}

/// For what a request asks, as the policy's routes name it; `None` if no route fits.
pub fn endpoint<'a>(policy: &'a Policy, request: &'a Request<'_>) -> Option<&'a str> {
    needed(policy, request).ok()?.endpoint
}

/// What a request with the key would meet at `now` under its policy, in a sentence for people.
pub fn meets(key: &Key, policy: Option<&Policy>, now: Instant) -> String {
    let reason = dead(key, now).map(|reason| match policy {
        Some(policy) if reason == Reason::UnknownPrefix && !policy.odd.is_empty() => {
            Reason::Damaged { what: policy.odd.clone() }
        }
        _ => reason,
    });
    match (reason, key.claim_by()) {
        (Some(reason), _) => reason.sentence(None),
        (None, Some(end)) => {
            let ends = when::relative(end, now);
            format!("This key works now. It expires {ends} unless it is used or confirmed.")
        }
        (None, None) => "This key works now.".into(),
    }
}

/// Why a key may not do what is asked for, if it works at all; `None` if it may.
pub(super) fn unmet(policy: &Policy, key: &Key, request: &Request<'_>) -> Option<Reason> {
    match needed(policy, request) {
        Err(reason) => Some(reason),
        Ok(need) => lacking(policy, key, &need),
    }
}

fn lacking(policy: &Policy, key: &Key, need: &Need<'_>) -> Option<Reason> {
    let scope = need.scope?;
    let held = policy.fully_privileged() || key.scopes.contains(scope);
    (!held).then(|| Reason::Scope { needed: scope.into() })
}

/// What a request needs.
struct Need<'a> {
    scope: Option<&'a str>,
    endpoint: Option<&'a str>,
}

fn needed<'a>(policy: &'a Policy, request: &'a Request<'_>) -> Result<Need<'a>, Reason> {
    let line = match &request.ask {
        Ask::Line(line) => line.as_ref().map_err(|fault| Reason::Line(*fault))?,
        Ask::Direct { scope, endpoint } => {
            // Names that no route has share one budget: a caller must not make budgets of its own.
            let endpoint = endpoint.map(|name| if policy.has_endpoint(name) { name } else { UNMATCHED });
            return Ok(Need { scope: *scope, endpoint: endpoint.or(Some(UNMATCHED)) });
        }
    };
    match policy.route(line) {
        Routed::To(route) => Ok(Need { scope: route.scope.as_deref(), endpoint: Some(&route.endpoint) }),
        Routed::ButForSlash(_) => Err(Reason::Slash),
        Routed::ButForCase(_) => Err(Reason::LetterCase),
        Routed::Hidden => Err(Reason::Line(LineFault::Hidden)),
        Routed::Nowhere if policy.gate.unmatched == Unmatched::Allow => {
            Ok(Need { scope: None, endpoint: Some(UNMATCHED) })
        }
        Routed::Nowhere if policy.routes.is_empty() => Err(Reason::NoRoutes),
        Routed::Nowhere => Err(Reason::Unrouted),
    }
}

impl Checked {
    /// The last step: what the limiter said.
    pub fn limited(self, limited: Limited) -> Verdict {
        let (refused, quota) = match limited {
            Limited::Gone => (Some(Reason::LimiterGone), None),
            Limited::Told(Some(quota)) if !quota.allowed => {
                (Some(Reason::Limited { spent: *quota.tightest() }), Some(quota))
            }
            Limited::Told(quota) => (None, quota),
        };
        let claims = self.claims && refused.is_none();
        Verdict { refused, quota, endpoint: self.endpoint, scope: self.scope, claims }
    }
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
