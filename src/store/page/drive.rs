//! Which index a page is read by. SQLite is told, because its planner does not know how many rows a term fits; PostgreSQL
//! keeps count of its common values by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use sqlx::{QueryBuilder, SqliteConnection};

use super::super::dialect::both;
use super::super::filter::{Drive, Driver, Part, push_are_few, push_living_rows, push_rows};
use super::{Reader, Slice};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::query::{Column, Query, Term, Test};

/// A term that fits no more rows than this is looked up and what it finds is sorted; one that fits more is met so often in
/// the sort's own index that a page fills quickly from there.
const RARE: i64 = 4_000;
/// Where it doesn't, because two such terms hardly ever meet, no more rows than this are looked up and sorted instead.
const MANY: i64 = 100_000;
/// A page that is not filled by then is read in another way.
const WALK: Duration = Duration::from_millis(40);
/// After so many of SQLite's steps it is asked whether that time is over.
const STEPS: i32 = 4_000;

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

/// Looks at how many rows the terms have before choosing the way to them.
pub(super) async fn choose(
    reader: &mut Reader,
    query: &Query,
    now: Instant,
    forms: &Forms,
) -> sqlx::Result<Drive> {
    Ok(match rarest(reader, query, now, forms, RARE).await? {
        Some(number) => Drive::Found(number),
        None if matches!(reader, Reader::Sqlite(_)) => Drive::Order,
        None => Drive::Planner,
    })
}

/// The way for a page that its order did not fill in time.
pub(super) async fn instead(
    reader: &mut Reader,
    query: &Query,
    now: Instant,
    forms: &Forms,
) -> sqlx::Result<Drive> {
    Ok(rarest(reader, query, now, forms, MANY).await?.map_or(Drive::Order, Drive::Found))
}

/// The term that fits the fewest rows, if those are no more than `most`.
async fn rarest(
    reader: &mut Reader,
    query: &Query,
    now: Instant,
    forms: &Forms,
    most: i64,
) -> sqlx::Result<Option<usize>> {
    let mut best = None;
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
        let found: i64 = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT count(*) FROM (SELECT 1 FROM (");
            if term.is_living() {
                push_living_rows(&mut sql, now);
            } else if !push_rows::<Db>(&mut sql, &term.test, now, forms, true) {
                continue;
            }
            sql.push(format!(") AS found LIMIT {}) AS counted", most + 1));
            sql.build_query_scalar::<i64>().fetch_one(c).await?
        });
        if found <= most {
            best = Some(number);
            // Another one is better only if it fits fewer.
            most = found - 1;
        }
        if most < 0 {
            break;
        }
    }
    Ok(best)
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

/// SQLite's code for what was interrupted.
pub(super) const STOPPED: &str = "9";

impl Bound {
    pub async fn new(
        conn: &mut SqliteConnection,
        steps: i32,
        goes_on: impl Fn() -> bool + Send + 'static,
    ) -> sqlx::Result<Self> {
        let holds = Arc::new(AtomicBool::new(true));
        let held = Arc::clone(&holds);
        conn.lock_handle()
            .await?
            .set_progress_handler(steps, move || !held.load(Ordering::Relaxed) || goes_on());
        Ok(Self(holds))
    }

    /// Only as long as somebody waits for a page.
    pub async fn walk(conn: &mut SqliteConnection) -> sqlx::Result<Self> {
        let end = Moment::now() + WALK;
        Self::new(conn, STEPS, move || Moment::now() < end).await
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The three tables of keys, with the one first whose index has the order.
pub(super) fn tables<D: Driver>(slice: Slice<'_>, part: Part, used: Option<bool>, drive: Drive) -> String {
    if drive != Drive::Order || part != Part::Listed {
        return D::KEYS.into();
    }
    let auth = |index: &str| {
        format!(
            "key_auth k INDEXED BY {index} CROSS JOIN keys m ON m.seq = k.seq LEFT JOIN key_use u ON u.seq = k.seq"
        )
    };
    let keys = |index: &str| {
        format!(
            "keys m INDEXED BY {index} CROSS JOIN key_auth k ON k.seq = m.seq LEFT JOIN key_use u ON u.seq = m.seq"
        )
    };
    match (slice.sort.column, used) {
        (Column::Used, Some(false)) => auth("auth_unused"),
        (Column::Used, _) => {
            "key_use u INDEXED BY use_by_time CROSS JOIN key_auth k ON k.seq = u.seq CROSS JOIN keys m ON m.seq = u.seq"
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
