//! Conditions on instants.

use sqlx::QueryBuilder;

use super::Driver;
use crate::domain::Instant;
use crate::domain::key::Status;
use crate::domain::query::{Bound, Column, Point, Query, Test, never};

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

/// Writes what follows from the terms for the column of an order, so that its index is read from where the first row can be to
/// where the last one can.
pub(in crate::store) fn push_reach<D: Driver>(
    sql: &mut QueryBuilder<D>,
    query: &Query,
    order: Column,
    now: Instant,
) {
    let column = match order {
        Column::Status => "k.ends_at",
        Column::Expires => "k.expires_key",
        _ => return,
    };
    for term in &query.terms {
        match &term.test {
            // Nothing ends before it expires.
            _ if term.is_living() => push_after(sql, column, now),
            _ if term.negated => {}
            Test::Status(any) if are_all(any, false) => push_after(sql, column, now),
            Test::Status(any) if order == Column::Status && are_all(any, true) => {
                push_ended(sql, any.contains(&Status::Revoked), now);
            }
            Test::Expires(bound) => {
                push_expires(sql, column);
                if let Bound::Before(point) = bound {
                    sql.push(format!(" AND {column} < "));
                    D::time(sql, point.instant(now));
                }
            }
            Test::NeverExpires(false) => push_expires(sql, column),
            Test::Revoked(bound) if order == Column::Status => match bound {
                Bound::Before(point) => D::time(sql.push(" AND k.ends_at < "), point.instant(now)),
                Bound::After(_) => push_ended(sql, true, now),
            },
            _ => {}
        }
    }
}

fn push_after<D: Driver>(sql: &mut QueryBuilder<D>, column: &str, now: Instant) {
    sql.push(format!(" AND {column} > "));
    D::time(sql, now);
}

/// Whether they are all of keys that have `ended`, or all of others.
fn are_all(statuses: &[Status], ended: bool) -> bool {
    !statuses.is_empty() && statuses.iter().all(|status| Status::ENDED.contains(status) == ended)
}

/// Writes that the key has ended: by now, or where it may be `revoked`, when the last one was, perhaps by a clock that is ahead.
fn push_ended<D: Driver>(sql: &mut QueryBuilder<D>, revoked: bool, now: Instant) {
    if !revoked {
        return D::time(sql.push(" AND k.ends_at <= "), now);
    }
    sql.push(" AND k.ends_at <= (SELECT max(l.at) FROM (SELECT max(r.revoked_at) AS at FROM key_auth r WHERE r.revoked_at IS NOT NULL UNION ALL SELECT ");
    D::time(sql, now);
    sql.push(") AS l)");
}

/// Writes that the column lies before that of keys that never expire; but there may be some that expire then or later.
fn push_expires<D: Driver>(sql: &mut QueryBuilder<D>, column: &str) {
    sql.push(format!(
        " AND {column} <= (SELECT CASE WHEN EXISTS (SELECT 1 FROM key_auth l WHERE l.expires_at >= {}) THEN {} ELSE ",
        D::FAR,
        D::GREATEST
    ));
    D::time(sql, never() - chrono::TimeDelta::microseconds(1));
    sql.push(" END)");
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
