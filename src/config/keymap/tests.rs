use std::path::PathBuf;

use crokey::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

fn chord(text: &str) -> Chord {
    Chord::parse(text).unwrap()
}

fn load(name: &str, text: &str) -> Result<Keymap> {
    Keymap::load(&[KeyFile { path: PathBuf::from(name), text: text.to_owned() }])
}

#[test]
fn every_default_key_can_be_read() {
    for entry in REGISTRY {
        for key in entry.keys {
            assert!(Chord::parse(key).is_ok(), "{}: {key}", entry.action.id());
        }
    }
}

#[test]
fn no_two_actions_share_an_id_or_a_variant() {
    for (place, entry) in REGISTRY.iter().enumerate() {
        for other in &REGISTRY[place + 1..] {
            assert_ne!(entry.action.id(), other.action.id());
            assert_ne!(entry.action, other.action);
        }
    }
}

#[test]
fn no_default_key_means_two_things_at_one_place() {
    let defaults = registry::defaults();
    for (place, entry) in REGISTRY.iter().enumerate() {
        let found = conflict(&defaults, place).map(|(chord, other, _)| (chord, REGISTRY[other].action.id()));
        assert_eq!(found, None, "{}", entry.action.id());
    }
}

#[test]
fn no_default_key_types_a_character_where_text_is_typed() {
    for entry in REGISTRY.iter().filter(|entry| entry.contexts.iter().any(|c| c.takes_text())) {
        for key in entry.keys {
            assert!(!chord(key).is_text(), "{}: {key}", entry.action.id());
        }
    }
}

#[test]
fn vim_keys_and_arrows_do_the_same() {
    let map = Keymap::default();
    for (vim, arrow, action) in [
        ("j", "down", Action::Down),
        ("k", "up", Action::Up),
        ("g", "home", Action::Top),
        ("G", "end", Action::Bottom),
    ] {
        assert_eq!(map.lookup(Context::Keys, chord(vim), false), Some(action));
        assert_eq!(map.lookup(Context::Keys, chord(arrow), false), Some(action));
    }
}

#[test]
fn every_spelling_of_a_key_event_finds_its_binding() {
    let map = Keymap::default();
    let find = |code, modifiers| map.lookup(Context::Keys, KeyEvent::new(code, modifiers), false);
    assert_eq!(find(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Action::Bottom));
    assert_eq!(find(KeyCode::Char('G'), KeyModifiers::NONE), Some(Action::Bottom));
    assert_eq!(find(KeyCode::Char('?'), KeyModifiers::SHIFT), Some(Action::Help));
    assert_eq!(find(KeyCode::Char('?'), KeyModifiers::NONE), Some(Action::Help));
    let form = |code, modifiers| map.lookup(Context::Form, KeyEvent::new(code, modifiers), false);
    assert_eq!(form(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Action::PreviousField));
    assert_eq!(form(KeyCode::BackTab, KeyModifiers::NONE), Some(Action::PreviousField));
    assert_eq!(form(KeyCode::Tab, KeyModifiers::SHIFT), Some(Action::PreviousField));
}

#[test]
fn the_emergency_is_one_key_from_every_screen_and_ctrl_c_works_everywhere() {
    let map = Keymap::default();
    for context in [
        Context::Keys,
        Context::Accounts,
        Context::Audit,
        Context::Issuers,
        Context::Operators,
        Context::Detail,
    ] {
        assert_eq!(map.lookup(context, chord("x"), false), Some(Action::Emergency), "{context:?}");
    }
    for &context in Context::ALL {
        assert_eq!(map.lookup(context, chord("ctrl-c"), true), Some(Action::Interrupt), "{context:?}");
    }
}

#[test]
fn a_dialog_lets_no_key_through_to_the_list_below() {
    let map = Keymap::default();
    for key in ["d", "x", "q", "1", "r", "j"] {
        assert_eq!(map.lookup(Context::Dialog, chord(key), false), None, "{key}");
    }
}

#[test]
fn while_typing_characters_are_text_and_control_keys_are_commands() {
    let map = Keymap::default();
    assert_eq!(map.lookup(Context::Form, chord("space"), true), None);
    assert_eq!(map.lookup(Context::Form, chord("space"), false), Some(Action::Toggle));
    assert_eq!(map.lookup(Context::Form, chord("ctrl-s"), true), Some(Action::Submit));
    assert_eq!(map.lookup(Context::Keys, chord("q"), true), None);
}

#[test]
fn a_file_overrides_only_what_it_names() {
    let map =
        load("config.toml", "theme = \"dark\"\n[keys]\nrevoke = [\"D\", \"f8\"]\nthemes = []\n").unwrap();
    assert_eq!(map.lookup(Context::Keys, chord("D"), false), Some(Action::Revoke));
    assert_eq!(map.lookup(Context::Keys, chord("f8"), false), Some(Action::Revoke));
    assert_eq!(map.lookup(Context::Keys, chord("d"), false), None);
    assert_eq!(map.lookup(Context::Keys, chord("ctrl-t"), false), None);
    assert_eq!(map.lookup(Context::Keys, chord("r"), false), Some(Action::Rotate));
    assert_eq!(map.key(Action::Revoke), "D");
}

#[test]
fn keys_toml_needs_no_heading_and_two_keys_can_be_exchanged() {
    let map = load("keys.toml", "revoke = \"r\"\nrotate = \"d\"\n").unwrap();
    assert_eq!(map.lookup(Context::Keys, chord("r"), false), Some(Action::Revoke));
    assert_eq!(map.lookup(Context::Keys, chord("d"), false), Some(Action::Rotate));
}

#[test]
fn mistakes_are_refused_with_file_line_and_reason() {
    let refused = |text: &str| load("keys.toml", text).unwrap_err().to_string();
    assert_eq!(
        refused("\nrevok = \"d\"\n"),
        "keys.toml:2: there is no action `revok`. Did you mean `revoke`?"
    );
    assert!(refused("revoke = \"hyper-d\"\n").starts_with("keys.toml:1: \"hyper-d\" isn't a valid key."));
    assert!(refused("revoke = 7\n").contains("`revoke` must be a text or a list of texts, not integer"));
    assert_eq!(
        refused("# mine\nrotate = \"d\"\n"),
        "keys.toml:2: d would be both `rotate` and `revoke` in Keys. Give one of them another key"
    );
    assert!(refused("rotate = \"x\"\n").contains("`emergency`"));
    assert!(refused("accept = \"a\"\n").contains("types a character"));
    assert!(refused("revoke = \"a-b\"\n").contains("several keys at once"));
    assert!(refused("interrupt = []\n").contains("last way to quit"));
}

#[test]
fn the_footer_offers_what_fits_the_place() {
    let map = Keymap::default();
    let hints = |context| -> Vec<(String, &str)> {
        map.hinted(context).into_iter().map(|(_, key, label)| (key, label)).collect()
    };
    let keys = hints(Context::Keys);
    assert!(keys.contains(&("/".to_owned(), "filter")));
    assert!(keys.iter().any(|(key, label)| key == "d" && *label == "revoke"));
    assert!(keys.iter().any(|(key, label)| key == "?" && *label == "help"));
    let reveal = hints(Context::Reveal);
    assert_eq!(
        reveal.iter().map(|(_, label)| *label).collect::<Vec<_>>(),
        ["copy", "write file", "copy curl", "hide/show", "done", "leave", "revoke"]
    );
    assert!(hints(Context::Accounts).iter().all(|(_, label)| *label != "revoke"));
}

#[test]
fn help_lists_an_action_once_with_its_nearest_place_first() {
    let map = Keymap::default();
    let entries = map.entries(Context::Keys);
    assert_eq!(entries[0].0, Context::Keys);
    assert_eq!(entries.iter().filter(|(_, entry, _)| entry.action == Action::Revoke).count(), 1);
    assert!(entries.iter().any(|(_, entry, _)| entry.action == Action::Quit));
    assert!(entries.iter().all(|(_, entry, _)| entry.action != Action::Yes));
}

#[test]
fn keys_are_shown_as_people_write_them() {
    for (text, shown) in [
        ("ctrl-r", "^r"),
        ("shift-g", "G"),
        ("pagedown", "PgDn"),
        ("backtab", "S-Tab"),
        ("space", "Space"),
        ("f1", "F1"),
        ("up", "↑"),
        ("alt-enter", "Alt-Enter"),
        (":", ":"),
    ] {
        assert_eq!(chord(text).to_string(), shown);
    }
}
