//! The picture of the table of keys.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::state::State;
use crate::config::theme::Role;
use crate::tui::state::Shell;

/// How many rows of the table fit on the screen.
pub fn rows_shown(state: &State, shell: &Shell) -> usize {
    let fixed = 4 + u16::from(state.filter.visible());
    usize::from(shell.size.height.saturating_sub(fixed))
}

/// The place in the window of the row that is drawn at a place on the screen.
pub fn row_at(state: &State, shell: &Shell, at: Position) -> Option<usize> {
    let first = 2 + u16::from(state.filter.visible());
    let row = usize::from(at.y.checked_sub(first)?);
    (row < rows_shown(state, shell)).then_some(state.top + row).filter(|place| *place < state.window.len())
}

impl State {
    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        for (y, row) in self.window.rows.iter().skip(self.top).take(rows_shown(self, shell)).enumerate() {
            let style = shell.styles.of(Role::Text);
            let line = Line::styled(format!("  {}  {}", row.key.name, row.key.preview), style);
            let y = area.y + 1 + u16::from(self.filter.visible()) + u16::try_from(y).unwrap_or(0);
            frame.render_widget(line, Rect { y, height: 1, ..area });
        }
    }
}
