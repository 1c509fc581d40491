//! Conditions on texts and on parts of ids.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Driver, Part, any};
use crate::domain::query::SHORTEST_ID;

/// The ids that begin with `text` (hyphens as in an id, or none), as the least and the greatest of them.
fn id_range(text: &str) -> Option<(Uuid, Uuid)> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    if hex.is_empty() || hex.len() > 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let low = Uuid::parse_str(&format!("{hex:0<32}")).ok()?;
    let high = Uuid::parse_str(&format!("{hex:f<32}")).ok()?;
    (text == hex || low.to_string().starts_with(text)).then_some((low, high))
}

/// Whether `text` can be the beginning of an id's last block.
fn is_id_end(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn push_id_range<D: Driver>(sql: &mut QueryBuilder<D>, (low, high): (Uuid, Uuid)) {
    sql.push("k.id >= ");
    D::id(sql, low);
    sql.push(" AND k.id <= ");
    D::id(sql, high);
}

/// `text <= column < text~`: the values that begin with `text`; `~` comes after every letter and digit.
fn push_prefix<D: Driver>(sql: &mut QueryBuilder<D>, column: &str, text: &str, after: &str) {
    sql.push(column).push(" >= ");
    D::text(sql, text);
    sql.push(" AND ").push(column).push(" < ");
    D::text(sql, &format!("{text}{after}"));
}

pub(super) fn push_id<D: Driver>(sql: &mut QueryBuilder<D>, text: &str) {
    let range = id_range(text);
    match range {
        Some(range) => push_id_range(sql, range),
        None => {
            sql.push("1 = 0");
        }
    }
    if is_id_end(text) {
        sql.push(" OR ");
        push_prefix(sql, D::ID_END, text, "g");
    }
}

/// Free text looked for in the row: name, description, the beginning of preview and tail, and from four digits on the id.
pub(super) fn push_text<D: Driver>(sql: &mut QueryBuilder<D>, text: &str) {
    let length = text.chars().count();
    sql.push(D::POSITION).push("(m.search, ");
    D::text(sql, text);
    sql.push(") > 0");
    for column in ["m.preview", "m.tail"] {
        sql.push(format!(" OR substr(lower({column}), 1, {length}) = "));
        D::text(sql, text);
    }
    if length >= SHORTEST_ID {
        sql.push(" OR ");
        push_id(sql, text);
    }
}

/// Free text looked for through the indexes: a statement that answers with rows, some perhaps twice; with `perhaps`, also
/// with rows that only may contain it.
pub(super) fn push_text_rows<D: Driver>(sql: &mut QueryBuilder<D>, text: &str, perhaps: bool) {
    let listed = if D::PARTS.contains(&Part::Listed) { "listed = 1 AND " } else { "" };
    let rows = format!(" UNION ALL SELECT m.{} FROM keys m WHERE {listed}", D::ROW);
    D::by_trigram(sql, text, perhaps);
    // A pasted preview: its end is the quickest way to it. Without dots it can only be the beginning of a prefix.
    match text.rsplit_once('•') {
        Some((_, tail)) if !tail.is_empty() => {
            sql.push(&rows);
            push_prefix(sql, "lower(m.tail)", tail, "~");
            sql.push(format!(" AND substr(lower(m.preview), 1, {}) = ", text.chars().count()));
            D::text(sql, text);
        }
        _ => {
            sql.push(&rows);
            push_prefix(sql, "m.preview", text, "\u{10FFFF}");
        }
    }
    sql.push(&rows);
    push_prefix(sql, "lower(m.tail)", text, "~");
    if text.chars().count() >= SHORTEST_ID {
        sql.push(" UNION ALL ");
        push_id_rows(sql, text);
    }
}

/// The rows whose id begins with `text`, or has a last block that does.
pub(super) fn push_id_rows<D: Driver>(sql: &mut QueryBuilder<D>, text: &str) {
    let listed = if D::PARTS.contains(&Part::Listed) { "listed = 1 AND " } else { "" };
    let by_id = format!("SELECT k.{} FROM key_auth k WHERE {listed}", D::ROW);
    sql.push(&by_id);
    match id_range(text) {
        Some(range) => push_id_range(sql, range),
        None => {
            sql.push("1 = 0");
        }
    }
    if is_id_end(text) {
        sql.push(" UNION ALL ").push(&by_id);
        push_prefix(sql, D::ID_END, text, "g");
    }
}

/// A `LIKE` pattern for "contains", with `!` as its escape character.
pub(in crate::store) fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Writes that the key has one of these owners, by name or address; `none`: that it has no owner.
pub(super) fn push_owners<D: Driver>(sql: &mut QueryBuilder<D>, names: &[String]) {
    any(sql, names, |sql, name| {
        if name == "none" {
            sql.push("m.owner IS NULL");
        } else {
            sql.push("m.owner_key IS NOT NULL AND m.owner_key = ");
            D::text(sql, name);
            sql.push(" OR m.owner_mail IS NOT NULL AND lower(m.owner_mail) = ");
            D::text(sql, &name.to_ascii_lowercase());
        }
    });
}
