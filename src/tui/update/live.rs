//! News of the database: what shows it is read again.

use super::seen::at_once;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::LiveEvent;
use crate::tui::effect::Effect;
use crate::tui::shell::Link;
use crate::tui::state::State;
use crate::tui::words::Severity;

/// What is said when the database answers again, until it is gone once more.
const BACK: &str = "the database is back";

pub(super) fn live(state: &mut State, event: LiveEvent) -> Vec<Effect> {
    match event {
        LiveEvent::Changed(touched) => changed(state, touched),
        LiveEvent::Lost(why) => {
            state.shell.redraw = true;
            state.shell.toast.take_if(|toast| toast.text.as_str() == BACK);
            if !matches!(state.shell.link, Link::Lost { .. }) {
                state.shell.link = Link::Lost { since: state.shell.now, why: SafeText::new(why) };
            }
            Vec::new()
        }
        LiveEvent::Back => {
            state.shell.redraw = true;
            state.shell.link = Link::Live;
            state.shell.toast(Severity::Good, BACK);
            at_once(state, |state| changed(state, Subjects::ALL))
        }
        LiveEvent::Replaced(why) => {
            state.shell.link = Link::Live;
            // Whatever is asked there was asked of the old file: the person looks, and decides again.
            state.overlays.abandon();
            state.shell.toast(Severity::Bad, why);
            let read = at_once(state, |state| changed(state, Subjects::ALL));
            std::iter::once(Effect::TakeOver).chain(read).collect()
        }
    }
}

/// What shows these subjects is read again.
pub(super) fn changed(state: &mut State, touched: Subjects) -> Vec<Effect> {
    let mut effects = state.standing.ask(&mut state.shell, touched);
    effects.extend(state.screens.of_mut(state.shell.screen).changed(&mut state.shell, touched));
    effects.extend(state.overlays.changed(&mut state.shell, touched));
    effects
}
