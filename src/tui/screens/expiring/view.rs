//! The picture of what ends when.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{State, Window};
use crate::config::theme::Role;
use crate::domain::key::{Key, Status};
use crate::domain::text::SafeText;
use crate::tui::state::Shell;
use crate::tui::view::{body, times};
use crate::tui::widgets::bars::{self, Bar};
use crate::tui::widgets::list::{self, column};

/// Rows of the chart's bars: where there are few rows, the list needs them more.
fn bar_rows(area: Rect) -> u16 {
    if area.height < 16 { 1 } else { 3 }
}

/// Tabs, an empty row, the chart with its numbers and labels, an empty row.
fn above(area: Rect) -> u16 {
    2 + bar_rows(area) + 2 + 1
}

/// Rows of the list that fit the screen.
pub fn rows_shown(shell: &Shell) -> usize {
    usize::from(list_area(body(shell.size)).height.saturating_sub(1))
}

/// The row at a click.
pub fn row_at(state: &State, shell: &Shell, at: Position) -> Option<usize> {
    list::row_at(list_area(body(shell.size)), at, state.place, state.rows.len())
}

fn list_area(area: Rect) -> Rect {
    let above = above(area).min(area.height);
    Rect { y: area.y + above, height: area.height - above, ..area }
}

impl State {
    /// What stands at the right end of the header.
    pub fn summary(&self, _: &Shell) -> String {
        String::new()
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        frame.render_widget(
            self.tabs(shell, usize::from(area.width)),
            Rect { height: 1.min(area.height), ..area },
        );
        self.draw_weeks(shell, frame, area);
        let list = list_area(area);
        if self.rows.is_empty() {
            let words = match (self.loaded, self.window) {
                (false, _) => "  loading…",
                (true, Window::Overdue) => "  Nothing ended within the last 30 days without being replaced.",
                (true, _) => "  Nothing ends within this time.",
            };
            frame.render_widget(Line::styled(words, shell.styles.of(Role::Muted)), list);
            return;
        }
        let wide = area.width >= 110;
        let mut columns =
            vec![column("Ends", 10), column("Name", 0), column("Account", 16), column("Key", 20)];
        if wide {
            columns.extend([column("Last used", 10), column("Created by", 14)]);
        }
        let rows: Vec<Vec<list::Cell>> = self.rows.iter().map(|row| cells(shell, &row.key, wide)).collect();
        list::draw(frame, &shell.styles, list, &columns, &rows, self.place, |at| {
            self.rows.get(at).is_some_and(|row| self.marks.contains(&row.key.id))
        });
    }

    fn tabs(&self, shell: &Shell, width: usize) -> Line<'static> {
        let styles = &shell.styles;
        let mut spans = vec![Span::raw("  ")];
        for window in Window::ALL {
            let count = self.outlook.as_ref().map(|outlook| match window {
                Window::Overdue => outlook.overdue,
                Window::Days7 => outlook.within_7_days,
                Window::Days30 => outlook.within_30_days,
                Window::Days90 => outlook.within_90_days,
            });
            let name = match window {
                Window::Overdue => "Overdue",
                Window::Days7 => "7 days",
                Window::Days30 => "30 days",
                Window::Days90 => "90 days",
            };
            let count = count.map(|count| format!(" {count}")).unwrap_or_default();
            let here = window == self.window;
            let text = if here { format!("[{name}{count}]") } else { format!(" {name}{count} ") };
            spans.push(Span::styled(text, styles.of(if here { Role::Accent } else { Role::Muted })));
            spans.push(Span::raw(" "));
        }
        let mut line = Line::from(spans);
        let how = Span::styled("  ← → change", styles.of(Role::Muted));
        if line.width() + how.width() <= width {
            line.push_span(how);
        }
        line
    }

    fn draw_weeks(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let Some(outlook) = &self.outlook else { return };
        if area.height < above(area) + 3 {
            return;
        }
        let each = usize::from(area.width.saturating_sub(4)) / outlook.weeks.len().max(1);
        let weeks: Vec<Bar> = outlook
            .weeks
            .iter()
            .enumerate()
            .map(|(weeks, week)| Bar {
                label: match weeks {
                    _ if each >= 7 => week.starts_at.format("%b %d").to_string(),
                    0 => "now".into(),
                    weeks if each >= 5 => format!("+{weeks}w"),
                    weeks => format!("+{weeks}"),
                },
                value: week.keys,
            })
            .collect();
        let lines = bars::lines(&shell.styles, &weeks, bar_rows(area), each.min(9));
        let place = Rect {
            x: area.x + 2,
            y: area.y + 2,
            width: area.width.saturating_sub(2),
            height: bar_rows(area) + 2,
        };
        frame.render_widget(Paragraph::new(lines), place.intersection(area));
    }
}

fn cells(shell: &Shell, key: &Key, wide: bool) -> Vec<list::Cell> {
    let ended = key.status(shell.now) != Status::Active;
    let ends = key.expires_at.map_or_else(
        || "never".into(),
        |at| {
            if shell.relative_times { times::relative(at, shell.now) } else { times::day(at, shell.utc) }
        },
    );
    let soon = key.expires_at.is_some_and(|at| at - shell.now < chrono::Duration::days(7));
    let role = match (ended, soon) {
        (true, _) => Role::Danger,
        (false, true) => Role::Warning,
        (false, false) => Role::Text,
    };
    let mut cells = vec![
        (ends, role),
        (key.name.as_str().to_owned(), Role::Text),
        (SafeText::new(key.account.clone()).as_str().to_owned(), Role::Muted),
        (key.preview.as_str().to_owned(), Role::Muted),
    ];
    if wide {
        let used = key.last_used_at.map_or_else(|| "never".into(), |at| times::ago(at, shell.now));
        cells.push((used, Role::Muted));
        cells.push((key.created_by.as_str().to_owned(), Role::Muted));
    }
    cells
}
