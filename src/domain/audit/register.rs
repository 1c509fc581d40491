//! What the audit says of operators, accounts and issuers, and whether their tables say the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Action;
use super::finding::{Finding, Kind};
use super::replay::{Era, Micros, Row};
use crate::domain::issuer::Policy;
use crate::domain::text::composed;

/// Operators, accounts and issuers exactly as they stand, and the rows that tell of them, all of one moment.
#[derive(Clone, Debug, Default)]
pub struct Register {
    pub rows: Vec<Row>,
    /// Each with the role.
    pub operators: Vec<(String, String)>,
    pub accounts: Vec<StoredAccount>,
    pub issuers: Vec<StoredIssuer>,
    pub endpoints: Vec<StoredEndpoint>,
    /// The oldest count of use.
    pub counted_since: Option<Micros>,
}

#[derive(Clone, Debug, Default)]
pub struct StoredAccount {
    pub slug: String,
    pub issuer: String,
    pub name: String,
    /// JSON.
    pub admins: String,
    pub plan: Option<String>,
    pub standing: String,
    pub created_at: Micros,
}

#[derive(Clone, Debug, Default)]
pub struct StoredIssuer {
    pub slug: String,
    /// JSON.
    pub policy: String,
    pub version: i64,
    pub rotation_days: Option<i64>,
    pub hide_revoked: bool,
}

#[derive(Clone, Debug, Default)]
pub struct StoredEndpoint {
    pub name: String,
    /// Of its address; `None` where this login can't read that.
    pub url_hash: Option<String>,
    pub place: String,
    pub kinds: String,
    pub secret: String,
}

impl Register {
    /// What holds for the whole database.
    pub fn era(&self, now: Micros) -> Era {
        let loaded = self.rows.iter().rev().find(|row| row.is(Action::DemoLoad) && row.subject == "accounts");
        Era { now, demo: loaded.map(|row| row.at), counted_since: self.counted_since }
    }

    /// How many of something demos loaded.
    pub fn loaded(&self, what: &str) -> u64 {
        let rows = self.rows.iter().filter(|row| row.is(Action::DemoLoad) && row.subject == what);
        rows.filter_map(|row| row.detail.get(what)?.as_u64()).sum()
    }

    /// Where the tables say something else than the rows.
    pub fn judge(&self, era: &Era) -> Vec<Finding> {
        let mut findings = self.judge_operators();
        findings.extend(self.judge_accounts(era));
        findings.extend(self.judge_issuers());
        findings.extend(self.judge_endpoints());
        findings
    }

    fn judge_endpoints(&self) -> Vec<Finding> {
        let mut told: BTreeMap<&str, &Value> = BTreeMap::new();
        for row in &self.rows {
            if row.is(Action::EndpointAdd) {
                told.insert(&row.subject, &row.detail);
            } else if row.is(Action::EndpointRemove) {
                told.remove(row.subject.as_str());
            }
        }
        let mut findings = Vec::new();
        for one in &self.endpoints {
            let finding =
                |audit: String, table: String| Finding::new(Kind::Endpoint, &one.name, audit, table);
            let Some(detail) = told.remove(one.name.as_str()) else {
                findings.push(finding("no row records it".into(), format!("events go to {}", one.place)));
                continue;
            };
            let text = |name: &str| detail.get(name).and_then(Value::as_str).unwrap_or_default();
            let of_audit = [text("place"), text("kinds"), text("secret")];
            let of_table = [one.place.as_str(), one.kinds.as_str(), one.secret.as_str()];
            if of_audit != of_table {
                findings.push(finding(of_audit.join(", "), of_table.join(", ")));
            } else if one.url_hash.as_deref().is_some_and(|hash| hash != text("url_hash")) {
                findings
                    .push(finding(format!("events go to {}", text("place")), "to another address".into()));
            }
        }
        let gone =
            told.into_keys().map(|name| Finding::new(Kind::Endpoint, name, "it was added", "not there"));
        findings.extend(gone);
        findings
    }

    fn judge_operators(&self) -> Vec<Finding> {
        let mut told: BTreeMap<String, Option<String>> = BTreeMap::new();
        for row in &self.rows {
            let role = row.detail.get("role").and_then(Value::as_str).map(str::to_owned);
            if row.is(Action::OperatorSet) {
                told.insert(composed(&row.subject), role);
            } else if row.is(Action::OperatorRemove) {
                told.insert(composed(&row.subject), None);
            }
        }
        let there = self.operators.iter().map(|(name, role)| (composed(name), role.clone())).collect();
        let told = told.into_iter().filter_map(|(name, role)| Some((name, role?))).collect();
        differences(Kind::Operator, &told, &there)
    }

    fn judge_accounts(&self, era: &Era) -> Vec<Finding> {
        let mut told: BTreeMap<&str, AccountTold> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.action.starts_with("account.")) {
            let account = told.entry(&row.subject).or_default();
            if row.is(Action::AccountCreate) {
                account.created = true;
                account.standing = Some("good");
                account.take(&row.detail);
            } else if row.is(Action::AccountChange) {
                account.take(row.detail.get("to").unwrap_or(&Value::Null));
            } else if row.is(Action::AccountSuspend) {
                account.standing = Some("suspended");
            } else if row.is(Action::AccountReinstate) {
                account.standing = Some("good");
            }
        }
        let (mut findings, mut of_demo) = (Vec::new(), 0);
        for account in &self.accounts {
            let told = told.remove(account.slug.as_str()).unwrap_or_default();
            if !told.created {
                if !era.is_of_demo(account.created_at) {
                    let there = format!("{:?}, of {}, {}", account.name, account.issuer, account.standing);
                    let finding =
                        Finding::new(Kind::Account, &account.slug, "no row records its creation", there);
                    findings.push(finding);
                    continue;
                }
                of_demo += 1;
            }
            let differing = told.differs(account).into_iter();
            findings.extend(
                differing.map(|(audit, table)| Finding::new(Kind::Account, &account.slug, audit, table)),
            );
        }
        for (slug, told) in told.into_iter().filter(|(_, told)| told.created) {
            let words = told.name.map_or_else(|| "created".into(), |name| format!("created as {name:?}"));
            findings.push(Finding::new(Kind::Account, slug, words, "not there"));
        }
        let loaded = self.loaded("accounts");
        if of_demo > loaded {
            let (audit, table) = (format!("a demo loaded {loaded} accounts"), format!("{of_demo} are there"));
            findings.push(Finding::new(Kind::Demo, "accounts", audit, table));
        }
        findings
    }

    fn judge_issuers(&self) -> Vec<Finding> {
        let (mut told, mut there) = (BTreeMap::new(), BTreeMap::new());
        let mut findings = Vec::new();
        for row in self.rows.iter().filter(|row| row.is(Action::IssuerApply)) {
            told.insert(row.subject.as_str(), &row.detail);
        }
        for issuer in &self.issuers {
            there.insert(issuer.slug.as_str(), issuer);
            let mut differ = |audit: String, table: String| {
                findings.push(Finding::new(Kind::Issuer, &issuer.slug, audit, table));
            };
            let Some(detail) = told.get(issuer.slug.as_str()) else {
                differ("no row records it".into(), format!("version {} of a policy", issuer.version));
                continue;
            };
            let version = detail.get("version").and_then(Value::as_i64);
            if version.is_some_and(|version| version != issuer.version) {
                differ(
                    format!("version {}", version.unwrap_or_default()),
                    format!("version {}", issuer.version),
                );
            }
            let policy: Value = serde_json::from_str(&issuer.policy).unwrap_or_default();
            let written = detail.get("policy").unwrap_or(&Value::Null);
            if let Some(path) = difference(written, &policy) {
                let at =
                    |tree: &Value| format!("policy {path}: {}", tree.pointer(&path).unwrap_or(&Value::Null));
                differ(at(written), at(&policy));
            }
            if let Ok(policy) = serde_json::from_value::<Policy>(policy) {
                let derived = (policy.rotation.period_days.map(i64::from), policy.wording.hide_revoked);
                let there = (issuer.rotation_days, issuer.hide_revoked);
                if derived != there {
                    let words = |(days, hide): (Option<i64>, bool)| {
                        let days = days.map_or("none".into(), |days| days.to_string());
                        format!("rotation days {days}, revoked keys hidden: {hide}")
                    };
                    differ(words(derived), words(there));
                }
            }
        }
        for slug in told.keys().filter(|slug| !there.contains_key(*slug)) {
            findings.push(Finding::new(Kind::Issuer, *slug, "a policy was applied", "not there"));
        }
        findings
    }
}

impl Row {
    fn is(&self, action: Action) -> bool {
        self.action == action.as_str()
    }
}

#[derive(Default)]
struct AccountTold<'a> {
    created: bool,
    issuer: Option<&'a str>,
    name: Option<&'a str>,
    admins: Option<&'a Value>,
    plan: Option<Option<&'a str>>,
    standing: Option<&'static str>,
}

impl<'a> AccountTold<'a> {
    /// Takes what a detail tells; the rest stays.
    fn take(&mut self, detail: &'a Value) {
        let text = |name: &str| detail.get(name).and_then(Value::as_str);
        self.issuer = text("issuer").or(self.issuer);
        self.name = text("name").or(self.name);
        self.admins = detail.get("admins").or(self.admins);
        self.plan = detail.get("plan").map(Value::as_str).or(self.plan);
    }

    /// What the audit and the table say, where that is not the same.
    fn differs(&self, account: &StoredAccount) -> Vec<(String, String)> {
        let admins: Value = serde_json::from_str(&account.admins).unwrap_or_default();
        let plan = |plan: Option<&str>| format!("plan {}", plan.unwrap_or("none"));
        let pairs = [
            self.issuer.map(|issuer| (format!("issuer {issuer}"), format!("issuer {}", account.issuer))),
            self.name.map(|name| {
                (format!("name {}", composed(name)), format!("name {}", composed(&account.name)))
            }),
            self.admins.map(|told| (format!("admins {told}"), format!("admins {admins}"))),
            self.plan.map(|told| (plan(told), plan(account.plan.as_deref()))),
            self.standing.map(|told| (format!("standing {told}"), format!("standing {}", account.standing))),
        ];
        pairs.into_iter().flatten().filter(|(audit, table)| audit != table).collect()
    }
}

/// Where two lists of names with a word each differ.
fn differences(
    kind: Kind,
    told: &BTreeMap<String, String>,
    there: &BTreeMap<String, String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, table) in there {
        match told.get(name) {
            Some(audit) if audit == table => {}
            Some(audit) => findings.push(Finding::new(kind, name, audit, table)),
            None => findings.push(Finding::new(kind, name, "no row makes it one", table)),
        }
    }
    for (name, audit) in told.iter().filter(|(name, _)| !there.contains_key(*name)) {
        findings.push(Finding::new(kind, name, audit, "not there"));
    }
    findings
}

/// The first place, as a JSON pointer, at which two trees differ.
fn difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let null = Value::Null;
                let below = difference(a.get(name).unwrap_or(&null), b.get(name).unwrap_or(&null))?;
                Some(format!("/{}{below}", name.replace('~', "~0").replace('/', "~1")))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(n, (a, b))| Some(format!("/{n}{}", difference(a, b)?)))
        }
        (a, b) => (a != b).then(String::new),
    }
}

#[cfg(test)]
mod tests;
