//! Whether a reminder is still to be sent, by the policy and the key as they are at this moment.

use std::collections::{BTreeMap, HashMap};

use super::{Band, Case, State, Subject, crossed};
use crate::domain::Instant;
use crate::domain::issuer::{Help, Issuer};

/// Keys in one letter.
pub const KEYS: u32 = 500;

/// What the issuers' policies say about reminders, by slug.
pub struct Rules(HashMap<String, Rule>);

/// One issuer's.
pub struct Rule {
    /// The thresholds.
    pub days_before: Vec<u32>,
    /// The product's name, as people write it.
    pub name: String,
    pub noun: String,
    pub overlap: bool,
    pub help: Help,
}

/// Whether a reminder is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is, before this instant: then a tighter threshold is crossed, or the key has ended.
    Until(Instant),
    /// It is not any more, and stays `state` because of `why`.
    Not { state: State, why: String },
}

impl Rules {
    pub fn new(issuers: Vec<Issuer>) -> Self {
        let rule = |issuer: Issuer| {
            let policy = issuer.policy;
            let rule = Rule {
                days_before: policy.reminders.days_before,
                name: policy.name,
                noun: policy.wording.noun,
                overlap: policy.rotation.overlap,
                help: policy.help,
            };
            (issuer.slug, rule)
        };
        Self(issuers.into_iter().map(rule).collect())
    }

    pub fn of(&self, issuer: &str) -> Option<&Rule> {
        self.0.get(issuer)
    }

    fn days_before(&self, issuer: &str) -> &[u32] {
        self.of(issuer).map_or(&[], |rule| &rule.days_before)
    }

    /// The thresholds that a key has crossed, tightest first.
    pub fn crossed(&self, subject: &Subject, expires_at: Instant, now: Instant) -> Vec<u32> {
        crossed(self.days_before(&subject.issuer), subject.created_at, expires_at, now)
    }

    /// For each threshold the stretch of expiries in which it is the tightest that was crossed, tightest first. Issuers
    /// with the same thresholds share theirs.
    pub fn bands(&self, now: Instant) -> Vec<Band> {
        self.stretches(|tighter, days| (now + ahead(tighter), now + ahead(days)))
    }

    /// For each threshold the expiries for which it will be crossed after `now` and not after `until`.
    pub fn coming(&self, now: Instant, until: Instant) -> Vec<Band> {
        self.stretches(|_, days| (now + ahead(days), until + ahead(days)))
    }

    fn stretches(&self, stretch: impl Fn(u32, u32) -> (Instant, Instant)) -> Vec<Band> {
        let mut groups: BTreeMap<Vec<u32>, Vec<String>> = BTreeMap::new();
        for (slug, rule) in &self.0 {
            let mut days = rule.days_before.clone();
            days.sort_unstable();
            days.dedup();
            groups.entry(days).or_default().push(slug.clone());
        }
        let mut bands = Vec::new();
        for (all, mut issuers) in groups {
            issuers.sort_unstable();
            let mut tighter = 0;
            for days in &all {
                let (after, until) = stretch(tighter, *days);
                bands.push(Band { issuers: issuers.clone(), days: *days, after, until });
                tighter = *days;
            }
        }
        bands.sort_by_key(|band| band.days);
        bands
    }

    /// Whether a reminder that was not sent is still to be sent.
    pub fn fit(&self, case: &Case, now: Instant) -> Fit {
        let subject = &case.subject;
        let cancelled = |why: &str| Fit::Not { state: State::Cancelled, why: why.to_owned() };
        if subject.revoked {
            return cancelled("revoked");
        }
        if subject.expires_at != Some(case.expires_at) {
            return cancelled("expiry changed");
        }
        if case.expires_at <= now {
            return cancelled("expired");
        }
        if subject.ends_at < case.expires_at {
            return cancelled("nobody confirmed it");
        }
        if subject.successor_ends_at.is_some_and(|end| end > now) {
            return cancelled("replaced");
        }
        let all = self.days_before(&subject.issuer);
        match self.crossed(subject, case.expires_at, now).first() {
            Some(tightest) if *tightest == case.days_before => {
                let tighter = all.iter().copied().filter(|days| *days < case.days_before).max().unwrap_or(0);
                Fit::Until(case.expires_at - ahead(tighter))
            }
            Some(tighter) if *tighter < case.days_before => {
                Fit::Not { state: State::Superseded, why: format!("{tighter} days") }
            }
            _ => cancelled("no threshold of the policy any more"),
        }
    }
}

fn ahead(days: u32) -> chrono::Duration {
    chrono::Duration::days(i64::from(days))
}

#[cfg(test)]
mod tests;
