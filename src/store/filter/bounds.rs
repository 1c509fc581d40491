//! Conditions on instants.

use sqlx::QueryBuilder;

use super::Driver;
use crate::domain::Instant;
use crate::domain::query::Bound;

/// Writes the condition on the hour of the last use that follows from one on its instant.
pub(in crate::store) fn push_hour<D: Driver>(sql: &mut QueryBuilder<D>, sign: &str, at: Instant) {
    sql.push(" AND ");
    push_hour_of(sql, sign, at);
}

pub(super) fn push_hour_of<D: Driver>(sql: &mut QueryBuilder<D>, sign: &str, at: Instant) {
    // Of an instant before 1970 the databases round to different sides.
    let hour = at.timestamp().div_euclid(3600) + if sign == "<=" { 1 } else { -1 };
    sql.push(format!("u.hour {sign} {hour}"));
}

pub(super) fn push_bound<D: Driver>(sql: &mut QueryBuilder<D>, column: &str, bound: Bound, now: Instant) {
    let (sign, point) = match bound {
        Bound::Before(point) => (" < ", point),
        Bound::After(point) => (" > ", point),
    };
    sql.push(column).push(sign);
    D::time(sql, point.instant(now));
}
