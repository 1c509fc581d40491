//! The frame around the screens.

use crate::tui::testing::{Desk, keys};

fn footer(desk: &mut Desk) -> String {
    desk.screen().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_footer_ends_with_the_way_to_help_and_commands_however_narrow_it_is() {
    for width in 60..=200 {
        for screen in ["1", "2", "3", "4", "5", "6", "7", "8"] {
            let mut desk = Desk::ready(width, 24, keys(3));
            desk.play(screen);
            let footer = footer(&mut desk);
            assert!(footer.ends_with("? help  : commands"), "{width}, screen {screen}: {footer:?}");
        }
    }
}

#[test]
fn at_80_columns_the_footer_names_what_is_done_in_a_hurry() {
    let footer = footer(&mut Desk::ready(80, 24, keys(3)));
    for hint in ["/ filter", "n Create New API Key", "d revoke", "x exposed key"] {
        assert!(footer.contains(hint), "{footer:?}");
    }
}

#[test]
fn the_footer_of_an_open_detail_names_the_keys_of_the_detail() {
    let mut desk = Desk::ready(120, 40, keys(3));
    desk.play("enter");
    let beside = footer(&mut desk);
    assert!(beside.contains("Esc close") && beside.contains("Tab scroll"), "{beside:?}");
    assert!(!beside.contains("Enter open"), "{beside:?}");
    desk.play("tab");
    let inside = footer(&mut desk);
    assert!(inside.contains("Esc close") && inside.contains("j scroll"), "{inside:?}");
    assert!(inside.contains("Tab list"), "{inside:?}");
    desk.play("esc");
    assert!(footer(&mut desk).contains("r rotate  Enter open"));
}
