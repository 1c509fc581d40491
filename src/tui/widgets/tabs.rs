//! A line of tabs, one of them open.

use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use crate::config::theme::Role;

/// A tab's name, with a number where there is one to tell, and whether it is open.
pub struct Tab {
    pub name: &'static str,
    pub count: Option<String>,
    pub open: bool,
}

/// The tabs, and how to change between them if there is room.
pub fn line(styles: &Styles, tabs: impl IntoIterator<Item = Tab>, columns: usize) -> Line<'static> {
    let mut spans = vec![Span::raw("  ")];
    for Tab { name, count, open } in tabs {
        let count = count.map(|count| format!(" {count}")).unwrap_or_default();
        let text = if open { format!("[{name}{count}]") } else { format!(" {name}{count} ") };
        spans.push(Span::styled(text, styles.of(if open { Role::Accent } else { Role::Muted })));
        spans.push(Span::raw(" "));
    }
    let mut line = Line::from(spans);
    let how = Span::styled("  ← → change", styles.of(Role::Muted));
    if line.width() + how.width() <= columns {
        line.push_span(how);
    }
    line
}
