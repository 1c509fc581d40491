//! How much of the screen is the body: an alarm in the header takes some of it.

use ratatui::layout::{Rect, Size};

use super::body::{FOOTER, HEADER};
use super::times;
use crate::config::keymap::Action;
use crate::domain::hold::HoldKind;
use crate::domain::pause::Pause;
use crate::tui::shell::Shell;
use crate::tui::widgets::fit;

/// Lines of an alarm at most.
const ALARM: usize = 3;

/// The part of the screen between header and footer.
pub fn body(shell: &Shell) -> Rect {
    let Size { width, height } = shell.size;
    let header = HEADER + u16::try_from(alarm(shell).len()).unwrap_or(0);
    Rect { x: 0, y: header, width, height: height.saturating_sub(header + FOOTER) }
}

/// Lines of the header that stay there while something is gone that was seen of the database, while keys are frozen or
/// their creation is stopped, or while a change waits for a second person.
pub fn alarm(shell: &Shell) -> Vec<String> {
    let width = usize::from(shell.size.width.saturating_sub(2));
    let mut lines = Vec::new();
    if let Some(alarm) = shell.history.alarm(shell.here().zone) {
        let key = shell.keymap.key(Action::Restored);
        lines = fit::wrap_within(&format!("✕ {alarm}: {key} shows what to do"), width, ALARM);
    }
    lines.extend(held(shell, width));
    lines.extend(waiting(shell, width));
    lines
}

/// What holds now, in one line: the newest of them, and how many more.
fn held(shell: &Shell, width: usize) -> Option<String> {
    let mut holds = shell.holds.iter().filter(|hold| hold.holds(shell.now));
    let hold = holds.next()?;
    let more = match holds.count() {
        0 => String::new(),
        more => format!(" · {more} more"),
    };
    let what = match hold.kind {
        HoldKind::Freeze => "Keys frozen",
        HoldKind::Creation => "Creation of keys stopped",
    };
    let Pause { until, by, reason, message, .. } = &hold.pause;
    let today = times::day(*until, shell.utc) == times::day(shell.now, shell.utc);
    let until = if today { times::clock(*until, shell.utc) } else { times::exact(*until, shell.utc) };
    let why = reason.as_ref().or(message.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
    // However long its filter is, the rest is seen.
    let target = fit::cut(&hold.target(), width / 3);
    let words = format!("✕ {what}: {target}, until {until}, by {by}{why}");
    Some(fit::cut(&words, width.saturating_sub(fit::width(&more))) + &more)
}

/// What waits for a second person, in one line: the newest of it, and how much more.
fn waiting(shell: &Shell, width: usize) -> Option<String> {
    let mut waiting = shell.approvals.iter().filter(|approval| approval.waits(shell.now));
    let first = waiting.next()?;
    let more = match waiting.count() {
        0 => String::new(),
        more => format!(" · {more} more"),
    };
    let until = times::clock(first.ends_at, shell.utc);
    let why = first.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let key = shell.keymap.key(Action::ShowApprovals);
    let words = format!(
        "! {} asks to {} until {until}: {key} shows it, for another operator to approve{why}",
        first.asked_by,
        first.what()
    );
    Some(fit::cut(&words, width.saturating_sub(fit::width(&more))) + &more)
}
