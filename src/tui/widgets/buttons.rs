//! A row of buttons.

use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use crate::config::theme::Role;

/// A button: its words, and whether it ends something for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Button<'a> {
    pub words: &'a str,
    pub danger: bool,
}

impl<'a> Button<'a> {
    pub fn new(words: &'a str) -> Self {
        Self { words, danger: false }
    }

    pub fn danger(words: &'a str) -> Self {
        Self { words, danger: true }
    }
}

/// The buttons on one line; the focused one stands out by brackets too, for screens without colour.
pub fn line(styles: &Styles, buttons: &[Button<'_>], focus: Option<usize>) -> Line<'static> {
    let mut spans = Vec::new();
    for (place, button) in buttons.iter().enumerate() {
        let focused = focus == Some(place);
        let role = match (focused, button.danger) {
            (true, true) => Role::ButtonDanger,
            (true, false) => Role::ButtonFocus,
            (false, _) => Role::Button,
        };
        let text = if focused { format!("[ {} ]", button.words) } else { format!("  {}  ", button.words) };
        spans.push(Span::styled(text, styles.of(role)));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

/// Line and column of the focused button or choice.
pub fn focused(styles: &Styles, lines: &[Line<'_>]) -> Option<(usize, u16)> {
    let looks = [styles.of(Role::ButtonFocus), styles.of(Role::ButtonDanger)];
    let stands_out = |span: &Span<'_>| looks.contains(&span.style) && span.content.starts_with(['[', '(']);
    lines.iter().enumerate().find_map(|(y, line)| {
        let place = line.spans.iter().position(stands_out)?;
        let before: usize = line.spans[..place].iter().map(Span::width).sum();
        Some((y, u16::try_from(before).unwrap_or(0)))
    })
}
