//! What a policy asks of the gate: limits, and the words of its refusals. Which request needs which scope is in
//! [`super::route`].

use serde::{Deserialize, Serialize};

/// How the gate treats requests that carry keys of this issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GateRule {
    /// What happens to a request that no route fits. A policy without routes refuses all of them, unless it says otherwise.
    pub unmatched: Unmatched,
    /// What happens while the shared limiter can't be asked.
    pub when_unreachable: WhenUnreachable,
    /// What happens to a key that a gate is told leaked.
    #[serde(skip_serializing_if = "WhenLeaked::is_default")]
    pub when_leaked: WhenLeaked,
    /// Whether a browser's question before a request of another origin (a CORS preflight: `OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method`, and without a key, which browsers never send with it) passes, so that the service
    /// answers it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preflights: bool,
}

/// How keys are refused for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PauseRule {
    /// No pause or freeze lasts longer than this.
    pub max_days: u32,
    /// Whether who is refused is told so, with 403 and the message. If not, a paused key looks like one that doesn't work.
    pub tell: bool,
}

impl Default for PauseRule {
    fn default() -> Self {
        Self { max_days: 7, tell: false }
    }
}

impl PauseRule {
    /// Written down only where it says something: a policy goes on being what it was.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What happens to a request that no route fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmatched {
    #[default]
    Refuse,
    /// Any key that works may make it.
    Allow,
}

/// What a gate does while the limiter that it shares with others can't be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenUnreachable {
    /// Requests are refused with 503.
    #[default]
    Refuse,
    /// Each gate counts by itself, with its share of every budget (see [`crate::domain::budget::Budget::share`]).
    LocalShare,
}

/// What happens to a key that works when somebody tells a gate that it leaked: GitHub, or whoever holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenLeaked {
    /// An alert and the audit tell of it; a person decides.
    #[default]
    Notify,
    /// It is refused for as long as a pause may last by the policy, so that a person can decide meanwhile.
    Pause,
    /// It is revoked at once.
    Revoke,
}

impl WhenLeaked {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A budget of requests, exact over a sliding window (VG-20, VP-11).
///
/// Either `requests` in `seconds`, or what the account's plan says ([`super::Plan`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitRule {
    pub per: Per,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
    /// The length of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Whether the account's plan gives the numbers (VP-12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plans: bool,
}

/// What a budget belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Per {
    #[serde(rename = "key")]
    Key,
    #[serde(rename = "account")]
    Account,
    /// Each endpoint of the routes has a budget of its own (VG-21).
    #[serde(rename = "account+endpoint")]
    AccountEndpoint,
}

/// The bodies of refusals: JSON texts, sent as they stand.
///
/// In `forbidden` the mark `{scope}` stands for the scope that was needed, in `rate-limited` the mark `{retry-after}` for
/// the seconds to wait. All keys that do not work get the same body (VI-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Answers {
    /// 400: the request contradicts itself.
    pub bad_request: String,
    /// 401: no key, or none that works.
    pub unauthorized: String,
    /// 403: the key works but may not do this.
    pub forbidden: String,
    /// 403: the key is paused, where the policy tells of that. `{message}` stands for the time and the message.
    #[serde(skip_serializing_if = "is_usual")]
    pub paused: String,
    /// 429: a budget is used up.
    pub rate_limited: String,
    /// 503: it can't be found out whether the request may pass.
    pub unavailable: String,
}

impl Default for Answers {
    fn default() -> Self {
        let body =
            |code: &str, message: &str| format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
        Self {
            bad_request: body("bad_request", "The request is malformed or carries several API keys."),
            // The exact text of VI-09.
            unauthorized: body("unauthorized", "Invalid or missing API key."),
            forbidden: body("insufficient_scope", "This API key may not make this request."),
            paused: body("paused", "{message}"),
            rate_limited: body("rate_limited", "Too many requests. Retry after {retry-after} seconds."),
            unavailable: body("unavailable", "API keys can't be checked right now. Try again shortly."),
        }
    }
}

/// The marks that a body may hold, with the values that a check puts in their place.
pub(super) const MARKS: [(&str, &str); 3] =
    [("{scope}", "calls:read"), ("{retry-after}", "60"), ("{message}", "paused")];

fn is_usual(paused: &str) -> bool {
    paused == Answers::default().paused
}

impl Answers {
    /// Every body with its name in the file and the one mark that has a meaning in it.
    pub(super) fn bodies(&self) -> [(&'static str, &str, Option<&'static str>); 6] {
        [
            ("bad-request", &self.bad_request, None),
            ("unauthorized", &self.unauthorized, None),
            ("forbidden", &self.forbidden, Some("{scope}")),
            ("paused", &self.paused, Some("{message}")),
            ("rate-limited", &self.rate_limited, Some("{retry-after}")),
            ("unavailable", &self.unavailable, None),
        ]
    }
}
