//! Tables: one width for each column over the whole list, and no line wider than the terminal.

use std::io::{self, Write};

use anstyle::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Rows that are waited for before the widths are settled; cells of later rows that are wider are cut.
const AHEAD: usize = 50_000;
/// Blanks between two columns.
const GAP: usize = 2;
/// A column that may be cut keeps this width at least, before one is left out.
const LEAST: usize = 6;

/// A column's heading, and whether its cells are of no use when they are cut.
#[derive(Clone, Copy)]
pub struct Head {
    pub text: &'static str,
    pub whole: bool,
}

/// What is known of a table so far.
pub struct Table {
    heads: Vec<Head>,
    /// The columns of the terminal; `None`: lines may be of any length.
    limit: Option<usize>,
    waiting: Vec<Row>,
    /// `None` for a column that is left out. Empty: not settled yet.
    widths: Vec<Option<usize>>,
}

struct Row {
    cells: Vec<String>,
    /// Of the whole row, or of its first cell alone.
    style: Style,
    all: bool,
}

impl Table {
    /// With a line of headings if they are wanted, in this style.
    pub fn new(heads: Vec<Head>, headed: bool, style: Style, limit: Option<usize>) -> Self {
        let cells = heads.iter().map(|head| head.text.to_owned()).collect();
        let waiting = if headed { vec![Row { cells, style, all: true }] } else { Vec::new() };
        Self { heads, limit, waiting, widths: Vec::new() }
    }

    /// One more row; `style` is its first cell's.
    pub fn add(&mut self, cells: Vec<String>, style: Style, out: &mut impl Write) -> io::Result<()> {
        self.waiting.push(Row { cells, style, all: false });
        if self.widths.is_empty() && self.waiting.len() < AHEAD {
            return Ok(());
        }
        self.flush(out)
    }

    /// Writes what waits.
    pub fn flush(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.widths.is_empty() {
            self.settle();
        }
        for row in std::mem::take(&mut self.waiting) {
            self.write(&row, out)?;
        }
        Ok(())
    }

    fn settle(&mut self) {
        let widest = |n: usize| self.waiting.iter().map(|row| row.cells[n].width()).max().unwrap_or(0);
        let mut widths: Vec<Option<usize>> = (0..self.heads.len()).map(|n| Some(widest(n))).collect();
        // A table whose columns are all as good as any other holds sentences, which are read to their ends.
        let Some(limit) = self.limit.filter(|_| self.heads.iter().any(|head| head.whole)) else {
            self.widths = widths;
            return;
        };
        let total = |widths: &[Option<usize>]| {
            let shown = widths.iter().flatten();
            shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
        };
        while total(&widths) > limit {
            let may = |n: &usize| !self.heads[*n].whole;
            let columns = || (0..widths.len()).filter(may);
            let cut = columns().filter(|n| widths[*n] > Some(LEAST)).max_by_key(|n| widths[*n]);
            match cut {
                Some(n) => widths[n] = widths[n].map(|width| width - 1),
                // Of what is left, the last that is not needed to tell the rows apart.
                None => match columns().rfind(|n| widths[*n].is_some()) {
                    Some(n) => widths[n] = None,
                    None => break,
                },
            }
        }
        self.widths = widths;
    }

    fn write(&self, row: &Row, out: &mut impl Write) -> io::Result<()> {
        let mut cells = Vec::with_capacity(row.cells.len());
        for (n, cell) in row.cells.iter().enumerate() {
            let Some(width) = self.widths[n] else { continue };
            let cell = if self.heads[n].whole { cell.clone() } else { cut(cell, width) };
            let pad = width.saturating_sub(cell.width()) + GAP;
            cells.push((cell, pad));
        }
        let mut line = String::new();
        let mut first = 0;
        for (cell, pad) in cells {
            line.push_str(&cell);
            if first == 0 {
                first = line.len();
            }
            line.extend(std::iter::repeat_n(' ', pad));
        }
        let line = line.trim_end();
        let (styled, rest) = line.split_at(if row.all { line.len() } else { first.min(line.len()) });
        let style = row.style;
        writeln!(out, "{style}{styled}{style:#}{rest}")
    }
}

/// The text, at most so many columns wide; `…` stands for what is left out.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used > width {
            break;
        }
        cut.push_str(grapheme);
    }
    cut.push('…');
    cut
}
