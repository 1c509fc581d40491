//! What was found, as people read it.

use super::{Finding, Kind};
use crate::domain::issuer::Policy;

impl Finding {
    /// What it is, in words without its place. `policy` is its issuer's, `database` the name of the database that does not
    /// hold it.
    pub fn sentence(&self, policy: Option<&Policy>, database: &str) -> String {
        let what = policy.map_or_else(
            || "a secret".to_owned(),
            |policy| format!("a {} {}", policy.name, policy.wording.noun),
        );
        match &self.kind {
            Kind::Whole => format!("{what} by its format, not in this database ({database})"),
            Kind::Cut { found, wanted } => {
                format!("{what} that is cut off: {found} characters after the prefix instead of {wanted}")
            }
            Kind::Mistyped => {
                format!("{what}, but its checksum is wrong: a character is missing or mistyped")
            }
            Kind::Altered => format!("{what}, but with characters that don't belong there"),
            Kind::Headless { .. } => {
                format!("{what} that is cut off at its beginning: its prefix is missing or damaged")
            }
            Kind::Preview(_) => "a masked preview, not the secret itself".to_owned(),
            Kind::Foreign(provider) => {
                let an =
                    if provider.starts_with(['A', 'O']) || *provider == "npm token" { "an" } else { "a" };
                format!("not one of ours: looks like {an} {provider}")
            }
            Kind::Former => format!("{what} by a former form, not in this database ({database})"),
            Kind::Unknown => "not one of ours: no issuer in this database has its prefix".to_owned(),
        }
    }

    /// Whether it may be a secret of ours that was found, but not its key.
    pub fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Headless { .. })
            || self.issuer.is_some() && !matches!(self.kind, Kind::Preview(_))
    }
}
