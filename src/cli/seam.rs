//! Stands in for the parts of the language that have not landed: the audit's filter, policy files.
use crate::domain::audit::AuditFilter;
use crate::domain::issuer::Policy;

/// Words are looked for in subject and detail.
pub fn audit_filter(text: &str) -> Result<AuditFilter, String> {
    Ok(AuditFilter { text: (!text.is_empty()).then(|| text.to_owned()), ..AuditFilter::default() })
}

pub fn policy(text: &str) -> Result<Policy, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

pub fn to_toml(policy: &Policy) -> String {
    toml::to_string(policy).unwrap_or_default()
}
