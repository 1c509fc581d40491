//! The two lines at the top.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::body::HEADER;
use super::reminders::sign;
use super::room::alarm;
use super::times;
use crate::config::theme::Role;
use crate::domain::operator;
use crate::domain::reminder::State;
use crate::domain::text::SafeText;
use crate::tui::shell::{Link, Shell};
use crate::tui::widgets::fit;
use crate::tui::words::ScreenId;

/// Name and database; the sweep, what went wrong, the operator, and how fresh all this is; below it the tabs.
pub(super) fn draw(state: &super::State, frame: &mut Frame, area: Rect) {
    draw_tabs(state, frame, Rect { y: area.y + 1, height: 1, ..area });
    for (y, line) in (area.y + HEADER..area.bottom()).zip(alarm(&state.shell)) {
        fit::put(frame.buffer_mut(), area.x + 1, y, area.width, &line, state.shell.styles.of(Role::Danger));
    }
    let area = Rect { height: 1, ..area };
    let shell = &state.shell;
    let styles = &shell.styles;
    let late = state.screens.shown(shell).list().is_late();
    let mut right = badges(shell);
    right.spans.extend(who_and_link(shell, late).spans);
    let taken = u16::try_from(right.width()).unwrap_or(area.width);
    let room = area.width.saturating_sub(taken + 2);
    let left = Line::from(vec![
        Span::styled(" Keyrack  ", styles.of(Role::Title)),
        Span::styled(
            fit::cut_left(&shell.database, usize::from(room.saturating_sub(10))),
            styles.of(Role::Muted),
        ),
    ]);
    frame.render_widget(left, Rect { width: room, ..area });
    frame.render_widget(right.right_aligned(), area);
}

/// The sweep that goes on here, and reminders that somebody must look at. While the database is gone that would be old.
fn badges(shell: &Shell) -> Line<'static> {
    let mut spans = Vec::new();
    if let Some(sweep) = shell.sweep.as_ref().filter(|sweep| sweep.running()) {
        let words = format!("→ sweep {}", sweep.count());
        spans.extend([Span::styled(words, shell.styles.of(Role::Info)), Span::raw("  ")]);
    }
    if let Some(outbox) = shell.outbox.as_ref().filter(|_| shell.link == Link::Live) {
        for (count, state) in [(outbox.failed, State::Failed), (outbox.ambiguous, State::Ambiguous)] {
            if count > 0 {
                let (sign, role) = sign(state);
                let words = format!("{sign} {count} {}", state.as_str());
                spans.extend([Span::styled(words, shell.styles.of(role)), Span::raw("  ")]);
            }
        }
    }
    if let Some(count) = shell.alerts.filter(|count| *count > 0 && shell.link == Link::Live) {
        // Nobody counts further than a thousand.
        let words = match count {
            1 => "! 1 alert  ".to_owned(),
            1000.. => "! 1000+ alerts  ".to_owned(),
            count => format!("! {count} alerts  "),
        };
        spans.push(Span::styled(words, shell.styles.of(Role::Danger)));
    }
    Line::from(spans)
}

fn who_and_link(shell: &Shell, late: bool) -> Line<'static> {
    let styles = &shell.styles;
    let mut spans = Vec::new();
    if let Some(who) = &shell.who {
        let name = SafeText::new(who.identity.name.clone());
        spans.push(Span::styled(format!("{name}  "), styles.of(Role::Text)));
        spans.push(match who.role {
            Some(operator::Role::Viewer) => Span::styled("viewer, read-only  ", styles.of(Role::Warning)),
            Some(role) if who.read_only => {
                Span::styled(format!("{role}, read-only database  "), styles.of(Role::Warning))
            }
            Some(role) => Span::styled(format!("{role}  "), styles.of(Role::Muted)),
            None => Span::styled("no operator here  ", styles.of(Role::Warning)),
        });
    }
    spans.push(match &shell.link {
        Link::Opening => Span::styled("◌ opening ", styles.of(Role::Info)),
        Link::Live if late => Span::styled("◌ late ", styles.of(Role::Warning)),
        Link::Live => Span::styled("● live ", styles.of(Role::Ok)),
        Link::Lost { since, .. } => {
            let at = times::clock(*since, shell.utc);
            let age = match times::ago(*since, shell.now).as_str() {
                "now" => String::new(),
                ago => format!(" ({ago})"),
            };
            Span::styled(format!("✕ database gone, data of {at}{age} "), styles.of(Role::Danger))
        }
    });
    Line::from(spans)
}

/// The screens and their keys; how much there is of what the present one shows.
fn draw_tabs(state: &super::State, frame: &mut Frame, area: Rect) {
    let (tabs, shown, summary) = fitting(state, area.width);
    frame.render_widget(tab_line(&state.shell, tabs, &shown).0, area);
    let width = width_of(&summary).min(area.width);
    frame.render_widget(summary, Rect { x: area.right() - width, width, ..area });
}

/// The screen whose tab is at a place.
pub fn tab_at(state: &super::State, at: Position) -> Option<ScreenId> {
    let (tabs, shown, _) = fitting(state, state.shell.size.width);
    let (_, ends) = tab_line(&state.shell, tabs, &shown);
    let place = ends.iter().position(|end| usize::from(at.x) < *end)?;
    (at.y == 1).then(|| ScreenId::ALL.get(shown.start + place).copied()).flatten()
}

/// The tabs with their names if there is room, else closer together, else without the last of them, else beside the count
/// alone, else without the first ones, else by their keys; and how many there are of what is shown.
fn fitting(state: &super::State, width: u16) -> (Tabs, Range<usize>, Line<'static>) {
    let shell = &state.shell;
    let style = shell.styles.of(Role::Text);
    let words = state.screens.shown(shell).summary(shell);
    let whole = Line::styled(format!("{words} "), style);
    // `60 API keys` says as much without its words, where a mark or "over" does not stand before the number.
    let count = words.split(' ').next().filter(|first| first.starts_with(|c: char| c.is_ascii_digit()));
    let count = Line::styled(count.map_or_else(|| whole.to_string(), |count| format!(" {count} ")), style);
    let fits = |tabs, shown: &Range<usize>, summary: &Line<'_>| {
        width_of(&tab_line(shell, tabs, shown).0) + width_of(summary) <= width
    };
    // The one that is shown always has its tab; the last ones go before any is told less of, and then the first ones.
    let all = 0..ScreenId::ALL.len();
    let place = shell.screen.place();
    let last = ALWAYS.max(place + 1);
    let ways = [
        (Tabs::Wide, all.clone(), &whole),
        (Tabs::Close, all.clone(), &whole),
        (Tabs::Wide, 0..last, &whole),
        (Tabs::Close, 0..last, &whole),
        (Tabs::Close, 0..last, &count),
        (Tabs::Tight, 0..last, &whole),
        (Tabs::Tight, 0..last, &count),
    ];
    let later = (1..=place.min(MOST_LEFT_OUT)).map(|first| (Tabs::Tight, first..last, &count));
    for (tabs, shown, summary) in ways.into_iter().chain(later) {
        if fits(tabs, &shown, summary) {
            return (tabs, shown, summary.clone());
        }
    }
    (Tabs::Keys, all, whole)
}

fn width_of(line: &Line<'_>) -> u16 {
    u16::try_from(line.width()).unwrap_or(u16::MAX)
}

/// So many screens have their tabs where any has its name in full.
const ALWAYS: usize = 8;
/// So many of the first are left out at most, before all names go.
const MOST_LEFT_OUT: usize = 5;

#[derive(Clone, Copy, PartialEq)]
enum Tabs {
    Wide,
    Close,
    /// Without a space between key and name.
    Tight,
    Keys,
}

/// Some of the tabs, and the column behind each of them.
fn tab_line(shell: &Shell, tabs: Tabs, shown: &Range<usize>) -> (Line<'static>, Vec<usize>) {
    let styles = &shell.styles;
    let mut spans = Vec::new();
    let mut ends = Vec::new();
    let mut end = 0;
    for screen in ScreenId::ALL.into_iter().take(shown.end).skip(shown.start) {
        let present = screen == shell.screen;
        let style = styles.of(if present { Role::Accent } else { Role::Muted });
        let key = shell.keymap.key(screen.action());
        let title = match tabs {
            Tabs::Keys if !present => " ".to_owned(),
            Tabs::Close => format!(" {}", screen.title()),
            Tabs::Tight => screen.title().to_owned(),
            _ => format!(" {} ", screen.title()),
        };
        let strong = if present { style.add_modifier(Modifier::BOLD) } else { style };
        // Without a space between them only their looks tell the key from the name.
        let key_style = if tabs == Tabs::Tight && !present { styles.of(Role::Text) } else { style };
        let key = Span::styled(format!(" {key}"), key_style);
        let title = Span::styled(title, strong);
        end += key.width() + title.width();
        ends.push(end);
        spans.extend([key, title]);
    }
    (Line::from(spans), ends)
}
