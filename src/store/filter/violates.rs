//! Keys that their policy would refuse today, as SQL.

use sqlx::QueryBuilder;

use super::scopes::push_some_sets;
use super::{Driver, any, push_lives, push_not_replaced};
use crate::domain::Instant;
use crate::domain::expiry::Expiry;
use crate::domain::issuer::Policy;

/// The key's expiry, whatever else is planned.
const OWN: &str = "(CASE WHEN k.revoke_at IS NULL THEN k.expires_at ELSE k.own_expiry END)";

/// [`Policy::objections`] as SQL.
pub(super) fn push_violates<D: Driver>(sql: &mut QueryBuilder<D>, policies: &[Policy], now: Instant) {
    push_lives(sql, now);
    sql.push(" AND ");
    push_not_replaced(sql, now);
    sql.push(" AND (");
    any(sql, policies, |sql, policy| {
        sql.push("k.issuer = ");
        D::text(sql, &policy.slug);
        // The sets are few, and each is looked at once; only of what is none of those the key itself is.
        sql.push(" AND ((k.scopes NOT IN (");
        push_some_sets(sql);
        push_unknown(sql.push(" WHERE "), "sets.scopes", policy);
        push_unknown(sql.push(" = '') AND "), "k.scopes", policy);
        sql.push(" <> '') OR NOT (1 = 0");
        for head in policy.heads() {
            sql.push(" OR substr(m.preview, 1, length(");
            D::text(sql, &head);
            sql.push(")) = ");
            D::text(sql, &head);
        }
        sql.push(")");
        let rule = &policy.expiry;
        if let Some(days) = rule.max_days {
            sql.push(format!(" OR {OWN} IS NULL OR {OWN} > k.created_at + {days} * {}", D::DAY));
        }
        if rule.require_expiry {
            sql.push(format!(" OR {OWN} IS NULL"));
        }
        if !rule.custom {
            sql.push(" OR NOT (1 = 0");
            for choice in &rule.choices {
                match choice {
                    Expiry::Never => sql.push(format!(" OR {OWN} IS NULL")),
                    Expiry::Days(days) => {
                        sql.push(format!(" OR coalesce({OWN} = k.created_at + {days} * {}, 1 = 0)", D::DAY))
                    }
                    Expiry::At(_) => sql,
                };
            }
            sql.push(")");
        }
        sql.push(")");
    });
    sql.push(")");
}

/// Writes what is left of a set of scopes when all that the policy has are taken out.
fn push_unknown<D: Driver>(sql: &mut QueryBuilder<D>, set: &str, policy: &Policy) {
    sql.push("trim(").push("replace(".repeat(policy.scopes.len())).push(format!("' ' || {set} || ' '"));
    for scope in &policy.scopes {
        sql.push(", ");
        D::text(sql, &format!(" {} ", scope.name));
        sql.push(", ' ')");
    }
    sql.push(")");
}
