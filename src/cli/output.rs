//! Data on standard output, in the form that was asked for.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde_json::Value;

use super::failure::{Failure, Result};
use crate::domain::Instant;
use crate::domain::when::Zone;

mod column;
pub mod when;

use column::Object;
pub use column::{Column, Fields};
pub use when::Look;

/// The forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, times as people say them
    #[default]
    Table,
    /// More columns, exact times
    Wide,
    /// One JSON document
    Json,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
}

impl Format {
    /// Whether a person is going to read it.
    pub fn for_people(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

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
    out: W,
    rows: u64,
}

impl Printer<io::BufWriter<io::Stdout>> {
    /// A printer on standard output.
    pub fn stdout(format: Format, headings: bool, zone: Zone) -> Self {
        let stdout = io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let out = io::BufWriter::with_capacity(64 * 1024, stdout);
        Self { zone, ..Self::new(format, colour, headings, out) }
    }
}

impl<W: Write> Printer<W> {
    pub fn new(format: Format, colour: bool, headings: bool, out: W) -> Self {
        Self { format, colour, headings, zone: Zone::UTC, out, rows: 0 }
    }

    /// Writes some of the records of a list. Tables align the columns of one call.
    pub fn rows<R: Record>(&mut self, records: &[R], now: Instant) -> Result {
        if records.is_empty() {
            return Ok(());
        }
        match self.format {
            Format::Table | Format::Wide => self.table(records, now),
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
            _ => Ok(()),
        };
        ended.and_then(|()| self.out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(self.rows)
    }

    /// Writes a list that is complete.
    pub fn list<R: Record>(mut self, records: &[R], now: Instant) -> Result<u64> {
        self.rows(records, now)?;
        self.finish::<R>()
    }

    /// Writes one record by itself: an object, or a line for each heading.
    pub fn one<R: Record>(mut self, record: &R, now: Instant) -> Result {
        let written = match self.format {
            Format::Table | Format::Wide => {
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

    fn table<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let wide = self.format == Format::Wide;
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        let headed = self.headings && self.rows == 0;
        let columns = shown::<R>(wide);
        if headed {
            table.add_row(columns.iter().map(|(head, _)| *head));
        }
        let mut tones = Vec::with_capacity(records.len());
        for record in records {
            let look = Look { wide, now, zone: self.zone };
            let cells: Vec<String> = columns.iter().map(|(_, column)| cell(column, record, look)).collect();
            tones.push((record.tone(now), cells.first().map_or(0, String::len)));
            table.add_row(cells);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut lines = table.lines();
        if headed && let Some(line) = lines.next() {
            self.styled(Style::new().bold(), line.trim_end(), "")?;
        }
        for (line, (tone, length)) in lines.zip(tones) {
            let line = line.trim_end();
            match tone.filter(|_| self.colour) {
                Some(tone) => {
                    let (first, rest) = line.split_at(length.min(line.len()));
                    self.styled(tone.style(), first, rest)?;
                }
                None => writeln!(self.out, "{line}")?,
            }
        }
        Ok(())
    }

    fn styled(&mut self, style: Style, text: &str, rest: &str) -> io::Result<()> {
        if self.colour {
            writeln!(self.out, "{style}{text}{style:#}{rest}")
        } else {
            writeln!(self.out, "{text}{rest}")
        }
    }

    fn json_rows<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let fields = Fields::of(R::COLUMNS);
        let mut before: &[u8] = if self.rows == 0 { b"[\n  " } else { b",\n  " };
        for record in records {
            self.out.write_all(before)?;
            serde_json::to_writer(&mut self.out, &Object(&fields, record, now))?;
            before = b",\n  ";
        }
        Ok(())
    }

    fn ndjson_rows<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let fields = Fields::of(R::COLUMNS);
        for record in records {
            serde_json::to_writer(&mut self.out, &Object(&fields, record, now))?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn csv_rows<R: Record>(&mut self, records: &[R], now: Instant) -> io::Result<()> {
        let fields = Fields::of(R::COLUMNS);
        let mut csv = csv::Writer::from_writer(&mut self.out);
        if self.rows == 0 && self.headings {
            csv.write_record(fields.names())?;
        }
        for record in records {
            csv.write_record(fields.members(record, now).map(|(_, value)| value.csv()))?;
        }
        csv.flush()
    }
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
