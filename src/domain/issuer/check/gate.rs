//! Faults in what a policy asks of the gate.

use super::Step::{Field, Member};
use super::{Faults, Policy};
use crate::domain::budget::WINDOW_MAX;
use crate::domain::issuer::gate::MARKS;
use crate::domain::issuer::route::{ENCODED, pattern_fault};
use crate::domain::issuer::{LimitRule, Methods};

/// Routes are tried one by one.
const MOST_ROUTES: usize = 200;
const MOST_LIMITS: usize = 8;
/// The longest body of a refusal, in bytes.
const LONGEST_BODY: usize = 4_096;

impl Policy {
    pub(super) fn check_gate(&self, faults: &mut Faults) {
        self.check_routes(faults);
        self.check_limits(faults);
        faults.days(&[Field("pause"), Field("max-days")], self.pause.max_days);
        for (name, body, mark) in self.answers.bodies() {
            if let Some(reason) = body_fault(body, mark) {
                faults.add(&[Field("answers"), Field(name)], reason);
            }
        }
    }

    fn check_routes(&self, faults: &mut Faults) {
        if self.routes.len() > MOST_ROUTES {
            let reason = format!("has {} routes, at most {MOST_ROUTES} are possible", self.routes.len());
            faults.add(&[Field("routes")], reason);
        }
        for (i, route) in self.routes.iter().enumerate() {
            let at = |field| [Field("routes"), Member(i), Field(field)];
            if let Methods::List(list) = &route.methods {
                if list.is_empty() {
                    faults.add(
                        &at("methods"),
                        "is empty: no request would ever match; write \"*\" for any method",
                    );
                }
                for method in list {
                    let plain = |b: u8| b.is_ascii_uppercase() || b == b'-';
                    if !(1..=32).contains(&method.len()) || !method.bytes().all(plain) {
                        faults.add(
                            &at("methods"),
                            format!("{method:?}: a method is written in capital letters"),
                        );
                    }
                }
            }
            if let Some(reason) = pattern_fault(&route.path) {
                faults.add(&at("path"), format!("{:?} {reason}", route.path));
            }
            for (n, one) in route.encoded.iter().enumerate() {
                if !ENCODED.contains(one) || route.encoded[..n].contains(one) {
                    faults.add(
                        &at("encoded"),
                        format!("{one:?}: only \"/\" and \"#\" may be listed, each once"),
                    );
                }
            }
            if !route.encoded.is_empty() && !route.path.contains('{') && !route.path.ends_with("/**") {
                faults.add(&at("encoded"), "nothing in the path stands for a segment that could hold them");
            }
            let earlier =
                |other: &super::super::Route| other.path == route.path && other.methods == route.methods;
            if self.routes[..i].iter().any(earlier) {
                faults.add(
                    &at("path"),
                    "an earlier route has the same methods and path, so this one is never used",
                );
            }
            if let Some(scope) = &route.scope
                && !self.scopes.iter().any(|rule| rule.name == *scope)
            {
                faults.add(&at("scope"), format!("{scope:?} is not among the scopes of this policy"));
            }
            if !is_endpoint(&route.endpoint) {
                let reason = format!(
                    "{:?}: an endpoint's name is 1 to 64 of a-z, A-Z, 0-9, _ - . and /",
                    route.endpoint
                );
                faults.add(&at("endpoint"), reason);
            }
        }
    }

    fn check_limits(&self, faults: &mut Faults) {
        if self.limits.len() > MOST_LIMITS {
            let reason = format!("has {} limits, at most {MOST_LIMITS} are possible", self.limits.len());
            faults.add(&[Field("limits")], reason);
        }
        for (i, limit) in self.limits.iter().enumerate() {
            let at = |field| [Field("limits"), Member(i), Field(field)];
            match limit {
                LimitRule { plans: true, requests: None, seconds: None, .. } => {
                    if self.plans.is_empty() {
                        faults.add(&at("plans"), "there are no [[plans]] to take the numbers from");
                    }
                }
                LimitRule { plans: true, .. } => {
                    faults.add(
                        &at("plans"),
                        "is true, so the plans give the numbers: leave requests and seconds out",
                    );
                }
                LimitRule { requests: Some(requests), seconds: Some(seconds), .. } => {
                    if *requests == 0 {
                        faults.add(&at("requests"), "must be at least 1");
                    }
                    if !(1..=WINDOW_MAX).contains(seconds) {
                        faults.add(&at("seconds"), format!("{seconds} seconds: must be 1 to {WINDOW_MAX}"));
                    }
                }
                _ => faults.add(&[Field("limits"), Member(i)], "needs requests and seconds, or plans = true"),
            }
            let same = |other: &LimitRule| {
                other.per == limit.per && (other.plans, other.seconds) == (limit.plans, limit.seconds)
            };
            if self.limits[..i].iter().any(same) {
                faults.add(
                    &at("per"),
                    "an earlier limit is for the same and over the same time: keep the tighter one",
                );
            }
        }
    }
}

fn is_endpoint(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// A body is sent as it stands, so it must be JSON whatever its mark becomes.
fn body_fault(body: &str, mark: Option<&str>) -> Option<String> {
    if body.len() > LONGEST_BODY {
        return Some(format!("is longer than {LONGEST_BODY} bytes"));
    }
    let mut sample = body.to_owned();
    for (known, value) in MARKS {
        if !body.contains(known) {
            continue;
        }
        if mark != Some(known) {
            return Some(format!("the mark {known} has no meaning in this answer"));
        }
        sample = sample.replace(known, value);
    }
    match serde_json::from_str::<serde_json::Value>(&sample) {
        Ok(_) => None,
        Err(error) => Some(format!("must be JSON: {error}")),
    }
}

#[cfg(test)]
mod tests;
