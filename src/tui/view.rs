//! The picture of a state: header, screen, what lies over it, last line. Reads only.

use std::borrow::Cow;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::shell::Shell;
use super::state::State;
use super::sweep_state::MAY_SWEEP;
use super::words::{ScreenId, Severity};
use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::operator::Permission;

mod ascii;
mod header;
pub mod key_facts;
pub mod limits;
pub mod reminders;
#[cfg(test)]
mod tests;
pub mod text;
pub mod times;

pub use header::tab_at;

/// Below this nothing useful fits.
pub const SMALLEST: (u16, u16) = (60, 16);
/// How long something may load before the screen says so.
pub const PATIENCE: Duration = Duration::from_millis(150);

/// Lines of the header and of the footer.
const HEADER: u16 = 2;
const FOOTER: u16 = 1;

/// The part of the screen between header and footer.
pub fn body(size: Size) -> Rect {
    Rect { x: 0, y: HEADER, width: size.width, height: size.height.saturating_sub(HEADER + FOOTER) }
}

/// Draws everything.
pub fn view(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let shell = &state.shell;
    frame.render_widget(Block::new().style(shell.styles.of(Role::Background)), area);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(shell, frame, area);
        return;
    }
    let body = body(shell.size).intersection(area);
    header::draw(state, frame, Rect { height: HEADER, ..area });
    state.screens.draw(shell, frame, body);
    state.overlays.draw(shell, frame, body);
    draw_footer(state, frame, Rect { y: area.bottom() - FOOTER, height: FOOTER, ..area });
    if shell.ascii {
        ascii::replace(frame.buffer_mut());
    }
}

fn too_small(shell: &Shell, frame: &mut Frame, area: Rect) {
    let (width, height) = SMALLEST;
    let text = vec![
        Line::styled("This terminal is too small.", shell.styles.of(Role::Warning)),
        Line::from(format!("Needed:  {width} x {height}")),
        Line::from(format!("Present: {} x {}", area.width, area.height)),
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
        None => state.screens.context(shell),
    };
    let hints: Vec<_> = shell
        .keymap
        .hinted(context)
        .into_iter()
        .filter_map(|(action, key, label)| Some((action, key, label_for(state, context, action, label)?)))
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
    let lines = text::wrap(text, usize::from(area.width.saturating_sub(indent + 1)));
    let height = u16::try_from(lines.len()).unwrap_or(1).min(5);
    let place = Rect { y: area.bottom() - height, height, ..area };
    frame.render_widget(Clear, place);
    frame.render_widget(Block::new().style(styles.of(Role::Background)), place);
    for (y, line) in (place.y..place.bottom()).zip(lines) {
        let sign = if y == place.y { symbol } else { "" };
        text::put(frame.buffer_mut(), place.x + 1, y, indent, sign, styles.of(role));
        text::put(frame.buffer_mut(), place.x + indent, y, area.width - indent, &line, styles.of(Role::Text));
    }
}

/// The word for an action here: the issuer's own where it has one (VA-04, VG-08); `None` for what the role forbids.
///
/// While a key's detail is open, the hints are about it: how to close it, how to scroll it.
fn label_for(
    state: &State,
    context: Context,
    action: Action,
    label: &'static str,
) -> Option<Cow<'static, str>> {
    let shell = &state.shell;
    let detail = state.screens.keys.detail.open && matches!(context, Context::Keys | Context::Detail);
    match action {
        Action::Back => return detail.then_some("close".into()),
        Action::Open if detail => return None,
        Action::FocusDetail if context == Context::Detail => return Some("list".into()),
        Action::FocusDetail => return detail.then_some("scroll".into()),
        _ => {}
    }
    let label = match state.overlays.top() {
        Some(layer) => layer.label(shell, action, label)?,
        None => label.into(),
    };
    if action == Action::Retry && shell.who.is_some() && !shell.may(MAY_SWEEP) {
        return None;
    }
    let changes = matches!(action, Action::New | Action::Revoke | Action::Rotate | Action::Acknowledge);
    if changes && shell.who.is_some() && !shell.may(Permission::ChangeKeys) {
        return None;
    }
    if action == Action::New && shell.screen == ScreenId::Keys {
        let wording = shell.wording();
        return Some(if state.screens.keys.window.is_empty() { wording.first } else { wording.new }.into());
    }
    Some(label)
}
