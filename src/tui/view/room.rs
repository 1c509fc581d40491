//! How much of the screen is the body: an alarm in the header takes some of it.

use ratatui::layout::{Rect, Size};

use super::body::{FOOTER, HEADER};
use crate::config::keymap::Action;
use crate::tui::shell::Shell;
use crate::tui::widgets::fit;

/// Lines of an alarm at most.
const ALARM: usize = 3;

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
