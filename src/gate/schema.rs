//! What goes over the wire as JSON, and how OpenAPI describes it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::domain::Instant;
use crate::domain::limit::Quota;
use crate::domain::text::SafeText;
use crate::domain::verdict::Answer;
use crate::service::Known;

/// A refusal. Policies may word it otherwise; this is the form of the house.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorText,
}

/// What is wrong, for programs and for people.
#[derive(Serialize, ToSchema)]
pub struct ErrorText {
    /// `unauthorized`, `insufficient_scope`, `rate_limited`, …
    pub code: String,
    pub message: String,
}

/// A key, as its holder may know it.
#[derive(Serialize, ToSchema)]
pub struct KeyBody {
    /// UUID version 7.
    pub id: String,
    pub name: String,
    /// Prefix, dots, last four characters.
    pub preview: String,
    /// Empty: the key may do everything on its account, where the issuer has no scopes.
    pub scopes: Vec<String>,
    /// RFC 3339 in UTC.
    pub created_at: String,
    /// When it stops working, by its expiry or by a planned revocation: RFC 3339 in UTC; null: never.
    pub expires_at: Option<String>,
}

/// A customer.
#[derive(Serialize, ToSchema)]
pub struct AccountBody {
    /// The account's slug.
    pub id: String,
    pub name: String,
    pub plan: Option<String>,
}

/// Who is calling.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The issuer's slug.
    pub issuer: String,
    pub account: AccountBody,
    pub key: KeyBody,
}

impl Me {
    pub fn of(known: &Known) -> Self {
        let (key, account) = (&known.key, &known.account);
        Self {
            issuer: key.issuer.clone(),
            account: AccountBody {
                id: account.slug.clone(),
                name: account.name.to_string(),
                plan: account.plan.as_ref().map(SafeText::to_string),
            },
            key: KeyBody {
                id: key.id.to_string(),
                name: key.name.to_string(),
                preview: key.preview.to_string(),
                scopes: key.scopes.iter().map(str::to_owned).collect(),
                created_at: time(key.created_at),
                expires_at: key.stops_at().map(time),
            },
        }
    }
}

fn time(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// A key that a service was sent, and what it is wanted for: either `method` and `path`, or `scope` and `endpoint`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The whole key.
    #[schema(value_type = String)]
    pub key: Secret,
    /// Take this issuer's keys only, by its slug.
    pub issuer: Option<String>,
    /// The method of the request in question; the policy's routes say what it needs.
    pub method: Option<String>,
    /// Its path, with or without a query.
    pub path: Option<String>,
    /// The scope that is needed.
    pub scope: Option<String>,
    /// Whose budget is used, by the name that the policy's routes give it.
    pub endpoint: Option<String>,
    /// The address of whoever sent the key; without it a key with an allow-list is refused.
    pub address: Option<String>,
}

/// A text that is wiped when it is dropped, and never shown.
pub struct Secret(pub Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source).map(Zeroizing::new).map(Self)
    }
}

/// A verdict.
#[derive(Serialize, ToSchema)]
pub struct VerdictBody {
    pub allowed: bool,
    /// Why not, exactly: for the service, not for its caller. `revoked`, `expired`, `scope`, `limited`, …
    pub reason: Option<String>,
    /// Who is calling, if the request may pass.
    pub caller: Option<Me>,
    pub endpoint: Option<String>,
    pub limits: Vec<LimitBody>,
    /// What the caller of the service should be told.
    pub answer: AnswerBody,
}

/// One budget.
#[derive(Serialize, ToSchema)]
pub struct LimitBody {
    /// `key`, `account` or `endpoint`.
    pub per: String,
    /// Requests in any `seconds`.
    pub requests: u32,
    pub seconds: u32,
    pub remaining: u32,
    /// When one more fits than now, in seconds since the epoch.
    pub reset: i64,
}

impl LimitBody {
    pub fn all(quota: Option<&Quota>) -> Vec<Self> {
        let states = quota.map(Quota::states).unwrap_or_default();
        let body = |state: &crate::domain::limit::State| Self {
            per: state.per.to_owned(),
            requests: state.budget.requests,
            seconds: state.budget.seconds,
            remaining: state.remaining,
            reset: state.next.div_euclid(1_000_000) + i64::from(state.next.rem_euclid(1_000_000) > 0),
        };
        states.iter().map(body).collect()
    }
}

/// An HTTP answer. All refusals of one status have the same one, byte for byte.
#[derive(Serialize, ToSchema)]
pub struct AnswerBody {
    pub status: u16,
    pub headers: Vec<HeaderBody>,
    pub body: String,
}

#[derive(Serialize, ToSchema)]
pub struct HeaderBody {
    pub name: String,
    pub value: String,
}

impl From<Answer> for AnswerBody {
    fn from(answer: Answer) -> Self {
        let header = |(name, value): (&str, String)| HeaderBody { name: name.to_owned(), value };
        Self {
            status: answer.status,
            headers: answer.headers.into_iter().map(header).collect(),
            body: answer.body,
        }
    }
}

/// Whether the gate may be sent requests.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    pub ready: bool,
    /// Whether the database answered within the lease.
    pub database: bool,
    /// Whether requests can be counted: of a gate that counts by itself always true.
    pub limiter: bool,
    /// Whether this gate counts together with others.
    pub shared: bool,
    /// How many gates live on the database, this one included. Where they are several and not `shared`, each gives out
    /// whole budgets.
    pub gates: u32,
}
