//! The two keys of a rotation while both are there, as SQL.

use sqlx::QueryBuilder;

use super::{Driver, push_lives};
use crate::domain::Instant;
use crate::domain::query::Side;

/// Writes that the key is on this side of an open overlap; never unknown.
pub(super) fn push_overlap<D: Driver>(sql: &mut QueryBuilder<D>, side: Side, now: Instant) {
    match side {
        Side::Old => {
            sql.push("m.successor IS NOT NULL AND ");
            push_lives(sql, now);
            sql.push(" AND EXISTS (SELECT 1 FROM key_auth s WHERE s.id = m.successor AND s.acknowledged_at IS NOT NULL)");
        }
        Side::New => {
            sql.push("m.predecessor IS NOT NULL AND k.acknowledged_at IS NOT NULL AND EXISTS (SELECT 1 FROM key_auth o \
                 WHERE o.id = m.predecessor AND o.ends_at > ");
            D::time(sql, now);
            sql.push(
                " AND EXISTS (SELECT 1 FROM keys om WHERE om.id = m.predecessor AND om.successor = k.id))",
            );
        }
        Side::Open => {
            sql.push("(");
            push_overlap(sql, Side::Old, now);
            sql.push(") OR (");
            push_overlap(sql, Side::New, now);
            sql.push(")");
        }
    }
}

/// The rows that may be on this side: of all keys that were ever replaced, or replace them.
pub(super) fn push_overlap_rows<D: Driver>(sql: &mut QueryBuilder<D>, side: Side) {
    if side != Side::New {
        sql.push("SELECT m.seq FROM keys m INDEXED BY keys_replaced WHERE m.successor IS NOT NULL");
    }
    if side == Side::Open {
        sql.push(" UNION ALL ");
    }
    if side != Side::Old {
        sql.push(
            "SELECT s.seq FROM keys r INDEXED BY keys_replaced JOIN key_auth s ON s.id = r.successor WHERE r.successor IS NOT NULL",
        );
    }
}
