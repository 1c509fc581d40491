//! Pages of the table of keys, by keyset: what a page costs does not depend on where it is or how many keys there are.

use sqlx::{FromRow, QueryBuilder};

use super::dialect::both;
use super::filter::{Drive, Driver, Part, push_conditions, push_hour, push_idle, push_reach};
use super::reading::Reading;
use super::rows::{KEY_COLUMNS, KeyRow};
use super::{Conn, Reader, Result, Store};
use crate::domain::Instant;
use crate::domain::hold::Hold;
use crate::domain::issuer::Forms;
use crate::domain::key::Key;
use crate::domain::query::{Column, Cursor, CursorValue, Direction, Query, Sort};

mod drive;
mod rank;
mod tally;

use drive::{Bound, CANCELED, STOPPED};
pub(super) use rank::Counting;

/// Which side of a place a page lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the place on, in the table's order. Without a place: the first rows.
    From,
    /// After the place, in the table's order.
    After,
    /// Before the place, nearest first. Without a place: the last rows.
    Before,
}

/// Which rows of the table are wanted.
#[derive(Clone, Copy)]
pub struct Slice<'a> {
    pub query: &'a Query,
    pub sort: Sort,
    pub place: Option<&'a Cursor>,
    pub side: Side,
    pub limit: u32,
}

/// The column of the database behind a column of the table, and whether it holds instants.
fn column(column: Column) -> (&'static str, bool) {
    match column {
        Column::Status => ("k.ends_at", true),
        Column::Name => ("m.name_key", false),
        Column::Account => ("k.account", false),
        Column::Preview => ("m.preview", false),
        Column::Scopes => ("k.scopes", false),
        Column::Created => ("k.created_at", true),
        Column::Expires => ("k.expires_key", true),
        Column::Used => ("u.last_used_at", true),
        Column::CreatedBy => ("m.created_by", false),
    }
}

/// Whether an order is of a column of the table `keys m`.
fn by_keys(order: Column) -> bool {
    column(order).0.starts_with("m.")
}

/// Keys that are read in the order of one index.
#[derive(Clone, Copy)]
struct Cut {
    part: Part,
    /// Sorted by last use: those that were used have another index than those that never were.
    used: Option<bool>,
}

/// Writes the statement for a slice: each cut has its own page, and the whole one is made of them. The places come first, by
/// the tables that the conditions and the order name; what else a row has is read of those that are shown.
fn push_slice<D: Driver>(
    sql: &mut QueryBuilder<D>,
    slice: Slice<'_>,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) {
    let way = if forward(slice) { "ASC" } else { "DESC" };
    let cuts = cuts::<D>(slice);
    sql.push(format!("SELECT {KEY_COLUMNS}, place FROM ("));
    for (n, cut) in cuts.iter().enumerate() {
        sql.push(if n == 0 { "" } else { " UNION ALL " });
        sql.push(if cuts.len() == 1 { "" } else { "SELECT * FROM (" });
        push_places(sql, slice, *cut, now, drive, forms);
        sql.push(if cuts.len() == 1 { String::new() } else { format!(") AS cut{n}") });
    }
    let order = format!(" ORDER BY place {way}, shown {way}");
    if cuts.len() > 1 {
        sql.push(&order).push(format!(" LIMIT {}", slice.limit));
    }
    sql.push(format!(") AS places JOIN key_auth k ON k.{0} = one LEFT JOIN keys m ON m.{0} = one LEFT JOIN key_use u ON u.{0} = one", D::ROW));
    sql.push(order);
}

/// The cuts that the rows of a slice are in.
fn cuts<D: Driver>(slice: Slice<'_>) -> Vec<Cut> {
    let used: &[Option<bool>] = match (slice.sort.column, drive::is_used(slice.query)) {
        (Column::Used, None) => &[Some(true), Some(false)],
        (Column::Used, Some(true)) => &[Some(true)],
        (Column::Used, Some(false)) => &[Some(false)],
        _ => &[None],
    };
    D::PARTS.iter().flat_map(|part| used.iter().map(|used| Cut { part: *part, used: *used })).collect()
}

/// Whether the rows are read in rising order.
fn forward(slice: Slice<'_>) -> bool {
    (slice.side != Side::Before) == (slice.sort.direction == Direction::Ascending)
}

/// Writes the statement for the places of a cut: each has its row as `one`, the id as `shown`, and what it is sorted by as `place`.
fn push_places<D: Driver>(
    sql: &mut QueryBuilder<D>,
    slice: Slice<'_>,
    cut: Cut,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) {
    let (column, instants) = column(slice.sort.column);
    let name = ordered_by::<D>(slice, cut);
    // Its rows are few, and sorted.
    let drive = if cut.part == Part::Fresh { Drive::Order } else { drive };
    // Of the index on names and the like, the second column is the id of its own table.
    let by_keys = by_keys(slice.sort.column);
    let (row, id) = if by_keys { ("m", "m.id") } else { ("k", "k.id") };
    let tables = drive::tables::<D>(slice, cut.part, cut.used, drive);
    // PostgreSQL takes most terms for less rare than they are. Behind this fence it finds all that fit before it sorts any.
    let fence = drive == Drive::All && cut.part == Part::All;
    sql.push(if fence { "SELECT * FROM (" } else { "" });
    sql.push(format!(
        "SELECT {row}.{} AS one, {id} AS shown, {name} AS place FROM {tables} WHERE 1 = 1",
        D::ROW
    ));
    push_cut(sql, cut, by_keys);
    let forward = forward(slice);
    // Of several bounds on one side SQLite takes the first that is written to begin at.
    if let Some(cursor) = slice.place {
        push_place(sql, cursor, cut, (name, column, id), (forward, slice.side));
    }
    push_reach(sql, slice.query, slice.sort.column, now);
    if cut.used == Some(true) {
        push_idle(sql, slice.query, now);
    }
    push_conditions(sql, slice.query, now, drive, forms);
    let way = if forward { "ASC" } else { "DESC" };
    if fence {
        sql.push(format!(" OFFSET 0) AS fitting ORDER BY place {way}, shown {way} LIMIT {}", slice.limit));
        return;
    }
    // The rows that an index found, or that no index has yet, are sorted; this keeps the planner from walking the sort's
    // index instead.
    let sorted = matches!(drive, Drive::Found(_) | Drive::All) || cut.part == Part::Fresh;
    let order = match (sorted, D::ROW, instants) {
        _ if cut.used == Some(false) => String::new(),
        (false, _, _) if cut.used.is_some() && D::HOURS => format!("u.hour {way}, {name} {way}, "),
        (false, _, _) => format!("{name} {way}, "),
        (true, "seq", _) => format!("+{name} {way}, "),
        (true, _, true) => format!("{name} + interval '0' {way}, "),
        (true, _, false) => format!("{name} || '' {way}, "),
    };
    let id = if sorted && D::ROW == "seq" { format!("+{id}") } else { id.into() };
    sql.push(format!(" ORDER BY {order}{id} {way} LIMIT {}", slice.limit));
}

/// What the rows of a cut are sorted by.
fn ordered_by<D: Driver>(slice: Slice<'_>, cut: Cut) -> &'static str {
    if cut.used == Some(false) { D::EPOCH } else { column(slice.sort.column).0 }
}

/// Writes the condition that a row is of this cut. `keys`: whether the table `keys m` is read.
fn push_cut<D: Driver>(sql: &mut QueryBuilder<D>, cut: Cut, keys: bool) {
    sql.push(cut.part.auth()).push(if keys { cut.part.keys() } else { "" }).push(match cut.used {
        None => "",
        Some(true) if D::HOURS => " AND k.first_used_at IS NOT NULL AND u.hour IS NOT NULL",
        Some(true) => " AND k.first_used_at IS NOT NULL AND u.last_used_at IS NOT NULL",
        Some(false) => " AND k.first_used_at IS NULL",
    });
}

/// Writes the condition that a row lies on the wanted side of a place.
fn push_place<D: Driver>(
    sql: &mut QueryBuilder<D>,
    cursor: &Cursor,
    cut: Cut,
    (name, column, id): (&str, &str, &str),
    (forward, side): (bool, Side),
) {
    if let (Some(used), CursorValue::Instant(at)) = (cut.used, &cursor.value) {
        if used {
            push_hour(sql, if forward { ">=" } else { "<=" }, *at);
        } else if *at != Instant::UNIX_EPOCH {
            // All that were never used lie on one side of it.
            sql.push(if (*at < Instant::UNIX_EPOCH) == forward { "" } else { " AND 1 = 0" });
            return;
        }
    }
    let sign = match (forward, side) {
        (true, Side::From) => ">=",
        (false, Side::From) => "<=",
        (true, _) => ">",
        (false, _) => "<",
    };
    if cut.used == Some(false) && cursor.value != CursorValue::AsStored {
        sql.push(format!(" AND {id} {sign} "));
        return push_row_id(sql, cursor);
    }
    sql.push(format!(" AND ({name}, {id}) {sign} ("));
    match &cursor.value {
        CursorValue::Text(text) => D::text(sql, text),
        CursorValue::Instant(at) => D::time(sql, *at),
        CursorValue::AsStored => {
            sql.push(format!("(SELECT {column} FROM {} WHERE k.id = ", D::KEYS));
            push_row_id(sql, cursor);
            sql.push(")");
        }
    }
    sql.push(", ");
    push_row_id(sql, cursor);
    sql.push(")");
}

/// Writes the id of a place, as its row has it.
fn push_row_id<D: Driver>(sql: &mut QueryBuilder<D>, cursor: &Cursor) {
    match &cursor.odd_id {
        Some(bytes) => D::bytes(sql, bytes),
        None => D::id(sql, cursor.id),
    }
}

impl Store {
    /// The keys of a slice, nearest to its place first, each with its own place.
    pub async fn page(&self, slice: Slice<'_>, now: Instant) -> Result<Vec<(Key, Cursor)>> {
        let mut reader = self.reader().await?;
        let forms = forms(&mut reader, slice.query, now).await?;
        let (keys, places) = match read_page(&mut reader, slice, now, &forms).await {
            // While keys are loaded in bulk, and after a load that was killed.
            Err(error) if lacks_index(&error) => {
                read_slice(reader.conn(), slice, now, Drive::Planner, &forms).await?
            }
            read => read?,
        };
        Ok(reader.conn().judge(keys).await?.into_iter().zip(places).collect())
    }
}

/// The rows of a slice, by the indexes that suit it: in its order while that fills a page soon, else in another way.
async fn read_page(
    reader: &mut Reader,
    slice: Slice<'_>,
    now: Instant,
    forms: &Forms,
) -> sqlx::Result<(Vec<Key>, Vec<Cursor>)> {
    let (way, indexed) = drive::choose(reader, slice.query, now, forms).await?;
    // Without a term each row of the order is one of the page's.
    if matches!(way, Drive::Found(_)) || slice.query.terms.is_empty() {
        return read_slice(reader.conn(), slice, now, way, forms).await;
    }
    let (read, stopped) = match reader.conn() {
        Conn::Sqlite(c) => {
            let _bound = Bound::walk(c, slice.sort.column, indexed).await?;
            (read_slice(Conn::Sqlite(c), slice, now, way, forms).await, STOPPED)
        }
        Conn::Postgres(c) => {
            let mut tx = c.within().await?;
            sqlx::query(drive::PLANNED).execute(&mut tx.wire()).await?;
            let read = read_slice(Conn::Postgres(tx.wire()), slice, now, way, forms).await;
            tx.rollback().await?;
            (read, CANCELED)
        }
    };
    match read {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(stopped) => {
            let way = drive::instead(reader, slice.query, now, forms).await?;
            read_slice(reader.conn(), slice, now, way, forms).await
        }
        read => read,
    }
}

fn lacks_index(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.message().starts_with("no such index"))
}

/// The rows of a slice, and each one's place.
async fn read_slice(
    conn: Conn<'_>,
    slice: Slice<'_>,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) -> sqlx::Result<(Vec<Key>, Vec<Cursor>)> {
    let (_, instants) = column(slice.sort.column);
    Ok(both!(conn, c => {
        let mut sql = QueryBuilder::<Db>::new("");
        push_slice::<Db>(&mut sql, slice, now, drive, forms);
        let mut rows = (Vec::new(), Vec::new());
        for row in sql.build().fetch_all(c).await? {
            let mut place = Reading::new(&row);
            let value = if instants {
                CursorValue::Instant(place.time("place"))
            } else {
                CursorValue::Text(place.text("place"))
            };
            let value = if place.odd().is_empty() { value } else { CursorValue::AsStored };
            let mut id = Reading::new(&row);
            id.id("id");
            let odd_id = (!id.odd().is_empty()).then(|| id.get("id"));
            let row = KeyRow::from_row(&row)?;
            rows.1.push(Cursor { value, id: row.0.id, odd_id });
            rows.0.push(row.0);
        }
        rows
    }))
}

/// What the filter must know of the forms that gates take, and of the freezes that hold.
async fn forms(reader: &mut Reader, query: &Query, now: Instant) -> Result<Forms> {
    let mut forms = if query.asks_forms() { reader.conn().forms().await? } else { Forms::default() };
    if query.mentions_status() {
        let freezes = reader.conn().freezes().await?;
        forms.frozen = freezes.iter().filter(|hold| hold.holds(now)).map(Hold::query).collect();
    }
    Ok(forms)
}
