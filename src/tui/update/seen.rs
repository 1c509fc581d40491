//! What is shown: going to a screen, and back to what was shown before.

use crate::tui::effect::Effect;
use crate::tui::opening::Opening;
use crate::tui::state::State;
use crate::tui::views::{Seen, View};
use crate::tui::words::{ScreenId, Severity};

pub(super) fn open(state: &mut State, opening: Opening) -> Vec<Effect> {
    state.overlays.open(&mut state.shell, opening)
}

pub(super) fn go(state: &mut State, screen: ScreenId) -> Vec<Effect> {
    state.shell.redraw = true;
    state.shell.screen = screen;
    at_once(state, |state| state.screens.of_mut(screen).enter(&mut state.shell))
}

/// What is read because of this is waited for by the person: it does not rest before.
pub(super) fn at_once(state: &mut State, read: impl FnOnce(&mut State) -> Vec<Effect>) -> Vec<Effect> {
    state.shell.at_once = true;
    let effects = read(state);
    state.shell.at_once = false;
    effects
}

/// Shows the rows of a screen that a filter fits.
pub(super) fn jump(state: &mut State, screen: ScreenId, filter: &str) -> Vec<Effect> {
    let from = state.shell.screen;
    state.screens.of_mut(screen).filter(&mut state.shell, filter, from == screen);
    let effects = go(state, screen);
    state.views.jumped(view(state));
    effects
}

/// What is shown now.
pub(super) fn view(state: &State) -> View {
    let screen = state.shell.screen;
    let mut view = View { screen, ..View::default() };
    state.screens.of(screen).view(&mut view);
    view
}

/// Whether one step back leads to where one came from: this was gone to with its filter, and nothing was changed since.
pub(super) fn came(state: &State) -> bool {
    state.views.is_jump(&view(state))
}

/// To what was shown before, if there was anything.
pub(super) fn step_back(state: &mut State) -> Option<Vec<Effect>> {
    let seen = state.views.back()?;
    Some(show(state, seen))
}

pub(super) fn back(state: &mut State) -> Vec<Effect> {
    step_back(state).unwrap_or_else(|| {
        state.shell.toast(Severity::Info, "There is no view before this one.");
        Vec::new()
    })
}

/// To what was shown before one went back.
pub(super) fn forward(state: &mut State) -> Vec<Effect> {
    match state.views.forward() {
        Some(seen) => show(state, seen),
        None => {
            state.shell.toast(Severity::Info, "There is no view after this one.");
            Vec::new()
        }
    }
}

pub(super) fn show(state: &mut State, seen: Seen) -> Vec<Effect> {
    let Seen { view, row } = &seen;
    state.screens.of_mut(view.screen).show(&mut state.shell, view, row.as_deref());
    let effects = go(state, view.screen);
    state.views.shows(seen);
    state.marked = None;
    effects
}
