//! Stands in for the parts of the language that have not landed: policy files.
use crate::domain::issuer::Policy;

pub fn policy(text: &str) -> Result<Policy, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

pub fn to_toml(policy: &Policy) -> String {
    toml::to_string(policy).unwrap_or_default()
}
