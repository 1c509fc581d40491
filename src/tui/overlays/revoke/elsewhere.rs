//! What other parts of the console ask and tell here.

use super::State;
use crate::domain::key::Key;
use crate::domain::operator::Permission;
use crate::service::{Revoked, UndoneList};
use crate::tui::effect::{Request, To};
use crate::tui::layer::Opened;
use crate::tui::shell::Shell;

/// Asks whether the revocations shall be made again that a restored backup undid; they are read first.
pub fn again(shell: &mut Shell, number: u64) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "revoke keys") {
        return Opened::refused();
    }
    let mut state = State::new(shell, number, Vec::new(), Vec::new());
    let (request, effect) = shell.ask(To::Overlay(number), Request::Undone);
    (state.reading, state.again) = (Some(request), Some(UndoneList::default()));
    Opened::new(state, vec![effect])
}

/// Says what was revoked elsewhere in the console, with the gates' receipt.
pub fn told(shell: &mut Shell, number: u64, revoked: Vec<Revoked>) -> Opened {
    let known: Vec<Key> = revoked.iter().map(|one| one.key.clone()).collect();
    let ids = known.iter().map(|key| key.id).collect();
    let mut state = State::new(shell, number, ids, known);
    state.asked = false;
    let effect = state.done(shell, revoked);
    Opened::new(state, vec![effect])
}
