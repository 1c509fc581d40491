//! The frame around the screens.

use crate::tui::testing::{Desk, keys};

fn footer(desk: &mut Desk) -> String {
    desk.screen().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_narrowest_footer_shows_the_way_to_help_and_commands() {
    for width in 60..=200 {
        for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
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

/// What stands at the hardware cursor and right of it.
fn under_cursor(desk: &Desk) -> String {
    let (x, y) = desk.cursor();
    let screen = desk.screen();
    screen.lines().nth(y.into()).unwrap_or_default().chars().skip(x.into()).collect()
}

#[test]
fn the_hardware_cursor_is_on_the_selected_row_of_every_list() {
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        let mut desk = Desk::ready(120, 30, keys(3));
        desk.play(screen);
        let marked = desk.screen().lines().position(|line| line.starts_with('▌'));
        let at = usize::from(desk.cursor().1);
        assert!(marked.is_none_or(|row| row == at) && at >= 2, "{screen}: {at}\n{}", desk.screen());
    }
    let mut desk = Desk::ready(120, 30, keys(3));
    desk.play("enter tab");
    assert!(desk.cursor().0 > 40, "in the detail:\n{}", desk.screen());
}

#[test]
fn the_hardware_cursor_is_on_the_focus_of_every_dialog() {
    for (opens, moves, focus) in [
        ("d", "", "[ "),
        ("d", "tab", "[ "),
        ("r", "", "(•)"),
        (":", "down", "› "),
        ("s", "down", "▌"),
        ("?", "", ""),
        ("x", "", ""),
        ("E", "", ""),
        ("n", "", ""),
    ] {
        let mut desk = Desk::ready(120, 40, keys(3));
        let row = desk.cursor();
        desk.role(crate::domain::operator::Role::Admin);
        desk.play(opens).play(moves);
        let under = under_cursor(&desk);
        assert!(under.starts_with(focus), "{opens} {moves}: {under:?}\n{}", desk.screen());
        // Never on what lies below the dialog.
        let before: String = desk.screen().lines().nth(desk.cursor().1.into()).unwrap().to_owned();
        assert!(desk.cursor() != row && before.contains('│'), "{opens} {moves}\n{}", desk.screen());
    }
}
