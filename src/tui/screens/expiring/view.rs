//! The picture of what ends when.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{State, Window};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::key::Key;
use crate::domain::shifted;
use crate::domain::text::{SafeText, thousands};
use crate::tui::listing::{Empty, draw_place};
use crate::tui::shell::Shell;
use crate::tui::view::reminders::{Mark, calm, short, told};
use crate::tui::view::room::body;
use crate::tui::view::{shown, times};
use crate::tui::widgets::bars::{self, Bar};
use crate::tui::widgets::fit;
use crate::tui::widgets::list::{self, column};
use crate::tui::widgets::tabs::{self, Tab};

/// Columns of two thresholds: the tightest ones stand below each other.
const REMINDED: usize = 11;

/// Rows of the chart's bars: where there are few rows, the list needs them more.
fn bar_rows(area: Rect) -> u16 {
    if area.height < 16 { 1 } else { 3 }
}

/// Tabs, an empty row, the chart with its numbers and labels, an empty row.
fn above(area: Rect) -> u16 {
    2 + bar_rows(area) + 2 + 1
}

/// Where the list is on the screen.
pub fn list_of(shell: &Shell) -> Rect {
    list_area(body(shell))
}

fn list_area(area: Rect) -> Rect {
    let above = above(area).min(area.height);
    let left = area.height - above;
    Rect { y: area.y + above, height: left - strip_rows(left), ..area }
}

/// Lines below the list, about the reminders of the selected key: none where the list has hardly any.
fn strip_rows(left: u16) -> u16 {
    if left < 8 { 0 } else { 2 }
}

impl State {
    pub(super) fn draw_all(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let first = Rect { height: 1.min(area.height), ..area };
        let marks = self.rows.marks_told(area.width);
        let tabs = u16::try_from(self.tabs(shell, 0).width()).unwrap_or(u16::MAX);
        let left = draw_place(shell, frame.buffer_mut(), first, tabs, &marks, &self.rows.row_of(None));
        let tabs = tabs::within(self.tabs(shell, left.into()), left.into());
        frame.render_widget(tabs, Rect { width: left, ..first });
        self.draw_weeks(shell, frame, area);
        let list = list_area(area);
        let wide = area.width >= 110;
        let mut columns = vec![column("Ends", 10), column("Name", 0)];
        columns.extend(match wide {
            true => [column("Account", 16), column("Reminded", 18), column("Key", 20)],
            false => [column("Account", 12), column("Reminded", 12), column("Key", 15)],
        });
        if wide {
            columns.extend([column("Last used", 10), column("Created by", 14)]);
        }
        let cells = |row: &crate::service::Row| cells(shell, &row.key, self.reminded(shell, &row.key), wide);
        let none = match self.rows.source.window {
            Window::Overdue => "Nothing expired in the last 30 days without being replaced.",
            _ => "Nothing expires in this time.",
        };
        self.rows.draw(shell, frame, list, &columns, cells, Empty { unfit: none, none });
        let strip = Rect { y: list.bottom(), height: area.bottom() - list.bottom(), ..area };
        frame.render_widget(Paragraph::new(self.strip(shell, usize::from(area.width))), strip);
    }

    /// Which reminders went out, in the list.
    fn reminded(&self, shell: &Shell, key: &Key) -> list::Cell {
        match self.marks_of(shell, key) {
            None => (format!("{:>REMINDED$}", "…"), Role::Muted),
            Some(marks) if marks.is_empty() => (format!("{:>REMINDED$}", "–"), Role::Muted),
            Some(marks) => {
                let (words, role) = short(&marks);
                (format!("{words:>REMINDED$}"), role)
            }
        }
    }

    /// The same of the selected key in words.
    fn strip(&self, shell: &Shell, columns: usize) -> Vec<Line<'static>> {
        let Some(key) = self.selected() else { return Vec::new() };
        let Some(marks) = self.marks_of(shell, key) else { return Vec::new() };
        let mut lines: Vec<Line<'static>> = marks
            .iter()
            .rev()
            .map(|(days, mark)| {
                let words = format!("  {days} days before: {}", words(shell, key, *days, *mark));
                Line::styled(
                    fit::cut(&words, columns.saturating_sub(1)),
                    shell.styles.of(calm(mark.sign().1)),
                )
            })
            .collect();
        if lines.is_empty() {
            let words =
                "  No reminder is sent for it: its issuer's policy has none, or its lifetime is too short.";
            lines.push(Line::styled(words, shell.styles.of(Role::Muted)));
        }
        lines
    }

    fn tabs(&self, shell: &Shell, width: usize) -> Line<'static> {
        let outlook = self.outlook.as_ref();
        let tabs = Window::ALL.iter().map(|&window| Tab {
            name: window.into(),
            count: outlook.map(|outlook| {
                thousands(match window {
                    Window::Overdue => outlook.overdue,
                    Window::Days7 => outlook.within_7_days,
                    Window::Days30 => outlook.within_30_days,
                    Window::Days90 => outlook.within_90_days,
                })
            }),
            open: window == self.rows.source.window,
        });
        tabs::line(&shell.styles, tabs, width)
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

/// `✓ sent 3d ago to ada@example.com`, `· in 4d`.
fn words(shell: &Shell, key: &Key, days: u32, mark: Mark<'_>) -> String {
    let when = |at| shown::time(at, shell);
    let sign = mark.sign().0;
    match mark {
        Mark::Due => {
            format!("{sign} due now; {} shows and sends what is due", shell.keymap.key(Action::Sweep))
        }
        Mark::Passed if key.successor.is_some() => format!("{sign} not sent: the key was replaced"),
        Mark::Passed => format!("{sign} not sent"),
        Mark::Ahead => match key.stops_at() {
            Some(end) => format!("{sign} due {}", when(shifted(end, -crate::domain::days(days)))),
            None => sign.to_owned(),
        },
        Mark::Made(reminder) => {
            let when = format!(" {}", when(reminder.changed_at));
            told(reminder, &when, |delivery| delivery.state.needs_attention())
        }
    }
}

fn cells(shell: &Shell, key: &Key, reminded: list::Cell, wide: bool) -> Vec<list::Cell> {
    let ended = key.has_ended(shell.now);
    let ends = key.stops_at().map_or_else(|| "never".into(), |at| shown::to_the_day(at, shell));
    // A day fills the column.
    let ends = if shell.relative_times && key.plan().is_some() { format!("✕ {ends}") } else { ends };
    let soon = key.stops_at().is_some_and(|at| at - shell.now < chrono::Duration::days(7));
    let role = match (ended, soon) {
        (true, _) => Role::Danger,
        (false, true) => Role::Warning,
        (false, false) => Role::Text,
    };
    let mut cells = vec![
        (ends, role),
        (key.name.as_str().to_owned(), Role::Text),
        (SafeText::new(key.account.clone()).as_str().to_owned(), Role::Muted),
        reminded,
        (fit::squeeze(&key.preview, if wide { 20 } else { 15 }).into_owned(), Role::Muted),
    ];
    if wide {
        let used = key.last_used_at.map_or_else(|| "never".into(), |at| times::ago(at, shell.now));
        cells.push((used, Role::Muted));
        cells.push((key.created_by.as_str().to_owned(), Role::Muted));
    }
    cells
}
