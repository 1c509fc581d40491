//! Moving about, filtering, marking; what comes and goes meanwhile.

use crate::store::LiveEvent;
use crate::tui::harness::{Console, key, key_id, keys};
use crate::tui::message::Message;

#[test]
fn the_selection_stays_on_its_key_when_new_keys_arrive_above() {
    let mut console = Console::ready(80, 24, keys(100));
    console.press("j j j");
    let mut new = key(900);
    new.name = "Brand new".into();
    console.keys.insert(0, new);
    console.send(Message::Live(LiveEvent::Changed));
    console.settle();
    assert!(console.selected_line().contains("Key 3"));
    console.sees("Brand new");
}

#[test]
fn in_the_middle_of_the_table_the_screen_stands_still_when_keys_arrive_above() {
    let mut console = Console::ready(80, 24, keys(500));
    console.press("pagedown pagedown pagedown");
    let before = console.screen();
    console.keys.insert(0, key(900));
    console.send(Message::Live(LiveEvent::Changed));
    console.settle();
    let without_count = |screen: &str| screen.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_count(&console.screen()), without_count(&before));
}

#[test]
fn a_selected_key_that_vanishes_is_followed_by_its_neighbour() {
    let mut console = Console::ready(80, 24, keys(10));
    console.press("j j");
    console.keys.remove(2);
    console.send(Message::Live(LiveEvent::Changed));
    console.settle();
    assert!(console.selected_line().contains("Key 3"));
}

#[test]
fn end_and_home_reach_both_ends_of_a_long_table() {
    let mut console = Console::ready(80, 24, keys(5000));
    console.press("end");
    assert!(console.selected_line().contains("Key 4999"));
    console.press("pageup pageup home");
    assert!(console.selected_line().contains("Key 0 "));
}

#[test]
fn steps_faster_than_rows_arrive_are_not_lost() {
    let mut console = Console::ready(80, 24, keys(5000));
    for _ in 0..450 {
        let down = crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Down);
        console.key(down, true);
    }
    console.settle();
    assert!(console.selected_line().contains("Key 450"), "{}", console.selected_line());
}

#[test]
fn the_window_stays_bounded_however_far_one_goes() {
    let mut console = Console::ready(80, 24, keys(5000));
    for _ in 0..100 {
        console.press("pagedown");
    }
    assert!(console.state.screens.keys.window.len() <= 600);
    for _ in 0..100 {
        console.press("pageup");
    }
    assert!(console.selected_line().contains("Key 0 "));
    assert!(console.state.screens.keys.window.len() <= 600);
}

#[test]
fn a_filter_takes_hold_while_one_types_and_goes_with_esc() {
    let mut console = Console::ready(100, 24, keys(300));
    console.press("/ \"key 29\"");
    console.sees("13 API keys").sees("Key 299").sees_not("Key 30 ");
    console.press("esc");
    console.sees("300 API keys").sees_not("/ key");
    console.press("/ \"key 29\" enter esc");
    console.sees("300 API keys");
}

#[test]
fn a_mistake_in_the_filter_is_marked_at_its_place_and_the_last_good_result_stays() {
    let mut console = Console::ready(100, 24, keys(300));
    console.press("/ \"29 status:\"");
    let style = console.style_of("status:");
    assert!(style.add_modifier.contains(ratatui::style::Modifier::UNDERLINED), "{style:?}");
    assert!(!console.style_of("29 status:").add_modifier.contains(ratatui::style::Modifier::UNDERLINED));
    console.sees("✕ status");
}

#[test]
fn a_filter_that_fits_nothing_says_so_and_how_to_get_out() {
    let mut console = Console::ready(80, 24, keys(30));
    console.press("/ \"zebra\" enter");
    console.sees("No match").sees("Clear the filter");
    console.press("esc");
    console.sees("Key 0");
}

#[test]
fn marks_are_counted_ranged_and_cleared() {
    let mut console = Console::ready(80, 24, keys(30));
    console.press("space");
    console.sees("✓ 1 marked of 30 API keys");
    console.press("j j v");
    console.sees("✓ 4 marked");
    assert_eq!(console.state.screens.keys.chosen(), [0, 1, 2, 3].map(key_id));
    console.press("esc");
    console.sees_not("marked");
    console.press("ctrl-a");
    console.sees("✓ 30 marked");
}

#[test]
fn the_detail_shows_everything_and_follows_the_selection() {
    let mut console = Console::ready(120, 40, keys(30));
    console.press("enter");
    console.sees(&key_id(0).to_string()).sees("calls:write").sees("by grace").sees("2026-11-21 11:00:00 UTC");
    console.press("j");
    console.sees(&key_id(1).to_string());
    console.press("esc");
    console.sees_not(&key_id(1).to_string());
}

#[test]
fn the_hardware_cursor_stands_on_the_selected_row() {
    let mut console = Console::ready(80, 24, keys(30));
    assert_eq!(console.cursor(), (0, 3));
    console.press("j j");
    assert_eq!(console.cursor(), (0, 5));
    console.press("/ \"ab\"");
    assert_eq!(console.cursor(), (5, 2));
}

#[test]
fn sorting_shows_its_direction_in_the_heading() {
    let mut console = Console::ready(120, 40, keys(30));
    console.sees("Created ▼");
    console.press("R");
    console.sees("Created ▲");
    assert!(console.selected_line().contains("Key 29"));
    console.press("s");
    console.sees("Sort by");
    console.press("up up enter");
    console.sees_not("Sort by").sees("Key ▲");
}

#[test]
fn text_from_the_database_cannot_control_the_terminal() {
    let mut evil = key(0);
    evil.name = "a\u{1b}[2J\u{202e}b".into();
    let mut console = Console::ready(80, 24, vec![evil]);
    let screen = console.screen();
    assert!(!screen.contains('\u{1b}') && !screen.contains('\u{202e}'), "{screen:?}");
}

fn click(console: &mut Console, column: u16, row: u16) {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let kind = MouseEventKind::Down(MouseButton::Left);
    console.send(Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    console.settle();
}

#[test]
fn the_mouse_selects_and_opens_rows_sorts_by_headings_and_changes_screens() {
    let mut console = Console::ready(120, 40, keys(30));
    click(&mut console, 20, 6);
    assert!(console.selected_line().contains("Key 3"));
    click(&mut console, 20, 6);
    console.sees(&key_id(3).to_string());
    click(&mut console, 20, 2);
    console.sees("Name ▲");
    click(&mut console, 12, 1);
    assert_eq!(console.state.shell.screen, crate::tui::screens::ScreenId::Expiring);
}

#[test]
fn gestures_on_the_way_to_the_end_take_effect_there() {
    let press = |console: &mut Console, c: char| {
        console.key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(c)), false);
    };
    let mut console = Console::ready(80, 24, keys(5000));
    press(&mut console, 'G');
    press(&mut console, 'k');
    console.settle();
    assert!(console.selected_line().contains("Key 4998"));
    press(&mut console, 'g');
    press(&mut console, 'G');
    press(&mut console, 'g');
    press(&mut console, 'j');
    console.settle();
    assert!(console.selected_line().contains("Key 1 "), "{}", console.selected_line());
}

#[test]
fn a_filter_longer_than_the_line_shows_the_part_with_the_cursor() {
    let mut console = Console::ready(60, 16, keys(30));
    let long = "x".repeat(70);
    console.press(&format!("/ \"{long}the-end\""));
    console.sees("the-end");
    assert!(console.cursor().0 < 60);
}

#[test]
fn tab_completes_a_field_of_the_filter_and_then_its_value() {
    let mut console = Console::ready(80, 24, keys(5));
    console.press("/ \"exp\"").sees("tab: expires:");
    console.press("tab").sees("/ expires:   tab: <7d  <30d  <90d  >90d  never  set");
    console.press("tab").sees("/ expires: ");
    console.press("\"n\" tab").sees("/ expires:never").sees_not("tab:");
    console.press("\" a\"").sees("tab: account:  acknowledged:");
    console.press("tab").sees("/ expires:never ac");
    console.press("ctrl-u \"words\"").sees_not("tab:");
}
