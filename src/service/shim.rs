//! Stands in for the checks of `domain::expiry` until they land.
use crate::domain::Instant;
use crate::domain::expiry::Expiry;
use crate::domain::issuer::ExpiryRule;

pub fn check_expiry(_rule: &ExpiryRule, _expiry: Expiry, _now: Instant) -> Result<(), String> {
    Ok(())
}
