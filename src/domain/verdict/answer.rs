//! What the caller is told. Outside, refusals of one kind are the same byte for byte (VI-10, decision 8).

use super::Verdict;
use crate::domain::issuer::{Answers, Policy};
use crate::domain::reason::Reason;

/// An answer to the caller, short of the API's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names as they are usually written.
    pub headers: Vec<(&'static str, String)>,
    /// JSON; empty where the request may pass.
    pub body: String,
}

impl Reason {
    /// The status that the caller sees: 400, 401, 403, 429 or 503.
    ///
    /// A key that works later, a paused one, unless the policy tells of that, an address that is not allowed and a suspended account look like a key that does not work: whoever found or stole
    /// a key learns nothing.
    pub fn status(&self) -> u16 {
        match self {
            Self::Several | Self::Line(_) => 400,
            Self::Paused { told: true, .. } => 403,
            Self::Slash | Self::LetterCase | Self::Unrouted | Self::NoRoutes | Self::Scope { .. } => 403,
            Self::Limited { .. } | Self::Braked { .. } => 429,
            Self::LimiterGone | Self::StoreGone => 503,
            _ => 401,
        }
    }
}

impl Verdict {
    /// What the caller is told at `now`, in microseconds since the epoch. `policy` is the one that decided, if one did:
    /// its words are used, else those of the house.
    pub fn answer(&self, policy: Option<&Policy>, now: i64) -> Answer {
        let mut answer = match &self.refused {
            None => Answer { status: 200, headers: Vec::new(), body: String::new() },
            Some(reason) => refusal(reason, self, policy, now),
        };
        // An answer that must look like that to an unknown key tells of no budget.
        if answer.status != 401
            && let Some(quota) = &self.quota
        {
            answer.headers.extend(quota.headers(now));
        }
        answer
    }
}

fn refusal(reason: &Reason, verdict: &Verdict, policy: Option<&Policy>, now: i64) -> Answer {
    let house;
    let words = match policy {
        Some(policy) => &policy.answers,
        None => {
            house = Answers::default();
            &house
        }
    };
    let status = reason.status();
    let mut headers =
        vec![("Content-Type", "application/json".to_owned()), ("Cache-Control", "no-store".to_owned())];
    let body = match status {
        400 => words.bad_request.clone(),
        401 => words.unauthorized.clone(),
        403 => match reason {
            Reason::Paused { pause, .. } => {
                // No longer than an hour at once: it may be resumed.
                let seconds = (pause.until.timestamp() - now.div_euclid(1_000_000)).clamp(1, 3_600);
                headers.push(("Retry-After", seconds.to_string()));
                words.paused.replace("{message}", &in_json(&pause.told()))
            }
            Reason::Scope { needed } => words.forbidden.replace("{scope}", json_plain(needed)),
            _ => words.forbidden.replace("{scope}", ""),
        },
        429 => {
            let seconds = match (reason, &verdict.quota) {
                (Reason::Braked { seconds }, _) => *seconds,
                (_, Some(quota)) => quota.retry_after(now),
                _ => 1,
            };
            headers.push(("Retry-After", seconds.to_string()));
            words.rate_limited.replace("{retry-after}", &seconds.to_string())
        }
        _ => {
            headers.push(("Retry-After", "1".to_owned()));
            words.unavailable.clone()
        }
    };
    if policy.is_none_or(|policy| policy.headers.bearer)
        && let Some(challenge) = challenge(reason, policy)
    {
        headers.push(("WWW-Authenticate", challenge));
    }
    Answer { status, headers, body }
}

/// The challenge of RFC 6750, section 3, where Bearer is accepted. All that a 401 stands for gets the same one, also a
/// request without any key, for which the RFC would leave the error out: a difference would tell one from the other.
fn challenge(reason: &Reason, policy: Option<&Policy>) -> Option<String> {
    // A slug needs no quoting.
    let realm = policy.map_or("keyrack", |policy| &policy.slug);
    let error = match reason.status() {
        400 => "invalid_request",
        401 => "invalid_token",
        403 if !matches!(reason, Reason::Paused { .. }) => "insufficient_scope",
        _ => return None,
    };
    let scope = match reason {
        Reason::Scope { needed } => format!(r#", scope="{}""#, json_plain(needed)),
        _ => String::new(),
    };
    Some(format!(r#"Bearer realm="{realm}", error="{error}"{scope}"#))
}

/// A text as it stands between the double quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A scope that can stand between double quotes as it is. Policies hold no other; one that was asked for directly may be
/// any text.
fn json_plain(scope: &str) -> &str {
    if crate::domain::scope::is_scope(scope) { scope } else { "" }
}
