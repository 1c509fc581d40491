//! Keys that are due to be replaced, as SQL.

use sqlx::QueryBuilder;

use super::{Driver, Part};
use crate::domain::Instant;

/// Whether the key is older than its policy's rotation period and was not replaced.
pub(super) fn push_rotation_due<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    push_not_replaced(sql, now);
    sql.push(" AND k.ends_at > ");
    D::time(sql, now);
    // Said once for all issuers, so that an order by creation begins where the first can be due.
    sql.push(" AND k.created_at <= ");
    D::time(sql, now);
    sql.push(format!(
        " - (SELECT min({PERIOD}) FROM issuers i WHERE i.rotation_days IS NOT NULL) * {}",
        D::DAY
    ));
    // An issuer has one period; the difference of instants is counted in days on both databases. Nothing is added to what the
    // database holds, and no more than a thousand years taken from the present: it could overflow.
    sql.push(
        " AND EXISTS (SELECT 1 FROM issuers i WHERE i.slug = k.issuer AND i.rotation_days IS NOT NULL AND k.created_at <= ",
    );
    D::time(sql, now);
    sql.push(format!(" - ({PERIOD}) * {})", D::DAY));
}

/// The days after which an issuer's keys are to be rotated, no more than can be counted back from the present.
const PERIOD: &str = "CASE WHEN i.rotation_days BETWEEN 0 AND 365000 THEN i.rotation_days ELSE 365000 END";

/// Whether no key that has not ended stands in its place.
pub(super) fn push_not_replaced<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push("NOT EXISTS (SELECT 1 FROM key_auth s WHERE s.id = m.successor AND s.ends_at > ");
    D::time(sql, now);
    // SQLite asks what is of one table alone before it reads the other: this it asks after the rest.
    sql.push(if D::PARTS.contains(&Part::Listed) { " AND k.seq = m.seq)" } else { ")" });
}
