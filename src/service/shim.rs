//! Stands in for the checks of `domain::text` and `domain::expiry` until they land.
use crate::domain::Instant;
use crate::domain::expiry::Expiry;
use crate::domain::issuer::ExpiryRule;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShimError(pub String);
pub fn check_name(text: &str) -> Result<String, ShimError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ShimError("a name is required".into()));
    }
    Ok(text.to_owned())
}
pub fn check_description(text: &str) -> Result<String, ShimError> {
    Ok(text.trim().to_owned())
}
pub fn check_reason(text: &str) -> Result<String, ShimError> {
    Ok(text.trim().to_owned())
}

pub fn check_expiry(_rule: &ExpiryRule, _expiry: Expiry, _now: Instant) -> Result<(), String> {
    Ok(())
}
