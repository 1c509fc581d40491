//! Whether a PostgreSQL database can and shall hold Keyrack's tables.

use crate::store::wire::Links;
use crate::store::{Access, Error, Result};

pub(super) fn named(pool: &Links) -> String {
    let options = pool.connect_options();
    format!("the database {:?}", options.get_database().unwrap_or_else(|| options.get_username()))
}

/// Refuses a database without Keyrack's tables unless it can and shall hold them.
pub(super) async fn may_be_filled(pool: &Links, access: Access) -> Result<()> {
    // What belongs to an extension is nobody's.
    const OTHERS: &str = "SELECT relname::text FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
         AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relname NOT LIKE '\\_sqlx\\_migrations%' \
         AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') ORDER BY relname LIMIT 4";
    let (named, others) = (named(pool), sqlx::query_scalar::<_, String>(OTHERS).fetch_all(pool).await?);
    if !others.is_empty() {
        return Err(Error::Foreign(format!(
            "{named} holds another program's tables ({})",
            others.join(", ")
        )));
    }
    if !access.makes() {
        return Err(Error::Missing(format!(
            "{named} has no Keyrack tables yet. Name another with --db, or set it up with `keyrack migrate`"
        )));
    }
    let (encoding, version): (String, String) =
        sqlx::query_as("SELECT current_setting('server_encoding'), version()").fetch_one(pool).await?;
    if let Some(refused) = no_place(&version) {
        return Err(Error::Migration(refused));
    }
    if encoding != "UTF8" {
        return Err(Error::Encoding { named, encoding });
    }
    // pg_trgm needs the right in the database, the tables that in the schema.
    const MAY: &str = "SELECT coalesce(has_schema_privilege(current_schema()::text, 'CREATE'), false) \
         AND (has_database_privilege(current_database(), 'CREATE') OR EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'))";
    if sqlx::query_scalar::<_, bool>(MAY).fetch_one(pool).await? {
        return Ok(());
    }
    let why = format!("it can't create tables in {named}");
    Err(not_owner(pool, why).await?)
}

/// Why a server that only speaks PostgreSQL's protocol can't hold our tables, by what it calls itself.
fn no_place(version: &str) -> Option<String> {
    let (_, name) = [("-YB-", "YugabyteDB"), ("CockroachDB", "CockroachDB")]
        .into_iter()
        .find(|(mark, _)| version.contains(mark))?;
    Some(format!(
        "{name} has neither constraint triggers nor transition tables, by which the database demands a row of the audit for each \
         change. Nothing was made there: name a database of PostgreSQL's"
    ))
}

/// Who may not change the schema is told who may, and what would let them.
pub(super) async fn not_owner(pool: &Links, why: String) -> Result<Error> {
    const OWNER: &str = "SELECT quote_ident(current_user), quote_ident(coalesce(current_schema()::text, 'public')), \
         quote_ident(current_database()), \
         (SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = to_regclass('keys'))";
    let (login, schema, database, owner): (String, String, String, Option<String>) =
        sqlx::query_as(OWNER).fetch_one(pool).await?;
    let cure = match owner {
        Some(owner) => {
            format!(
                "Have {owner}, who owns its tables, run `keyrack migrate`, or a DBA `GRANT {owner} TO {login}`"
            )
        }
        None => format!(
            "Have a DBA run `GRANT CREATE ON DATABASE {database} TO {login}; GRANT USAGE, CREATE ON SCHEMA {schema} TO {login}`, \
             then run this again"
        ),
    };
    Ok(Error::NotOwner { login, why, cure })
}

#[cfg(test)]
mod tests {
    use super::no_place;

    #[test]
    fn a_server_that_lacks_what_the_audit_rests_on_is_refused_by_name() {
        assert_eq!(no_place("PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu"), None);
        let told = no_place("PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu").unwrap();
        assert!(told.starts_with("YugabyteDB has neither"), "{told}");
        let told = no_place("CockroachDB CCL v25.2.0 (x86_64-pc-linux-gnu)").unwrap();
        assert!(told.starts_with("CockroachDB has neither"), "{told}");
    }
}
