//! The picture of a state: header, screen, what lies over it, last line. Reads only.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::screen::allowed;
use super::shell::Shell;
use super::state::State;
use super::widgets::fit;
use super::words::Severity;
use crate::config::keymap::Action;
use crate::config::theme::Role;

mod ascii;
pub mod body;
mod header;
pub mod key_facts;
pub mod limits;
pub mod reach;
pub mod reminders;
pub mod room;
pub mod shown;
#[cfg(test)]
mod tests;
pub mod times;

pub use header::tab_at;

use body::{FOOTER, SMALLEST};
use room::body;

/// Draws everything.
pub fn view(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let shell = &state.shell;
    frame.render_widget(Block::new().style(shell.styles.of(Role::Background)), area);
    if !body::fits(area.as_size()) {
        too_small(shell, frame, area);
        return;
    }
    let body = body(shell).intersection(area);
    header::draw(state, frame, Rect { height: body.y, ..area });
    // It is on what has the focus, for screen readers and magnifiers: whatever is drawn later takes it from what lies below.
    frame.set_cursor_position(body.as_position());
    state.screens.shown(shell).draw(shell, frame, body);
    state.overlays.draw(shell, frame, body);
    draw_footer(state, frame, Rect { y: area.bottom() - FOOTER, height: FOOTER, ..area });
    if shell.ascii {
        ascii::replace(frame.buffer_mut());
    }
}

fn too_small(shell: &Shell, frame: &mut Frame, area: Rect) {
    let Size { width, height } = SMALLEST;
    let text = vec![
        Line::styled("This terminal is too small.", shell.styles.of(Role::Warning)),
        Line::from(format!("Needed:  {width} x {height}")),
        Line::from(format!("Now:     {} x {}", area.width, area.height)),
    ];
    frame.render_widget(Paragraph::new(text), area);
}

/// A message, or the keys that are useful here.
fn draw_footer(state: &State, frame: &mut Frame, area: Rect) {
    let shell = &state.shell;
    let styles = &shell.styles;
    if let Some(toast) = &shell.toast {
        let (symbol, role) = match toast.severity {
            Severity::Info => ("· note:", Role::Info),
            Severity::Good => ("✓ done:", Role::Ok),
            Severity::Warning => ("! warning:", Role::Warning),
            Severity::Bad => ("✕ error:", Role::Danger),
        };
        draw_toast(shell, frame, area, symbol, role, &toast.text);
        return;
    }
    let context = match state.overlays.top() {
        Some(layer) => layer.context(),
        None => state.screens.shown(shell).context(),
    };
    let hints: Vec<_> = shell
        .keymap
        .hinted(context)
        .into_iter()
        .filter_map(|(action, key, label)| Some((action, key, label_for(state, action, label)?)))
        .collect();
    let width = |(_, key, label): &(Action, String, Cow<'_, str>)| key.width() + label.width() + 3;
    // Whoever knows the way to the help and to the commands finds the rest, however narrow the screen is.
    let (last, rest): (Vec<_>, Vec<_>) =
        hints.into_iter().partition(|(action, ..)| matches!(action, Action::Help | Action::Palette));
    let mut room = usize::from(area.width).saturating_sub(last.iter().map(width).sum());
    let shown = rest.into_iter().take_while(|hint| {
        let fits = width(hint) <= room;
        room = room.saturating_sub(width(hint));
        fits
    });
    let mut spans = Vec::new();
    for (_, key, label) in shown.chain(last) {
        spans.push(Span::styled(format!(" {key}"), styles.of(Role::HintKey)));
        spans.push(Span::styled(format!(" {label} "), styles.of(Role::Hint)));
    }
    frame.render_widget(Line::from(spans), area);
}

/// A message, uncut: a long one takes lines above the last one too.
fn draw_toast(shell: &Shell, frame: &mut Frame, area: Rect, symbol: &str, role: Role, text: &str) {
    let styles = &shell.styles;
    let indent = u16::try_from(symbol.width() + 2).unwrap_or(0);
    let lines = fit::wrap(text, usize::from(area.width.saturating_sub(indent + 1)));
    let height = u16::try_from(lines.len()).unwrap_or(1).min(5);
    let place = Rect { y: area.bottom() - height, height, ..area };
    frame.render_widget(Clear, place);
    frame.render_widget(Block::new().style(styles.of(Role::Background)), place);
    for (y, line) in (place.y..place.bottom()).zip(lines) {
        let sign = if y == place.y { symbol } else { "" };
        fit::put(frame.buffer_mut(), place.x + 1, y, indent, sign, styles.of(role));
        fit::put(frame.buffer_mut(), place.x + indent, y, area.width - indent, &line, styles.of(Role::Text));
    }
}

/// The word for an action here; `None` for what does nothing here, or the role forbids.
fn label_for(state: &State, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
    let shell = &state.shell;
    match state.overlays.top() {
        Some(layer) => layer.label(shell, action, label).filter(|_| allowed(shell, action)),
        None => state.screens.shown(shell).label(shell, action, label),
    }
}
