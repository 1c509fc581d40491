//! Accounts in the database.

use sqlx::types::Json;
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::dialect::{Time, both, rows, run};
use super::filter::like;
use super::reading::from_row;
use super::refold::search;
use super::rows::{ACCOUNT_AND_ISSUER, AccountAndIssuer, AccountRow};
use super::{Result, Store, Tx};
use crate::domain::account::{Account, AccountSummary, Standing};
use crate::domain::issuer::Issuer;
use crate::domain::text::{SafeText, fold_typed};
use crate::domain::{Instant, days, shifted};

/// Rows of one statement.
const ROWS: usize = 500;

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

struct AdminsRow {
    slug: String,
    admins: Vec<SafeText>,
}

from_row!(AdminsRow, row => Self {
    slug: row.text("slug"),
    admins: row.get::<Json<Vec<String>>>("admins").0.into_iter().map(SafeText::new).collect(),
});

struct SummaryRow(AccountSummary);

from_row!(SummaryRow, row => {
    let AccountRow(account) = row.part()?;
    let (living, expiring_keys) = (row.count("living_keys"), row.count("expiring_keys"));
    let (active_keys, suspended_keys) = match account.standing {
        Standing::Good => (living, 0),
        Standing::Suspended => (0, living),
    };
    Self(AccountSummary { account, active_keys, suspended_keys, expiring_keys })
});

/// $1 now, $2 the end of the days in which an ending key counts as expiring.
const SUMMARIES: &str = "SELECT slug, issuer, name, admins, plan, standing, created_at, \
     (SELECT count(*) FROM key_auth k WHERE k.account = accounts.slug AND k.ends_at > $1) AS living_keys, \
     (SELECT count(*) FROM key_auth k WHERE k.account = accounts.slug AND k.ends_at > $1 AND k.ends_at <= $2) AS expiring_keys \
     FROM accounts WHERE slug > $3 AND (search LIKE $4 ESCAPE '!' OR issuer LIKE $4 ESCAPE '!') AND slug = coalesce($5, slug) ORDER BY slug LIMIT $6";

impl Store {
    /// Who may be told of what happens to these accounts' keys: slug and addresses, in no order.
    pub async fn admins(&self, slugs: &[&str]) -> Result<Vec<(String, Vec<SafeText>)>> {
        let mut found = Vec::new();
        let mut reader = self.reader().await?;
        for some in slugs.chunks(ROWS) {
            let rows: Vec<AdminsRow> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("SELECT slug, admins FROM accounts WHERE slug IN (");
                let mut list = sql.separated(", ");
                for slug in some {
                    list.push_bind((*slug).to_owned());
                }
                sql.push(")");
                sql.build_query_as().fetch_all(c).await?
            });
            found.extend(rows.into_iter().map(|row| (row.slug, row.admins)));
        }
        Ok(found)
    }

    pub async fn accounts(&self, filter: &AccountFilter, now: Instant) -> Result<Vec<AccountSummary>> {
        let mut reader = self.reader().await?;
        let rows: Vec<SummaryRow> = rows!(
            fetch_all,
            reader.conn(),
            SUMMARIES,
            [
                Time(now),
                Time(shifted(now, days(30))),
                filter.after.as_str(),
                like(&fold_typed(&filter.contains)),
                filter.slug.as_deref(),
                i64::from(filter.limit)
            ]
        );
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

impl Tx {
    /// The account, and its issuer, with the account's row locked until the end of the transaction, so that caps are
    /// counted one creation at a time (H9).
    pub async fn lock_account(&mut self, slug: &str) -> Result<Option<(Account, Issuer)>> {
        if let Some(asked) = self.take_asked(slug) {
            return Ok(asked.map(Into::into));
        }
        let sql = AssertSqlSafe(format!("{ACCOUNT_AND_ISSUER}$1{}", self.conn().locking(" FOR UPDATE OF a")));
        let row: Option<AccountAndIssuer> = rows!(fetch_optional, self.conn(), sql, [slug]);
        Ok(row.map(Into::into))
    }

    /// Adds an account. The caller has looked whether the slug is free.
    pub async fn add_account(&mut self, account: &Account) -> Result<()> {
        self.add_accounts(std::slice::from_ref(account), "").await
    }

    /// Adds those of these accounts whose slugs are free.
    pub async fn add_new_accounts(&mut self, accounts: &[Account]) -> Result<()> {
        self.add_accounts(accounts, " ON CONFLICT (slug) DO NOTHING").await
    }

    async fn add_accounts(&mut self, accounts: &[Account], end: &str) -> Result<()> {
        for some in accounts.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "INSERT INTO accounts (slug, issuer, name, search, admins, plan, standing, created_at) ",
                );
                sql.push_values(some, |mut row, account| {
                    row.push_bind(account.slug.clone())
                        .push_bind(account.issuer.clone())
                        .push_bind(account.name.to_string())
                        .push_bind(search_text(account))
                        .push_bind(Json(account.admins.iter().map(|admin| admin.to_string()).collect::<Vec<_>>()))
                        .push_bind(account.plan.as_ref().map(|plan| plan.to_string()))
                        .push_bind(account.standing.as_str())
                        .push_bind(Time(account.created_at));
                });
                sql.push(end);
                sql.build().persistent(some.len() == 1).execute(c).await?;
            });
        }
        Ok(())
    }

    pub async fn set_standing(&mut self, slug: &str, standing: Standing) -> Result<()> {
        run!(self.conn(), "UPDATE accounts SET standing = $2 WHERE slug = $1", [slug, standing.as_str()]);
        Ok(())
    }

    /// Writes what may change of an account, but for its standing.
    pub async fn change_account(&mut self, account: &Account) -> Result<()> {
        run!(
            self.conn(),
            "UPDATE accounts SET name = $2, search = $3, admins = $4, plan = $5 WHERE slug = $1",
            [
                &account.slug,
                account.name.as_str(),
                search_text(account),
                Json(account.admins.iter().map(|admin| admin.to_string()).collect::<Vec<_>>()),
                account.plan.as_ref().map(|plan| plan.to_string())
            ]
        );
        Ok(())
    }
}

/// What the filter looks at.
fn search_text(account: &Account) -> String {
    search(&account.slug, &account.name)
}
