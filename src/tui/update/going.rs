//! From one screen to another, and the way back.

use super::gesture::context;
use super::seen::{back, forward, go, open};
use super::undo::undo;
use super::{history, log};
use crate::config::keymap::Action;
use crate::config::settings::SAVED;
use crate::domain::subjects::Subjects;
use crate::tui::choices;
use crate::tui::effect::{Effect, Request, To};
use crate::tui::opening::Opening;
use crate::tui::state::State;
use crate::tui::views::{OfKeys, View};
use crate::tui::words::{ExitReason, ScreenId, Severity};

/// Actions that mean the same on every screen; `None` for the others.
pub(super) fn everywhere(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::SaveChoices => Some(save(state).into_iter().collect()),
        Action::Undo => Some(undo(state)),
        Action::SessionLog => {
            let page = log::page(&state.shell);
            Some(open(state, page))
        }
        Action::HistoryBack => Some(back(state)),
        Action::HistoryForward => Some(forward(state)),
        Action::Quit => Some(open(state, Opening::Leave(ExitReason::Quit))),
        Action::NextScreen => Some(go(state, state.shell.screen.step(1))),
        Action::PreviousScreen => Some(go(state, state.shell.screen.step(-1))),
        Action::ToggleMouse => {
            state.shell.mouse = !state.shell.mouse;
            let words = if state.shell.mouse { "mouse on" } else { "mouse off: select text as usual" };
            state.shell.toast(Severity::Info, words);
            Some(vec![Effect::Mouse(state.shell.mouse)])
        }
        Action::ToggleTimes => {
            state.shell.relative_times = !state.shell.relative_times;
            Some(Vec::new())
        }
        Action::Refresh => {
            state.shell.changed(Subjects::ALL);
            Some(Vec::new())
        }
        Action::Help => {
            let context = context(state);
            Some(open(state, Opening::Help(context)))
        }
        Action::Palette => {
            let context = context(state);
            Some(open(state, Opening::Palette(context)))
        }
        Action::ShowApprovals => Some(open(state, Opening::Approvals)),
        Action::Sweep => Some(open(state, Opening::Sweep)),
        Action::Themes => Some(open(state, Opening::Themes)),
        Action::Settings => {
            let mut view = View::default();
            state.screens.of(ScreenId::Keys).view(&mut view);
            Some(open(state, Opening::Settings(OfKeys::from(&view))))
        }
        Action::ExplainSecret => Some(open(state, Opening::ExplainSecret)),
        Action::Emergency => Some(open(state, Opening::Emergency)),
        Action::Incident => Some(open(state, Opening::Incident(Vec::new()))),
        Action::Restored => history::opening(&mut state.shell)
            .map_or_else(|| Some(Vec::new()), |opening| Some(open(state, opening))),
        _ => ScreenId::of(action).map(|screen| go(state, screen)),
    }
}

/// Writes down what the person chose, for the next time.
fn save(state: &mut State) -> Option<Effect> {
    let shell = &mut state.shell;
    let Some(folder) = shell.themes.as_ref().and_then(|themes| themes.parent()) else {
        shell.toast(Severity::Warning, "No settings folder was found, so nothing was saved.");
        return None;
    };
    let path = folder.join(SAVED);
    let mut view = View::default();
    state.screens.of(ScreenId::Keys).view(&mut view);
    let now = choices::now(shell, OfKeys::from(&view));
    let Some(text) = shell.kept.write(now) else {
        shell.toast(Severity::Info, "There are no unsaved changes.");
        return None;
    };
    Some(shell.ask(To::Shell, Request::SaveChoices(path, text)).1)
}
