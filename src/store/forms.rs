//! Which forms of keys gates take: read with the keys, so that no door tells another status than a request would meet.

use super::dialect::rows;
use super::issuers;
use super::rows::IssuerRow;
use super::{Conn, Result};
use crate::domain::issuer::Forms;
use crate::domain::key::Key;

impl Conn<'_> {
    /// The forms that gates take of all issuers' keys.
    pub(super) async fn forms(&mut self) -> Result<Forms> {
        let rows: Vec<IssuerRow> = rows!(fetch_all, self.again(), issuers::ALL);
        Ok(rows.into_iter().map(|IssuerRow(issuer)| issuer).collect())
    }

    /// Says of each key whether gates refuse it for its form.
    pub(super) async fn judge(&mut self, mut keys: Vec<Key>) -> Result<Vec<Key>> {
        let Some(first) = keys.first() else { return Ok(keys) };
        let forms = if keys.iter().all(|key| key.issuer == first.issuer) {
            let row: Option<IssuerRow> =
                rows!(fetch_optional, self.again(), issuers::SELECT, [first.issuer.as_str()]);
            row.into_iter().map(|IssuerRow(issuer)| issuer).collect()
        } else {
            self.forms().await?
        };
        for key in &mut keys {
            key.refused = !forms.take(key);
        }
        self.freeze(&mut keys).await?;
        Ok(keys)
    }
}
