//! A database that went back: what is said of it, and what there is to decide.

use crate::domain::history::History;
use crate::domain::operator::Permission;
use crate::domain::text::SafeText;
use crate::tui::effect::{Effect, Request, To};
use crate::tui::opening::{Change, Opening, Question};
use crate::tui::shell::Shell;
use crate::tui::words::Severity;

/// Takes note of how the database stands beside what this machine remembers of it.
pub(super) fn noticed(shell: &mut Shell, history: History) -> Option<Effect> {
    for words in history.asides(shell.here().zone) {
        shell.toast(Severity::Warning, words);
    }
    if let Some(why) = history.fault.as_ref().filter(|why| shell.history.fault.as_ref() != Some(why)) {
        shell.toast(Severity::Warning, SafeText::new(why.as_str()).to_string());
    }
    shell.history = history;
    shell.redraw = true;
    if shell.history.undone == 0 {
        shell.undone.clear();
        return None;
    }
    Some(shell.ask(To::Shell, Request::Undone).1)
}

/// What there is to decide: revocations are made again, or the database stays as it is. `None` where the last line says why
/// there is nothing.
pub(super) fn opening(shell: &mut Shell) -> Option<Opening> {
    let Some(alarm) = shell.history.alarm(shell.here().zone) else {
        shell.toast(Severity::Info, "this database still has everything that this machine has seen in it");
        return None;
    };
    if shell.history.undone > 0 {
        return Some(Opening::Restored);
    }
    if !shell.refuse_unless(Permission::ChangeOperators, "accept that a database went back") {
        return None;
    }
    Some(Opening::Confirm(Question {
        title: "Accept the database as it is?".into(),
        words: format!(
            "{alarm}. What was changed after that is gone: look at the audit before you accept it."
        ),
        verb: "Accept",
        change: Change::AcceptHistory,
        done: "accepted, and recorded in the audit".into(),
        undo: None,
    }))
}
