//! The picture of the outbox, the last sweeps and the reminders.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::State;
use super::preset::Preset;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::reminder::{Progress, Reminder, ReminderFilter, Sweep};
use crate::domain::text::{SafeText, thousands};
use crate::tui::listing::{Absent, draw_words};
use crate::tui::shell::Shell;
use crate::tui::sweep_state::MAY_SWEEP;
use crate::tui::view::reminders::{calm, sign, standing as of, told};
use crate::tui::view::room::body;
use crate::tui::view::shown;
use crate::tui::widgets::fit;
use crate::tui::widgets::list::{self, column};
use crate::tui::widgets::tabs::{self, Tab};

/// Lines about the selected reminder, below the list.
const STRIP: u16 = 2;
/// Columns before the text.
const MARGIN: usize = 2;

/// Where the parts of the screen are.
struct Areas {
    outbox: Rect,
    sweeps: Rect,
    /// Tabs or filter.
    bar: Rect,
    list: Rect,
    strip: Rect,
}

impl Areas {
    /// `sweeps`: lines that the last sweeps take if there is room.
    fn of(area: Rect, sweeps: usize) -> Self {
        let (most, gap) = match area.height {
            0..16 => (0, 0),
            16..24 => (3, 1),
            24..36 => (5, 1),
            _ => (9, 1),
        };
        let sweeps = u16::try_from(sweeps).unwrap_or(most).min(most);
        let mut rest = area;
        let mut cut = |height: u16, gap: u16| {
            let top = Rect { height: height.min(rest.height), ..rest };
            let taken = (height + gap).min(rest.height);
            rest.y += taken;
            rest.height -= taken;
            top
        };
        let (outbox, sweeps, bar) = (cut(2, gap), cut(sweeps, gap), cut(1, 0));
        let strip = STRIP.min(rest.height);
        let list = Rect { height: rest.height - strip, ..rest };
        Self { outbox, sweeps, bar, list, strip: Rect { y: list.bottom(), height: strip, ..rest } }
    }
}

impl State {
    /// Where the list is on the screen.
    pub(super) fn list_of(&self, shell: &Shell) -> Rect {
        self.areas(shell, body(shell)).list
    }

    fn areas(&self, shell: &Shell, area: Rect) -> Areas {
        Areas::of(area, self.sweep_lines(shell, usize::from(area.width)).len())
    }

    pub(super) fn draw_all(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let areas = self.areas(shell, area);
        let columns = usize::from(area.width);
        frame.render_widget(Paragraph::new(vec![standing(shell), way(shell, columns)]), areas.outbox);
        frame.render_widget(Paragraph::new(self.sweep_lines(shell, columns)), areas.sweeps);
        let (filter, tab) = (&self.rows.filter, Preset::of(&self.rows.filter.meaning));
        if filter.typing || tab.is_none_or(|tab| tab.put_into("") != filter.value()) {
            self.rows.draw_bar(shell, frame, areas.bar, Line::default());
        } else {
            self.rows.draw_idle(shell, frame, areas.bar, tabs(shell, &filter.meaning, columns));
        }
        if self.rows.is_empty() {
            let below = Rect {
                y: areas.list.y + 1.min(areas.list.height),
                height: areas.list.height.saturating_sub(1),
                ..areas.list
            };
            draw_words(shell, frame, below, &[&self.empty(shell)]);
            self.rows.filter.draw_mistake(&shell.styles, frame, areas.list);
            return;
        }
        let mut columns = vec![
            column("State", 12),
            column("Key", 0),
            column("Account", 14),
            column("Before", 6),
            column("Expires", if shell.relative_times { 7 } else { 10 }),
            column("Changed", shown::past_columns(shell, 8)),
        ];
        if area.width >= 110 {
            columns.push(column("To", 28));
        }
        if area.width >= 150 {
            columns.push(column("Answer", 44));
        }
        self.rows.draw_rows(shell, frame, areas.list, &columns, |row| cells(shell, row));
        if let Some(row) = self.rows.selected() {
            frame.render_widget(Paragraph::new(strip(shell, row, usize::from(area.width))), areas.strip);
        }
    }

    /// The last sweeps, and what stopped those that did not end by themselves.
    fn sweep_lines(&self, shell: &Shell, columns: usize) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        let Some(sweeps) = &self.sweeps else { return vec![Line::default(); 2] };
        if sweeps.is_empty() {
            return vec![Line::styled("  No sweep was run yet.", styles.of(Role::Muted))];
        }
        let heading = sweep_line(["Last sweeps", "By", "From", "Went", "Letters"].map(String::from), columns);
        let mut lines = vec![Line::styled(heading, styles.of(Role::Header))];
        for sweep in sweeps {
            let (sign, role) = match sweep.progress {
                Progress::Running => ("→", Role::Info),
                Progress::Ended => ("✓", Role::Muted),
                Progress::Stopped | Progress::Lost => ("!", Role::Warning),
            };
            let words = [
                // To the minute.
                shown::past(sweep.began_at, shell).chars().take(16).collect(),
                sweep.by.as_str().to_owned(),
                sweep.door.as_str().to_owned(),
                format!("{sign} {}", sweep.progress.as_str()),
                came_to(sweep),
            ];
            let troubled = sweep.tally.failed + sweep.tally.ambiguous > 0;
            let role = if troubled && role == Role::Muted { Role::Text } else { role };
            lines.push(Line::styled(sweep_line(words, columns), styles.of(role)));
            if let Some(trouble) = &sweep.trouble {
                let parts = fit::wrap(trouble, columns.saturating_sub(2 * MARGIN + 2)).into_iter().take(2);
                lines.extend(parts.map(|part| Line::styled(format!("    {part}"), styles.of(Role::Warning))));
            }
        }
        lines
    }

    /// What stands in the place of rows, and what to do next.
    fn empty(&self, shell: &Shell) -> String {
        let back = shell.keymap.key(Action::Back);
        let filter = &self.rows.filter;
        let attention = Preset::of(&filter.meaning) == Some(Preset::Attention);
        match self.rows.absent() {
            Some(Absent::NotYet) => return "loading…".into(),
            Some(Absent::Failed(why)) => return why.to_owned(),
            Some(Absent::Unfit) if attention && filter.value() == Preset::Attention.put_into("") => {
                return format!("Nothing failed, and nothing is ambiguous. {back} shows all reminders.");
            }
            Some(Absent::Unfit) => return format!("No reminder matches. {back} shows all of them."),
            _ => {}
        }
        let sweep = shell.keymap.key(Action::Sweep);
        let due = shell.outbox.as_ref().map_or(0, |outbox| outbox.due);
        if due == 0 {
            let words = "There are no reminders yet. A sweep creates one for each key that nears its expiry, as its issuer's policy says; keys that never expire get none.";
            return format!("{words} {sweep} shows what is due.");
        }
        format!(
            "No reminder was sent yet, and {} are due. {sweep} shows what would go to whom, and sends it.",
            thousands(due)
        )
    }
}

/// How the outbox stands, in one line.
fn standing(shell: &Shell) -> Line<'static> {
    let styles = &shell.styles;
    let Some(outbox) = &shell.outbox else { return Line::default() };
    let mut spans = vec![Span::raw("  ")];
    let mut say =
        |words: String, role| spans.extend([Span::styled(words, styles.of(role)), Span::raw("   ")]);
    match (outbox.due, outbox.next_due_at) {
        (0, Some(next)) => {
            say(format!("nothing due; next {}", shown::time(next, shell)), Role::Text);
        }
        (0, None) => say("nothing due".into(), Role::Text),
        (due, _) => say(format!("{} due now", thousands(due)), Role::Accent),
    }
    if outbox.deferred > 0 {
        say(format!("○ {} deferred", thousands(outbox.deferred)), Role::Info);
    }
    if outbox.failed > 0 {
        say(format!("✕ {} failed", thousands(outbox.failed)), Role::Danger);
    }
    if outbox.ambiguous > 0 {
        say(format!("? {} ambiguous", thousands(outbox.ambiguous)), Role::Warning);
    }
    if outbox.written > 0 {
        say(format!("≡ {} only written", thousands(outbox.written)), Role::Info);
    }
    say(format!("{} within 7 days", thousands(outbox.due_in_7_days)), Role::Muted);
    Line::from(spans)
}

/// Where mail goes, and how to send it; or the sweep that goes on.
fn way(shell: &Shell, columns: usize) -> Line<'static> {
    let styles = &shell.styles;
    let key = shell.keymap.key(Action::Sweep);
    if let Some(sweep) = shell.sweep.as_ref().filter(|sweep| sweep.running()) {
        let words = format!("  → a sweep is running: {} letters; {key} shows it", sweep.count());
        return Line::styled(words, styles.of(Role::Info));
    }
    let post = match &shell.post {
        None => return Line::default(),
        Some(Ok(post)) => post,
        Some(Err(failure)) => {
            let words = format!("  ! no mail can be sent: {}", failure.text);
            return Line::styled(fit::cut(&words, columns.saturating_sub(1)), styles.of(Role::Warning));
        }
    };
    let how = match shell.may(MAY_SWEEP) {
        true if post.leaves => "sends",
        true => "writes",
        false => "shows",
    };
    let how = format!("{key} {how} what is due");
    let room = columns.saturating_sub(fit::width(&how) + 2 * MARGIN + 1);
    let post = fit::cut(&post.lower(), room);
    Line::styled(format!("  {post}   {how}"), styles.of(Role::Muted))
}

fn sweep_line(words: [String; 5], columns: usize) -> String {
    let [when, by, from, went, came_to] = words;
    let rest = columns.saturating_sub(MARGIN + 16 + 2 + 10 + 2 + 7 + 2 + 9 + 2 + 1);
    format!(
        "  {}  {}  {}  {}  {}",
        fit::pad(&when, 16),
        fit::pad(&by, 10),
        fit::pad(&from, 7),
        fit::pad(&went, 9),
        fit::cut(&came_to, rest)
    )
}

/// `12 sent, 1 failed`: letters.
fn came_to(sweep: &Sweep) -> String {
    let tally = sweep.tally;
    let counts = [
        (tally.sent, "sent"),
        (tally.written, "written as files"),
        (tally.failed, "failed"),
        (tally.deferred, "deferred"),
        (tally.ambiguous, "ambiguous"),
    ];
    let said: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", thousands(*count)))
        .collect();
    if said.is_empty() { "no letters".into() } else { said.join(", ") }
}

fn tabs(shell: &Shell, filter: &ReminderFilter, columns: usize) -> Line<'static> {
    let troubled = shell.outbox.as_ref().map(|outbox| outbox.failed + outbox.ambiguous);
    let tabs = Preset::ALL.iter().map(|&preset| Tab {
        name: preset.title(),
        count: troubled.filter(|count| preset == Preset::Attention && *count > 0).map(thousands),
        open: Preset::of(filter) == Some(preset),
    });
    tabs::line(&shell.styles, tabs, columns)
}

fn cells(shell: &Shell, row: &Reminder) -> Vec<list::Cell> {
    let first = row.telling().map(|delivery| delivery.recipient.as_str().to_owned());
    let more = row.deliveries.len().saturating_sub(1);
    let to = match first {
        None => String::new(),
        Some(first) if more == 0 => first,
        Some(first) => format!("{} +{more}", fit::cut(&first, 24)),
    };
    let answer =
        row.telling().and_then(|delivery| delivery.answer.as_ref()).map_or("", |answer| answer.as_str());
    let ended = matches!(sign(row.state).1, Role::Muted);
    let role = if ended { Role::Muted } else { Role::Text };
    vec![
        of(row),
        (row.key_name.as_str().to_owned(), role),
        (SafeText::new(row.account.clone()).as_str().to_owned(), Role::Muted),
        (format!("{} d", row.days_before), role),
        (shown::to_the_day(row.expires_at, shell), Role::Muted),
        (shown::past(row.changed_at, shell), Role::Muted),
        (to, Role::Muted),
        (answer.to_owned(), Role::Muted),
    ]
}

/// The selected reminder: whom it went to, and the server's own words.
fn strip(shell: &Shell, row: &Reminder, columns: usize) -> Vec<Line<'static>> {
    let styles = &shell.styles;
    let words = told(row, "", |_| true);
    let role = calm(of(row).1);
    let width = columns.saturating_sub(2 * MARGIN);
    let lines = fit::wrap_within(&words, width, usize::from(STRIP));
    lines.into_iter().map(|line| Line::styled(format!("  {line}"), styles.of(role))).collect()
}
