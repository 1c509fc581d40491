//! Tables of keys as text: CSV, a JSON array, or a JSON object a line.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Refused;
use crate::domain::import::Row;

/// A table of another product, as it was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub rows: Vec<Row>,
    /// Lines that are no rows.
    pub refused: Vec<Refused>,
}

/// Reads a table, whatever form its text has.
///
/// # Errors
/// It has none of them.
pub fn table_of(bytes: &[u8]) -> Result<Table, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} isn't UTF-8 text. A SQLite database is named by its file, not given on standard input")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().chars().next() {
        None => Err("there is nothing in it".into()),
        Some('[') => array(text, text),
        Some('{') => objects(text),
        Some(_) => csv(text),
    }
}

/// The members of an array, each with the line on which it begins in all of the text.
fn array(whole: &str, text: &str) -> Result<Table, String> {
    let members: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| format!("it isn't JSON: {error}"))?;
    let (mut table, mut line, mut seen) = (Table::default(), 1, 0);
    for member in members {
        let at = (member.get().as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len());
        line += whole.as_bytes()[seen..at].iter().filter(|byte| **byte == b'\n').count();
        seen = at;
        table.add(line, member.get());
    }
    Ok(table)
}

/// One object a line, or a single one, which may hold an array of them.
fn objects(text: &str) -> Result<Table, String> {
    if let Ok(members) = serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(text) {
        let list = members.values().find(|member| member.get().starts_with("[{"));
        return match list.filter(|_| !members.contains_key("hash")) {
            Some(list) => array(text, list.get()),
            None => {
                let mut table = Table::default();
                table.add(1, text);
                Ok(table)
            }
        };
    }
    let mut table = Table::default();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        table.add(place + 1, line);
    }
    Ok(table)
}

impl Table {
    fn add(&mut self, line: usize, object: &str) {
        match serde_json::from_str::<Map<String, Value>>(object) {
            Ok(mut fields) => {
                // As Django's `dumpdata` writes them.
                if let (true, Some(Value::Object(own))) =
                    (fields.contains_key("model"), fields.remove("fields"))
                {
                    fields.extend(own);
                }
                self.rows.push(Row { line, fields });
            }
            Err(_) => self.refused.push(Refused { line, why: "it isn't a JSON object".into() }),
        }
    }
}

fn csv(text: &str) -> Result<Table, String> {
    let head = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let delimiter =
        [b',', b';', b'\t'].into_iter().max_by_key(|sign| head.bytes().filter(|byte| byte == sign).count());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).from_reader(text.as_bytes());
    let names = reader
        .headers()
        .map_err(|error| format!("its first line isn't the header of a CSV table: {error}"))?
        .clone();
    let (mut table, mut lines) = (Table::default(), Lines { text, seen: 0, line: 1 });
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = lines.at(record.position());
                let cells = names.iter().zip(&record);
                let fields = cells.map(|(name, cell)| (name.trim().to_owned(), Value::from(cell))).collect();
                table.rows.push(Row { line, fields });
            }
            Err(error) => {
                let line = lines.at(error.position());
                let why = "it has a different number of cells than the header".to_owned();
                table.refused.push(Refused { line, why });
            }
        }
    }
    Ok(table)
}

/// Counts lines up to places that come one after the other.
struct Lines<'t> {
    text: &'t str,
    seen: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of a record, which begins behind the line's end that may still stand at its place.
    fn at(&mut self, place: Option<&csv::Position>) -> usize {
        let at = place.and_then(|place| usize::try_from(place.byte()).ok()).unwrap_or(self.seen);
        let bytes = self.text.as_bytes();
        let mut at = at.clamp(self.seen, bytes.len());
        while bytes.get(at).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            at += 1;
        }
        self.line += bytes[self.seen..at].iter().filter(|byte| **byte == b'\n').count();
        self.seen = at;
        self.line
    }
}

#[cfg(test)]
mod tests;
