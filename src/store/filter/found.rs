//! The rows that a term may fit, found through an index: SQLite's planner does not know how few they are.

use sqlx::QueryBuilder;

use super::overlap::push_overlap_rows;
use super::scopes::push_scope_rows;
use super::status::{SUSPENDED, push_revoked_by_plan, push_strange_rows};
use super::text::{push_id_rows, push_text_rows};
use super::{Driver, Part, one_of, push_bound, push_test};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::key::Status;
use crate::domain::query::{Test, never};
use crate::domain::text::fold;

/// Shorter texts are in no index.
const TRIGRAM: usize = 3;

fn is_long(text: &str) -> bool {
    text.chars().count() >= TRIGRAM
}

/// Writes what is left to be asked of the rows that were found by `test`.
pub(super) fn push_rest<D: Driver>(sql: &mut QueryBuilder<D>, test: &Test, now: Instant, forms: &Forms) {
    match test {
        Test::Text(_) | Test::Account(_) | Test::CreatedBy(_) | Test::Created(_) => {}
        Test::Tag(tags) if !tags.iter().any(|tag| tag == "none") => {}
        Test::Used(_) => {
            sql.push(" AND k.first_used_at IS NOT NULL");
        }
        _ => {
            sql.push(" AND (");
            push_test(sql, test, now, forms);
            sql.push(")");
        }
    }
}

/// Writes a statement that answers with the rows that may fit `test`, some perhaps twice; with `perhaps` more of them, which
/// is quicker to count. Answers false, and leaves behind what it wrote, where no index finds them.
pub(in crate::store) fn push_rows<D: Driver>(
    sql: &mut QueryBuilder<D>,
    test: &Test,
    now: Instant,
    forms: &Forms,
    perhaps: bool,
) -> bool {
    match test {
        Test::Text(text) if is_long(text) => push_text_rows(sql, text, perhaps),
        Test::Scope(scopes) if D::PARTS.contains(&Part::Listed) && scopes.as_slice() == ["none"] => {
            push_listed(sql, "auth_by_scopes").push("k.scopes = ''");
        }
        Test::Scope(scopes) if !scopes.is_empty() => push_scope_rows(sql, scopes),
        // PostgreSQL keeps count of its common values by itself.
        _ if !D::PARTS.contains(&Part::Listed) => return false,
        Test::NamePart(parts) => match parts.as_slice() {
            [part] if is_long(&fold(part)) => D::by_trigram(sql, &fold(part), perhaps),
            _ => return false,
        },
        Test::Name(names) if !names.is_empty() => {
            let names: Vec<String> = names.iter().map(|name| fold(name)).collect();
            sql.push("SELECT m.seq FROM keys m INDEXED BY keys_name WHERE m.listed = 1 AND (");
            one_of(sql, "m.name_key", &names);
            sql.push(")");
        }
        Test::CreatedBy(names) if !names.is_empty() => {
            sql.push("SELECT m.seq FROM keys m INDEXED BY keys_creator WHERE m.listed = 1 AND (");
            one_of(sql, "m.created_by", names);
            sql.push(")");
        }
        Test::Owner(names) if !names.is_empty() && !names.iter().any(|name| name == "none") => {
            sql.push("SELECT m.seq FROM keys m INDEXED BY keys_owner WHERE m.owner_key IS NOT NULL AND (");
            one_of(sql, "m.owner_key", names);
            sql.push(") UNION ALL SELECT m.seq FROM keys m INDEXED BY keys_owner_mail WHERE m.owner_mail IS NOT NULL AND (");
            one_of(
                sql,
                "lower(m.owner_mail)",
                &names.iter().map(|name| name.to_ascii_lowercase()).collect::<Vec<_>>(),
            );
            sql.push(")");
        }
        Test::Tag(tags) if !tags.is_empty() && !tags.iter().any(|tag| tag == "none") => {
            sql.push("SELECT t.seq FROM key_tags t WHERE ");
            one_of(sql, "t.tag", tags);
        }
        Test::Account(slugs) if !slugs.is_empty() => {
            push_listed(sql, "auth_by_account").push("(");
            one_of(sql, "k.account", slugs);
            sql.push(")");
        }
        Test::Status(statuses) if !statuses.is_empty() => {
            for (n, status) in statuses.iter().enumerate() {
                sql.push(if n == 0 { "" } else { " UNION ALL " });
                if !push_status_rows(sql, *status, now, forms) {
                    return false;
                }
            }
        }
        Test::NeverExpires(true) => {
            push_auth(sql, "auth_by_expiry").push("k.expires_key >= ");
            D::time(sql, never());
        }
        Test::Expires(bound) => {
            push_auth(sql, "auth_by_expiry").push(format!("k.expires_key < {} AND ", D::FAR));
            push_bound(sql, "k.expires_key", *bound, now);
            if bound.is_coming() {
                sql.push(" AND k.expires_key > ");
                D::time(sql, now);
            }
            // Behind those that never expire.
            sql.push(format!(" UNION ALL SELECT k.seq FROM key_auth k WHERE k.expires_at >= {}", D::FAR));
        }
        Test::Revoked(bound) => {
            push_auth(sql, "auth_revoked_at").push("k.revoked_at IS NOT NULL AND ");
            push_bound(sql, "k.revoked_at", *bound, now);
            push_revoked_by_plan(push_auth(sql.push(" UNION ALL "), "auth_revoke_at"), now);
        }
        Test::Created(bound) => {
            push_listed(sql, "auth_by_created");
            push_bound(sql, "k.created_at", *bound, now);
        }
        Test::Used(bound) => {
            sql.push("SELECT u.seq FROM key_use u INDEXED BY use_by_time WHERE ");
            push_bound(sql, "u.last_used_at", *bound, now);
        }
        Test::Replaced(true) => {
            sql.push("SELECT m.seq FROM keys m INDEXED BY keys_replaced WHERE m.successor IS NOT NULL");
        }
        Test::Overlap(side) => push_overlap_rows(sql, *side),
        Test::NeverUsed(true) => {
            push_listed(sql, "auth_unused").push("k.first_used_at IS NULL");
        }
        Test::Id(text) => push_id_rows(sql, text),
        _ => return false,
    }
    true
}

fn push_status_rows<D: Driver>(
    sql: &mut QueryBuilder<D>,
    status: Status,
    now: Instant,
    forms: &Forms,
) -> bool {
    match status {
        Status::Active => {
            push_listed(sql, "auth_by_ends").push("k.ends_at > ");
            D::time(sql, now);
        }
        Status::Suspended => {
            push_listed(sql, "auth_by_account").push(SUSPENDED);
        }
        Status::Expired => {
            push_auth(sql, "auth_by_expiry").push("k.expires_key <= ");
            D::time(sql, now);
        }
        Status::Revoked => {
            push_auth(sql, "auth_revoked").push("k.revoked_at IS NOT NULL UNION ALL ");
            push_revoked_by_plan(push_auth(sql, "auth_revoke_at"), now);
        }
        Status::Planned => {
            push_auth(sql, "auth_planned").push("k.not_before IS NOT NULL AND k.not_before > ");
            D::time(sql, now);
        }
        Status::Paused => {
            push_auth(sql, "auth_paused").push("k.paused_until IS NOT NULL AND k.paused_until > ");
            D::time(sql, now);
            for freeze in &forms.frozen {
                let named =
                    |test: &Test| matches!(test, Test::Account(_) | Test::CreatedBy(_) | Test::Created(_));
                let term = freeze.terms.iter().find(|term| !term.negated && named(&term.test));
                sql.push(" UNION ALL ");
                if !term.is_some_and(|term| push_rows(sql, &term.test, now, forms, true)) {
                    return false;
                }
            }
        }
        // That a key begins like another issuer's takes a policy that was changed, and no index tells which do.
        Status::Refused if forms.changed().next().is_none() => push_strange_rows(sql, forms),
        _ => return false,
    }
    true
}

fn push_auth<'s, D: Driver>(sql: &'s mut QueryBuilder<D>, index: &str) -> &'s mut QueryBuilder<D> {
    sql.push("SELECT k.seq FROM key_auth k INDEXED BY ").push(index).push(" WHERE ")
}

/// An index that has only what was fed to it.
fn push_listed<'s, D: Driver>(sql: &'s mut QueryBuilder<D>, index: &str) -> &'s mut QueryBuilder<D> {
    push_auth(sql, index).push("k.listed = 1 AND ")
}
