//! The filter language as SQL. `Query::matches` in the domain is its meaning; a test holds the two against each other.

use sqlx::{Database, Postgres, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::dialect::Time;
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::query::{self, Bound, Point, Query, Test};
use crate::domain::text::fold;

mod bounds;
mod found;
mod overlap;
mod rotation;
mod scopes;
mod status;
mod text;
mod violates;

pub(super) use bounds::{push_bound, push_hour, push_idle, push_reach};
pub(super) use found::push_rows;
use overlap::push_overlap;
use rotation::{push_not_replaced, push_rotation_due};
pub(super) use scopes::push_are_few;
use scopes::push_has;
pub(super) use status::push_living_rows;
pub(super) use status::push_revoked_by_plan;
use status::{push_lives, push_statuses};
pub(super) use text::like;
use text::{push_id, push_owners, push_text};
use violates::push_violates;

/// A driver that conditions can be written for.
pub(super) trait Driver: Database {
    /// `instr` or `strpos`: the place of one text in another, 0 if it is not in it.
    const POSITION: &'static str;
    /// The last block of the id as text, spelled as its index is.
    const ID_END: &'static str;
    /// The column by which the rows of one key are told in its three tables, and that text searches answer with.
    const ROW: &'static str;
    /// The three tables of keys: `key_auth k JOIN keys m LEFT JOIN key_use u`.
    const KEYS: &'static str;
    /// The same for counting: what no condition names is not read.
    const COUNTED: &'static str;
    /// Which keys are looked for apart.
    const PARTS: &'static [Part];
    /// The instant of keys that were never used, where keys are sorted by their last use.
    const EPOCH: &'static str;
    /// Whether last uses are in their index by the hour, so that to note one seldom moves anything in it.
    const HOURS: bool;
    /// No network.
    const ANYWHERE: &'static str;
    /// 24 hours, to be added to an instant.
    const DAY: &'static str;
    /// [`query::never`], as the index `auth_far` has it.
    const FAR: &'static str;
    /// No instant is greater.
    const GREATEST: &'static str;

    fn text(sql: &mut QueryBuilder<Self>, value: &str);
    fn time(sql: &mut QueryBuilder<Self>, value: Instant);
    fn id(sql: &mut QueryBuilder<Self>, value: Uuid);
    fn bytes(sql: &mut QueryBuilder<Self>, value: &[u8]);
    /// Any number of ids as one value, in brackets.
    fn ids(sql: &mut QueryBuilder<Self>, values: &[Uuid]);
    /// Rows whose name or description contains `text` (at least three characters), by the trigram index. With
    /// `perhaps`, rows that only may contain it, which is quicker to tell.
    fn by_trigram(sql: &mut QueryBuilder<Self>, text: &str, perhaps: bool);
    /// That the key has the tag; `none`: that it has no tag.
    fn tagged(sql: &mut QueryBuilder<Self>, tag: &str);
}

/// Keys that are looked for apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Those that the indexes have that are fed in batches.
    Listed,
    /// The few made since.
    Fresh,
}

impl Part {
    /// The condition on `key_auth k`.
    pub(super) fn auth(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Listed => " AND k.listed = 1",
            Self::Fresh => " AND k.listed = 0 AND k.seq > (SELECT upto FROM key_feed)",
        }
    }

    /// The condition on `keys m` besides, for the sake of its indexes.
    pub(super) fn keys(self) -> &'static str {
        if self == Self::Listed { " AND m.listed = 1" } else { "" }
    }
}

macro_rules! driver {
    ($db:ty, $position:literal, $id_end:literal, $row:literal, $day:literal, $hours:literal, $epoch:literal, $parts:expr, $ids:item, $trigram:item, $tagged:item) => {
        impl Driver for $db {
            const POSITION: &'static str = $position;
            const ID_END: &'static str = $id_end;
            const ROW: &'static str = $row;
            const ANYWHERE: &'static str = if $hours { "'{}'" } else { "''" };
            const DAY: &'static str = $day;
            const FAR: &'static str = if $hours { "timestamptz '9999-12-31 00:00:00+00'" } else { "253402214400000000" };
            const GREATEST: &'static str = if $hours { "timestamptz 'infinity'" } else { "9223372036854775807" };
            const HOURS: bool = $hours;
            const EPOCH: &'static str = $epoch;
            const PARTS: &'static [Part] = &$parts;
            const KEYS: &'static str = concat!(
                "key_auth k JOIN keys m ON m.", $row, " = k.", $row, " LEFT JOIN key_use u ON u.", $row, " = k.", $row
            );
            const COUNTED: &'static str = concat!(
                "key_auth k LEFT JOIN keys m ON m.", $row, " = k.", $row, " LEFT JOIN key_use u ON u.", $row, " = k.", $row
            );

            fn text(sql: &mut QueryBuilder<Self>, value: &str) {
                sql.push_bind(value.to_owned());
            }

            fn time(sql: &mut QueryBuilder<Self>, value: Instant) {
                sql.push_bind(Time(value));
            }

            fn id(sql: &mut QueryBuilder<Self>, value: Uuid) {
                sql.push_bind(value);
            }

            fn bytes(sql: &mut QueryBuilder<Self>, value: &[u8]) {
                sql.push_bind(value.to_vec());
            }

            $ids

            $trigram

            $tagged
        }
    };
}

driver!(
    Sqlite,
    "instr",
    "lower(hex(substr(k.id, 11)))",
    "seq",
    "86400000000",
    false,
    "0",
    [Part::Listed, Part::Fresh],
    fn ids(sql: &mut QueryBuilder<Self>, values: &[Uuid]) {
        let mut json = String::with_capacity(2 + values.len() * 35);
        for id in values {
            json.push_str(if json.is_empty() { "[\"" } else { "\",\"" });
            json.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        }
        json.push_str("\"]");
        sql.push("(SELECT unhex(value) FROM json_each(").push_bind(json).push("))");
    },
    fn by_trigram(sql: &mut QueryBuilder<Self>, text: &str, perhaps: bool) {
        // The index knows only which trigrams a row has, so the row itself has the last word.
        let letters: Vec<char> = text.chars().collect();
        let trigrams: Vec<String> = letters
            .windows(3)
            .map(|three| format!("\"{}\"", three.iter().collect::<String>().replace('"', "\"\"")))
            .collect();
        if perhaps {
            sql.push("SELECT rowid FROM key_text WHERE key_text MATCH ");
            sql.push_bind(trigrams.join(" AND "));
            return;
        }
        sql.push("SELECT m.seq FROM key_text t JOIN keys m ON m.seq = t.rowid WHERE t.key_text MATCH ");
        sql.push_bind(trigrams.join(" AND "));
        sql.push(" AND instr(m.search, ");
        sql.push_bind(text.to_owned());
        sql.push(") > 0");
    },
    fn tagged(sql: &mut QueryBuilder<Self>, tag: &str) {
        if tag == "none" {
            sql.push("m.tags = ''");
        } else {
            sql.push("EXISTS (SELECT 1 FROM key_tags t WHERE t.seq = k.seq AND t.tag = ")
                .push_bind(tag.to_owned())
                .push(")");
        }
    }
);

driver!(
    Postgres,
    "strpos",
    "right(k.id::text, 12) COLLATE \"C\"",
    "id",
    "interval '24 hours'",
    true,
    "timestamptz 'epoch'",
    [Part::All],
    fn ids(sql: &mut QueryBuilder<Self>, values: &[Uuid]) {
        sql.push("(SELECT unnest(").push_bind(values.to_vec()).push("::uuid[]))");
    },
    fn by_trigram(sql: &mut QueryBuilder<Self>, text: &str, _perhaps: bool) {
        sql.push("SELECT m.id FROM keys m WHERE m.search LIKE ");
        sql.push_bind(like(text));
        sql.push(" ESCAPE '!'");
    },
    fn tagged(sql: &mut QueryBuilder<Self>, tag: &str) {
        if tag == "none" {
            sql.push("m.tags = ''");
        } else {
            sql.push("m.tags <> '' AND string_to_array(m.tags, ' ') @> ARRAY[")
                .push_bind(tag.to_owned())
                .push("]");
        }
    }
);

/// More ids than these are one value of a statement: it is the same for any number of them.
const FEW: usize = 32;

/// Writes `(id, id, …)`. There must be one at least.
pub(super) fn push_ids<D: Driver>(sql: &mut QueryBuilder<D>, ids: &[Uuid]) {
    if ids.len() > FEW {
        return D::ids(sql, ids);
    }
    for (n, id) in ids.iter().enumerate() {
        sql.push(if n == 0 { "(" } else { ", " });
        D::id(sql, *id);
    }
    sql.push(")");
}

/// Which index a statement is driven by, where the database's planner can't know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drive {
    /// What the planner thinks best.
    Planner,
    /// An index finds the few rows of the term with this number; they are sorted afterwards.
    Found(usize),
    /// The sort's own index; the conditions are looked at in each row.
    Order,
    /// Every row as it lies there; those that fit are sorted afterwards.
    All,
}

/// Writes the conditions of `query`, each with ` AND ` before it. What `forms` say counts only where [`Query::asks_forms`].
pub(super) fn push_conditions<D: Driver>(
    sql: &mut QueryBuilder<D>,
    query: &Query,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) {
    if !query.mentions_status() {
        status::push_revoked(sql.push(" AND (NOT "), now);
        sql.push(" OR k.issuer NOT IN (SELECT slug FROM issuers WHERE hide_revoked))");
    }
    for (number, term) in query.terms.iter().enumerate() {
        if term.is_living() {
            if drive == Drive::Found(number) {
                sql.push(" AND k.").push(D::ROW).push(" IN (");
                push_living_rows(sql, now);
                sql.push(")");
            }
            // The same in the words of the indexes.
            push_lives(sql.push(" AND "), now);
            continue;
        }
        sql.push(if term.negated { " AND NOT (" } else { " AND (" });
        match &term.test {
            test if drive == Drive::Found(number) => {
                sql.push("k.").push(D::ROW).push(" IN (");
                push_rows(sql, test, now, forms, false);
                sql.push(")");
                found::push_rest(sql, test, now, forms);
            }
            test => push_test(sql, test, now, forms),
        }
        sql.push(")");
    }
}

/// Writes what the terms of `query` ask, each with ` AND ` before it, and nothing else.
pub(super) fn push_terms<D: Driver>(sql: &mut QueryBuilder<D>, query: &Query, now: Instant, forms: &Forms) {
    for term in &query.terms {
        sql.push(if term.negated { " AND NOT (" } else { " AND (" });
        push_test(sql, &term.test, now, forms);
        sql.push(")");
    }
}

fn push_test<D: Driver>(sql: &mut QueryBuilder<D>, test: &Test, now: Instant, forms: &Forms) {
    match test {
        Test::Status(statuses) => push_statuses(sql, statuses, now, forms),
        Test::Account(slugs) => one_of(sql, "k.account", slugs),
        Test::Issuer(slugs) => one_of(sql, "k.issuer", slugs),
        Test::CreatedBy(names) => one_of(sql, "m.created_by", names),
        Test::Scope(scopes) => push_has(sql, "k.scopes", scopes),
        Test::Owner(names) => push_owners(sql, names),
        Test::Tag(tags) => any(sql, tags, |sql, tag| D::tagged(sql, tag)),
        Test::NeverExpires(never) => {
            // The column that is never null stands in indexes.
            if *never {
                sql.push("k.expires_key >= ");
                D::time(sql, query::never());
                sql.push(" AND ");
            }
            sql.push(if *never { "k.expires_at IS NULL" } else { "k.expires_at IS NOT NULL" });
        }
        Test::Expires(bound) => {
            // The column that is never null is the one with the index.
            push_bound(sql, "k.expires_key", *bound, now);
            sql.push(" AND k.expires_at IS NOT NULL");
            if bound.is_coming() {
                sql.push(" AND k.expires_key > ");
                D::time(sql, now);
            }
        }
        Test::Created(bound) => push_bound(sql, "k.created_at", *bound, now),
        Test::Revoked(bound) => status::push_revoked_when(sql, *bound, now),
        Test::Used(bound) => {
            push_bound(sql, "u.last_used_at", *bound, now);
            // The index knows the hours.
            let (sign, point) = match bound {
                Bound::Before(point) => ("<=", point),
                Bound::After(point) => (">=", point),
            };
            push_hour(sql, sign, point.instant(now));
            sql.push(" AND k.first_used_at IS NOT NULL");
        }
        Test::NeverUsed(never) => {
            sql.push(if *never { "k.first_used_at IS NULL" } else { "k.first_used_at IS NOT NULL" });
        }
        Test::Idle(span) => {
            sql.push("coalesce(u.last_used_at, k.created_at) <= ");
            D::time(sql, Point::FromNow(-*span).instant(now));
        }
        Test::RotationDue => push_rotation_due(sql, now),
        Test::Violates(policies) => push_violates(sql, policies, now),
        Test::CreatorGone(gone, here) => {
            sql.push(if *gone { "NOT (" } else { "(" });
            one_of(sql, "m.created_by", here);
            sql.push(")");
        }
        Test::Anywhere(any) => {
            sql.push("k.allow ").push(if *any { "= " } else { "<> " }).push(D::ANYWHERE);
        }
        Test::Acknowledged(yes) => {
            sql.push(if *yes { "k.acknowledged_at IS NOT NULL" } else { "k.acknowledged_at IS NULL" });
        }
        Test::Replaced(yes) => {
            sql.push(if *yes { "m.successor IS NOT NULL" } else { "m.successor IS NULL" });
        }
        Test::Replaces(yes) => {
            sql.push(if *yes { "m.predecessor IS NOT NULL" } else { "m.predecessor IS NULL" });
        }
        Test::Overlap(side) => push_overlap(sql, *side, now),
        Test::Name(names) => any(sql, names, |sql, name| {
            sql.push("m.name_key = ");
            D::text(sql, &fold(name));
            sql.push(" AND m.name = ");
            D::text(sql, name);
        }),
        Test::NamePart(parts) => any(sql, parts, |sql, part| {
            // The name comes first in the column, up to the end of its line.
            sql.push(D::POSITION).push("(substr(m.search, 1, ").push(D::POSITION).push("(m.search, ");
            D::text(sql, "\n");
            sql.push(")), ");
            D::text(sql, &fold(part));
            sql.push(") > 0");
        }),
        Test::Id(text) => push_id(sql, text),
        Test::Text(text) => push_text(sql, text),
    }
}

fn one_of<D: Driver>(sql: &mut QueryBuilder<D>, column: &str, values: &[String]) {
    any(sql, values, |sql, value| {
        sql.push(column).push(" = ");
        D::text(sql, value);
    });
}

fn any<D: Driver, T>(sql: &mut QueryBuilder<D>, items: &[T], mut push: impl FnMut(&mut QueryBuilder<D>, &T)) {
    if items.is_empty() {
        sql.push("1 = 0");
    }
    for (i, item) in items.iter().enumerate() {
        sql.push(if i == 0 { "(" } else { " OR (" });
        push(sql, item);
        sql.push(")");
    }
}
