//! PostgreSQL: what the group roles and the logins need, what of it they lack, and giving it to them.
//!
//! The migrations say who needs what. A migration whose login may not make roles, or that met roles without members of a
//! kind, goes on without; what it left out is found here, however much later.

use std::fmt;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::wire::Wire;
use super::{Error, Result};
use crate::domain::operator::Role;

/// One of several that mend at the same time does so.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7301465)";

/// What the migrations grant, one right of one role on one object each: `(role, right, object, columns)`.
pub(super) type Grant<'a> = (&'a str, &'a str, &'a str, &'a str);

/// What one group role, or a login, lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    pub role: String,
    /// Whether there is such a role.
    pub exists: bool,
    /// `SELECT on keys, audit`, each; of a role that is missing, what it would need.
    pub rights: Vec<String>,
    /// The statements that mend it, in their order.
    pub cure: Vec<String>,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exists {
            false => write!(f, "the role {} is missing", self.role),
            true => write!(f, "{} lacks {}", self.role, self.rights.join("; ")),
        }
    }
}

/// What was mended and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    pub login: String,
    /// The roles that have all they need now.
    pub roles: Vec<String>,
    pub lacks: Vec<Lack>,
}

/// The rights that migrations leave: `GRANT SELECT, UPDATE (a, b) ON c, d TO keyrack_e, keyrack_f`, less what a later
/// `REVOKE UPDATE ON c FROM keyrack_e` takes away, of whichever columns.
pub(super) fn granted(migrations: impl Iterator<Item = &'static str>) -> Vec<Grant<'static>> {
    let mut all: Vec<Grant<'static>> = Vec::new();
    for text in migrations {
        let mut words: Vec<(usize, &str)> = text.match_indices("GRANT ").collect();
        words.extend(text.match_indices("REVOKE "));
        words.sort_unstable();
        for (at, word) in words {
            let statement = text[at + word.len()..].split(['\'', ';']).next();
            let Some((rights, rest)) = statement.and_then(|text| text.split_once(" ON ")) else { continue };
            let gives = word == "GRANT ";
            let Some((objects, roles)) = rest.split_once(if gives { " TO " } else { " FROM " }) else {
                continue;
            };
            for role in roles.split(',').map(str::trim).filter(|role| role.starts_with("keyrack_")) {
                for object in objects.split(',').map(str::trim) {
                    for (right, columns) in each_right(rights) {
                        if gives {
                            all.push((role, right, object, columns));
                        } else {
                            all.retain(|one| (one.0, one.1, one.2) != (role, right, object));
                        }
                    }
                }
            }
        }
    }
    all
}

/// `SELECT, UPDATE (a, b)` as `SELECT` with no columns and `UPDATE` with `a, b`.
fn each_right(rights: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = rights;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ']);
        let (right, columns) = match rest.find([',', '(']) {
            Some(at) if rest[at..].starts_with('(') => {
                let (columns, behind) = rest[at + 1..].split_once(')')?;
                let right = rest[..at].trim();
                rest = behind;
                (right, columns)
            }
            at => {
                let (right, behind) = rest.split_at(at.unwrap_or(rest.len()));
                rest = behind;
                (right.trim(), "")
            }
        };
        Some((right, columns)).filter(|(right, _)| !right.is_empty())
    })
}

/// Of those grants what is lacking, in their order, told by role. Tables and columns that are not there are not told of.
pub(super) async fn lacking(wire: &mut Wire<'_>, grants: &[Grant<'_>]) -> Result<Vec<Lack>> {
    const LACKING: &str = "SELECT w.role, w.privilege, w.object, w.columns, r.oid IS NOT NULL, quote_ident(coalesce(current_schema()::text, 'public')) \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS w (role, privilege, object, columns, n) \
         LEFT JOIN pg_roles r ON r.rolname = w.role \
         WHERE r.oid IS NULL OR NOT coalesce(CASE \
             WHEN w.object LIKE 'SCHEMA %' THEN has_schema_privilege(r.oid, current_schema()::text, w.privilege) \
             WHEN w.columns = '' THEN has_table_privilege(r.oid, to_regclass(w.object)::oid, w.privilege) \
             ELSE (SELECT bool_and(has_column_privilege(r.oid, attrelid, attnum, w.privilege)) FROM pg_attribute \
                 WHERE attrelid = to_regclass(w.object) AND attname = ANY (string_to_array(w.columns, ', '))) \
             END, true) ORDER BY array_position($1, w.role), w.privilege, w.columns, w.n";
    let column = |pick: fn(&Grant<'_>) -> String| grants.iter().map(pick).collect::<Vec<_>>();
    let rows: Vec<(String, String, String, String, bool, String)> = sqlx::query_as(LACKING)
        .bind(column(|grant| grant.0.to_owned()))
        .bind(column(|grant| grant.1.to_owned()))
        .bind(column(|grant| grant.2.to_owned()))
        .bind(column(|grant| grant.3.to_owned()))
        .fetch_all(wire)
        .await?;
    let mut lacks: Vec<Lack> = Vec::new();
    for of_role in rows.chunk_by(|one, next| one.0 == next.0) {
        let (role, exists) = (&of_role[0].0, of_role[0].4);
        let mut cure = Vec::new();
        if !exists {
            cure.push(format!("CREATE ROLE {role} NOLOGIN"));
        }
        let mut rights = Vec::new();
        for alike in of_role.chunk_by(|one, next| (&one.1, &one.3) == (&next.1, &next.3)) {
            let (_, right, _, columns, _, schema) = &alike[0];
            let columns = if columns.is_empty() { String::new() } else { format!(" ({columns})") };
            let objects: Vec<String> = alike
                .iter()
                .map(
                    |row| {
                        if row.2.starts_with("SCHEMA") { format!("SCHEMA {schema}") } else { row.2.clone() }
                    },
                )
                .collect();
            let objects = objects.join(", ");
            rights.push(format!("{right}{columns} on {}", objects.replace("SCHEMA", "schema")));
            cure.push(format!("GRANT {right}{columns} ON {objects} TO {role}"));
        }
        lacks.push(Lack { role: role.clone(), exists, rights, cure });
    }
    Ok(lacks)
}

/// The group role of those who have this role in Keyrack.
pub(super) fn group(role: Role) -> &'static str {
    match role {
        Role::Viewer => "keyrack_viewer",
        Role::Operator => "keyrack_operator",
        Role::Admin => "keyrack_admin",
    }
}

/// What the acting login lacks for what its role in Keyrack lets it do, and the statement that gives it all of it.
pub(super) async fn of_login(
    wire: &mut Wire<'_>,
    grants: &[Grant<'_>],
    role: Role,
) -> Result<Option<(Lack, String)>> {
    let group = group(role);
    // A schema of an earlier version has one group for both.
    let there = grants.iter().any(|grant| grant.0 == group);
    let group = if there { group } else { "keyrack_console" };
    let (login, quoted): (String, String) =
        sqlx::query_as("SELECT current_user::text, quote_ident(current_user)").fetch_one(&mut *wire).await?;
    let grants = grants.iter().filter(|grant| grant.0 == group);
    let own: Vec<Grant<'_>> =
        grants.map(|(_, right, object, columns)| (login.as_str(), *right, *object, *columns)).collect();
    Ok(lacking(wire, &own).await?.pop().map(|lack| (lack, format!("GRANT {group} TO {quoted}"))))
}

/// Gives the group roles what they lack, as far as the acting login may. To be called in a transaction.
pub(super) async fn mend(conn: &mut PgConnection, grants: &[Grant<'_>]) -> Result<Mended> {
    let login = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut *conn).await?;
    let lacks = lacking(&mut Wire::own(conn), grants).await?;
    let mut mended = Mended { login, roles: Vec::new(), lacks };
    if mended.lacks.is_empty() {
        return Ok(mended);
    }
    sqlx::query(LOCK).execute(&mut *conn).await?;
    for lack in lacking(&mut Wire::own(conn), grants).await? {
        for statement in lack.cure {
            let mut step = conn.begin().await?;
            match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *step).await.map_err(Error::from) {
                Ok(_) => step.commit().await?,
                // It may not, the role is missing still, or another process made it just now.
                Err(Error::Privilege(_) | Error::Refused(_) | Error::ReadOnly(_)) => step.rollback().await?,
                Err(error) => return Err(error),
            }
        }
    }
    let still = lacking(&mut Wire::own(conn), grants).await?;
    let lacked = std::mem::replace(&mut mended.lacks, still).into_iter().map(|lack| lack.role);
    mended.roles = lacked.filter(|role| mended.lacks.iter().all(|lack| lack.role != *role)).collect();
    Ok(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_with_and_without_columns_are_told_apart() {
        let each = |text| each_right(text).collect::<Vec<_>>();
        assert_eq!(each("SELECT"), [("SELECT", "")]);
        assert_eq!(
            each("SELECT, UPDATE (a, b), DELETE"),
            [("SELECT", ""), ("UPDATE", "a, b"), ("DELETE", "")]
        );
        assert_eq!(each("SELECT (a)"), [("SELECT", "a")]);
    }

    #[test]
    fn each_grant_of_a_migration_is_known() {
        let text = "-- An admin gives one to a login: GRANT keyrack_console TO ada;\n'GRANT USAGE ON SCHEMA %1$I TO keyrack_a, keyrack_b',\n\
            BEGIN\n GRANT SELECT (x, y), DELETE ON t, u TO keyrack_a; 'GRANT UPDATE (x), INSERT ON t TO keyrack_b', 'REVOKE UPDATE, INSERT ON t FROM keyrack_b'";
        let each = [
            ("keyrack_a", "USAGE", "SCHEMA %1$I", ""),
            ("keyrack_b", "USAGE", "SCHEMA %1$I", ""),
            ("keyrack_a", "SELECT", "t", "x, y"),
            ("keyrack_a", "DELETE", "t", ""),
            ("keyrack_a", "SELECT", "u", "x, y"),
            ("keyrack_a", "DELETE", "u", ""),
        ];
        assert_eq!(granted([text].into_iter()), each);
    }
}
