//! Cells as bytes for the terminal.

use std::io::{self, Write};

use ratatui::buffer::{Cell, CellWidth};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use zeroize::Zeroize;

use crate::config::display::Colours;

use super::palette::{self, Number};
use super::same::{ON_BLANK, looks_same};
use super::shift::Shift;

/// An unchanged gap of up to this many cells is printed again: moving over it costs more.
const GAP: usize = 5;
/// The most that a buffer keeps between frames.
const KEEP: usize = 256 * 1024;

/// Collects the bytes of a frame. They may hold a revealed secret, so they are wiped once they are written.
#[derive(Debug)]
pub struct Encoder {
    bytes: Vec<u8>,
    /// How the terminal will draw the next character.
    look: Look,
    /// Where the terminal will draw the next character, if that is certain.
    at: Option<(u16, u16)>,
    colours: Colours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Look = Look { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

impl Encoder {
    pub fn new(colours: Colours) -> Self {
        // Grows only by whole new buffers, see `reserve`.
        Self { bytes: Vec::with_capacity(32 * 1024), look: PLAIN, at: None, colours }
    }

    /// The terminal's state is unknown: says all of it. No line wraps: a character that the terminal holds for wider
    /// than we do must not spill into the next row.
    pub fn begin(&mut self) {
        self.put(b"\x1b[?25l\x1b[?7l\x1b[r\x1b[m");
        self.look = PLAIN;
        self.at = None;
    }

    /// Blanks row by row: where there is no alternate screen tmux keeps what a clearing of the whole screen takes away,
    /// and there may be a secret in it (H14).
    pub fn clear_screen(&mut self, height: u16) {
        for y in 1..=height {
            self.print(format_args!("\x1b[{y}H\x1b[2K"));
        }
    }

    /// Moves the rows of a region. New rows come out blank, in the terminal's own colours. By lines that go beyond its
    /// edges: every terminal with regions can do that, but not each knows SU and SD.
    pub fn scroll(&mut self, shift: &Shift) {
        self.become_look(PLAIN);
        self.print(format_args!("\x1b[{};{}r", shift.top + 1, shift.bottom + 1));
        let (edge, line): (u16, &[u8]) =
            if shift.by > 0 { (shift.bottom, b"\n") } else { (shift.top, b"\x1bM") };
        self.print(format_args!("\x1b[{}H", edge + 1));
        for _ in 0..shift.by.unsigned_abs() {
            self.put(line);
        }
        self.put(b"\x1b[r");
        self.at = None;
    }

    /// Turns one row into another.
    pub fn row(&mut self, y: u16, old: &[Cell], new: &[Cell]) {
        let odd = |cell: &Cell| !cell.symbol().is_ascii() && cell.cell_width() != 1;
        if old.iter().any(odd) || new.iter().any(odd) {
            self.row_with_wide(y, old, new);
        } else {
            self.row_of_narrow(y, old, new);
        }
    }

    fn row_of_narrow(&mut self, y: u16, old: &[Cell], new: &[Cell]) {
        let mut x = 0;
        let mut end_of_last: Option<usize> = None;
        while x < new.len() {
            if looks_same(&old[x], &new[x]) {
                x += 1;
                continue;
            }
            if let Some(end) = end_of_last
                && x - end <= GAP
                && new[end..x].iter().all(|cell| self.cheap(cell))
            {
                for (i, cell) in new[end..x].iter().enumerate() {
                    self.cell(end + i, y, cell);
                }
            }
            self.cell(x, y, &new[x]);
            x += 1;
            end_of_last = Some(x);
        }
    }

    /// Whether a cell costs no more than its character.
    fn cheap(&self, cell: &Cell) -> bool {
        cell.symbol().len() == 1 && self.wanted(cell) == self.look
    }

    /// Terminals differ in what is left of a wide character that is overwritten by half. So such a row is drawn anew
    /// from the first difference on.
    fn row_with_wide(&mut self, y: u16, old: &[Cell], new: &[Cell]) {
        let Some(mut x) = (0..new.len()).find(|x| !looks_same(&old[*x], &new[*x])) else { return };
        loop {
            let start = start_of(old, x).min(start_of(new, x));
            if start == x {
                break;
            }
            x = start;
        }
        while x < new.len() {
            let width = usize::from(new[x].cell_width()).max(1);
            if width > 1 && new[x].symbol().chars().nth(1).is_some() {
                self.blank(x, y, width, &new[x]);
            }
            self.cell(x, y, &new[x]);
            if width > 1 || !new[x].symbol().is_ascii() {
                self.at = None;
            }
            x += width;
        }
    }

    /// Terminals differ in how wide a joined character is. In one that holds it for narrower than we do, what stood
    /// beside it before would stay.
    fn blank(&mut self, x: usize, y: u16, width: usize, cell: &Cell) {
        self.go(u16::try_from(x).unwrap_or(u16::MAX), y);
        let look = self.wanted(cell);
        self.become_look(look);
        self.print(format_args!("{:width$}", ""));
        self.at = None;
    }

    fn wanted(&self, cell: &Cell) -> Look {
        let (fg, bg, modifier) = palette::fit(self.colours, cell.fg, cell.bg, cell.modifier);
        if cell.symbol() == " "
            && !cell.modifier.intersects(ON_BLANK)
            && !self.look.modifier.intersects(ON_BLANK)
        {
            // Only the ground can be seen: whatever letters would look like may stay.
            return Look { bg, ..self.look };
        }
        Look { fg, bg, modifier }
    }

    fn cell(&mut self, x: usize, y: u16, cell: &Cell) {
        let x = u16::try_from(x).unwrap_or(u16::MAX);
        self.go(x, y);
        let look = self.wanted(cell);
        self.become_look(look);
        self.put(cell.symbol().as_bytes());
        self.at = Some((x + 1, y));
    }

    fn go(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, row)) if row == y && x > from => match x - from {
                1 => self.put(b"\x1b[C"),
                by => self.print(format_args!("\x1b[{by}C")),
            },
            _ if x == 0 => self.print(format_args!("\x1b[{}H", y + 1)),
            _ => self.print(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.at = Some((x, y));
    }

    fn become_look(&mut self, look: Look) {
        if look == self.look {
            return;
        }
        let mut from = self.look;
        self.look = look;
        if look == PLAIN {
            self.put(b"\x1b[m");
            return;
        }
        self.put(b"\x1b[");
        if !look.modifier.contains(from.modifier) {
            self.put(b"0;");
            from = PLAIN;
        }
        const CODES: [(Modifier, &[u8]); 8] = [
            (Modifier::BOLD, b"1;"),
            (Modifier::DIM, b"2;"),
            (Modifier::ITALIC, b"3;"),
            (Modifier::UNDERLINED, b"4;"),
            (Modifier::SLOW_BLINK, b"5;"),
            (Modifier::REVERSED, b"7;"),
            (Modifier::HIDDEN, b"8;"),
            (Modifier::CROSSED_OUT, b"9;"),
        ];
        for (modifier, code) in CODES {
            if look.modifier.contains(modifier) && !from.modifier.contains(modifier) {
                self.put(code);
            }
        }
        if look.fg != from.fg {
            self.colour(look.fg, 30);
        }
        if look.bg != from.bg {
            self.colour(look.bg, 40);
        }
        // The last semicolon becomes the end of the sequence.
        match self.bytes.last_mut() {
            Some(last @ b';') => *last = b'm',
            _ => self.put(b"m"),
        }
    }

    fn colour(&mut self, colour: Color, base: u8) {
        let ansi = |index: u8| if index < 8 { base + index } else { base + 60 + index - 8 };
        match palette::number(colour) {
            Number::Own => self.print(format_args!("{};", base + 9)),
            Number::Rgb(r, g, b) => self.print(format_args!("{};2;{r};{g};{b};", base + 8)),
            Number::Index(index @ 16..) => self.print(format_args!("{};5;{index};", base + 8)),
            Number::Index(index) => self.print(format_args!("{};", ansi(index))),
        }
    }

    /// The frame is complete: the cursor goes to its place.
    pub fn finish(&mut self, cursor: Option<Position>, was_visible: bool) {
        match cursor {
            Some(position) => {
                self.at = None;
                self.go(position.x, position.y);
                if !was_visible {
                    self.put(b"\x1b[?25h");
                }
            }
            None if was_visible => self.put(b"\x1b[?25l"),
            None => {}
        }
    }

    /// Writes all in one piece and wipes it.
    pub fn flush(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let result = out.write_all(&self.bytes).and_then(|()| out.flush());
        self.bytes.zeroize();
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::with_capacity(32 * 1024);
        }
        result
    }

    fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn print(&mut self, text: std::fmt::Arguments<'_>) {
        let mut digits = [0u8; 48];
        let mut rest = &mut digits[..];
        // Longest: `48;2;255;255;255;`.
        let _ = rest.write_fmt(text);
        let used = 48 - rest.len();
        self.put(&digits[..used]);
    }

    /// A growing vector would leave its old bytes behind unwiped.
    fn reserve(&mut self, more: usize) {
        if self.bytes.capacity() - self.bytes.len() >= more {
            return;
        }
        let mut bigger = Vec::with_capacity((self.bytes.len() + more) * 2);
        bigger.extend_from_slice(&self.bytes);
        self.bytes.zeroize();
        self.bytes = bigger;
    }
}

/// Where the character that covers column `x` begins.
fn start_of(row: &[Cell], x: usize) -> usize {
    let mut at = 0;
    while at < row.len() {
        let width = usize::from(row[at].cell_width()).max(1);
        if at + width > x {
            return at;
        }
        at += width;
    }
    x
}
