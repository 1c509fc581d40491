//! Putting the console to sleep.

use crate::tui::effect::Effect;
use crate::tui::shell::Holds;
use crate::tui::state::State;
use crate::tui::words::Severity;

/// Gives the terminal back, unless a letter is being sent.
pub(super) fn suspend(state: &mut State, job: bool) -> Vec<Effect> {
    if state.shell.sweeps() {
        let words = "a sweep is running and would be interrupted in the middle of a letter: stop it first";
        state.shell.toast_until(Holds::Gesture, Severity::Warning, words);
        return Vec::new();
    }
    vec![Effect::Suspend { job }]
}
