//! What a key is, as SQL.

use sqlx::QueryBuilder;

use super::{Driver, Part, any, push_bound, push_terms};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::key::Status;
use crate::domain::query::{self, Bound};

/// No text that begins like another comes after that one with this behind it.
const LAST: char = char::MAX;

/// Writes that the key is one of these.
pub(super) fn push_statuses<D: Driver>(
    sql: &mut QueryBuilder<D>,
    statuses: &[Status],
    now: Instant,
    forms: &Forms,
) {
    // Every key is one of them.
    if Status::ALL.iter().all(|status| statuses.contains(status)) {
        sql.push("1 = 1");
        return;
    }
    any(sql, statuses, |sql, status| {
        push_status(sql, *status, now, forms);
        // Where both are asked for, nobody needs to look.
        if query::tells_forms(statuses) {
            match status {
                Status::Active => push_strange(sql.push(" AND NOT "), forms),
                Status::Refused => push_strange(sql.push(" AND "), forms),
                _ => {}
            }
        }
    });
}

/// The rows of keys that have not ended, as far as the index of ends has them.
pub(in crate::store) fn push_living_rows<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push("SELECT k.").push(D::ROW).push(" FROM key_auth k WHERE k.ends_at > ");
    D::time(sql, now);
    if D::PARTS.contains(&Part::Listed) {
        sql.push(Part::Listed.auth());
    }
}

fn push_status<D: Driver>(sql: &mut QueryBuilder<D>, status: Status, now: Instant, forms: &Forms) {
    match status {
        Status::Active | Status::Refused => {
            push_works(sql, now);
            sql.push(" AND NOT ").push(SUSPENDED).push(" AND NOT ");
            push_held(sql, now, forms);
        }
        Status::Planned => {
            push_lives(sql, now);
            sql.push(" AND k.not_before IS NOT NULL AND k.not_before > ");
            D::time(sql, now);
        }
        Status::Paused => {
            push_works(sql, now);
            sql.push(" AND ");
            push_held(sql, now, forms);
        }
        Status::Suspended => {
            push_works(sql, now);
            sql.push(" AND NOT ");
            push_held(sql, now, forms);
            sql.push(" AND ").push(SUSPENDED);
        }
        Status::Revoked => {
            push_revoked(sql, now);
        }
        Status::Expired => {
            sql.push("k.expires_key <= ");
            D::time(sql, now);
            push_revoked(sql.push(" AND NOT "), now);
        }
        // Nobody can ask for it.
        Status::Damaged => {
            sql.push("1 = 0");
        }
        Status::Abandoned => {
            sql.push("k.revoked_at IS NULL AND k.acknowledged_at IS NULL AND k.first_used_at IS NULL AND k.expires_key > ");
            D::time(sql, now);
            sql.push(" AND k.claim_by <= ");
            D::time(sql, now);
        }
    }
}

/// Whether the key has not ended. A clock that lags behind must not show a key as working that was just revoked.
pub(super) fn push_lives<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push("k.revoked_at IS NULL AND k.ends_at > ");
    D::time(sql, now);
}

/// Whether the key has not ended, and works from now on or earlier.
fn push_works<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    push_lives(sql, now);
    sql.push(" AND (k.not_before IS NULL OR k.not_before <= ");
    D::time(sql, now);
    sql.push(")");
}

/// Whether the key was revoked, by hand or by plan; never unknown. Where its plan comes first, that is when it expires.
pub(super) fn push_revoked<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push("(k.revoked_at IS NOT NULL OR (");
    push_revoked_by_plan(sql, now);
    sql.push("))");
}

/// The same of a plan alone.
pub(in crate::store) fn push_revoked_by_plan<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push("k.revoke_at IS NOT NULL AND k.revoke_at = k.expires_key AND k.revoke_at <= ");
    D::time(sql, now);
}

/// Whether the key was revoked on this side of an instant; never unknown.
pub(super) fn push_revoked_when<D: Driver>(sql: &mut QueryBuilder<D>, bound: Bound, now: Instant) {
    sql.push("((k.revoked_at IS NOT NULL AND ");
    push_bound(sql, "k.revoked_at", bound, now);
    sql.push(") OR (k.revoked_at IS NULL AND ");
    push_revoked_by_plan(sql, now);
    push_bound(sql.push(" AND "), "k.revoke_at", bound, now);
    sql.push("))");
}

/// Whether the key is paused, or a freeze fits it; never unknown.
fn push_held<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant, forms: &Forms) {
    sql.push("((k.paused_until IS NOT NULL AND k.paused_until > ");
    D::time(sql, now);
    sql.push(")");
    for query in &forms.frozen {
        sql.push(" OR (1 = 1");
        // No freeze asks for a status.
        push_terms(sql, query, now, &Forms::default());
        sql.push(")");
    }
    sql.push(")");
}

/// Of a suspended account; the few of those are read once.
pub(super) const SUSPENDED: &str = "k.account IN (SELECT slug FROM accounts WHERE standing <> 'good')";

/// What `Forms::take` denies, as SQL. Almost always there are no such keys, or few: those that begin like no issuer's are in
/// the gaps of the index of previews. That an issuer's keys begin like those of another takes a policy that was changed.
fn push_strange<D: Driver>(sql: &mut QueryBuilder<D>, forms: &Forms) {
    let few = D::ROW == "seq";
    if few {
        sql.push("(k.seq IN (");
        push_strange_rows(sql, forms);
        // The few keys that the index has not yet.
        sql.push(
            " UNION ALL SELECT f.seq FROM keys f WHERE f.listed = 0 AND f.seq > (SELECT upto FROM key_feed) AND NOT (1 = 0",
        );
        for (_, head) in forms.iter() {
            push_begins(sql.push(" OR "), head);
        }
        sql.push("))");
    } else {
        sql.push("EXISTS (SELECT 1 FROM keys f WHERE f.id = k.id AND (1 = 0");
        for (after, before) in gaps(forms) {
            sql.push(" OR (true");
            push_gap(sql, &after, before.as_deref());
            sql.push(")");
        }
    }
    for issuer in forms.changed() {
        sql.push(" OR (k.issuer = ");
        D::text(sql, issuer);
        sql.push(if few { " AND EXISTS (SELECT 1 FROM keys f WHERE f.seq = k.seq" } else { "" });
        sql.push(" AND NOT (1 = 0");
        for (_, head) in forms.iter().filter(|(slug, _)| *slug == issuer) {
            push_begins(sql.push(" OR "), head);
        }
        sql.push(if few { ")))" } else { "))" });
    }
    sql.push(if few { ")" } else { "))" });
}

/// The rows of the keys that begin like no issuer's, as far as the index of previews has them.
pub(super) fn push_strange_rows<D: Driver>(sql: &mut QueryBuilder<D>, forms: &Forms) {
    for (n, (after, before)) in gaps(forms).into_iter().enumerate() {
        sql.push(if n == 0 { "" } else { " UNION ALL " });
        sql.push("SELECT f.seq FROM keys f WHERE f.listed = 1");
        push_gap(sql, &after, before.as_deref());
    }
}

/// What lies between the beginnings: after the first text, before the second.
fn gaps(forms: &Forms) -> Vec<(String, Option<String>)> {
    let mut heads: Vec<&str> = forms.iter().map(|(_, head)| head).collect();
    heads.sort_unstable();
    let after = heads.iter().map(|head| format!("{head}{LAST}"));
    let before = heads.iter().map(|head| Some((*head).to_owned()));
    std::iter::once(String::new()).chain(after).zip(before.chain([None])).collect()
}

fn push_gap<D: Driver>(sql: &mut QueryBuilder<D>, after: &str, before: Option<&str>) {
    sql.push(" AND f.preview >= ");
    D::text(sql, after);
    if let Some(before) = before {
        sql.push(" AND f.preview < ");
        D::text(sql, before);
    }
}

fn push_begins<D: Driver>(sql: &mut QueryBuilder<D>, head: &str) {
    sql.push("substr(f.preview, 1, length(");
    D::text(sql, head);
    sql.push(")) = ");
    D::text(sql, head);
}
