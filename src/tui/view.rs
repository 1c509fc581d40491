//! The picture of a state: header, screen, what lies over it, last line. Reads only.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::screens::ScreenId;
use super::state::{Link, Severity, Shell, State};
use crate::config::theme::Role;

pub mod times;

/// Below this nothing useful fits.
pub const SMALLEST: (u16, u16) = (60, 16);
/// How long something may load before the screen says so.
pub const PATIENCE: Duration = Duration::from_millis(150);

/// Draws everything.
pub fn view(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let shell = &state.shell;
    frame.render_widget(Block::new().style(shell.styles.of(Role::Background)), area);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(shell, frame, area);
        return;
    }
    let [header, body, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]).areas(area);
    draw_header(state, frame, header);
    state.screens.draw(shell, frame, body);
    for opened in &state.overlays {
        opened.overlay.draw(shell, frame, body);
    }
    draw_footer(state, frame, footer);
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

/// Name, screens, database, operator, and how fresh all this is.
fn draw_header(state: &State, frame: &mut Frame, area: Rect) {
    let shell = &state.shell;
    let styles = &shell.styles;
    let right = right_of_header(state);
    let mut left = vec![Span::styled(" Keyrack ", styles.of(Role::Title))];
    for (i, screen) in ScreenId::ALL.into_iter().enumerate() {
        let style = if screen == shell.screen { styles.of(Role::Accent) } else { styles.of(Role::Muted) };
        left.push(Span::styled(format!(" {} {}", i + 1, screen.title()), style));
    }
    let width = u16::try_from(right.width()).unwrap_or(area.width).min(area.width);
    let [left_area, right_area] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    frame.render_widget(Line::from(left), left_area);
    frame.render_widget(right, right_area);
}

fn right_of_header(state: &State) -> Line<'static> {
    let shell = &state.shell;
    let styles = &shell.styles;
    let muted = styles.of(Role::Muted);
    let mut spans = Vec::new();
    let summary = state.screens.summary(shell);
    if !summary.is_empty() {
        spans.push(Span::styled(summary, styles.of(Role::Text)));
        spans.push(Span::styled("  ", muted));
    }
    if let Some(who) = &shell.who {
        let name = crate::domain::text::SafeText::new(who.identity.name.clone());
        let role = match who.role {
            Some(crate::domain::operator::Role::Viewer) => "viewer, read-only",
            Some(role) => role.as_str(),
            None => "no operator",
        };
        spans.push(Span::styled(format!("{name} ({role})  "), muted));
    }
    spans.push(match &shell.link {
        Link::Opening => Span::styled("◌ opening ", styles.of(Role::Info)),
        Link::Live => Span::styled("● live ", styles.of(Role::Ok)),
        Link::Lost { since, .. } => {
            let age = times::ago(*since, shell.now);
            Span::styled(format!("✕ database gone, data of {age} "), styles.of(Role::Danger))
        }
    });
    Line::from(spans)
}

/// A message, or the keys that are useful here.
fn draw_footer(state: &State, frame: &mut Frame, area: Rect) {
    let shell = &state.shell;
    let styles = &shell.styles;
    if let Some(toast) = &shell.toast {
        let (symbol, role) = match toast.severity {
            Severity::Info => ("•", Role::Info),
            Severity::Good => ("✓ done:", Role::Ok),
            Severity::Warning => ("! warning:", Role::Warning),
            Severity::Bad => ("✕ error:", Role::Danger),
        };
        let line = Line::from(vec![
            Span::styled(format!(" {symbol} "), styles.of(role)),
            Span::styled(toast.text.as_str(), styles.of(Role::Text)),
        ]);
        frame.render_widget(line, area);
        return;
    }
    let context = match state.overlays.last() {
        Some(opened) => opened.overlay.context(),
        None => state.screens.context(shell),
    };
    let mut spans = Vec::new();
    let mut width = 1;
    for (key, label) in shell.keymap.hints(context) {
        let more = key.chars().count() + 1 + label.chars().count() + 2;
        if width + more > usize::from(area.width) {
            break;
        }
        width += more;
        spans.push(Span::styled(format!(" {key}"), styles.of(Role::HintKey)));
        spans.push(Span::styled(format!(" {label} "), styles.of(Role::Hint)));
    }
    frame.render_widget(Line::from(spans), area);
}
