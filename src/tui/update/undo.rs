//! Undoing: what is shown, what is marked, and changes that can be taken back.

use super::seen::{go, open, show, view};
use crate::tui::effect::Effect;
use crate::tui::state::State;
use crate::tui::undo::Undo;
use crate::tui::views::{Seen, View};
use crate::tui::words::Severity;

/// Takes note of what is shown and marked, unless it is on its way to something else: a filter that is being typed.
/// `gesture`: whether the person did something just now.
pub(super) fn note(state: &mut State, gesture: bool) {
    let list = state.screens.shown(&state.shell).list();
    if list.typing() {
        return;
    }
    let (row, marks) = (list.row(), list.keep_marks());
    let screen = state.shell.screen;
    let before = state.marked.take().filter(|(of, _)| *of == screen).map(|(_, marks)| marks);
    // That marks go because their rows have ended is nobody's wish.
    let differs = before.as_ref().and_then(|before| list.marks_differ(before));
    let marked = differs.is_some_and(|grew| grew || gesture);
    state.marked = Some((screen, marks));
    let seen = Seen { view: view(state), row };
    let now = seen.view.clone();
    let left = state.views.note(seen);
    if std::mem::take(&mut state.undoing) {
        return;
    }
    match (left, before) {
        (Some(left), Some(marks)) if left.view.screen == screen => {
            let what = changed(&left.view, &now);
            state.shell.undo.push(Undo::View(what, left, marks));
        }
        (None, Some(marks)) if marked => state.shell.undo.push(Undo::Marks(screen, marks)),
        _ => {}
    }
}

/// What differs between two views of a screen, in a word.
fn changed(before: &View, now: &View) -> &'static str {
    if before.filter != now.filter {
        "the filter"
    } else if before.tab != now.tab {
        "the tab"
    } else {
        "the order"
    }
}

/// Takes the last thing back that can be.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    let (what, effects) = match state.shell.undo.pop() {
        Some(Undo::View(what, seen, marks)) => {
            let screen = seen.view.screen;
            let effects = show(state, seen);
            state.screens.of_mut(screen).list_mut().mark_again(&marks);
            (what.to_owned(), effects)
        }
        Some(Undo::Marks(screen, marks)) => {
            let effects = if screen == state.shell.screen { Vec::new() } else { go(state, screen) };
            state.screens.of_mut(screen).list_mut().mark_again(&marks);
            ("what was marked".to_owned(), effects)
        }
        // It is asked first, as it was when it was done.
        Some(Undo::Open(what, opening)) => {
            state.shell.toast(Severity::Info, format!("Undo {what}: answer the question."));
            return open(state, *opening);
        }
        None => {
            let words = "Nothing can be undone here. Revocations, rotations and edits stay as they are.";
            state.shell.toast(Severity::Info, words);
            return Vec::new();
        }
    };
    state.undoing = true;
    state.shell.toast(Severity::Info, format!("Undone: {what}."));
    effects
}
