//! Data on standard output, in the form that was asked for.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde_json::Value;

use super::failure::{Failure, Result};
use crate::domain::Instant;
use crate::domain::when::Zone;
use crate::service;

mod column;
mod shape;
mod table;
pub mod when;

pub use column::{Column, Fields};
use column::{Datum, Object, With};
pub use shape::Shape;
use table::{Head, Table};
pub use when::Look;

/// The forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, relative times
    #[default]
    Table,
    /// More columns, exact times
    Wide,
    /// One JSON document
    Json,
    /// One JSON object per line
    Ndjson,
    /// Comma-separated values with a header. A text that a spreadsheet would read as a formula, or that begins
    /// with an apostrophe, gets one apostrophe in front; remove one when reading it back
    Csv,
    /// Markdown, ready to paste; only for `report` and `incident report`
    #[value(name = "md")]
    Markdown,
    /// A self-contained web page; only for `report`
    Html,
}

impl Format {
    /// Whether a person is going to read it.
    pub fn for_people(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    /// How many rows a list prints: `limit`, 0 for all. A person at a terminal who asks for no number gets a screenful.
    pub fn rows(self, limit: Option<u64>) -> u64 {
        match limit {
            None if self.for_people() && to_terminal() => 50,
            None | Some(0) => u64::MAX,
            Some(limit) => limit,
        }
    }
}

/// Rows read at a time, so that memory stays flat however many there are.
pub const PAGE: u32 = 1000;

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Warning,
    Bad,
    Quiet,
}

impl Tone {
    fn style(self) -> Style {
        let colour = match self {
            Self::Good => AnsiColor::Green,
            Self::Warning => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
            Self::Quiet => return Style::new().dimmed(),
        };
        Style::new().fg_color(Some(colour.into()))
    }
}

/// Something that can be listed. Every text in it is clean already.
pub trait Record: Sized + 'static {
    /// What it tells, in the order of tables.
    const COLUMNS: &'static [Column<Self>];

    /// The colour of the first cell.
    fn tone(&self, _now: Instant) -> Option<Tone> {
        None
    }
}

/// The columns of a table, with their headings.
fn shown<R: Record>(wide: bool) -> Vec<(&'static str, &'static Column<R>)> {
    R::COLUMNS.iter().filter_map(|column| column.shown(wide).map(|head| (head, column))).collect()
}

/// A record as a JSON value.
pub fn object<R: Record>(record: &R, now: Instant) -> Value {
    serde_json::to_value(Object(&Fields::of(R::COLUMNS), record, now)).unwrap_or_default()
}

/// Writes records as they come, so that memory does not grow with their number.
pub struct Printer<W: Write> {
    format: Format,
    colour: bool,
    headings: bool,
    /// Of the exact times in tables.
    zone: Zone,
    /// The columns of the terminal that tables must fit.
    limit: Option<usize>,
    table: Option<Table>,
    out: W,
    rows: u64,
    /// The fields that were chosen, in their order; none: all.
    only: Option<Vec<&'static str>>,
    /// Whether CSV begins with a byte-order mark.
    bom: bool,
    /// Tables are not printed.
    hushed: bool,
}

impl Printer<io::BufWriter<io::Stdout>> {
    /// A printer on standard output.
    pub fn stdout(format: Format, headings: bool, zone: Zone) -> Self {
        let stdout = io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let out = io::BufWriter::with_capacity(64 * 1024, stdout);
        Self { zone, limit: columns(), ..Self::new(format, colour, headings, out) }
    }
}

impl<W: Write> Printer<W> {
    pub fn new(format: Format, colour: bool, headings: bool, out: W) -> Self {
        Self {
            format,
            colour,
            headings,
            zone: Zone::UTC,
            limit: None,
            table: None,
            out,
            rows: 0,
            only: None,
            bom: false,
            hushed: false,
        }
    }

    /// The same, without tables if `quiet`: whoever wants it quiet reads of trouble alone, and a program of everything.
    #[must_use]
    pub fn hushed(self, quiet: bool) -> Self {
        Self { hushed: quiet && self.format.for_people(), ..self }
    }

    /// The fields that are written.
    fn fields<R: Record>(&self) -> Fields<R> {
        self.only.as_ref().map_or_else(|| Fields::of(R::COLUMNS), |names| Fields::only(R::COLUMNS, names))
    }

    /// Writes some of the records of a list. Tables are aligned over all of them, and so come at the end.
    pub fn rows<R: Record>(&mut self, records: &[R], now: Instant) -> Result {
        if records.is_empty() {
            return Ok(());
        }
        match self.format {
            Format::Table | Format::Wide | Format::Markdown | Format::Html if self.hushed => Ok(()),
            Format::Table | Format::Wide | Format::Markdown | Format::Html => self.table(records, now),
            Format::Json => self.json_rows(records, now),
            Format::Ndjson => self.ndjson_rows(records, now),
            Format::Csv => self.csv_rows(records, now),
        }
        .map_err(|error| Failure::output(&error))?;
        self.rows += records.len() as u64;
        Ok(())
    }

    /// Ends a list. A list without records still is one.
    pub fn finish<R: Record>(mut self) -> Result<u64> {
        let ended = match self.format {
            Format::Json if self.rows == 0 => self.out.write_all(b"[]\n"),
            Format::Json => self.out.write_all(b"\n]\n"),
            Format::Csv if self.rows == 0 => self.csv_rows::<R>(&[], Instant::default()),
            _ => self.table.take().map_or(Ok(()), |mut table| table.flush(&mut self.out)),
        };
        ended.and_then(|()| self.out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(self.rows)
    }

    /// Writes at most `wanted` rows of a list that is read page by page: `read` is told the last row before the page, if
    /// there is one, and the most rows that it may have. Answers how many were written, and the last one where more may follow.
    pub async fn pages<R: Record, F: Future<Output = service::Result<Vec<R>>>>(
        mut self,
        wanted: u64,
        now: Instant,
        read: impl Fn(Option<R>, u32) -> F,
    ) -> Result<(u64, Option<R>)> {
        let (mut left, mut last, mut more) = (wanted, None, true);
        while more && left > 0 {
            let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let mut rows = read(last.take(), limit).await?;
            self.rows(&rows, now)?;
            left -= rows.len() as u64;
            more = rows.len() == limit as usize;
            last = rows.pop();
        }
        Ok((self.finish::<R>()?, last.filter(|_| more)))
    }

    /// Writes a list that is complete.
    pub fn list<R: Record>(mut self, records: &[R], now: Instant) -> Result<u64> {
        self.rows(records, now)?;
        self.finish::<R>()
    }

    /// Writes one record by itself: an object, or a line for each heading.
    pub fn one<R: Record>(mut self, record: &R, now: Instant) -> Result {
        let written = match self.format {
            Format::Table | Format::Wide | Format::Markdown | Format::Html if self.hushed => Ok(()),
            Format::Table | Format::Wide | Format::Markdown | Format::Html => {
                let columns = shown::<R>(true);
                let width = columns.iter().map(|(head, _)| head.len()).max().unwrap_or(0);
                columns.iter().try_for_each(|(head, column)| {
                    writeln!(
                        self.out,
                        "{:width$}  {}",
                        title(head),
                        cell(column, record, Look { wide: true, now, zone: self.zone })
                    )
                })
            }
            Format::Json => {
                let object = Object(&Fields::of(R::COLUMNS), record, now);
                serde_json::to_writer_pretty(&mut self.out, &object)
                    .map_err(io::Error::from)
                    .and_then(|()| self.out.write_all(b"\n"))
            }
            Format::Ndjson => self.ndjson_rows(std::slice::from_ref(record), now),
            Format::Csv => self.csv_rows(std::slice::from_ref(record), now),
        };
        written.and_then(|()| self.out.flush()).map_err(|error| Failure::output(&error))
    }

    /// Writes one record with more that belongs to it, where the form can hold that; a person sees it elsewhere.
    pub fn one_with<R: Record>(mut self, record: &R, now: Instant, more: &[(&'static str, Value)]) -> Result {
        let fields = Fields::of(R::COLUMNS);
        let whole = With(Object(&fields, record, now), more);
        let written = match self.format {
            Format::Json => serde_json::to_writer_pretty(&mut self.out, &whole),
            Format::Ndjson => serde_json::to_writer(&mut self.out, &whole),
            _ => return self.one(record, now),
        };
        let written = written.map_err(io::Error::from).and_then(|()| self.out.write_all(b"\n"));
        written.and_then(|()| self.out.flush()).map_err(|error| Failure::output(&error))
    }

    /// Writes what became of a command that makes no record; people are told in words.
    pub fn facts(mut self, facts: &[(&'static str, Value)]) -> Result {
        let object: serde_json::Map<_, _> =
            facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut lines = Vec::new();
        match self.format {
            Format::Table | Format::Wide | Format::Markdown | Format::Html => return Ok(()),
            Format::Json => lines.push(serde_json::to_string_pretty(&object).unwrap_or_default()),
            Format::Ndjson => lines.push(Value::from(object).to_string()),
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(Vec::new());
                let values = facts.iter().map(|(_, value)| Datum::from(value.clone()).csv());
                let headed =
                    if self.headings { csv.write_record(facts.iter().map(|(name, _)| name)) } else { Ok(()) };
                if headed.and_then(|()| csv.write_record(values)).is_ok() {
                    let bytes = csv.into_inner().unwrap_or_default();
                    lines.push(String::from_utf8_lossy(&bytes).trim_end().to_owned());
                }
            }
        }
        let written = lines.iter().try_for_each(|line| writeln!(self.out, "{line}"));
        written.and_then(|()| self.out.flush()).map_err(|error| Failure::output(&error))
    }

    fn table<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let wide = self.format == Format::Wide;
        let columns = if self.only.is_some() { self.fields::<R>().headed() } else { shown::<R>(wide) };
        let bold = if self.colour { Style::new().bold() } else { Style::new() };
        let (headed, limit) = (self.headings, self.limit.filter(|_| !wide));
        let heads = || columns.iter().map(|(text, column)| Head { text, whole: column.is_whole() }).collect();
        let table = self.table.get_or_insert_with(|| Table::new(heads(), headed, bold, limit));
        for record in records {
            let look = Look { wide, now, zone: self.zone };
            let cells = columns.iter().map(|(_, column)| cell(column, record, look)).collect();
            let tone = record.tone(now).map(Tone::style).filter(|_| self.colour).unwrap_or_default();
            table.add(cells, tone, &mut self.out)?;
        }
        Ok(())
    }

    fn json_rows<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let fields = self.fields::<R>();
        let mut before: &[u8] = if self.rows == 0 { b"[\n  " } else { b",\n  " };
        for record in records {
            self.out.write_all(before)?;
            serde_json::to_writer(&mut self.out, &Object(&fields, record, now))?;
            before = b",\n  ";
        }
        Ok(())
    }

    fn ndjson_rows<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let fields = self.fields::<R>();
        for record in records {
            serde_json::to_writer(&mut self.out, &Object(&fields, record, now))?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn csv_rows<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let fields = self.fields::<R>();
        if self.rows == 0 && self.bom {
            self.out.write_all("\u{feff}".as_bytes())?;
        }
        let mut csv = csv::Writer::from_writer(&mut self.out);
        let mut written = Ok(());
        if self.rows == 0 && self.headings {
            written = csv.write_record(fields.names());
        }
        for record in records {
            written = written
                .and_then(|()| csv.write_record(fields.members(record, now).map(|(_, value)| value.csv())));
        }
        // As it is, the error would not say any more that only the reader went away.
        written.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })?;
        csv.flush()
    }
}

/// The columns of the terminal that standard output is, if it is one and says so.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Whether standard output is a terminal.
pub fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A cell of a table; what is empty is marked.
fn cell<R>(column: &Column<R>, record: &R, look: Look) -> String {
    let cell = column.text(record, look);
    if cell.is_empty() { "-".to_owned() } else { cell }
}

/// `LAST USED` as `Last used`.
fn title(head: &str) -> String {
    let mut chars = head.chars();
    chars.next().map(|first| format!("{first}{}", chars.as_str().to_lowercase())).unwrap_or_default()
}

/// An optional instant as a JSON value: RFC 3339 in UTC.
pub fn instant(at: Option<Instant>) -> Value {
    at.map_or(Value::Null, |at| Value::from(when::exact(at)))
}

#[cfg(test)]
mod contract;
#[cfg(test)]
mod tests;
