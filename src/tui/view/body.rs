//! What the whole screen is divided into.

use std::time::Duration;

use ratatui::layout::{Rect, Size};

use crate::config::keymap::Action;
use crate::tui::shell::Shell;
use crate::tui::widgets::fit;

/// How long something may load before the screen says so.
pub const PATIENCE: Duration = Duration::from_millis(150);

/// Lines of the header and of the footer.
pub const HEADER: u16 = 2;
pub const FOOTER: u16 = 1;

/// Lines of an alarm at most.
const ALARM: usize = 3;

/// Below this nothing useful fits.
pub const SMALLEST: Size = Size { width: 60, height: 16 };

/// Whether a screen of this size has room for the picture.
pub fn fits(size: Size) -> bool {
    size.width >= SMALLEST.width && size.height >= SMALLEST.height
}

/// The part of the screen between header and footer.
pub fn body(shell: &Shell) -> Rect {
    let Size { width, height } = shell.size;
    let header = HEADER + u16::try_from(alarm(shell).len()).unwrap_or(0);
    Rect { x: 0, y: header, width, height: height.saturating_sub(header + FOOTER) }
}

/// Lines of the header that stay there while something is gone that was seen of the database.
pub fn alarm(shell: &Shell) -> Vec<String> {
    let Some(alarm) = shell.history.alarm(shell.here().zone) else { return Vec::new() };
    let key = shell.keymap.key(Action::Restored);
    let words = format!("✕ {alarm}: {key} shows what to do");
    fit::wrap_within(&words, usize::from(shell.size.width.saturating_sub(2)), ALARM)
}
