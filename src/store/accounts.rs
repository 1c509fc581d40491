//! Accounts in the database.

use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};

use super::dialect::{Time, both};
use super::filter::like;
use super::rows::AccountRow;
use super::{Conn, Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::account::{Account, AccountSummary, Standing};
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::text::fold;

/// Which accounts are wanted, in the order of their slugs.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Part of slug, name or issuer. Empty: all.
    pub contains: String,
    /// Only accounts after this slug. Empty: from the first.
    pub after: String,
    /// Only this account.
    pub slug: Option<String>,
    pub limit: u32,
}

#[derive(FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    account: AccountRow,
    active_keys: i64,
    expiring_keys: i64,
}

#[derive(FromRow)]
struct AccountAndIssuer {
    #[sqlx(flatten)]
    account: AccountRow,
    policy: Json<Policy>,
    version: i64,
    updated_at: Time,
}

/// $1 now, $2 the end of the days in which an ending key counts as expiring.
const SUMMARIES: &str = "SELECT slug, issuer, name, admins, plan, standing, created_at, \
     (SELECT count(*) FROM keys k WHERE k.account = accounts.slug AND k.ends_at > $1) AS active_keys, \
     (SELECT count(*) FROM keys k WHERE k.account = accounts.slug AND k.ends_at > $1 AND k.ends_at <= $2) AS expiring_keys \
     FROM accounts WHERE slug > $3 AND (search LIKE $4 ESCAPE '!' OR issuer LIKE $4 ESCAPE '!') AND slug = coalesce($5, slug) ORDER BY slug LIMIT $6";
const ACCOUNT: &str = "SELECT a.slug, a.issuer, a.name, a.admins, a.plan, a.standing, a.created_at, \
     i.policy, i.version, i.updated_at FROM accounts a JOIN issuers i ON i.slug = a.issuer WHERE a.slug = $1";

impl Store {
    pub async fn accounts(&self, filter: &AccountFilter, now: Instant) -> Result<Vec<AccountSummary>> {
        let mut reader = self.reader().await?;
        let rows: Vec<SummaryRow> = both!(reader.conn(), c => {
            sqlx::query_as::<Db, SummaryRow>(SUMMARIES)
                .bind(Time(now))
                .bind(Time(now + chrono::Duration::days(30)))
                .bind(filter.after.as_str())
                .bind(like(&fold(&filter.contains)))
                .bind(filter.slug.as_deref())
                .bind(i64::from(filter.limit))
                .fetch_all(c)
                .await?
        });
        rows.into_iter()
            .map(|row| {
                Ok(AccountSummary {
                    account: row.account.into_account()?,
                    active_keys: row.active_keys.unsigned_abs(),
                    expiring_keys: row.expiring_keys.unsigned_abs(),
                })
            })
            .collect()
    }
}

impl Tx {
    /// The account, and its issuer, with the account's row locked until the end of the transaction, so that caps are
    /// counted one creation at a time (H9).
    pub async fn lock_account(&mut self, slug: &str) -> Result<Option<(Account, Issuer)>> {
        let row: Option<AccountAndIssuer> = match self.conn() {
            // The whole database is locked for writing already.
            Conn::Sqlite(c) => sqlx::query_as(ACCOUNT).bind(slug).fetch_optional(c).await?,
            Conn::Postgres(c) => {
                let sql = AssertSqlSafe(format!("{ACCOUNT} FOR UPDATE OF a"));
                sqlx::query_as(sql).bind(slug).fetch_optional(c).await?
            }
        };
        let Some(row) = row else { return Ok(None) };
        let issuer = Issuer {
            slug: row.account.issuer().to_owned(),
            policy: row.policy.0,
            version: row.version,
            updated_at: row.updated_at.0,
        };
        Ok(Some((row.account.into_account()?, issuer)))
    }

    /// Adds an account. The caller has looked whether the slug is free.
    pub async fn add_account(&mut self, account: &Account) -> Result<()> {
        both!(self.conn(), c => {
            sqlx::query::<Db>(
                "INSERT INTO accounts (slug, issuer, name, search, admins, plan, standing, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&account.slug)
            .bind(&account.issuer)
            .bind(account.name.as_str())
            .bind(search_text(account))
            .bind(Json(account.admins.iter().map(|admin| admin.to_string()).collect::<Vec<_>>()))
            .bind(account.plan.as_ref().map(|plan| plan.to_string()))
            .bind(account.standing.as_str())
            .bind(Time(account.created_at))
            .execute(c)
            .await?;
        });
        Ok(())
    }

    pub async fn set_standing(&mut self, slug: &str, standing: Standing) -> Result<()> {
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE accounts SET standing = $2 WHERE slug = $1")
                .bind(slug)
                .bind(standing.as_str())
                .execute(c)
                .await?;
        });
        Ok(())
    }

    /// Writes what may change of an account, but for its standing.
    pub async fn change_account(&mut self, account: &Account) -> Result<()> {
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE accounts SET name = $2, search = $3, admins = $4, plan = $5 WHERE slug = $1")
                .bind(&account.slug)
                .bind(account.name.as_str())
                .bind(search_text(account))
                .bind(Json(account.admins.iter().map(|admin| admin.to_string()).collect::<Vec<_>>()))
                .bind(account.plan.as_ref().map(|plan| plan.to_string()))
                .execute(c)
                .await?;
        });
        Ok(())
    }
}

/// What the filter looks at.
fn search_text(account: &Account) -> String {
    format!("{}\n{}", account.slug, fold(&account.name))
}
