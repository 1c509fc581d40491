//! Brings a picture to the terminal with as few bytes as it takes.

use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};

mod encode;
mod palette;
mod same;
mod shift;
#[cfg(test)]
mod tests;

use crate::config::display::Colours;
use encode::Encoder;
use same::row;

/// Knows what the terminal shows and writes only what differs. Never reads the terminal.
#[derive(Debug)]
pub struct Painter {
    /// What the terminal shows; `None` when that is unknown.
    shown: Option<Buffer>,
    cursor: Option<Position>,
    /// Whether the picture under way differs from the one before.
    changed: bool,
    encoder: Encoder,
    /// Whether a part of the screen can scroll.
    regions: bool,
}

impl Painter {
    pub fn new(colours: Colours, regions: bool) -> Self {
        Self { shown: None, cursor: None, changed: false, encoder: Encoder::new(colours), regions }
    }

    /// The terminal may show anything: the next picture is drawn whole.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// Collects what turns the terminal's picture into `next`. [`Self::finish`] writes it.
    pub fn paint(&mut self, next: &Buffer) {
        let fresh = self.shown.as_ref().is_none_or(|shown| shown.area != next.area);
        if fresh {
            self.encoder.begin();
            self.encoder.clear_screen(next.area.height);
            self.cursor = None;
            self.shown = Some(Buffer::empty(next.area));
        }
        let Some(shown) = self.shown.as_mut() else { return };
        self.changed = fresh;
        if self.regions
            && let Some(shift) = shift::find(shown, next)
        {
            self.encoder.scroll(&shift);
            shift::apply(shown, &shift);
            self.changed = true;
        }
        for y in 0..next.area.height {
            let old = row(shown, y);
            let new = row(next, y);
            if old != new {
                self.changed = true;
                self.encoder.row(y, old, new);
            }
        }
        if self.changed {
            shown.content.clone_from_slice(&next.content);
        }
    }

    /// Writes the picture in one piece, with the cursor at `cursor` or hidden; nothing if nothing differs.
    pub fn finish(&mut self, cursor: Option<Position>, out: &mut impl io::Write) -> io::Result<()> {
        if std::mem::take(&mut self.changed) || cursor != self.cursor {
            self.encoder.finish(cursor, self.cursor.is_some());
            self.cursor = cursor;
        }
        self.encoder.flush(out)
    }
}

/// The backend that ratatui draws on: it only keeps the cursor's place. The [`Painter`] takes the picture itself.
#[derive(Debug)]
pub struct Canvas {
    pub size: Size,
    pub cursor: Option<Position>,
}

impl Backend for Canvas {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, _: I) -> io::Result<()> {
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.cursor = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = Some(position.into());
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
