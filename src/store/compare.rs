//! What the audit is compared with: rows exactly as they stand, whatever somebody wrote into them.

use std::collections::HashSet;

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteTypeInfo, SqliteValueRef};
use sqlx::{
    AssertSqlSafe, ColumnIndex, Connection, Database, Decode, FromRow, Postgres, QueryBuilder, Row as _,
    Sqlite, Type,
};
use uuid::Uuid;

use super::dialect::{both, rows, scalar};
use super::filter::{Driver as _, push_ids};
use super::{Conn, Reader, Result, Store};
use crate::domain::audit::register::{Register, StoredAccount, StoredEndpoint, StoredIssuer};
use crate::domain::audit::replay::{Micros, Row, StoredKey, fingerprint};
use crate::domain::endpoint::fingerprint as of_address;

/// Keys whose rows are read by one statement, so that each is compared with the rows of the same moment.
const KEYS: i64 = 500;

/// Where the times of a statement come from: both databases answer with microseconds, and with the utmost for what is no
/// time at all.
struct Times(bool);

impl Times {
    fn of(conn: &Conn<'_>) -> Self {
        Self(matches!(conn, Conn::Postgres(_)))
    }

    fn micros(&self, column: &str) -> String {
        if !self.0 {
            return column.to_owned();
        }
        format!(
            "CASE WHEN isfinite({column}) THEN (extract(epoch FROM {column}) * 1000000)::bigint \
             WHEN {column} = 'infinity' THEN 9223372036854775807 WHEN {column} = '-infinity' THEN -9223372036854775807 END"
        )
    }

    /// The columns of [`key_of`]; `hash` is NULL where this login can't read it.
    fn key_columns(&self, hash: &str) -> String {
        let at = |column: &str| format!("{} AS {column}", self.micros(&format!("k.{column}")));
        let times = [
            "created_at",
            "claim_by",
            "expires_at",
            "not_before",
            "revoke_at",
            "own_expiry",
            "acknowledged_at",
            "revoked_at",
            "paused_until",
        ];
        let times = times.map(at).join(", ");
        // A use that only one of two tables knows of is told by itself.
        let last = self.micros("coalesce(u.last_used_at, k.first_used_at)");
        format!(
            "k.id, k.account, k.issuer, m.name, m.description, m.owner, m.owner_mail, m.tags, m.preview, {hash} AS hash, k.scopes, CAST(k.allow AS text) AS allow, \
             k.limits, m.created_by, k.revoked_by, k.revoke_reason, k.planned_by, k.plan_reason, k.paused_by, m.predecessor, m.overlap_seconds, k.scheme, k.imported_from, {times}, {last} AS last_used_at, \
             CASE WHEN k.acknowledged_at IS NULL AND k.first_used_at IS NOT NULL THEN EXISTS (SELECT 1 FROM usage_minutes c \
             WHERE c.key = k.id AND c.minute <= k.claim_by AND c.allowed > 0) END AS counted"
        )
    }
}

/// Text of the database: what is no UTF-8 is read with U+FFFD in its places.
struct Raw(String);

impl Type<Sqlite> for Raw {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(_: &SqliteTypeInfo) -> bool {
        true
    }
}

impl<'r> Decode<'r, Sqlite> for Raw {
    fn decode(value: SqliteValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        let bytes = <&[u8] as Decode<Sqlite>>::decode(value)?;
        Ok(Self(String::from_utf8_lossy(bytes).into_owned()))
    }
}

impl Type<Postgres> for Raw {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <String as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &sqlx::postgres::PgTypeInfo) -> bool {
        <String as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Raw {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        <String as Decode<Postgres>>::decode(value).map(Self)
    }
}

/// What both databases' rows answer.
trait Answers<'r, D: Database>: Decode<'r, D> + Type<D> {}

impl<'r, D: Database, T: Decode<'r, D> + Type<D>> Answers<'r, D> for T {}

fn key_of<'r, R>(row: &'r R) -> sqlx::Result<StoredKey>
where
    R: sqlx::Row,
    &'static str: ColumnIndex<R>,
    Raw: Answers<'r, R::Database>,
    Uuid: Answers<'r, R::Database>,
    i64: Answers<'r, R::Database>,
    bool: Answers<'r, R::Database>,
    Vec<u8>: Answers<'r, R::Database>,
{
    let text = |name| row.try_get::<Raw, _>(name).map(|raw| raw.0);
    let maybe = |name| row.try_get::<Option<Raw>, _>(name).map(|raw| raw.map(|raw| raw.0));
    let at = |name| row.try_get::<Option<i64>, _>(name);
    let id = row.try_get("id")?;
    let hash: Option<Vec<u8>> = row.try_get("hash")?;
    Ok(StoredKey {
        id,
        account: text("account")?,
        issuer: text("issuer")?,
        name: text("name")?,
        description: text("description")?,
        owner: maybe("owner")?,
        owner_mail: maybe("owner_mail")?,
        tags: text("tags")?,
        preview: text("preview")?,
        fingerprint: hash.map(|hash| fingerprint(id, &hash)),
        scopes: text("scopes")?,
        allow: text("allow")?,
        limits: maybe("limits")?,
        created_at: at("created_at")?.unwrap_or_default(),
        created_by: text("created_by")?,
        claim_by: at("claim_by")?.unwrap_or_default(),
        stops_at: at("expires_at")?,
        own_expiry: at("own_expiry")?,
        not_before: at("not_before")?,
        revoke_at: at("revoke_at")?,
        planned_by: maybe("planned_by")?,
        plan_reason: maybe("plan_reason")?,
        acknowledged_at: at("acknowledged_at")?,
        last_used_at: at("last_used_at")?,
        revoked_at: at("revoked_at")?,
        revoked_by: maybe("revoked_by")?,
        revoke_reason: maybe("revoke_reason")?,
        paused_until: at("paused_until")?,
        paused_by: maybe("paused_by")?,
        predecessor: row.try_get("predecessor")?,
        overlap_seconds: row.try_get("overlap_seconds")?,
        scheme: text("scheme")?,
        imported_from: maybe("imported_from")?,
        counted: row.try_get("counted")?,
    })
}

/// The columns of a [`RowOfAudit`].
fn audit_columns(times: &Times) -> String {
    format!("a.action, a.actor, a.subject, a.account AS of_account, a.detail, {} AS at", times.micros("a.at"))
}

fn row_of<'r, R>(row: &'r R) -> sqlx::Result<Option<Row>>
where
    R: sqlx::Row,
    &'static str: ColumnIndex<R>,
    Raw: Answers<'r, R::Database>,
    i64: Answers<'r, R::Database>,
{
    let maybe = |name| row.try_get::<Option<Raw>, _>(name).map(|raw| raw.map(|raw| raw.0));
    let Some(action) = maybe("action")? else { return Ok(None) };
    Ok(Some(Row {
        at: row.try_get::<Option<i64>, _>("at")?.unwrap_or_default(),
        actor: maybe("actor")?.unwrap_or_default(),
        action,
        subject: maybe("subject")?.unwrap_or_default(),
        account: maybe("of_account")?,
        detail: maybe("detail")?.and_then(|detail| serde_json::from_str(&detail).ok()).unwrap_or_default(),
    }))
}

/// Which keys are wanted, in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// A page of those after this one.
    After(Uuid),
    These(&'a [Uuid]),
}

impl Store {
    /// Keys with the audit's rows that change a key, each of the same moment. `hashes`: whether this login can read them.
    pub async fn keys_and_rows(&self, which: Which<'_>, hashes: bool) -> Result<Vec<(StoredKey, Vec<Row>)>> {
        let told = self.told().await?;
        let mut reader = self.reader().await?;
        let times = Times::of(&reader.conn());
        let columns = times.key_columns(if hashes { "k.hash" } else { "NULL" });
        let of_audit = audit_columns(&times);
        let mut found: Vec<(StoredKey, Vec<Row>)> = Vec::new();
        both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!("SELECT k.*, {of_audit} FROM (SELECT {columns} FROM {} WHERE ", Db::KEYS));
            match which {
                Which::After(id) => {
                    sql.push("k.id > ").push_bind(id).push(format!(" ORDER BY k.id LIMIT {KEYS}"));
                }
                Which::These(ids) => {
                    sql.push("k.id IN ");
                    push_ids::<Db>(&mut sql, ids);
                }
            }
            sql.push(format!(
                ") k LEFT JOIN {told} a ON a.key = k.id AND a.action IN ('key.create', 'key.rotate', 'key.import', 'key.acknowledge', \
                 'key.retire', 'key.limit', 'key.revoke', 'key.pause', 'key.resume', 'key.edit') ORDER BY k.id, a.seq",
            ));
            let persistent = matches!(which, Which::After(_));
            for row in sql.build().persistent(persistent).fetch_all(c).await? {
                let id: Uuid = row.try_get("id")?;
                if found.last().is_none_or(|(key, _)| key.id != id) {
                    found.push((key_of(&row)?, Vec::new()));
                }
                if let (Some((_, rows)), Some(row)) = (found.last_mut(), row_of(&row)?) {
                    rows.push(row);
                }
            }
        });
        Ok(found)
    }

    /// Whether this login can read the hashes of secrets.
    pub async fn reads_hashes(&self) -> Result<bool> {
        match self.reader().await?.conn() {
            Conn::Sqlite(_) => Ok(true),
            Conn::Postgres(c) => {
                Ok(sqlx::query_scalar("SELECT has_column_privilege('key_auth', 'hash', 'SELECT')")
                    .fetch_one(c)
                    .await?)
            }
        }
    }

    /// Those of these keys that are there.
    pub async fn those_there(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        let mut reader = self.reader().await?;
        let there: Vec<Uuid> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT id FROM key_auth WHERE id IN ");
            push_ids::<Db>(&mut sql, ids);
            sql.build_query_scalar().persistent(false).fetch_all(c).await?
        });
        Ok(there.into_iter().collect())
    }

    /// How many keys there are, how many of them are older than `until`, and how many creations the audit tells of.
    pub async fn count_keys(&self) -> Result<(i64, i64)> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM key_auth), (SELECT count(*) FROM {} WHERE action IN ('key.create', 'key.rotate', 'key.import'))",
            self.told().await?
        );
        Ok(rows!(fetch_one, self.reader().await?.conn(), AssertSqlSafe(sql)))
    }

    /// Operators, accounts and issuers with the rows that tell of them, all of one moment.
    pub async fn register(&self) -> Result<Register> {
        let told = self.told().await?;
        let mut reader = self.reader().await?;
        match &mut reader {
            Reader::Sqlite(c) => {
                let mut tx = c.begin().await?;
                let register = register(Conn::Sqlite(&mut tx), told).await?;
                tx.rollback().await?;
                Ok(register)
            }
            Reader::Postgres(c) => {
                let mut tx = c.still().await?;
                let register = register(tx.conn(), told).await?;
                tx.rollback().await?;
                Ok(register)
            }
        }
    }

    /// What SQLite itself finds wrong in its file, at most so many lines; nothing on PostgreSQL.
    pub async fn quick_check(&self) -> Result<Vec<String>> {
        let mut reader = self.reader().await?;
        let Conn::Sqlite(c) = reader.conn() else { return Ok(Vec::new()) };
        let lines: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(10)").fetch_all(c).await?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

#[derive(FromRow)]
struct Account {
    slug: Raw,
    issuer: Raw,
    name: Raw,
    admins: Raw,
    plan: Option<Raw>,
    standing: Raw,
    created_at: Option<i64>,
}

#[derive(FromRow)]
struct IssuerRow {
    slug: Raw,
    policy: Raw,
    version: i64,
    rotation_days: Option<i64>,
    hide_revoked: bool,
}

#[derive(FromRow)]
struct EndpointRow {
    name: Raw,
    url: Option<Raw>,
    place: Raw,
    kinds: Raw,
    secret: Raw,
}

/// Endpoints, with their addresses where this login may read them.
async fn endpoints(mut conn: Conn<'_>) -> Result<Vec<StoredEndpoint>> {
    let url = match conn.again() {
        Conn::Sqlite(_) => "url",
        Conn::Postgres(c) => {
            let may: bool = sqlx::query_scalar("SELECT has_column_privilege('endpoints', 'url', 'SELECT')")
                .fetch_one(c)
                .await?;
            if may { "url" } else { "NULL" }
        }
    };
    let sql =
        format!("SELECT name, CAST({url} AS text) AS url, place, kinds, secret FROM endpoints ORDER BY name");
    let rows: Vec<EndpointRow> = rows!(fetch_all, conn, AssertSqlSafe(sql));
    let stored = |row: EndpointRow| StoredEndpoint {
        name: row.name.0,
        url_hash: row.url.map(|url| of_address(&url.0)),
        place: row.place.0,
        kinds: row.kinds.0,
        secret: row.secret.0,
    };
    Ok(rows.into_iter().map(stored).collect())
}

async fn register(mut conn: Conn<'_>, told_in: &str) -> Result<Register> {
    let times = Times::of(&conn);
    let sql = format!(
        "SELECT {} FROM {told_in} a WHERE a.action IN ('operator.set', 'operator.remove', 'issuer.apply', 'account.create', \
         'account.change', 'account.suspend', 'account.reinstate', 'demo.load', 'endpoint.add', 'endpoint.remove') ORDER BY a.seq",
        audit_columns(&times)
    );
    let mut told = Vec::new();
    both!(conn.again(), c => {
        for row in sqlx::query::<Db>(AssertSqlSafe(sql)).fetch_all(c).await? {
            told.extend(row_of(&row)?);
        }
    });
    let operators: Vec<(Raw, Raw)> =
        rows!(fetch_all, conn.again(), "SELECT name, role FROM operators ORDER BY name");
    let sql = format!(
        "SELECT slug, issuer, name, CAST(admins AS text) AS admins, plan, standing, {} AS created_at FROM accounts ORDER BY slug",
        times.micros("created_at")
    );
    let accounts: Vec<Account> = rows!(fetch_all, conn.again(), AssertSqlSafe(sql));
    let sql = "SELECT slug, CAST(policy AS text) AS policy, version, rotation_days, hide_revoked FROM issuers ORDER BY slug";
    let issuers: Vec<IssuerRow> = rows!(fetch_all, conn.again(), sql);
    let sql = format!("SELECT {} FROM usage_minutes", times.micros("min(minute)"));
    let counted_since: Option<Micros> = scalar!(fetch_one, conn.again(), AssertSqlSafe(sql));
    let endpoints = endpoints(conn).await?;
    let account = |row: Account| StoredAccount {
        slug: row.slug.0,
        issuer: row.issuer.0,
        name: row.name.0,
        admins: row.admins.0,
        plan: row.plan.map(|plan| plan.0),
        standing: row.standing.0,
        created_at: row.created_at.unwrap_or_default(),
    };
    let issuer = |row: IssuerRow| StoredIssuer {
        slug: row.slug.0,
        policy: row.policy.0,
        version: row.version,
        rotation_days: row.rotation_days,
        hide_revoked: row.hide_revoked,
    };
    Ok(Register {
        rows: told,
        operators: operators.into_iter().map(|(name, role)| (name.0, role.0)).collect(),
        accounts: accounts.into_iter().map(account).collect(),
        issuers: issuers.into_iter().map(issuer).collect(),
        endpoints,
        counted_since,
    })
}
