//! Conditions on instants.

use sqlx::QueryBuilder;

use super::Driver;
use crate::domain::Instant;
use crate::domain::query::Bound;

/// Writes the condition on the hour of the last use that follows from one on its instant, where the index knows the hours.
pub(in crate::store) fn push_hour<D: Driver>(sql: &mut QueryBuilder<D>, sign: &str, at: Instant) {
    if D::HOURS {
        // Of an instant before 1970 a database may round to the other side.
        let hour = at.timestamp().div_euclid(3600) + if sign == "<=" { 1 } else { -1 };
        sql.push(format!(" AND u.hour {sign} {hour}"));
    }
}

pub(in crate::store) fn push_bound<D: Driver>(
    sql: &mut QueryBuilder<D>,
    column: &str,
    bound: Bound,
    now: Instant,
) {
    let (sign, point) = match bound {
        Bound::Before(point) => (" < ", point),
        Bound::After(point) => (" > ", point),
    };
    sql.push(column).push(sign);
    D::time(sql, point.instant(now));
}
