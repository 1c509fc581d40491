//! A verdict in one piece, for tests that have everything at hand.

use super::{KeyFacts, Limited, Request, Verdict, check};
use crate::domain::Instant;
use crate::domain::issuer::Policy;
use crate::domain::limit::Charge;

/// All steps in one, for who has everything at hand. `limiter` is asked last, and only if all else is in order.
pub fn judge(
    policy: &Policy,
    facts: Option<KeyFacts<'_>>,
    request: &Request<'_>,
    now: Instant,
    limiter: impl FnOnce(&[Charge]) -> Limited,
) -> Verdict {
    match check(policy, facts, request, now) {
        Err(refused) => Verdict::refuse(refused.reason, None),
        Ok(checked) => {
            let limited = limiter(&checked.charges);
            checked.limited(limited)
        }
    }
}
