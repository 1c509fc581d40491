//! What the whole screen is divided into.

use std::time::Duration;

use ratatui::layout::{Rect, Size};

/// How long something may load before the screen says so.
pub const PATIENCE: Duration = Duration::from_millis(150);

/// Lines of the header and of the footer.
pub const HEADER: u16 = 2;
pub const FOOTER: u16 = 1;

/// The part of the screen between header and footer.
pub fn body(size: Size) -> Rect {
    Rect { x: 0, y: HEADER, width: size.width, height: size.height.saturating_sub(HEADER + FOOTER) }
}
