//! Closing overlaps: the old keys are revoked, and nothing else.

use super::State;
use crate::domain::key::{Key, KeyId};
use crate::domain::operator::Permission;
use crate::tui::layer::Opened;
use crate::tui::shell::Shell;

/// Asks whether the overlaps of these old keys shall end. `states`: who uses them.
pub fn close(shell: &mut Shell, number: u64, ids: Vec<KeyId>, known: Vec<Key>, states: String) -> Opened {
    if ids.is_empty() || !shell.refuse_unless(Permission::ChangeKeys, "close overlaps") {
        return Opened::refused();
    }
    let mut state = State::new(shell, number, ids, known);
    (state.states, state.closing) = (states, true);
    let effects = state.reach_out(shell).into_iter().collect();
    Opened::new(state, effects)
}
