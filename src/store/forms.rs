//! Which forms of keys gates take: read with the keys, so that no door tells another status than a request would meet.

use super::dialect::rows;
use super::issuers;
use super::reading::from_row;
use super::rows::IssuerRow;
use super::{Conn, Result};
use crate::domain::issuer::Forms;
use crate::domain::key::Key;

/// An issuer, and whether any freeze was not lifted.
const POLICY: &str = issuers::select!(
    ", EXISTS (SELECT 1 FROM holds WHERE kind = 'freeze' AND lifted_at IS NULL) AS freezes",
    "WHERE slug = $1"
);

struct PolicyRow {
    issuer: IssuerRow,
    freezes: bool,
}

from_row!(PolicyRow, row => Self { freezes: row.get("freezes"), issuer: row.part()? });

impl Conn<'_> {
    /// The forms that gates take of all issuers' keys.
    pub(super) async fn forms(&mut self) -> Result<Forms> {
        let rows: Vec<IssuerRow> = rows!(fetch_all, self.again(), issuers::ALL);
        Ok(rows.into_iter().map(|IssuerRow(issuer)| issuer).collect())
    }

    /// Says of each key whether gates refuse it for its form.
    pub(super) async fn judge(&mut self, mut keys: Vec<Key>) -> Result<Vec<Key>> {
        let Some(first) = keys.first() else { return Ok(keys) };
        // Mostly nothing is frozen, which one question tells together with the policy.
        let mut freezes = true;
        let forms = if keys.iter().all(|key| key.issuer == first.issuer) {
            let row: Option<PolicyRow> = rows!(fetch_optional, self.again(), POLICY, [first.issuer.as_str()]);
            freezes = row.as_ref().is_none_or(|row| row.freezes);
            row.into_iter().map(|row| row.issuer.0).collect()
        } else {
            self.forms().await?
        };
        for key in &mut keys {
            key.refused = !forms.take(key);
        }
        if freezes {
            self.freeze(&mut keys).await?;
        }
        Ok(keys)
    }
}
