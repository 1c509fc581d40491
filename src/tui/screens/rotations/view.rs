//! The picture of open overlaps.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::State;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::domain::rotation::{Lately, MINUTES, Rotation};
use crate::domain::text::SafeText;
use crate::domain::usage::spans;
use crate::service::RotationRow;
use crate::tui::listing::{Absent, draw_words};
use crate::tui::shell::Shell;
use crate::tui::view::room::body;
use crate::tui::view::{shown, times};
use crate::tui::widgets::list::{self, column};
use crate::tui::widgets::{fit, sparkline};

/// Lines about the selected overlap, below the list: a heading, and four about both keys.
const STRIP: u16 = 6;
/// A list with fewer lines has none.
const LEAST: u16 = 6;
/// Columns of a sparkline of the last hour.
const CELLS: usize = 12;
/// Columns from which on more is told of each overlap.
const WIDE: u16 = 150;

/// Where the parts of the screen are: filter, list, strip.
fn areas(area: Rect) -> (Rect, Rect, Rect) {
    let bar = Rect { height: 1.min(area.height), ..area };
    let left = area.height - bar.height;
    let strip = if left < LEAST + STRIP { 0 } else { STRIP };
    let list = Rect { y: bar.bottom(), height: left - strip, ..area };
    (bar, list, Rect { y: list.bottom(), height: strip, ..area })
}

/// Where the list is on the screen.
pub fn list_of(shell: &Shell) -> Rect {
    areas(body(shell)).1
}

/// `The old key: 3/h, silent for 6h; from 203.0.113.7 for calls.`
pub fn use_words(one: &Rotation, now: Instant) -> String {
    let place = place(&one.old).map(|place| format!("; last {place}")).unwrap_or_default();
    format!("The old key: {}, {}{place}.", pace(&one.old_use, now), one.silence(now))
}

fn pace(lately: &Lately, now: Instant) -> String {
    let pace = lately.pace(now);
    if pace.is_empty() { "no request in an hour".into() } else { pace }
}

/// `from 203.0.113.7 for calls`: the last use of a key.
fn place(key: &Key) -> Option<String> {
    let from = key.last_used_from.as_ref().map(|from| format!("from {from}"));
    let endpoint = key.last_used_endpoint.as_ref().map(|endpoint| format!("for {endpoint}"));
    let both: Vec<String> = from.into_iter().chain(endpoint).collect();
    (!both.is_empty()).then(|| both.join(" "))
}

impl State {
    pub(super) fn draw_all(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let (bar, list, strip) = areas(area);
        let idle = super::Listing::<super::Overlaps>::idle(shell, "open overlaps, the next to end first");
        self.rows.draw_bar(shell, frame, bar, idle);
        if self.rows.is_empty() {
            let words = self.empty(shell);
            draw_words(shell, frame, list, &words.iter().map(String::as_str).collect::<Vec<_>>());
            self.rows.filter.draw_mistake(&shell.styles, frame, list);
            return;
        }
        let wide = area.width >= WIDE;
        let mut columns =
            vec![column("Left", 6), column("Name", 0), column("Account", if wide { 16 } else { 10 })];
        if wide {
            columns.push(column("Old key", 20));
        }
        columns.extend([column("Last hour", CELLS), column("Requests", 9), column("Old key is", 16)]);
        if wide {
            columns.push(column("New key", 20));
            columns.push(column("Last hour", CELLS));
        }
        columns.push(column("New key", 11));
        if wide {
            columns.extend([column("Rotated", shown::past_columns(shell, 9)), column("By", 12)]);
        }
        self.rows.draw_rows(shell, frame, list, &columns, |row| cells(shell, row, wide));
        if let Some(one) = self.selected() {
            let lines = told(shell, one, usize::from(strip.width));
            frame.render_widget(Paragraph::new(lines), strip);
        }
    }

    /// What stands in the place of rows, and what to do next.
    fn empty(&self, shell: &Shell) -> Vec<String> {
        let key = |action| shell.keymap.key(action);
        match self.rows.absent() {
            Some(Absent::NotYet) => vec!["loading…".into()],
            Some(Absent::Failed(why)) => vec![why.to_owned()],
            Some(Absent::Unfit) => {
                vec![format!("No open overlap matches. {} shows all of them.", key(Action::Back))]
            }
            _ => vec![
                "No overlap is open: no old key works beside its replacement.".into(),
                String::new(),
                format!(
                    "To replace a key, select it among the keys ({}) and press {}, or mark several. Its old secret then works until \
                     the overlap ends, and this screen shows who still uses it.",
                    key(Action::ScreenKeys),
                    key(Action::Rotate)
                ),
            ],
        }
    }
}

fn spark(shell: &Shell, lately: &Lately) -> String {
    let minutes = u32::try_from(MINUTES).unwrap_or(60) / CELLS as u32;
    sparkline::text(&spans(&lately.minutes, shell.now, CELLS, minutes), CELLS, shell.ascii)
}

/// The sign and word of what a replacement is, and its role.
fn replacement(key: &Key, now: Instant) -> (String, Role) {
    match key.status(now) {
        Status::Active if key.last_used_at.is_none() => ("! not used".into(), Role::Warning),
        Status::Active => ("✓ in use".into(), Role::Ok),
        status if key.has_ended(now) => (format!("✕ {}", status.as_str()), Role::Danger),
        status => (format!("! {}", status.as_str()), Role::Warning),
    }
}

/// How the old key is: whether it can be closed.
fn old(one: &Rotation, now: Instant) -> (String, Role) {
    let silence = one.silence(now);
    let quiet = one.old.last_used_at.is_none_or(|at| now - at >= chrono::Duration::hours(1));
    (silence, if quiet { Role::Ok } else { Role::Warning })
}

fn cells(shell: &Shell, row: &RotationRow, wide: bool) -> Vec<list::Cell> {
    let (one, now) = (&row.rotation, shell.now);
    let soon = one.ends_at().is_some_and(|end| end - now < chrono::Duration::hours(1));
    let left = one.ends_at().map_or_else(|| "never".into(), |end| left(end, now));
    let requests = |lately: &Lately| {
        let pace = lately.pace(now);
        if pace.is_empty() { ("–".to_owned(), Role::Muted) } else { (pace, Role::Text) }
    };
    let mut cells = vec![
        (left, if soon { Role::Warning } else { Role::Text }),
        (one.old.label().into_owned(), Role::Text),
        (SafeText::new(one.old.account.clone()).as_str().to_owned(), Role::Muted),
    ];
    if wide {
        cells.push((fit::squeeze(&one.old.preview, 20).into_owned(), Role::Muted));
    }
    cells.extend([(spark(shell, &one.old_use), Role::Accent), requests(&one.old_use), old(one, now)]);
    if wide {
        cells.push((fit::squeeze(&one.new.preview, 20).into_owned(), Role::Muted));
        cells.push((spark(shell, &one.new_use), Role::Accent));
    }
    cells.push(replacement(&one.new, now));
    if wide {
        cells.push((shown::past(one.new.created_at, shell), Role::Muted));
        cells.push((one.new.created_by.as_str().to_owned(), Role::Muted));
    }
    cells
}

/// `20h`: how long an overlap still goes on.
fn left(end: Instant, now: Instant) -> String {
    let words = times::relative(end, now);
    words.strip_prefix("in ").unwrap_or(&words).to_owned()
}

/// The selected overlap: the old key beside its replacement.
fn told(shell: &Shell, one: &Rotation, columns: usize) -> Vec<Line<'static>> {
    let now = shell.now;
    let exact = |at| times::exact(at, shell.utc);
    let half = columns.saturating_sub(4) / 2;
    let ends = one.ends_at().map_or_else(|| "never ends".to_owned(), |end| format!("ends {}", exact(end)));
    let heading = format!(
        "{}: rotated by {} {}, {ends}",
        one.old.label(),
        one.new.created_by,
        times::ago(one.new.created_at, now)
    );
    let networks = |lately: &Lately| match (lately.networks.as_slice(), lately.more_networks) {
        ([], _) => "no network known".to_owned(),
        (known, more) => {
            let known = known.iter().map(SafeText::as_str).collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("networks {known}{more}")
        }
    };
    let used = |key: &Key| match (key.last_used_at, place(key)) {
        (None, _) => "never used".to_owned(),
        (Some(at), None) => format!("used {}", times::ago(at, now)),
        (Some(at), Some(place)) => format!("used {} {place}", times::ago(at, now)),
    };
    let expires = match one.new.expires_at {
        None => "never expires".to_owned(),
        Some(at) => format!("expires {}", times::relative(at, now)),
    };
    let (state, role) = replacement(&one.new, now);
    let pair = |old: (String, Role), new: (String, Role)| {
        let cut = |text: String| fit::pad(&fit::cut(&text, half), half);
        Line::from(vec![
            Span::raw("  "),
            Span::styled(cut(old.0), shell.styles.of(old.1)),
            Span::raw("  "),
            Span::styled(fit::cut(&new.0, half), shell.styles.of(new.1)),
        ])
    };
    let text = |text: String| (text, Role::Text);
    let muted = |text: String| (text, Role::Muted);
    let beside = |lately: &Lately| format!("{} {}", spark(shell, lately), pace(lately, now));
    vec![
        Line::styled(
            fit::cut(&format!("  {heading}"), columns.saturating_sub(1)),
            shell.styles.of(Role::Header),
        ),
        pair(
            text(format!("old {}", fit::squeeze(&one.old.preview, 20))),
            text(format!("new {}, {expires}", fit::squeeze(&one.new.preview, 20))),
        ),
        pair(old(one, now), (state, role)),
        pair(text(beside(&one.old_use)), text(beside(&one.new_use))),
        pair(muted(used(&one.old)), muted(used(&one.new))),
        pair(muted(networks(&one.old_use)), muted(networks(&one.new_use))),
    ]
}
