//! Names and values below each other: what is known of a thing.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use super::fit;
use crate::config::theme::Role;

/// A name, its value, and how the value looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
    pub style: Style,
}

impl Fact {
    pub fn new(styles: &Styles, name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into(), style: styles.of(Role::Text) }
    }

    pub fn role(self, styles: &Styles, role: Role) -> Self {
        Self { style: styles.of(role), ..self }
    }
}

/// The facts as lines of `columns`; a value that is too long goes on below itself and is never cut.
pub fn lines(styles: &Styles, facts: &[Fact], columns: usize) -> Vec<Line<'static>> {
    let label = facts.iter().map(|fact| fit::width(fact.name)).max().unwrap_or(0) + 2;
    let mut lines = Vec::new();
    for fact in facts {
        for (place, part) in fit::wrap(&fact.value, columns.saturating_sub(label)).into_iter().enumerate() {
            let name = if place == 0 { fact.name } else { "" };
            lines.push(Line::from(vec![
                Span::styled(fit::pad(name, label), styles.of(Role::Label)),
                Span::styled(part, fact.style),
            ]));
        }
    }
    lines
}
