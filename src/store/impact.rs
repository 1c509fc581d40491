//! What a change of a policy would touch.

use super::dialect::{Time, both};
use super::filter::Driver as _;
use super::{Result, Store};
use crate::domain::Instant;
use crate::domain::secret::preview;

impl Store {
    /// How many keys of the issuer have this prefix and have not ended.
    pub async fn living_with_prefix(&self, issuer: &str, prefix: &str, now: Instant) -> Result<u64> {
        let head = preview(prefix, "");
        let mut reader = self.reader().await?;
        let count: i64 = both!(reader.conn(), c => {
            let sql = format!(
                "SELECT count(*) FROM {} WHERE k.issuer = $1 AND k.ends_at > $2 AND substr(m.preview, 1, length($3)) = $3",
                Db::KEYS
            );
            sqlx::query_scalar::<Db, i64>(sqlx::AssertSqlSafe(sql))
            .bind(issuer)
            .bind(Time(now))
            .bind(head)
            .fetch_one(c)
            .await?
        });
        Ok(count.unsigned_abs())
    }

    /// How many accounts of the issuer are on this plan.
    pub async fn accounts_on_plan(&self, issuer: &str, plan: &str) -> Result<u64> {
        let mut reader = self.reader().await?;
        let count: i64 = both!(reader.conn(), c => {
            sqlx::query_scalar::<Db, i64>("SELECT count(*) FROM accounts WHERE issuer = $1 AND plan = $2")
                .bind(issuer)
                .bind(plan)
                .fetch_one(c)
                .await?
        });
        Ok(count.unsigned_abs())
    }

    /// How many accounts of the issuer have more than `cap` keys that have not ended.
    pub async fn accounts_over(&self, issuer: &str, cap: u32, now: Instant) -> Result<u64> {
        let mut reader = self.reader().await?;
        let count: i64 = both!(reader.conn(), c => {
            sqlx::query_scalar::<Db, i64>(
                "SELECT count(*) FROM (SELECT account FROM key_auth WHERE issuer = $1 AND ends_at > $2 \
                 GROUP BY account HAVING count(*) > $3) AS over",
            )
            .bind(issuer)
            .bind(Time(now))
            .bind(i64::from(cap))
            .fetch_one(c)
            .await?
        });
        Ok(count.unsigned_abs())
    }
}
