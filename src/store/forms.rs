//! Which forms of keys gates take: read with the keys, so that no door tells another status than a request would meet.

use sqlx::{AssertSqlSafe, Encode, Postgres, Sqlite, Type};

use super::dialect::rows;
use super::issuers::{self, COLUMNS};
use super::reading::from_row;
use super::rows::{IssuerRow, KEY_COLUMNS, KeyRow};
use super::{Conn, Result};
use crate::domain::issuer::Forms;
use crate::domain::key::Key;

/// Whether any freeze was not lifted.
const FREEZES: &str = "EXISTS (SELECT 1 FROM holds WHERE kind = 'freeze' AND lifted_at IS NULL) AS freezes";

/// An issuer, and whether any freeze was not lifted.
struct PolicyRow {
    issuer: IssuerRow,
    freezes: bool,
}

from_row!(PolicyRow, row => Self { freezes: row.get("freezes"), issuer: row.part()? });

/// The forms that gates take of this issuer's keys, and whether any freeze may hold.
fn told(row: Option<PolicyRow>) -> (Forms, bool) {
    let freezes = row.as_ref().is_none_or(|row| row.freezes);
    (row.into_iter().map(|row| row.issuer.0).collect(), freezes)
}

/// A key, and of its issuer what a [`PolicyRow`] has.
struct JudgedRow {
    key: KeyRow,
    policy: Option<PolicyRow>,
}

from_row!(JudgedRow, row => Self {
    key: row.part()?,
    policy: row.maybe_text("slug").map(|_| row.part()).transpose()?,
});

/// What a statement for both databases may be given.
pub(super) trait Given:
    Encode<'static, Sqlite> + Type<Sqlite> + Encode<'static, Postgres> + Type<Postgres> + Send + 'static
{
}
impl<T: Encode<'static, Sqlite> + Type<Sqlite> + Encode<'static, Postgres> + Type<Postgres> + Send + 'static>
    Given for T
{
}

impl Conn<'_> {
    /// The key that `which` says, whose `$1` is `value`, judged: by one question. Who waits for a lock asks by two, so that
    /// the policy is as new as the key.
    pub(super) async fn judged(&mut self, which: &str, value: impl Given) -> Result<Option<Key>> {
        let keys = self.keys();
        let sql = format!(
            "SELECT {KEY_COLUMNS}, {COLUMNS}, {FREEZES} \
             FROM {keys} LEFT JOIN issuers i ON i.slug = k.issuer {which}"
        );
        let row: Option<JudgedRow> = rows!(fetch_optional, self.again(), AssertSqlSafe(sql), [value]);
        let Some(JudgedRow { key: KeyRow(key), policy }) = row else { return Ok(None) };
        Ok(self.settle(vec![key], told(policy)).await?.pop())
    }

    /// The forms that gates take of all issuers' keys.
    pub(super) async fn forms(&mut self) -> Result<Forms> {
        let rows: Vec<IssuerRow> = rows!(fetch_all, self.again(), issuers::ALL);
        Ok(rows.into_iter().map(|IssuerRow(issuer)| issuer).collect())
    }

    /// Says of each key whether gates refuse it for its form.
    pub(super) async fn judge(&mut self, keys: Vec<Key>) -> Result<Vec<Key>> {
        let Some(first) = keys.first() else { return Ok(keys) };
        // Mostly nothing is frozen, which one question tells together with the policy.
        let told = if keys.iter().all(|key| key.issuer == first.issuer) {
            let sql = AssertSqlSafe(format!("SELECT {COLUMNS}, {FREEZES} FROM issuers i WHERE i.slug = $1"));
            told(rows!(fetch_optional, self.again(), sql, [first.issuer.as_str()]))
        } else {
            (self.forms().await?, true)
        };
        self.settle(keys, told).await
    }

    /// The same by these forms; `freezes`: whether any freeze may hold.
    async fn settle(&mut self, mut keys: Vec<Key>, (forms, freezes): (Forms, bool)) -> Result<Vec<Key>> {
        for key in &mut keys {
            key.refused = !forms.take(key);
        }
        if freezes {
            self.freeze(&mut keys).await?;
        }
        Ok(keys)
    }
}
