//! What a gesture means before it is handled: by which keys, and whether its time has come.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::config::keymap::{Action, Context};
use crate::tui::message::Message;
use crate::tui::state::State;
use crate::tui::widgets::text_field;
use crate::tui::words::ScreenId;

/// Which bindings hold.
pub(super) fn context(state: &State) -> Context {
    match state.overlays.top() {
        Some(layer) => layer.context(),
        None => state.screens.shown(&state.shell).context(),
    }
}

/// Whether the cursor stands in a text field.
pub(super) fn typing(state: &State) -> bool {
    match state.overlays.top() {
        Some(layer) => layer.typing(),
        None => context(state).takes_text(),
    }
}

/// What a key does now.
pub(super) fn lookup(state: &State, key: KeyEvent) -> Option<Action> {
    state.shell.keymap.lookup(context(state), key, typing(state))
}

/// A key with Alt arrives as ESC and the key. Where Alt means nothing it is what was pressed: Esc, and the key this answers.
pub(super) fn without_esc(state: &State, key: KeyEvent) -> Option<KeyEvent> {
    let split = key.modifiers.contains(KeyModifiers::ALT)
        && matches!(key.code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace)
        && lookup(state, key).is_none()
        && !(typing(state) && text_field::edits_words(key));
    split.then(|| KeyEvent::new(key.code, key.modifiers - KeyModifiers::ALT))
}

/// Whether a gesture has to wait until the database has answered: what acts on rows or takes a role, and what follows it.
/// The ways out wait for nothing.
pub(super) fn waits(state: &State, message: &Message) -> bool {
    let follows = !state.ahead.kept().is_empty();
    let Message::Key { key, .. } = message else {
        return follows && matches!(message, Message::Paste(_) | Message::Mouse(_));
    };
    if state.ahead.is_over() {
        return false;
    }
    let action = lookup(state, *key);
    let plain = state.overlays.is_empty() && !typing(state);
    match action {
        Some(Action::Interrupt | Action::Suspend | Action::Redraw) => false,
        // A `q` for the form that is yet to open is a letter.
        Some(Action::Quit) if plain => state.ahead.kept().iter().any(|kept| match kept {
            Message::Key { key, .. } => lookup(state, *key) == Some(Action::New),
            _ => false,
        }),
        _ if follows => true,
        Some(
            Action::Filter
            | Action::Help
            | Action::Palette
            | Action::Themes
            | Action::Settings
            | Action::ExplainSecret
            | Action::Emergency
            | Action::Refresh
            | Action::NextScreen
            | Action::PreviousScreen
            | Action::ToggleMouse
            | Action::ToggleTimes,
        ) => false,
        Some(action) => plain && ScreenId::of(action).is_none(),
        None => false,
    }
}
