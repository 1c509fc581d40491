use crate::config::keymap::{Context, Keymap};
use crate::config::settings::KeyFile;
use crate::tui::testing::Desk;

#[test]
fn help_is_made_from_the_bindings_in_force() {
    let mut desk = Desk::new();
    let file = KeyFile { path: "keys.toml".into(), text: "revoke = \"f8\"".into() };
    desk.state.shell.keymap = Keymap::load(&[file]).unwrap();
    desk.strike("?").says("Help · Keys").says("F8 Revoke the selected key");
}

#[test]
fn help_shows_only_what_holds_on_the_screen_it_was_opened_from() {
    let mut desk = Desk::new();
    desk.strike("5 ? / \"verify\"").says("V Verify the hash chain of the audit");
    desk.strike("ctrl-u \"rotate the\"").says("no key or action matches");
}

#[test]
fn a_search_in_the_help_narrows_it_and_escape_ends_it() {
    let mut desk = Desk::new();
    desk.strike("? / \"exposed\"").says("x Revoke an exposed key").says_not("Next row");
    desk.strike("esc").says("Help · Keys").strike("esc").closed();
}

#[test]
fn every_action_of_every_screen_is_in_its_help() {
    let desk = Desk::new();
    for &context in Context::ALL {
        for (_, entry, _) in desk.state.shell.keymap.entries(context) {
            assert!(!entry.action.description().is_empty(), "{}", entry.action.id());
        }
    }
}

#[test]
fn no_word_of_the_help_is_hidden_under_the_scroll_mark() {
    let desk = &mut Desk::new();
    desk.press("?");
    let mut words = String::new();
    for _ in 0..20 {
        words.push_str(&desk.screen().replace(['│', '┃'], " "));
        desk.press("pagedown");
    }
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Rotate the key: create a replacement with the same attributes"), "{words}");
    assert!(words.contains("Go to the key that it replaces or is replaced by"), "{words}");
}

#[test]
fn the_help_does_what_it_shows() {
    let mut desk = Desk::new();
    desk.strike("? / \"who changed what\" enter enter").closed();
    assert_eq!(desk.state.shell.screen, crate::tui::words::ScreenId::Audit);
    // What belongs to another place is told.
    desk.strike("? / \"tick or untick\" enter enter").told("not here");
    desk.strike("esc").closed();
    // By another word, too.
    desk.strike("1 ? / \"delete\" ").says("Revoke the selected key");
}
