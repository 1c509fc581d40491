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

/// As much of a line of tabs as the columns have room for: whole tabs, and the open one in any case.
pub fn within(mut line: Line<'_>, columns: usize) -> Line<'_> {
    let mut at = line.spans.len();
    while line.width() > columns && at > 0 {
        at -= 1;
        if !line.spans[at].content.starts_with('[') {
            line.spans.remove(at);
        }
    }
    line
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

#[cfg(test)]
mod tests {
    use super::{Tab, line, within};
    use crate::config::theme::Theme;
    use crate::tui::styles::Styles;

    #[test]
    fn tabs_go_whole_and_the_open_one_never() {
        let styles = Styles::new(&Theme::load("dark", None).unwrap());
        let tab = |name, open| Tab { name, count: Some("1,234".into()), open };
        let tabs = || line(&styles, [tab("Live", false), tab("All", false), tab("Ended", true)], 80);
        let shown = |columns| within(tabs(), columns).to_string().trim_end().to_owned();
        assert_eq!(shown(80), "   Live 1,234   All 1,234  [Ended 1,234]   ← → change");
        assert_eq!(shown(45), "   Live 1,234   All 1,234  [Ended 1,234]");
        assert_eq!(shown(30), "   Live 1,234  [Ended 1,234]");
        assert_eq!(shown(20), "  [Ended 1,234]");
    }
}
