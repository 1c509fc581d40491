//! Which columns a list has, and how its CSV begins: for spreadsheets and for scripts that want a few fields only.

use std::io::Write;

use clap::Args;

use super::super::failure::{Failure, Result};
use super::{Fields, Format, Printer, Record};

/// Flattened into the arguments of a list.
#[derive(Debug, Default, Args)]
pub struct Shape {
    /// Only these columns, in this order, named as in --json: id,name,account,expires_at
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Start CSV with a byte-order mark, so that spreadsheets read it as UTF-8
    #[arg(long)]
    bom: bool,
}

impl Shape {
    /// Gives the list this shape.
    ///
    /// # Errors
    /// When there is no such column, or one is named twice.
    pub fn of<R: Record, W: Write>(&self, mut printer: Printer<W>) -> Result<Printer<W>> {
        if self.bom && printer.format != Format::Csv {
            return Err(Failure::usage("--bom is for CSV: add -o csv"));
        }
        printer.bom = self.bom;
        if self.columns.is_empty() {
            return Ok(printer);
        }
        let known: Vec<&'static str> = Fields::of(R::COLUMNS).names().collect();
        let mut only: Vec<&'static str> = Vec::new();
        for name in &self.columns {
            let typed = name.trim().to_lowercase().replace([' ', '-'], "_");
            match known.iter().find(|known| **known == typed) {
                None => {
                    return Err(Failure::usage(format!(
                        "unknown column {name:?}: there are {}",
                        known.join(", ")
                    )));
                }
                Some(name) if only.contains(name) => {
                    return Err(Failure::usage(format!("the column {name} is listed twice")));
                }
                Some(name) => only.push(name),
            }
        }
        printer.only = Some(only);
        Ok(printer)
    }
}
