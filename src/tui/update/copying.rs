//! The command that does the same as what is on the screen, for the clipboard.

use crate::tui::effect::{CopyText, Effect, Request, To};
use crate::tui::state::State;
use crate::tui::typed::Typed;
use crate::tui::words::Severity;

/// Copies what does the same as what is on top, in a shell.
pub(super) fn copy_command(state: &mut State) -> Option<Effect> {
    let shell = &mut state.shell;
    let typed = state.overlays.typed(shell).or_else(|| state.screens.shown(shell).typed(shell));
    let typed = typed.unwrap_or_else(|| Typed::new("--help"));
    let line = typed.line(shell.named.then_some(shell.database.as_str()));
    if shell.holds_secret(&line) {
        let words = "It contains a secret, which must not be in a command: nothing was copied.";
        shell.toast(Severity::Warning, words);
        return None;
    }
    Some(shell.ask(To::Shell, Request::Copy(CopyText::Lines("the command was", line.into()))).1)
}
