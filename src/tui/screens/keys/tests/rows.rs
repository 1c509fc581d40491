//! Moving about, filtering, marking; what comes and goes meanwhile.

use crate::domain::subjects::Subjects;
use crate::tui::message::Message;
use crate::tui::testing::{Desk, key_id, keys, numbered};

#[test]
fn the_selection_stays_on_its_key_when_new_keys_arrive_above() {
    let mut desk = Desk::ready(80, 24, keys(100));
    desk.play("j j j");
    let mut new = numbered(900);
    new.name = "Brand new".into();
    desk.database.keys.insert(0, new);
    desk.live(Subjects::KEYS);
    assert!(desk.selected_line().contains("Key 3"));
    desk.sees("Brand new");
}

#[test]
fn in_the_middle_of_the_table_the_screen_stands_still_when_keys_arrive_above() {
    let mut desk = Desk::ready(80, 24, keys(500));
    desk.play("pagedown pagedown pagedown");
    let before = desk.screen();
    desk.database.keys.insert(0, numbered(900));
    desk.live(Subjects::KEYS);
    let without_count = |screen: &str| screen.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_count(&desk.screen()), without_count(&before));
}

#[test]
fn a_selected_key_that_vanishes_is_followed_by_its_neighbour() {
    let mut desk = Desk::ready(80, 24, keys(10));
    desk.play("j j");
    desk.database.keys.remove(2);
    desk.live(Subjects::KEYS);
    assert!(desk.selected_line().contains("Key 3"));
}

#[test]
fn end_and_home_reach_both_ends_of_a_long_table() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    desk.play("end");
    assert!(desk.selected_line().contains("Key 4999"));
    desk.play("pageup pageup home");
    assert!(desk.selected_line().contains("Key 0 "));
}

#[test]
fn steps_faster_than_rows_arrive_are_not_lost() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    for _ in 0..450 {
        let effects = desk.hurry("down");
        desk.keep(effects);
    }
    desk.settle();
    assert!(desk.selected_line().contains("Key 450"), "{}", desk.selected_line());
}

#[test]
fn the_window_stays_bounded_however_far_one_goes() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    for _ in 0..100 {
        desk.play("pagedown");
    }
    assert!(desk.keys().rows.len() <= 600);
    for _ in 0..100 {
        desk.play("pageup");
    }
    assert!(desk.selected_line().contains("Key 0 "));
    assert!(desk.keys().rows.len() <= 600);
}

#[test]
fn a_filter_takes_hold_while_one_types_and_goes_with_esc() {
    let mut desk = Desk::ready(100, 24, keys(300));
    desk.play("/ \"key 29\"").sees("13 API keys").sees("Key 299").sees_not("Key 30 ").play("esc");
    desk.sees("300 API keys").sees_not("/ key").play("/ \"key 29\" enter esc").sees("300 API keys");
}

#[test]
fn a_mistake_in_the_filter_is_marked_at_its_place_and_the_last_good_result_stays() {
    let mut desk = Desk::ready(100, 24, keys(300));
    desk.play("/ \"29 status:\"");
    let style = desk.style_of("status:");
    assert!(style.add_modifier.contains(ratatui::style::Modifier::UNDERLINED), "{style:?}");
    assert!(!desk.style_of("29 status:").add_modifier.contains(ratatui::style::Modifier::UNDERLINED));
    desk.sees("✕ status");
}

#[test]
fn a_filter_that_fits_nothing_says_so_and_how_to_get_out() {
    let mut desk = Desk::ready(80, 24, keys(30));
    desk.play("/ \"zebra\" enter").sees("No match").sees("Clear the filter").play("esc").sees("Key 0");
}

#[test]
fn marks_are_counted_ranged_and_cleared() {
    let mut desk = Desk::ready(80, 24, keys(30));
    desk.play("space").sees("✓ 1 marked of 30 API keys").play("j j v").sees("✓ 4 marked");
    assert_eq!(desk.keys().rows.chosen(), [0, 1, 2, 3].map(key_id));
    desk.play("esc").sees_not("marked").play("ctrl-a").sees("✓ 30 marked");
}

#[test]
fn the_detail_shows_everything_and_follows_the_selection() {
    let mut desk = Desk::ready(120, 40, keys(30));
    desk.play("enter");
    desk.sees(&key_id(0).to_string()).sees("calls:write").sees("by grace").sees("2026-11-21 11:00:00 UTC");
    desk.play("j").sees(&key_id(1).to_string()).play("esc").sees_not(&key_id(1).to_string());
}

#[test]
fn the_hardware_cursor_stands_on_the_selected_row() {
    let mut desk = Desk::ready(80, 24, keys(30));
    assert_eq!(desk.cursor(), (0, 3));
    desk.play("j j");
    assert_eq!(desk.cursor(), (0, 5));
    desk.play("/ \"ab\"");
    assert_eq!(desk.cursor(), (5, 2));
}

#[test]
fn sorting_shows_its_direction_in_the_heading() {
    let mut desk = Desk::ready(120, 40, keys(30));
    desk.sees("Created ▼").play("R").sees("Created ▲");
    assert!(desk.selected_line().contains("Key 29"));
    desk.play("s").sees("Sort by").play("up up enter").sees_not("Sort by").sees("Key ▲");
}

#[test]
fn text_from_the_database_cannot_control_the_terminal() {
    let mut evil = numbered(0);
    evil.name = "a\u{1b}[2J\u{202e}b".into();
    let desk = Desk::ready(80, 24, vec![evil]);
    let screen = desk.screen();
    assert!(!screen.contains('\u{1b}') && !screen.contains('\u{202e}'), "{screen:?}");
}

fn click(desk: &mut Desk, column: u16, row: u16) {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let kind = MouseEventKind::Down(MouseButton::Left);
    desk.send(Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    desk.settle();
}

#[test]
fn the_mouse_selects_and_opens_rows_sorts_by_headings_and_changes_screens() {
    let mut desk = Desk::ready(120, 40, keys(30));
    click(&mut desk, 20, 6);
    assert!(desk.selected_line().contains("Key 3"));
    click(&mut desk, 20, 6);
    desk.sees(&key_id(3).to_string());
    click(&mut desk, 20, 2);
    desk.sees("Name ▲");
    click(&mut desk, 12, 1);
    assert_eq!(desk.state.shell.screen, crate::tui::words::ScreenId::Expiring);
}

#[test]
fn gestures_on_the_way_to_the_end_take_effect_there() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    desk.strike("G k");
    desk.settle();
    assert!(desk.selected_line().contains("Key 4998"));
    desk.strike("g G g j");
    desk.settle();
    assert!(desk.selected_line().contains("Key 1 "), "{}", desk.selected_line());
}

#[test]
fn a_filter_longer_than_the_line_shows_the_part_with_the_cursor() {
    let mut desk = Desk::ready(60, 16, keys(30));
    let long = "x".repeat(70);
    desk.play(&format!("/ \"{long}the-end\""));
    desk.sees("the-end");
    assert!(desk.cursor().0 < 60);
}

#[test]
fn tab_completes_a_field_of_the_filter_and_then_its_value() {
    let mut desk = Desk::ready(80, 24, keys(5));
    desk.play("/ \"exp\"").sees("tab: expires:");
    desk.play("tab").sees("/ expires:   tab: <7d  <30d  <90d  >90d  never  set");
    desk.play("tab").sees("/ expires: ").play("\"n\" tab").sees("/ expires:never").sees_not("tab:");
    desk.play("\" a\"").sees("tab: account:  acknowledged:").play("tab").sees("/ expires:never ac");
    desk.play("ctrl-u \"words\"").sees_not("tab:");
}
