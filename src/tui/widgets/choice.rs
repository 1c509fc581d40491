//! One of several, in a row: `(•) Never  ( ) 30 days`.

use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use super::fit;
use crate::config::theme::Role;

/// The choices on as many lines of `columns` as they take. `focus`: whether the cursor is on the chosen one.
pub fn lines<S: AsRef<str>>(
    styles: &Styles,
    choices: &[S],
    chosen: usize,
    focus: bool,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (place, choice) in choices.iter().enumerate() {
        let dot = if place == chosen { "(•)" } else { "( )" };
        let text = format!("{dot} {}", choice.as_ref());
        let wide = fit::width(&text);
        if used > 0 && used + wide > columns {
            lines.push(Line::from(std::mem::take(&mut spans)));
            used = 0;
        }
        let role = match (place == chosen, focus) {
            (true, true) => Role::ButtonFocus,
            (true, false) => Role::Accent,
            (false, _) => Role::Text,
        };
        spans.push(Span::styled(text, styles.of(role)));
        spans.push(Span::raw("  "));
        used += wide + 2;
    }
    lines.push(Line::from(spans));
    lines
}
