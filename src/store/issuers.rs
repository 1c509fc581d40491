//! Issuers in the database.

use sqlx::types::Json;

use super::dialect::{Time, rows, run};
use super::rows::IssuerRow;
use super::{Result, Store, Tx};
use crate::domain::issuer::{Issuer, Policy};

macro_rules! columns {
    () => {
        "i.slug, i.policy, CAST(i.policy AS text) AS policy_text, i.version, i.updated_at"
    };
}

/// What an [`IssuerRow`] is read from, of `issuers i`.
pub(super) const COLUMNS: &str = columns!();

const SELECT: &str = concat!("SELECT ", columns!(), " FROM issuers i WHERE i.slug = $1");

pub(super) const ALL: &str = concat!("SELECT ", columns!(), " FROM issuers i ORDER BY i.slug");

impl Store {
    /// All issuers by slug.
    pub async fn issuers(&self) -> Result<Vec<Issuer>> {
        let mut reader = self.reader().await?;
        let rows: Vec<IssuerRow> = rows!(fetch_all, reader.conn(), ALL);
        Ok(rows.into_iter().map(Issuer::from).collect())
    }

    pub async fn issuer(&self, slug: &str) -> Result<Option<Issuer>> {
        let mut reader = self.reader().await?;
        let row: Option<IssuerRow> = rows!(fetch_optional, reader.conn(), SELECT, [slug]);
        Ok(row.map(Issuer::from))
    }
}

impl Tx {
    /// Keeps others from changing issuers until this transaction ends.
    pub async fn lock_issuers(&mut self) -> Result<()> {
        self.conn().lock("LOCK TABLE issuers IN SHARE ROW EXCLUSIVE MODE").await
    }

    pub async fn issuers(&mut self) -> Result<Vec<Issuer>> {
        let rows: Vec<IssuerRow> = rows!(fetch_all, self.conn(), ALL);
        Ok(rows.into_iter().map(Issuer::from).collect())
    }

    pub async fn issuer(&mut self, slug: &str) -> Result<Option<Issuer>> {
        let row: Option<IssuerRow> = rows!(fetch_optional, self.conn(), SELECT, [slug]);
        Ok(row.map(Issuer::from))
    }

    /// Makes the issuer or replaces its policy, and counts its version up.
    pub async fn put_issuer(&mut self, policy: &Policy) -> Result<()> {
        let now = Time(self.now());
        let rotation = policy.rotation.period_days.map(i64::from);
        run!(
            self.conn(),
            "INSERT INTO issuers (slug, policy, version, rotation_days, hide_revoked, updated_at) \
                 VALUES ($1, $2, 1, $3, $4, $5) \
                 ON CONFLICT (slug) DO UPDATE SET policy = excluded.policy, version = issuers.version + 1, \
                 rotation_days = excluded.rotation_days, hide_revoked = excluded.hide_revoked, \
                 updated_at = excluded.updated_at",
            [&policy.slug, Json(policy), rotation, policy.wording.hide_revoked, now]
        );
        Ok(())
    }
}
