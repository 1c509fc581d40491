//! Issuers: the products that give out keys. What differs between them is data, the [`Policy`].

use serde::{Deserialize, Serialize};

use super::Instant;
use super::expiry::{Expiry, Overlap};
use super::scope::Scopes;
use super::secret::Body;
use super::text::SafeText;

mod check;
pub(crate) mod former;
mod gate;
mod help;
pub mod policy_file;
mod route;
mod today;

pub use check::Step;
pub use former::{Former, Hashing, SHORTEST as SHORTEST_FORMER};
pub use gate::{Answers, GateRule, LimitRule, PauseRule, Per, Unmatched, WhenLeaked, WhenUnreachable};
pub use help::Help;
pub use route::{LineFault, Methods, RequestLine, Route, Routed};
pub use today::Forms;

/// An issuer as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issuer {
    pub slug: String,
    pub policy: Policy,
    /// Counts from 1, one more with each change of the policy.
    pub version: i64,
    pub updated_at: Instant,
}

/// Everything that one issuer promises about its keys.
///
/// Kept in the database as JSON, so that every console and gate obeys the same rules; written by people as TOML
/// (see [`policy_file`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Unique; see [`super::account::check_slug`].
    pub slug: String,
    /// The product's name, as people write it.
    pub name: String,
    pub format: Format,
    #[serde(default)]
    pub wording: Wording,
    /// Empty: a key is fully privileged on its account (VG-05).
    #[serde(default)]
    pub scopes: Vec<ScopeRule>,
    #[serde(default)]
    pub expiry: ExpiryRule,
    #[serde(default)]
    pub caps: Caps,
    #[serde(default)]
    pub plans: Vec<Plan>,
    #[serde(default)]
    pub rotation: Rotation,
    #[serde(default)]
    pub reminders: Reminders,
    #[serde(default, skip_serializing_if = "Help::is_usual")]
    pub help: Help,
    #[serde(default)]
    pub headers: Headers,
    /// The call that shows whether a key works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    #[serde(default)]
    pub gate: GateRule,
    #[serde(default, skip_serializing_if = "PauseRule::is_usual")]
    pub pause: PauseRule,
    #[serde(default, skip_serializing_if = "BulkRule::is_usual")]
    pub bulk: BulkRule,
    /// In the order in which they are tried.
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub limits: Vec<LimitRule>,
    #[serde(default)]
    pub answers: Answers,
    /// Why it can't be read; empty: it can. One that can't be has only its slug and its keys' form, and nothing passes by it.
    #[serde(skip)]
    pub odd: SafeText,
}

/// The secret's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Format {
    /// What every new secret starts with: 2 to 24 of `[a-z0-9_]`, ending in `_`.
    pub prefix: String,
    /// Prefixes of earlier times, still recognised in text (VG-07).
    #[serde(default)]
    pub former_prefixes: Vec<String>,
    pub body: Body,
    /// Forms of keys that another product made: gates look only such keys up besides their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Former>,
}

impl Format {
    /// The present prefix, then the former ones.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.prefix.as_str()).chain(self.former_prefixes.iter().map(String::as_str))
    }
}

/// The words that this issuer uses for its keys (VG-08, VA-04).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Wording {
    /// "API key" or "token".
    pub noun: String,
    /// Heading of an empty list.
    pub empty_title: String,
    /// The action that opens the form while there are no keys.
    pub first: String,
    /// The action that opens the form once there are keys.
    pub new: String,
    /// The button of the form.
    pub create: String,
    /// The verb for ending a key: "Revoke" or "Delete".
    pub revoke: String,
    /// Whether the list leaves out ended keys unless they are asked for (VA-09).
    pub hide_revoked: bool,
}

impl Default for Wording {
    fn default() -> Self {
        Self {
            noun: "API key".into(),
            empty_title: "No API Keys Yet".into(),
            first: "Create API Key".into(),
            new: "Create New API Key".into(),
            create: "Create API Key".into(),
            revoke: "Revoke".into(),
            hide_revoked: false,
        }
    }
}

/// A scope that a key of this issuer may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRule {
    /// `resource:action`.
    pub name: String,
    pub description: String,
}

/// What may be chosen as a key's expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ExpiryRule {
    /// The choice that a form starts with.
    pub default: Expiry,
    /// The choices offered, in this order. Never an absolute instant.
    pub choices: Vec<Expiry>,
    /// Whether any other instant may be chosen.
    pub custom: bool,
    /// No key may live longer than this; then `never` can't be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
    /// Whether every key must have an expiry; then `never` can't be chosen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_expiry: bool,
}

impl Default for ExpiryRule {
    fn default() -> Self {
        Self {
            default: Expiry::Never,
            choices: vec![Expiry::Never, Expiry::Days(30), Expiry::Days(90), Expiry::Days(365)],
            custom: true,
            max_days: None,
            require_expiry: false,
        }
    }
}

/// Limits on keys and on making them. `None`: no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Caps {
    /// Keys per account that are active at once (VG-19).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_keys: Option<u32>,
    /// Creations per account in any 60 seconds (VG-22).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creations_per_minute: Option<u32>,
}

/// What changes of many keys ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BulkRule {
    /// To change more keys than these at once takes a second person. `None`: it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub four_eyes: Option<u32>,
}

impl BulkRule {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A plan that an account can be on, with its request budgets (VP-12). `None`: agreed per customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_hour: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
}

/// When keys should be replaced, and what happens to the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rotation {
    /// A key older than this shows as due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_days: Option<u32>,
    /// Whether the old key may go on working for a while. If not, it ends at once.
    pub overlap: bool,
}

impl Rotation {
    /// The overlap of who chose none.
    pub fn usual(&self) -> Overlap {
        if self.overlap { Overlap::Hours24 } else { Overlap::None }
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self { period_days: None, overlap: true }
    }
}

/// When mail about a coming expiry is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Reminders {
    /// Days before the expiry, widest first.
    pub days_before: Vec<u32>,
}

/// Which request headers carry a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Headers {
    /// `Authorization: Bearer …`
    pub bearer: bool,
    /// `X-API-Key: …`
    pub api_key: bool,
    /// Whether `x-api-key` is refused (VI-02).
    pub case_sensitive: bool,
}

impl Default for Headers {
    fn default() -> Self {
        Self { bearer: true, api_key: false, case_sensitive: false }
    }
}

/// The call that verifies a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// `GET`, `POST`, …
    pub method: String,
    /// The full address.
    pub url: String,
}

impl Policy {
    /// What stands for a policy that can't be read, and why it can't: `raw` is what was found.
    pub fn unread(slug: &str, raw: Option<&str>, why: SafeText) -> Self {
        let raw = raw.and_then(|raw| serde_json::from_str::<serde_json::Value>(raw).ok());
        let format = raw.and_then(|raw| serde_json::from_value(raw.get("format")?.clone()).ok());
        // No secret begins like this: where not even the form of the keys is known, none is recognised.
        let unknown = Format {
            prefix: "\u{FFFD}".into(),
            former_prefixes: Vec::new(),
            body: Body::Hex,
            former: Vec::new(),
        };
        Self {
            slug: slug.to_owned(),
            name: format!("can't be read: {why}"),
            format: format.unwrap_or(unknown),
            wording: Wording::default(),
            scopes: Vec::new(),
            expiry: ExpiryRule::default(),
            caps: Caps { active_keys: Some(0), creations_per_minute: Some(0) },
            plans: Vec::new(),
            rotation: Rotation::default(),
            reminders: Reminders::default(),
            help: Help::default(),
            headers: Headers::default(),
            check: None,
            gate: GateRule::default(),
            pause: PauseRule::default(),
            bulk: BulkRule::default(),
            routes: Vec::new(),
            limits: Vec::new(),
            answers: Answers::default(),
            odd: why,
        }
    }

    /// The scopes of `wanted` that this policy does not know.
    pub fn unknown_scopes<'a>(&self, wanted: &'a Scopes) -> Vec<&'a str> {
        wanted.iter().filter(|w| !self.scopes.iter().any(|rule| rule.name == *w)).collect()
    }

    /// Whether a key of this issuer has no scopes and may do everything on its account.
    pub fn fully_privileged(&self) -> bool {
        self.scopes.is_empty()
    }

    /// A `curl` line that checks a key. The secret is not in it: `curl` reads the header from a file descriptor that
    /// the shell fills from the variable `KEY`, so that it is in no argument list either.
    pub fn check_command(&self) -> Option<String> {
        let check = self.check.as_ref()?;
        let header = if self.headers.bearer { "Authorization: Bearer" } else { "X-API-Key:" };
        let method = if check.method == "GET" { String::new() } else { format!("-X {} ", check.method) };
        Some(format!(
            "read -rs KEY && printf '{header} %s' \"$KEY\" | curl -sS {method}-H @- '{}'",
            check.url
        ))
    }
}
