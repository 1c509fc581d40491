//! Conditions on instants.

use sqlx::QueryBuilder;

use super::Driver;
use crate::domain::Instant;
use crate::domain::query::{Bound, Point, Query, Test};

/// Writes the condition on the hour of the last use that follows from one on its instant, where the index knows the hours.
pub(in crate::store) fn push_hour<D: Driver>(sql: &mut QueryBuilder<D>, sign: &str, at: Instant) {
    if D::HOURS {
        // Of an instant before 1970 a database may round to the other side.
        let hour = at.timestamp().div_euclid(3600) + if sign == "<=" { 1 } else { -1 };
        sql.push(format!(" AND u.hour {sign} {hour}"));
    }
}

/// Writes where the order of last uses begins or ends for those that were used so long ago; see [`Test::Idle`].
pub(in crate::store) fn push_idle<D: Driver>(sql: &mut QueryBuilder<D>, query: &Query, now: Instant) {
    for term in query.terms.iter().filter(|term| !term.negated) {
        if let Test::Idle(span) = term.test {
            let at = Point::FromNow(-span).instant(now);
            push_hour(sql, "<=", at);
            sql.push(" AND u.last_used_at <= ");
            D::time(sql, at);
        }
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
