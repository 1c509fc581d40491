//! The pictures of a sweep: before, while and after.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{State, Step};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::reminder;
use crate::domain::text::SafeText;
use crate::service::{DueKey, LetterNews, SweepPreview};
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::sweep_state::{MAY_SWEEP, Sweeping};
use crate::tui::sweeping;
use crate::tui::view::reminders::{sign, with_sign};
use crate::tui::view::room::body;
use crate::tui::view::{shown, times};
use crate::tui::widgets::buttons::{self, Button};
use crate::tui::widgets::{dialog, fit, scroll};
use crate::tui::words::{Severity, count, lacking};

const COLUMNS: u16 = 104;
/// Rows of a running sweep's picture: always as many, so that nothing jumps while letters come in.
const WATCHED: u16 = 18;
/// Rows at the bottom: a question and its buttons, or a hint.
const FOOT: usize = 2;

/// What the dialog is made of: the head and the foot stand still, the list in the middle can be scrolled.
struct Picture {
    title: String,
    head: Vec<Line<'static>>,
    list: Vec<Line<'static>>,
    foot: Vec<Line<'static>>,
    /// Rows in all, if there is room.
    height: u16,
}

impl Picture {
    /// Rows for the list, in a dialog over `area`.
    fn list_rows(&self, area: Rect) -> usize {
        let rows = usize::from(self.height.min(area.height.saturating_sub(dialog::ENDS)));
        rows.saturating_sub(self.head.len() + 1 + self.foot.len())
    }
}

impl State {
    /// How far down the list can be scrolled.
    pub(super) fn most(&self, shell: &Shell) -> usize {
        let area = body(shell);
        let picture = self.picture(shell, usize::from(dialog::columns(area, COLUMNS)));
        picture.list.len().saturating_sub(picture.list_rows(area))
    }

    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let width = dialog::columns(area, COLUMNS);
        let picture = self.picture(shell, usize::from(width));
        let rows = u16::try_from(picture.list_rows(area)).unwrap_or(u16::MAX);
        let size = Size { width, height: picture.height };
        let place = dialog::open(frame, styles, area, &picture.title, size);
        let head = u16::try_from(picture.head.len()).unwrap_or(u16::MAX).min(place.height);
        let foot = u16::try_from(picture.foot.len()).unwrap_or(u16::MAX).min(place.height - head);
        let bottom = Rect { y: place.bottom() - foot, height: foot, ..place };
        frame.render_widget(Paragraph::new(picture.head), Rect { height: head, ..place });
        let list = Rect { y: place.y + head, height: rows.min(place.height - head - foot), ..place };
        scroll::draw(frame, styles, list, picture.list, self.top);
        if let Some((y, x)) = buttons::focused(styles, &picture.foot) {
            frame.set_cursor_position((bottom.x + x, bottom.y + u16::try_from(y).unwrap_or(0)));
        }
        frame.render_widget(Paragraph::new(picture.foot), bottom);
    }

    fn picture(&self, shell: &Shell, columns: usize) -> Picture {
        // The last column is the scroll mark's.
        let columns = columns.saturating_sub(1);
        let say = |role, words: &str| fit::lines(words, columns, shell.styles.of(role));
        match &self.step {
            Step::Reading => plain(say(Role::Muted, "reading what is due…")),
            Step::Unread(why) => plain(say(Role::Error, why)),
            Step::Preview(preview) if preview.letters_in_all == 0 => {
                plain(nothing_due(shell, preview, columns))
            }
            Step::Preview(preview) => {
                let mut foot = match &shell.post {
                    _ if !shell.may(MAY_SWEEP) => say(Role::Warning, &refusal(shell)),
                    Some(Err(failure)) => say(Role::Error, &failure.text),
                    _ => {
                        let key = shell.keymap.key(Action::SendLetters);
                        let words = match preview.leaves {
                            true => format!("{key} asks whether to send. Nothing is sent before that."),
                            false => {
                                format!(
                                    "{key} asks whether to write these files. Nothing is written before that."
                                )
                            }
                        };
                        say(Role::Muted, &words)
                    }
                };
                foot.resize_with(foot.len().max(FOOT), Line::default);
                before(shell, preview, foot, columns)
            }
            Step::Ask(preview, form) => {
                let (verb, how) = if preview.leaves { ("Send", "now") } else { ("Write", "as files now") };
                let yes_words = format!("{verb} ({})", shell.keymap.key(Action::Yes));
                let words = format!("{verb} {} {how}?", count(preview.letters_in_all, "letter"));
                let foot = vec![
                    Line::styled(words, shell.styles.of(Role::Warning)),
                    form.line(&shell.styles, Button::new(&yes_words), "No"),
                ];
                before(shell, preview, foot, columns)
            }
            Step::Watch => match self.watched(shell) {
                Some(sweep) => watched(shell, sweep, columns),
                None => plain(say(Role::Muted, "no sweep was started here")),
            },
        }
    }
}

/// Words alone.
fn plain(head: Vec<Line<'static>>) -> Picture {
    let height = u16::try_from(head.len()).unwrap_or(u16::MAX);
    Picture { title: "Send reminders".into(), head, list: Vec::new(), foot: Vec::new(), height }
}

fn refusal(shell: &Shell) -> String {
    match shell.role() {
        Some(role) => format!("{}.", lacking(role, MAY_SWEEP, "send reminders")),
        None => "You have no role on this database: ask an admin for one.".into(),
    }
}

/// Nothing would be sent: why, when the next is, and what is left to do.
fn nothing_due(shell: &Shell, preview: &SweepPreview, columns: usize) -> Vec<Line<'static>> {
    let say = |role, words: &str| fit::lines(words, columns, shell.styles.of(role));
    let mut lines = say(Role::Text, "Nothing is due.");
    let Some(outbox) = &shell.outbox else { return lines };
    if let Some(next) = outbox.next_due_at {
        let when = format!("{}, {}", times::relative(next, shell.now), times::exact(next, shell.utc));
        lines.extend(say(Role::Text, &format!("The next reminder falls due {when}.")));
    }
    if outbox.deferred > 0 {
        let words =
            format!("{} deferred after a temporary error; they are tried again later.", are(outbox.deferred));
        lines.extend(say(Role::Text, &words));
    }
    if outbox.failed + outbox.ambiguous > 0 {
        let (screen, retry) = (shell.keymap.key(Action::ScreenReminders), shell.keymap.key(Action::Retry));
        let words = format!(
            "{} failed or ambiguous: Reminders ({screen}) tells why, and {retry} there sends again.",
            are(outbox.failed + outbox.ambiguous)
        );
        lines.extend(say(Role::Warning, &words));
    }
    if outbox.written > 0 {
        let (screen, retry) = (shell.keymap.key(Action::ScreenReminders), shell.keymap.key(Action::Retry));
        let words = format!(
            "{} only written as files and never sent: with a mail server set up, {retry} on Reminders ({screen}) sends them.",
            are(outbox.written)
        );
        lines.extend(say(Role::Warning, &words));
    }
    lines.push(Line::default());
    lines.extend(say(Role::Muted, &preview.whither().sentence()));
    lines
}

fn are(many: u64) -> String {
    let verb = if many == 1 { "is" } else { "are" };
    format!("{} {verb}", count(many, "reminder"))
}

/// What would be sent to whom.
fn before(shell: &Shell, preview: &SweepPreview, foot: Vec<Line<'static>>, columns: usize) -> Picture {
    let styles = &shell.styles;
    let words = format!(
        "{} about {}. {}",
        count(preview.letters_in_all, "letter"),
        count(preview.reminders_in_all, "key"),
        preview.whither().sentence()
    );
    let mut head = fit::lines(&words, columns, styles.of(Role::Text));
    head.push(Line::default());
    let mut list = Vec::new();
    for letter in &preview.letters {
        let again = letter.keys.iter().any(|key| key.again);
        list.push(Line::from(vec![
            Span::styled(fit::cut(&letter.recipient, columns.saturating_sub(16)), styles.of(Role::Title)),
            Span::styled(if again { "  tried before" } else { "" }, styles.of(Role::Muted)),
        ]));
        list.extend(letter.keys.iter().map(|key| due(shell, key, columns)));
    }
    let more = preview.letters_in_all.saturating_sub(preview.letters.len() as u64);
    if more > 0 {
        list.push(Line::styled(format!("and {} more", count(more, "letter")), styles.of(Role::Muted)));
    }
    let height = u16::try_from(head.len() + list.len() + 1 + foot.len()).unwrap_or(u16::MAX);
    Picture { title: "Send reminders".into(), head, list, foot, height }
}

fn due(shell: &Shell, key: &DueKey, columns: usize) -> Line<'static> {
    let styles = &shell.styles;
    let ends = shown::to_the_day(key.expires_at, shell);
    let used = match key.last_used_at {
        Some(at) => format!("used {}", times::ago(at, shell.now)),
        None => "never used".into(),
    };
    let (account, preview, last) = if columns < 90 { (14, 15, 0) } else { (14, 20, 14) };
    // A day takes more room than the time until it.
    let end = if shell.relative_times { 12 } else { 15 };
    let taken = 2 + end + 2 + 2 + account + 2 + preview + if last > 0 { 2 + last } else { 0 };
    let ends = fit::pad(&format!("ends {ends}"), end);
    let owner = SafeText::new(key.account.clone());
    let mut spans = vec![
        Span::styled(format!("  {ends}  "), styles.of(Role::Warning)),
        Span::styled(fit::pad(&key.name, columns.saturating_sub(taken)), styles.of(Role::Text)),
        Span::styled(format!("  {}", fit::pad(&owner, account)), styles.of(Role::Muted)),
        Span::styled(
            format!("  {}", fit::pad(&fit::squeeze(&key.preview, preview), preview)),
            styles.of(Role::Muted),
        ),
    ];
    if last > 0 {
        spans.push(Span::styled(format!("  {}", fit::cut(&used, last)), styles.of(Role::Muted)));
    }
    Line::from(spans)
}

/// How it goes on, or what it came to.
fn watched(shell: &Shell, sweep: &Sweeping, columns: usize) -> Picture {
    let styles = &shell.styles;
    let say = |role, words: &str| fit::lines(words, columns, styles.of(role));
    let mut head = Vec::new();
    match &sweep.outcome {
        Some(Ok(done)) => {
            let (severity, words) = sweeping::summary(done);
            let (mark, role) = match severity {
                Severity::Good => ("✓", Role::Ok),
                _ => ("!", Role::Warning),
            };
            head.extend(say(role, &format!("{mark} {words}.")));
        }
        Some(Err(failure)) => head.extend(say(Role::Error, &failure.text)),
        None => head.extend([bar(styles, sweep, columns), counts(styles, sweep)]),
    }
    if let (Some(_), Some(Ok(post))) = (&sweep.outcome, &shell.post) {
        head.extend(say(Role::Muted, &post.sentence()));
    }
    head.push(Line::default());
    let troubled = !sweep.running() && !sweep.troubles.is_empty();
    let list = match troubled {
        true => sweep.troubles.iter().flat_map(|letter| fate(styles, letter, columns, true)).collect(),
        false => sweep.last.iter().flat_map(|letter| fate(styles, letter, columns, false)).collect(),
    };
    let words = match (sweep.running(), sweep.stopping, troubled) {
        (true, true, _) => "it stops after the letter under way…".to_owned(),
        (true, false, _) => {
            let (close, stop) = (shell.keymap.key(Action::CloseSweep), shell.keymap.key(Action::StopSweep));
            format!(
                "{close} leaves it running while you work elsewhere; {stop} stops it after the letter under way."
            )
        }
        (false, _, true) => {
            let (screen, retry) =
                (shell.keymap.key(Action::ScreenReminders), shell.keymap.key(Action::Retry));
            format!("Fix what the server reports; then {retry} on Reminders ({screen}) sends those again.")
        }
        (false, _, false) => String::new(),
    };
    let mut foot = say(Role::Muted, &words);
    foot.truncate(FOOT);
    let title = if sweep.running() { "A sweep is running" } else { "The sweep has ended" };
    Picture { title: title.into(), head, list, foot, height: WATCHED }
}

/// `█████░░░░░  34 of 120 letters`
fn bar(styles: &Styles, sweep: &Sweeping, columns: usize) -> Line<'static> {
    let Some(all) = sweep.letters else {
        return Line::styled("filling the outbox…", styles.of(Role::Info));
    };
    let done = sweep.tally.letters().min(all);
    let words = format!("  {done} of {}", count(all, "letter"));
    let width = columns.saturating_sub(fit::width(&words)).min(60) as u64;
    let full = (done * width).checked_div(all).unwrap_or(width);
    Line::from(vec![
        Span::styled("█".repeat(full as usize), styles.of(Role::Bar)),
        Span::styled("░".repeat((width - full) as usize), styles.of(Role::Muted)),
        Span::styled(words, styles.of(Role::Text)),
    ])
}

/// The four fates and how many letters met each.
fn counts(styles: &Styles, sweep: &Sweeping) -> Line<'static> {
    use reminder::State;
    let tally = sweep.tally;
    let fates = [
        (State::Sent, tally.sent, "sent"),
        (State::Written, tally.written, "written"),
        (State::Failed, tally.failed, "failed"),
        (State::Pending, tally.deferred, "deferred"),
        (State::Ambiguous, tally.ambiguous, "ambiguous"),
    ];
    // Letters are sent or written, never both.
    let other = if tally.written > 0 { State::Sent } else { State::Written };
    let fates = fates.into_iter().filter(|(state, count, _)| *count > 0 || *state != other);
    let spans = fates.map(|(state, count, word)| {
        let (sign, role) = sign(state);
        let role = if count == 0 { Role::Muted } else { role };
        [Span::styled(format!("{sign} {count} {word}"), styles.of(role)), Span::raw("    ")]
    });
    Line::from(spans.flatten().collect::<Vec<_>>())
}

/// A letter and the server's words: in one line while they come in, in full where one has to act on them.
fn fate(styles: &Styles, letter: &LetterNews, columns: usize, whole: bool) -> Vec<Line<'static>> {
    let (_, role) = sign(letter.state);
    let word = match letter.state {
        reminder::State::Pending => "○ deferred".to_owned(),
        state => with_sign(state),
    };
    let to = 32.min(columns / 3);
    let about = count(letter.reminders, "key");
    let front = 12 + 1 + to + 2 + 8 + 2;
    let room = columns.saturating_sub(front);
    let mut answers =
        if whole { fit::wrap(&letter.answer, room) } else { vec![fit::cut(&letter.answer, room)] };
    let rest = answers.split_off(1.min(answers.len()));
    let mut lines = vec![Line::from(vec![
        Span::styled(word.clone(), styles.of(role)),
        Span::raw(" ".repeat(13_usize.saturating_sub(fit::width(&word)))),
        Span::styled(fit::pad(&letter.recipient, to), styles.of(Role::Text)),
        Span::styled(format!("  {}  ", fit::pad(&about, 8)), styles.of(Role::Muted)),
        Span::styled(answers.pop().unwrap_or_default(), styles.of(Role::Muted)),
    ])];
    lines.extend(
        rest.into_iter()
            .map(|part| Line::styled(format!("{}{part}", " ".repeat(front)), styles.of(Role::Muted))),
    );
    lines
}
