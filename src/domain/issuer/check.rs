//! What a policy must be, beyond being well-formed.

use std::collections::HashSet;

use super::help::{contact_fault, link_fault};
use super::{Policy, ScopeRule};
use crate::domain::account::check_slug;
use crate::domain::expiry::Expiry;
use crate::domain::scope::is_scope;
use crate::domain::text::{check_description, check_name};

mod former;
mod gate;

/// Ten years: longer spans are slips of the finger.
const MOST_DAYS: u32 = 3_650;

/// A fault of a policy and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", place(.path))]
pub struct Fault {
    /// The way to the offending value from the policy's root.
    pub path: Vec<Step>,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// One step into a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field, spelled as in TOML.
    Field(&'static str),
    /// A member of a list, counted from 0.
    Member(usize),
}

fn place(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
            Step::Member(n) => text.push_str(&format!("[{n}]")),
        }
    }
    text
}

/// Collects the faults in the order of the file.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: &[Step], reason: impl ToString) {
        self.0.push(Fault { path: path.to_vec(), reason: reason.to_string() });
    }

    fn text(&mut self, path: &[Step], text: &str) {
        if let Err(error) = check_name(text) {
            self.add(path, error);
        }
    }

    fn positive(&mut self, path: &[Step], number: Option<u32>) {
        if number == Some(0) {
            self.add(path, "must be at least 1; leave it out for no limit");
        }
    }

    fn days(&mut self, path: &[Step], days: u32) {
        if !(1..=MOST_DAYS).contains(&days) {
            self.add(path, format!("{days} days: must be 1 to {MOST_DAYS}"));
        }
    }
}

use Step::{Field, Member};

impl Policy {
    /// Everything that is wrong with this policy; empty if it can be applied.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        if let Err(error) = check_slug(&self.slug) {
            faults.add(&[Field("slug")], error);
        }
        faults.text(&[Field("name")], &self.name);
        self.check_format(&mut faults);
        self.check_former(&mut faults);
        self.check_wording(&mut faults);
        check_scopes(&self.scopes, &mut faults);
        self.check_expiry_rule(&mut faults);
        faults.positive(&[Field("caps"), Field("active-keys")], self.caps.active_keys);
        faults.positive(&[Field("caps"), Field("creations-per-minute")], self.caps.creations_per_minute);
        faults.positive(&[Field("bulk"), Field("four-eyes")], self.bulk.four_eyes);
        self.check_plans(&mut faults);
        if let Some(days) = self.rotation.period_days {
            faults.days(&[Field("rotation"), Field("period-days")], days);
        }
        self.check_reminders(&mut faults);
        self.check_help(&mut faults);
        self.check_headers(&mut faults);
        self.check_call(&mut faults);
        self.check_gate(&mut faults);
        faults.0
    }

    fn check_format(&self, faults: &mut Faults) {
        let format = Field("format");
        let mut seen = HashSet::new();
        for (i, prefix) in self.format.prefixes().enumerate() {
            let path = match i {
                0 => vec![format, Field("prefix")],
                _ => vec![format, Field("former-prefixes"), Member(i - 1)],
            };
            if !is_prefix(prefix) {
                faults
                    .add(&path, format!("{prefix:?}: a prefix is 2 to 24 of a-z, 0-9 and _, and ends in _"));
            }
            if !seen.insert(prefix) {
                faults.add(&path, format!("{prefix:?} is listed twice"));
            }
        }
    }

    fn check_wording(&self, faults: &mut Faults) {
        let words = &self.wording;
        for (name, text) in [
            ("noun", &words.noun),
            ("empty-title", &words.empty_title),
            ("first", &words.first),
            ("new", &words.new),
            ("create", &words.create),
            ("revoke", &words.revoke),
        ] {
            faults.text(&[Field("wording"), Field(name)], text);
        }
    }

    fn check_expiry_rule(&self, faults: &mut Faults) {
        let rule = &self.expiry;
        let root = Field("expiry");
        for (i, choice) in rule.choices.iter().enumerate() {
            let path = [root, Field("choices"), Member(i)];
            match (choice, rule.max_days) {
                (Expiry::At(_), _) => faults.add(&path, "a choice is never or a number of days such as 90d"),
                (Expiry::Days(days), _) if *days == 0 || *days > 10 * MOST_DAYS => {
                    faults.add(&path, format!("{days}d: a choice is 1d to {}d", 10 * MOST_DAYS));
                }
                (Expiry::Never, _) if rule.require_expiry => {
                    faults.add(&path, "never can't be chosen where require-expiry is true: remove it");
                }
                (Expiry::Never, Some(max)) => {
                    faults.add(&path, format!("never can't be chosen where max-days is {max}"));
                }
                (Expiry::Days(days), Some(max)) if *days > max => {
                    faults.add(&path, format!("{days}d is longer than max-days, which is {max}"));
                }
                _ => {}
            }
            if rule.choices[..i].contains(choice) {
                faults.add(&path, format!("{choice} is listed twice"));
            }
        }
        if rule.choices.is_empty() {
            faults.add(&[root, Field("choices")], "must offer at least one choice");
        } else if !rule.choices.contains(&rule.default) {
            faults.add(&[root, Field("default")], format!("{} is not among the choices", rule.default));
        }
        if rule.max_days == Some(0) {
            faults.add(&[root, Field("max-days")], "must be at least 1; leave it out for no limit");
        }
    }

    fn check_plans(&self, faults: &mut Faults) {
        for (i, plan) in self.plans.iter().enumerate() {
            let at = |field| [Field("plans"), Member(i), Field(field)];
            faults.text(&at("name"), &plan.name);
            if self.plans[..i].iter().any(|other| other.name == plan.name) {
                faults.add(&at("name"), format!("there are two plans {:?}", plan.name));
            }
            faults.positive(&at("requests-per-hour"), plan.requests_per_hour);
            faults.positive(&at("requests-per-minute"), plan.requests_per_minute);
        }
    }

    fn check_reminders(&self, faults: &mut Faults) {
        let days = &self.reminders.days_before;
        for (i, day) in days.iter().enumerate() {
            let path = [Field("reminders"), Field("days-before"), Member(i)];
            faults.days(&path, *day);
            if i > 0 && days[i - 1] <= *day {
                faults.add(
                    &path,
                    format!("{day} comes after {}: write the widest first, each once", days[i - 1]),
                );
            }
        }
    }

    fn check_help(&self, faults: &mut Faults) {
        let mut add = |field, fault: Option<String>| {
            if let Some(reason) = fault {
                faults.add(&[Field("help"), Field(field)], reason);
            }
        };
        add("replace-url", self.help.replace_url.as_deref().and_then(link_fault));
        add("contact", self.help.contact.as_deref().and_then(contact_fault));
    }

    fn check_headers(&self, faults: &mut Faults) {
        if !self.headers.bearer && !self.headers.api_key {
            faults.add(&[Field("headers")], "no key could ever be sent: set bearer or api-key to true");
        }
        if self.headers.case_sensitive && !self.headers.api_key {
            let reason = "is about X-API-Key, which is not accepted: set api-key to true or leave this out";
            faults.add(&[Field("headers"), Field("case-sensitive")], reason);
        }
    }

    fn check_call(&self, faults: &mut Faults) {
        let Some(check) = &self.check else { return };
        if !matches!(check.method.as_str(), "GET" | "HEAD" | "POST") {
            let reason = format!("{:?}: a check is made with GET, HEAD or POST", check.method);
            faults.add(&[Field("check"), Field("method")], reason);
        }
        if !is_plain_url(&check.url) {
            let reason = "must be https://host/path of plain characters, without quotes or blanks (http:// only to localhost)";
            faults.add(&[Field("check"), Field("url")], reason);
        }
    }
}

fn check_scopes(scopes: &[ScopeRule], faults: &mut Faults) {
    for (i, scope) in scopes.iter().enumerate() {
        let at = |field| [Field("scopes"), Member(i), Field(field)];
        if !is_scope(&scope.name) {
            let reason = format!("{:?}: a scope is resource:action in a-z, 0-9, _ - and .", scope.name);
            faults.add(&at("name"), reason);
        }
        if scopes[..i].iter().any(|other| other.name == scope.name) {
            faults.add(&at("name"), format!("there are two scopes {:?}", scope.name));
        }
        match check_description(&scope.description) {
            Ok(text) if text.is_empty() => faults.add(&at("description"), "must not be empty"),
            Ok(_) => {}
            Err(error) => faults.add(&at("description"), error),
        }
    }
}

fn is_prefix(text: &str) -> bool {
    (2..=24).contains(&text.len())
        && text.ends_with('_')
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && text.bytes().any(|b| b != b'_')
}

/// Whether a URL can stand between single quotes in a shell and is sent in the clear to nobody else.
fn is_plain_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| {
        let rest = url.strip_prefix("http://")?;
        let host = rest.split(['/', ':', '?', '#']).next()?;
        matches!(host, "localhost" | "127.0.0.1").then_some(rest)
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty()
        && !host.contains('@')
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\'' | b'"' | b'\\' | b'`' | b'<' | b'>'))
}
