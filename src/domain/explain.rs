//! Why a request may or may not pass, step by step: the text of `keyrack explain`.
//!
//! Unlike the gate, which ends at the first step that fails, every step that can be looked at is looked at, so that
//! nobody sets one thing right only to run into the next. The gate's answer is that of the first one that failed.

use serde::Serialize;
use strum::IntoStaticStr;

use super::Instant;
use super::account::Standing;
use super::carrier::Carrier;
use super::credential::{Credential, Unread};
use super::issuer::{Policy, Routed, Unmatched};
use super::limit::Quota;
use super::reason::Reason;
use super::secret::Lack;
use super::text::SafeText;
use super::verdict::{Ask, KeyFacts, Request, dead, unmet};
use super::when;

/// What is known of a case. The more there is, the more steps are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What reading the key yielded; `None` where a record is explained and nobody has the secret.
    pub reading: Option<Result<&'a Credential<'a>, &'a Unread<'a>>>,
    /// The policy that decides, if it is known.
    pub policy: Option<&'a Policy>,
    /// The key's record. After reading failed for white space it may be that of the key without it.
    pub facts: Option<KeyFacts<'a>>,
    /// What somebody wanted or would want; `None` if only the key itself is asked about.
    pub request: Option<&'a Request<'a>>,
    /// What is left of the budgets, looked at without using them.
    pub quota: Option<&'a Quota>,
    /// A pepper without which this key can't be found, or an unknown one may be a key.
    pub lack: Option<Lack>,
    pub now: Instant,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Mark {
    Passed,
    Failed,
    /// There was nothing to look at.
    Open,
}

/// One step of the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// credential, shape, pepper, known, revoked, expired, claimed, planned, paused, account, address, scope, limits
    pub name: &'static str,
    pub mark: Mark,
    pub words: SafeText,
    /// Why it failed.
    #[serde(skip)]
    pub reason: Option<Reason>,
}

/// All steps in the order of the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub steps: Vec<Step>,
}

impl Explanation {
    /// Why the gate would refuse: the first step that failed.
    pub fn refused(&self) -> Option<&Reason> {
        self.steps.iter().find_map(|step| step.reason.as_ref())
    }

    /// Whether every step was looked at and none failed.
    pub fn complete(&self) -> bool {
        self.steps.iter().all(|step| step.mark == Mark::Passed)
    }

    fn passed(&mut self, name: &'static str, words: impl Into<String>) {
        self.steps.push(Step { name, mark: Mark::Passed, words: SafeText::new(words), reason: None });
    }

    fn open(&mut self, name: &'static str, words: impl Into<String>) {
        self.steps.push(Step { name, mark: Mark::Open, words: SafeText::new(words), reason: None });
    }

    fn failed(&mut self, name: &'static str, reason: Reason, policy: Option<&Policy>) {
        let words = SafeText::new(reason.sentence(policy));
        self.steps.push(Step { name, mark: Mark::Failed, words, reason: Some(reason) });
    }

    fn judged(
        &mut self,
        name: &'static str,
        why: Option<Reason>,
        policy: Option<&Policy>,
        else_words: String,
    ) {
        match why {
            Some(reason) => self.failed(name, reason, policy),
            None => self.passed(name, else_words),
        }
    }
}

/// The steps that come after reading.
const LATER: [&str; 9] =
    ["revoked", "expired", "claimed", "planned", "paused", "account", "address", "scope", "limits"];

/// Explains a case.
pub fn explain(case: &Case<'_>) -> Explanation {
    let mut told = Explanation { steps: Vec::new() };
    reading(case, &mut told);
    let policy = case.policy;
    match (case.facts, case.reading) {
        (Some(facts), _) => {
            let key = facts.key;
            if let Some(lack) = case.lack {
                told.failed("pepper", Reason::PepperMissing { lack }, policy);
            }
            if policy.is_some_and(|policy| policy.slug != key.issuer) {
                told.failed("known", Reason::OtherIssuer, policy);
            } else {
                told.passed(
                    "known",
                    format!(
                        "It is the key {:?}, {}, of account {}.",
                        key.name.as_str(),
                        key.preview,
                        key.account
                    ),
                );
            }
            life(case, facts, &mut told);
            request(case, facts, &mut told);
        }
        (None, reading) => {
            match reading {
                Some(Ok(_)) => {
                    let unknown = case.lack.map_or(Reason::Unknown, |lack| Reason::PepperMissing { lack });
                    told.failed("known", unknown, policy);
                }
                _ => told.open("known", "There is no key to look for."),
            }
            for name in LATER {
                told.open(name, "There is no key to look at.");
            }
        }
    }
    told
}

fn reading(case: &Case<'_>, told: &mut Explanation) {
    let name = case.policy.map_or("a known issuer", |policy| &policy.name);
    match case.reading {
        None => {
            told.open("credential", "Only the key's record was checked, not a request.");
            match (case.policy, case.facts) {
                (Some(policy), Some(facts))
                    if policy.slug == facts.key.issuer
                        && policy.odd.is_empty()
                        && !policy.takes(facts.key) =>
                {
                    told.failed("shape", Reason::UnknownPrefix, case.policy);
                }
                _ => told.open("shape", "The secret was not given."),
            }
        }
        Some(Ok(found)) => {
            told.passed(
                "credential",
                match found.carrier {
                    Carrier::Direct => "The key was given.".to_owned(),
                    carrier => format!("The key is in {}.", carrier.header()),
                },
            );
            told.passed("shape", format!("It has the form of a key of {name}."));
        }
        Some(Err(unread)) if unread.reason.is_about_finding() => {
            told.failed("credential", unread.reason.clone(), case.policy);
            told.open("shape", "There is no key to look at.");
        }
        Some(Err(unread)) => {
            told.passed("credential", "There is something that should be a key.");
            told.failed("shape", unread.reason.clone(), case.policy);
        }
    }
}

fn life(case: &Case<'_>, facts: KeyFacts<'_>, told: &mut Explanation) {
    let (key, policy, now) = (facts.key, case.policy, case.now);
    let revoked = dead(key, now).filter(|_| key.is_revoked(now));
    let planned = key.plan_ahead(now).map(|plan| {
        format!("It is not revoked; {} planned its revocation for {}.", plan.by, when::in_a_sentence(plan.at))
    });
    told.judged("revoked", revoked, policy, planned.unwrap_or_else(|| "It is not revoked.".into()));
    let odd =
        [Some(&key.odd), policy.map(|policy| &policy.odd)].into_iter().flatten().find(|odd| !odd.is_empty());
    if let Some(what) = odd {
        told.failed("readable", Reason::Damaged { what: what.clone() }, policy);
    }
    let expired = key.expires_at.filter(|at| *at <= now).map(|at| Reason::Expired { at });
    told.judged(
        "expired",
        expired,
        policy,
        match key.expires_at {
            Some(at) => format!("It expires on {}.", when::in_a_sentence(at)),
            None => "It never expires.".into(),
        },
    );
    let claim = key.claim_by();
    let abandoned = claim.filter(|at| *at <= now).map(|at| Reason::Abandoned { at });
    told.judged(
        "claimed",
        abandoned,
        policy,
        match claim {
            Some(at) => format!(
                "Nobody has confirmed its secret yet: it expires on {} unless somebody confirms or uses it.",
                when::in_a_sentence(at)
            ),
            None => "Its secret was confirmed.".into(),
        },
    );
    let later = key.starts_at(now).filter(|_| !key.has_ended(now)).map(|at| Reason::Planned { at });
    let words = key.not_before.map_or_else(
        || "It works from its creation on.".to_owned(),
        |at| format!("It works since {}.", when::in_a_sentence(at)),
    );
    told.judged("planned", later, policy, words);
    let paused = key.held(now).map(|pause| Reason::Paused { pause: Box::new(pause.clone()), told: false });
    let paused = paused.filter(|_| !key.has_ended(now));
    told.judged("paused", paused, policy, "It is not paused.".into());
    let suspended = (key.standing != Standing::Good || facts.account.standing != Standing::Good)
        .then(|| Reason::Suspended { account: facts.account.slug.as_str().into() });
    let words = format!("Account {} is in good standing.", facts.account.slug);
    told.judged("account", suspended, policy, words);
}

fn request(case: &Case<'_>, facts: KeyFacts<'_>, told: &mut Explanation) {
    let (key, policy) = (facts.key, case.policy);
    let address = case.request.and_then(|request| request.address);
    match (case.request, address) {
        _ if key.allow.is_empty() => told.passed("address", "It may be used from any address."),
        (None, _) => {
            told.open("address", format!("It may be used from {} only; no address was named.", key.allow))
        }
        (Some(_), Some(address)) if key.allow.allows(address) => {
            told.passed("address", format!("{address} is in the allowed networks, {}.", key.allow));
        }
        (Some(_), address) => told.failed("address", Reason::Address { address }, policy),
    }
    scope(case, facts, told);
    match case.quota {
        Some(quota) => {
            let spent = (!quota.allowed).then(|| Reason::Limited { spent: *quota.tightest() });
            told.judged("limits", spent, policy, left(quota));
        }
        None => told.open("limits", "The budgets were not checked."),
    }
}

fn left(quota: &Quota) -> String {
    let of = |state: &super::limit::State| {
        format!("{} of {} per {} are left", state.remaining, state.budget, state.per)
    };
    let mut text = quota.states().iter().map(of).collect::<Vec<_>>().join(", ");
    text.push('.');
    text
}

fn scope(case: &Case<'_>, facts: KeyFacts<'_>, told: &mut Explanation) {
    let Some(policy) = case.policy else { return told.open("scope", "The policy is not known.") };
    let held = || match (policy.fully_privileged(), facts.key.scopes.is_empty()) {
        (true, _) => "keys of this issuer may do everything on their account".to_owned(),
        (_, true) => "it has no scope".to_owned(),
        (_, false) => format!("it has {}", facts.key.scopes),
    };
    let Some(request) = case.request else {
        // Such a policy lets nothing pass, whatever is asked for.
        return if policy.routes.is_empty() && policy.gate.unmatched == Unmatched::Refuse {
            told.failed("scope", Reason::NoRoutes, Some(policy));
        } else {
            told.open("scope", format!("No request was named; {}.", held()));
        };
    };
    if let Some(reason) = unmet(policy, facts.key, request) {
        return told.failed("scope", reason, Some(policy));
    }
    let words = match &request.ask {
        Ask::Line(Ok(line)) => {
            let place = format!("{} {}", line.method(), line.path());
            match policy.route(line) {
                Routed::To(route) => match &route.scope {
                    Some(scope) => format!("{place} is {}, which needs {scope}; {}.", route.endpoint, held()),
                    None => format!("{place} is {}, which any working key may use.", route.endpoint),
                },
                _ => format!("No route matches {place}, and the policy lets such requests pass."),
            }
        }
        Ask::Direct { scope: Some(scope), .. } => format!("{scope} is needed; {}.", held()),
        _ => "No scope was asked for.".to_owned(),
    };
    told.passed("scope", words);
}

pub mod pasted;
#[cfg(test)]
mod tests;
