//! Reading a row column by column: what can't be read of it is told, and hides neither the rest of it nor other rows.

use std::str::FromStr;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Error, FromRow, Postgres, Row, Sqlite, Type, ValueRef};
use uuid::Uuid;

use super::dialect::{Micros, Text};
use crate::domain::Instant;
use crate::domain::text::{SafeText, hex};

/// What can be read from a column of either database.
pub(super) trait Cell: Sized {
    fn sqlite(row: &SqliteRow, column: &str) -> Result<Self, Error>;
    fn postgres(row: &PgRow, column: &str) -> Result<Self, Error>;
}

impl<T> Cell for T
where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
{
    fn sqlite(row: &SqliteRow, column: &str) -> Result<Self, Error> {
        row.try_get(column)
    }

    fn postgres(row: &PgRow, column: &str) -> Result<Self, Error> {
        row.try_get(column)
    }
}

/// A row of either database.
pub(super) trait Cells: Row {
    fn cell<T: Cell>(&self, column: &str) -> Result<T, Error>;
    fn null(&self, column: &str) -> bool;
}

impl Cells for SqliteRow {
    fn cell<T: Cell>(&self, column: &str) -> Result<T, Error> {
        T::sqlite(self, column)
    }

    fn null(&self, column: &str) -> bool {
        self.try_get_raw(column).is_ok_and(|value| value.is_null())
    }
}

impl Cells for PgRow {
    fn cell<T: Cell>(&self, column: &str) -> Result<T, Error> {
        T::postgres(self, column)
    }

    fn null(&self, column: &str) -> bool {
        self.try_get_raw(column).is_ok_and(|value| value.is_null())
    }
}

/// A row that is being read. A column that can't be is answered with what stands for nothing, or with what is nearest to it.
pub(super) struct Reading<'r, R> {
    row: &'r R,
    odd: Vec<String>,
}

impl<'r, R: Cells> Reading<'r, R> {
    pub(super) fn new(row: &'r R) -> Self {
        Self { row, odd: Vec::new() }
    }

    /// What a part of the row makes, read apart.
    pub(super) fn part<T: FromRow<'r, R>>(&self) -> Result<T, Error> {
        T::from_row(self.row)
    }

    /// Takes note of what can't be read.
    pub(super) fn note(&mut self, column: &str, why: &str) {
        self.odd.push(format!("{column}: {why}"));
    }

    /// Whether a column is NULL.
    pub(super) fn is_null(&self, column: &str) -> bool {
        self.row.null(column)
    }

    /// What tells a row from others, in whatever form it can be had.
    pub(super) fn shown(&self, column: &str) -> SafeText {
        let row = self.row;
        let id = row.cell::<Text>(column).map(|text| text.text);
        let id = id.or_else(|_| row.cell::<i64>(column).map(|number| number.to_string()));
        let id = id.or_else(|_| row.cell::<Uuid>(column).map(|id| id.to_string()));
        SafeText::new(
            id.or_else(|_| row.cell::<Vec<u8>>(column).map(|bytes| hex(&bytes))).unwrap_or_default(),
        )
    }

    /// A column that may be NULL.
    pub(super) fn maybe<T: Cell>(&mut self, column: &str) -> Option<T>
    where
        Option<T>: Cell,
    {
        match self.row.cell::<Option<T>>(column) {
            Ok(value) => value,
            Err(Error::ColumnDecode { source, .. }) => {
                self.note(column, &source.to_string());
                None
            }
            Err(error) => {
                self.note(column, &error.to_string());
                None
            }
        }
    }

    /// A column that may not.
    pub(super) fn get<T: Cell + Default>(&mut self, column: &str) -> T
    where
        Option<T>: Cell,
    {
        let noted = self.odd.len();
        self.maybe(column).unwrap_or_else(|| {
            if self.odd.len() == noted {
                self.note(column, "is NULL");
            }
            T::default()
        })
    }

    pub(super) fn maybe_text(&mut self, column: &str) -> Option<String> {
        let text = self.maybe::<Text>(column)?;
        if !text.whole {
            self.note(column, "isn't UTF-8");
        }
        Some(text.text)
    }

    pub(super) fn text(&mut self, column: &str) -> String {
        let noted = self.odd.len();
        self.maybe_text(column).unwrap_or_else(|| {
            if self.odd.len() == noted {
                self.note(column, "is NULL");
            }
            String::new()
        })
    }

    pub(super) fn maybe_safe(&mut self, column: &str) -> Option<SafeText> {
        self.maybe_text(column).map(SafeText::new)
    }

    pub(super) fn safe(&mut self, column: &str) -> SafeText {
        SafeText::new(self.text(column))
    }

    /// One of the words that this program writes; `otherwise` where it is none of them.
    pub(super) fn word<T: FromStr>(&mut self, column: &str, otherwise: T) -> T {
        let word = self.text(column);
        word.parse().unwrap_or_else(|_| {
            self.note(column, &format!("{:?}", SafeText::new(word).as_str()));
            otherwise
        })
    }

    pub(super) fn maybe_time(&mut self, column: &str) -> Option<Instant> {
        let micros = self.maybe::<Micros>(column)?;
        if micros.exactly().is_none() {
            self.note(column, "isn't within the years 1 to 9999");
        }
        Some(micros.nearest())
    }

    pub(super) fn time(&mut self, column: &str) -> Instant {
        let noted = self.odd.len();
        self.maybe_time(column).unwrap_or_else(|| {
            if self.odd.len() == noted {
                self.note(column, "is NULL");
            }
            Instant::UNIX_EPOCH
        })
    }

    /// A number that counts something; what is below zero counts nothing.
    pub(super) fn count(&mut self, column: &str) -> u64 {
        let number: i64 = self.get(column);
        u64::try_from(number).unwrap_or_else(|_| {
            self.note(column, &format!("is {number}"));
            0
        })
    }

    /// The same of a small number.
    pub(super) fn number(&mut self, column: &str) -> u32 {
        u32::try_from(self.count(column)).unwrap_or(u32::MAX)
    }

    pub(super) fn id(&mut self, column: &str) -> Uuid {
        self.get(column)
    }

    /// What could not be read, in words; empty: nothing.
    pub(super) fn odd(&self) -> SafeText {
        SafeText::new(self.odd.join("; "))
    }

    /// The words of a column for people, behind what could not be read.
    pub(super) fn marked(&self, words: Option<SafeText>) -> Option<SafeText> {
        if self.odd.is_empty() {
            return words;
        }
        let odd = self.odd.join("; ");
        Some(SafeText::new(match words {
            Some(words) => format!("can't be read: {odd} · {words}"),
            None => format!("can't be read: {odd}"),
        }))
    }
}

/// Makes a row's type readable from both databases: `from_row!(KeyRow, reading => …)`.
macro_rules! from_row {
    ($row:ty, $reading:ident => $body:expr) => {
        impl<'r, R: $crate::store::reading::Cells> sqlx::FromRow<'r, R> for $row {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                let mut $reading = $crate::store::reading::Reading::new(row);
                Ok($body)
            }
        }
    };
}
pub(super) use from_row;
