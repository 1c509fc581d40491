//! What the whole screen is divided into.

use std::time::Duration;

use ratatui::layout::Size;

/// How long something may load before the screen says so.
pub const PATIENCE: Duration = Duration::from_millis(150);

/// Lines of the header and of the footer.
pub const HEADER: u16 = 2;
pub const FOOTER: u16 = 1;

/// Below this nothing useful fits.
pub const SMALLEST: Size = Size { width: 60, height: 16 };

/// On a screen of this width more is told than counts.
pub const WIDE: u16 = 120;

/// Whether a screen of this size has room for the picture.
pub fn fits(size: Size) -> bool {
    size.width >= SMALLEST.width && size.height >= SMALLEST.height
}
