//! Keys by one of their scopes: what the index has is whole sets of scopes, and of those there are few.

use sqlx::QueryBuilder;

use super::{Driver, Part, any};

/// So many sets are looked through; where there are more, the keys themselves are.
const SETS: u32 = 5_000;

/// Writes a statement that answers 1 where the sets are few enough for [`push_scope_rows`].
pub(in crate::store) fn push_are_few<D: Driver>(sql: &mut QueryBuilder<D>) {
    sql.push("SELECT count(*) FROM (");
    push_sets(sql, true, true);
    sql.push(format!(") AS counted HAVING count(*) <= {SETS}"));
}

/// Writes a statement that answers with the rows that have one of these scopes.
pub(super) fn push_scope_rows<D: Driver>(sql: &mut QueryBuilder<D>, scopes: &[String]) {
    sql.push(format!("SELECT k.{} FROM key_auth k {} k.scopes IN (", D::ROW, listed::<D>("k", true)));
    push_sets(sql, false, true);
    sql.push(" WHERE ");
    push_has(sql, "sets.scopes", scopes);
    sql.push(")");
}

/// Writes the condition that a column's set has one of these scopes.
pub(super) fn push_has<D: Driver>(sql: &mut QueryBuilder<D>, column: &str, scopes: &[String]) {
    any(sql, scopes, |sql, scope| {
        if scope == "none" {
            sql.push(column).push(" = ''");
        } else {
            sql.push(format!("{}(' ' || {column} || ' ', ", D::POSITION));
            D::text(sql, &format!(" {scope} "));
            sql.push(") > 0");
        }
    });
}

/// Writes a statement that answers with the first sets, as `sets.scopes`, to which a condition on them may be added. It goes
/// without the index while there is none.
pub(super) fn push_some_sets<D: Driver>(sql: &mut QueryBuilder<D>) {
    push_sets(sql, true, false);
}

/// Each set once, by a look into the index for each; `bounded`: no more of them than tell that they are too many; `told`:
/// whether by this index and no other way.
fn push_sets<D: Driver>(sql: &mut QueryBuilder<D>, bounded: bool, told: bool) {
    let (first, next) = (listed::<D>("a", told), listed::<D>("b", told));
    let bound = if bounded { format!(" AND sets.n <= {SETS}") } else { String::new() };
    sql.push(format!(
        "WITH RECURSIVE sets (scopes, n) AS (SELECT min(a.scopes), 1 FROM key_auth a {first} 1 = 1 UNION ALL \
         SELECT (SELECT min(b.scopes) FROM key_auth b {next} b.scopes > sets.scopes), sets.n + 1 FROM sets \
         WHERE sets.scopes IS NOT NULL{bound}) SELECT sets.scopes FROM sets"
    ));
}

/// The index, and what of the table it has.
fn listed<D: Driver>(of: &str, told: bool) -> String {
    match D::PARTS.contains(&Part::Listed) {
        true => format!("{}WHERE {of}.listed = 1 AND", if told { "INDEXED BY auth_by_scopes " } else { "" }),
        false => "WHERE".into(),
    }
}
