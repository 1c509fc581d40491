//! Which index a page is read by. SQLite is told, because its planner does not know how many rows a term fits; PostgreSQL
//! keeps count of its common values by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sqlx::{QueryBuilder, SqliteConnection};

use super::super::dialect::both;
use super::super::filter::{Drive, Driver, Part, push_are_few, push_living_rows, push_rows};
use super::{Reader, Slice, by_keys, column};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::query::{Column, Query, Term, Test};

/// With debug assertions a thousand keys are many, so that tests read their pages in every way.
const SMALL: bool = cfg!(debug_assertions);
/// A term that fits no more rows than this is looked up and what it finds is sorted; one that fits more is met so often in
/// the sort's own index that a page fills quickly from there.
const RARE: i64 = if SMALL { 60 } else { 4_000 };
/// Where it doesn't, because two such terms hardly ever meet, or what fits lies all at the other end, no more rows than this
/// are looked up and sorted instead.
const MANY: i64 = if SMALL { 400 } else { 250_000 };
/// The same for terms whose rows take longer to find, by their text.
const MANY_TEXTS: i64 = 50_000;
/// A page that is not filled after so many of SQLite's steps is read in another way, where an index has the rows of a term.
/// Steps and no time, so that a busy machine reads it in the same way. A row takes some 25.
const WALK: u32 = if SMALL { STEPS } else { 1_000_000 };
/// After so many steps it is asked whether they are over.
const STEPS: u32 = 4_000;

/// Where none has, all rows would be the other way: after so many steps for each of those that would have been the better one.
/// In an order of uses or of `keys` a row lies elsewhere in each table, and its steps take longer.
fn walked_each(order: Column) -> u32 {
    match column(order).0 {
        auth if auth.starts_with("k.") => 6,
        used if used.starts_with("u.") => 3,
        _ => 1,
    }
}

/// The text term that the indexes on texts are best for.
fn text_term(query: &Query) -> Option<usize> {
    query
        .terms
        .iter()
        .position(|term| !term.negated && matches!(&term.test, Test::Text(text) if text.chars().count() >= 3))
}

/// Whether the keys that it fits were used; none where it may be either.
pub(super) fn is_used(query: &Query) -> Option<bool> {
    query.terms.iter().find_map(|term| match term.test {
        Test::Used(_) if !term.negated => Some(true),
        Test::NeverUsed(never) => Some(never == term.negated),
        _ => None,
    })
}

/// Looks at how many rows the terms have before choosing the way to them; and whether some index has the rows of one.
pub(super) async fn choose(
    reader: &mut Reader,
    query: &Query,
    now: Instant,
    forms: &Forms,
) -> sqlx::Result<(Drive, bool)> {
    let (rarest, indexed) = rarest(reader, query, now, forms, RARE).await?;
    Ok(match rarest {
        Some(number) => (Drive::Found(number), indexed),
        None if matches!(reader, Reader::Sqlite(_)) => (Drive::Order, indexed),
        None => (Drive::Planner, indexed),
    })
}

/// The way for a page that its order did not fill soon. Row after row as they lie there costs a fraction of what they cost in
/// another order.
pub(super) async fn instead(
    reader: &mut Reader,
    query: &Query,
    now: Instant,
    forms: &Forms,
) -> sqlx::Result<Drive> {
    Ok(rarest(reader, query, now, forms, MANY).await?.0.map_or(Drive::All, Drive::Found))
}

/// The term that fits the fewest rows, if those are no more than `most`; and whether some index has the rows of one.
async fn rarest(
    reader: &mut Reader,
    query: &Query,
    now: Instant,
    forms: &Forms,
    most: i64,
) -> sqlx::Result<(Option<usize>, bool)> {
    let (mut best, mut indexed) = (None, false);
    let many = most == MANY;
    let mut most = most;
    // What lives is looked up only where the order met too few of it.
    let serves = |term: &Term| match term.is_living() {
        true => many,
        false => !term.negated && !term.test.is_any_status(),
    };
    for (number, term) in query.terms.iter().enumerate().filter(|(_, term)| serves(term)) {
        if matches!(&term.test, Test::Scope(scopes) if *scopes != ["none"]) && !sets_are_few(reader).await? {
            continue;
        }
        let enough = match &term.test {
            Test::Text(_) | Test::NamePart(_) => most.min(MANY_TEXTS),
            _ => most,
        };
        let found: i64 = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT count(*) FROM (SELECT 1 FROM (");
            if term.is_living() {
                push_living_rows(&mut sql, now);
            } else if !push_rows::<Db>(&mut sql, &term.test, now, forms, true) {
                continue;
            }
            sql.push(format!(") AS found LIMIT {}) AS counted", enough + 1));
            sql.build_query_scalar::<i64>().fetch_one(c).await?
        });
        indexed = true;
        if found <= enough {
            best = Some(number);
            // Another one is better only if it fits fewer.
            most = found - 1;
        }
        if most < 0 {
            break;
        }
    }
    Ok((best, indexed))
}

/// Whether the keys have so few sets of scopes that those with one of them are found by its index.
async fn sets_are_few(reader: &mut Reader) -> sqlx::Result<bool> {
    let few: Option<i64> = both!(reader.conn(), c => {
        let mut sql = QueryBuilder::<Db>::new("");
        push_are_few(&mut sql);
        sql.build_query_scalar().fetch_optional(c).await?
    });
    Ok(few.is_some())
}

/// The term by which a count finds its keys, where an index does: there is no order to keep, so however many those are.
pub(super) async fn to_count(reader: &mut Reader, query: &Query) -> sqlx::Result<Drive> {
    if let Some(number) = text_term(query) {
        return Ok(Drive::Found(number));
    }
    let scope = |term: &Term| !term.negated && matches!(term.test, Test::Scope(_));
    Ok(match query.terms.iter().position(scope) {
        Some(number) if sets_are_few(reader).await? => Drive::Found(number),
        _ => Drive::Planner,
    })
}

/// While it is there, what a connection reads is asked every so many steps of SQLite's whether it may go on, and else ends
/// with the error [`STOPPED`]. It ends with this, also where nobody waits for the answer any more.
pub(super) struct Bound(Arc<AtomicBool>);

/// SQLite's code for what was interrupted, and PostgreSQL's.
pub(super) const STOPPED: &str = "9";
pub(super) const CANCELED: &str = "57014";

/// As long as PostgreSQL may read a page in the way that it planned: 100 ms, or where all rows take longer, as long as those.
pub(super) const PLANNED: &str = "SELECT set_config('statement_timeout', greatest(100, reltuples / 5000)::bigint::text, true) FROM pg_class WHERE oid = 'key_auth'::regclass";

impl Bound {
    pub async fn new(
        conn: &mut SqliteConnection,
        steps: u32,
        goes_on: impl Fn() -> bool + Send + 'static,
    ) -> sqlx::Result<Self> {
        let holds = Arc::new(AtomicBool::new(true));
        let held = Arc::clone(&holds);
        conn.lock_handle().await?.set_progress_handler(i32::try_from(steps).unwrap_or(i32::MAX), move || {
            !held.load(Ordering::Relaxed) || goes_on()
        });
        Ok(Self(holds))
    }

    /// As long as it may fill a page sooner than another way. `indexed`: whether some index has the rows of a term.
    pub async fn walk(conn: &mut SqliteConnection, order: Column, indexed: bool) -> sqlx::Result<Self> {
        let steps = if indexed {
            WALK / 6 * walked_each(order).max(3)
        } else {
            let rows: Option<i64> =
                sqlx::query_scalar("SELECT max(seq) FROM key_auth").fetch_one(&mut *conn).await?;
            let rows = u32::try_from(rows.unwrap_or_default()).unwrap_or(u32::MAX);
            rows.saturating_mul(walked_each(order)).max(WALK)
        };
        let left = AtomicU32::new(steps / STEPS);
        let goes_on = move || {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        };
        Self::new(conn, STEPS, goes_on).await
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The three tables of keys, with the one first whose index has the order; of the others, what no condition names is not read.
pub(super) fn tables<D: Driver>(slice: Slice<'_>, part: Part, used: Option<bool>, drive: Drive) -> String {
    // Where a row of it must be there, the planner could begin with all of those.
    let uses = |row: &str| {
        let asked = |term: &Term| !term.negated && matches!(term.test, Test::Used(_));
        let must = used == Some(true) || slice.query.terms.iter().any(asked);
        format!(" {} JOIN key_use u ON u.seq = {row}.seq", if must { "CROSS" } else { "LEFT" })
    };
    match part {
        Part::All if by_keys(slice.sort.column) => return D::KEYS.into(),
        Part::All => return D::COUNTED.into(),
        Part::Fresh => {
            return format!("key_auth k NOT INDEXED CROSS JOIN keys m ON m.seq = k.seq{}", uses("k"));
        }
        Part::Listed if drive == Drive::All => {
            let join = if by_keys(slice.sort.column) { "CROSS" } else { "LEFT" };
            return format!(
                "key_auth k NOT INDEXED {join} JOIN keys m NOT INDEXED ON m.seq = k.seq{}",
                uses("k")
            );
        }
        Part::Listed if drive != Drive::Order => return D::COUNTED.into(),
        Part::Listed => {}
    }
    let auth =
        |index: &str| format!("key_auth k INDEXED BY {index}{} LEFT JOIN keys m ON m.seq = k.seq", uses("k"));
    let keys = |index: &str| {
        format!("keys m INDEXED BY {index} CROSS JOIN key_auth k ON k.seq = m.seq{}", uses("m"))
    };
    match (slice.sort.column, used) {
        (Column::Used, Some(false)) => auth("auth_unused"),
        (Column::Used, _) => {
            "key_use u INDEXED BY use_by_time CROSS JOIN key_auth k ON k.seq = u.seq LEFT JOIN keys m ON m.seq = u.seq"
                .into()
        }
        (Column::Status, _) => auth("auth_by_ends"),
        (Column::Account, _) => auth("auth_by_account"),
        (Column::Scopes, _) => auth("auth_by_scopes"),
        (Column::Created, _) => auth("auth_by_created"),
        (Column::Expires, _) => auth("auth_by_expiry"),
        (Column::Name, _) => keys("keys_name"),
        (Column::Preview, _) => keys("keys_preview"),
        (Column::CreatedBy, _) => keys("keys_creator"),
    }
}
