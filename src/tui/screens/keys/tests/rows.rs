//! Moving about, filtering, marking; what comes and goes meanwhile.

use crate::domain::subjects::Subjects;
use crate::service::ExportForm;
use crate::tui::effect::{CopyText, Effect, FailureKind, Reply, Request};
use crate::tui::message::Message;
use crate::tui::testing::{Desk, key_id, keys, numbered};

#[test]
fn the_selection_stays_on_its_key_when_new_keys_arrive_above() {
    let mut desk = Desk::ready(80, 24, keys(100));
    desk.play("j j j");
    let mut new = numbered(900);
    new.name = "Brand new".into();
    desk.database.keys.insert(0, new);
    desk.live(Subjects::KEYS).selects("Key 3").sees("Brand new");
}

#[test]
fn the_middle_of_the_table_stands_still_when_keys_arrive() {
    let mut desk = Desk::ready(80, 24, keys(500));
    desk.play("pagedown pagedown pagedown");
    let before = desk.screen();
    desk.database.keys.insert(0, numbered(900));
    desk.live(Subjects::KEYS);
    let without_count = |screen: &str| screen.lines().skip(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_count(&desk.screen()), without_count(&before));
}

#[test]
fn a_selected_key_that_vanishes_stays_until_the_cursor_moves() {
    let mut desk = Desk::ready(80, 24, keys(10));
    desk.play("j j");
    desk.database.keys.remove(2);
    desk.live(Subjects::KEYS).selects("Key 2").play("j").selects("Key 3");
    desk.play("k");
    assert!(desk.selected_line().contains("Key 1"), "it is gone: {}", desk.selected_line());
}

#[test]
fn a_key_revoked_elsewhere_stays_under_the_cursor() {
    let mut desk = Desk::ready(100, 24, keys(300));
    desk.play("/ \"status:active\" enter").play("j j enter");
    let change = |desk: &mut Desk, at: usize| {
        desk.wait(chrono::Duration::seconds(3));
        desk.database.keys[at].revoked_at = Some(desk.state.shell.now - chrono::Duration::seconds(3));
        desk.database.keys[at].revoked_by = Some("grace".into());
        desk.live(Subjects::KEYS);
    };
    change(&mut desk, 2);
    // The opened detail is its own still.
    desk.sees(&key_id(2).to_string()).play("esc");
    let line = desk.selected_line();
    assert!(line.contains("Key 2") && line.contains("revoked by grace, 3s ago"), "{line}");
    change(&mut desk, 7);
    desk.selects("revoked by grace, 6s ago").play("d");
    assert!(desk.toast().contains("Key 2 was revoked at"), "no other key is asked about: {}", desk.toast());
    desk.play("j").selects("Key 3 ");
    desk.state.shell.toast = None;
    desk.sees("Key 1 ").sees_not("Key 2 ");
}

#[test]
fn a_new_key_has_the_cursor_even_where_the_filter_leaves_it_out() {
    for (filter, own) in [("", true), ("/ \"key 1\" enter", false)] {
        let mut desk = Desk::ready(100, 24, keys(500));
        desk.play(filter).play("j j j");
        let mut new = numbered(900);
        new.name = "Brand new".into();
        desk.database.keys.insert(0, new.clone());
        let effects = desk.with(|shell| {
            shell.changed(Subjects::KEYS);
            shell.made(crate::tui::opening::Made::Key(new.id));
        });
        desk.keep(effects).settle();
        let line = desk.selected_line();
        assert!(line.contains("Brand new"), "{filter}: {line}");
        assert_eq!(line.contains("doesn't fit this list"), !own, "{filter}: {line}");
        desk.play("j");
        assert!(!desk.selected_line().contains("Brand new"));
    }
}

#[test]
fn an_unreadable_filter_keeps_the_prompt_and_touches_no_row() {
    let mut desk = Desk::ready(100, 24, keys(30));
    desk.play("/ \"stauts:active\" enter space d");
    assert!(desk.keys().rows.filter.typing && desk.top().is_none());
    let screen = desk.screen();
    let line = screen.lines().find(|line| line.contains('✕')).unwrap();
    assert!(line.trim_start().starts_with("✕"), "on a line of its own: {line}");
    assert!(desk.keys().rows.marks().is_empty());
    desk.play("esc").play("d");
    assert!(desk.top().is_some());
}

#[test]
fn rows_of_another_filter_are_left_alone_while_its_own_are_read() {
    let mut desk = Desk::ready(100, 24, keys(300));
    desk.strike("/ \"29\" enter d").closed().told("still being read").settle();
    desk.play("d").says("Revoke API key Key 29?");
}

#[test]
fn all_rows_are_marked_under_the_filter_that_was_typed_before() {
    for rows_first in [true, false] {
        let mut desk = Desk::ready(100, 24, keys(300));
        desk.strike("/ \"29\" enter ctrl-a");
        if !rows_first {
            desk.asked.reverse();
        }
        desk.settle().sees("✓ 13 marked  row").sees("of 13");
        assert_eq!(desk.keys().rows.chosen_rows().len(), 13);
        desk.play("d").says("Revoke 13 keys?");
    }
}

#[test]
fn nothing_is_revoked_before_all_that_shall_be_is_marked() {
    let mut desk = Desk::ready(100, 24, keys(500));
    desk.strike("ctrl-a d").closed().told("still being marked");
    desk.settle().play("d").says("Revoke 500 keys?");
}

#[test]
fn rows_of_another_filter_go_when_the_filters_own_can_not_be_read() {
    for way in ["/ \"29\" enter", "R"] {
        let mut desk = Desk::ready(100, 24, keys(300));
        desk.strike(way).sees("Key 5");
        while !desk.asked.is_empty() {
            let (id, _) = desk.asked.remove(0);
            let effects = desk.fail(id, Reply::Page, FailureKind::Unreachable, "not answered for 30 s");
            desk.keep(effects);
        }
        desk.says("The keys could not be read").says("not answered for 30 s").sees_not("Key 5");
        desk.play("ctrl-a").told("couldn't be read");
        desk.play("space d").closed();
        assert!(desk.keys().rows.marks().is_empty(), "{way}");
        desk.play("ctrl-r").sees("Key 29");
        desk.play("d").says("Revoke API key");
    }
}

#[test]
fn marks_outlive_a_failed_sort_and_are_not_acted_on_unseen() {
    let mut desk = Desk::ready(100, 24, keys(300));
    desk.play("space space").strike("R");
    let (id, _) = desk.asked.remove(0);
    desk.fail(id, Reply::Page, FailureKind::Unreachable, "gone");
    desk.play("d").closed().told("couldn't be read");
    desk.play("ctrl-r").play("d").says("Revoke 2 keys?");
}

#[test]
fn marks_go_with_their_keys_and_are_counted_by_state() {
    let mut all = keys(10_000);
    all[3].expires_at = Some(crate::tui::testing::noon() - chrono::Duration::hours(1));
    let mut desk = Desk::ready(120, 24, all);
    desk.play("right").play("ctrl-a").sees("✓ 10,000 marked (9,999 active, 1 expired)");
    desk.told("10,000 marked: every row of the filter");
    for at in [0, 9_999] {
        desk.database.keys[at].revoked_at = Some(desk.state.shell.now);
    }
    desk.live(Subjects::KEYS).sees("✓ 9,998 marked (9,997 active, 1 expired)");
    desk.play("d").sees("Revoke 9998 keys?").sees("Of these: 9,997 active, 1 expired.");
}

#[test]
fn what_is_revoked_already_is_left_out_of_the_question() {
    let mut all = keys(3);
    all[1].revoked_at = Some(crate::tui::testing::noon());
    let mut desk = Desk::ready(120, 24, all);
    desk.play("right")
        .play("ctrl-a")
        .play("d")
        .sees("Revoke 2 keys?")
        .sees("1 more marked are revoked already");
}

#[test]
fn a_verb_for_one_key_says_so_where_others_are_marked() {
    for verb in ["W", "L"] {
        let mut desk = Desk::ready(80, 24, keys(9));
        desk.play("space space").play(verb).closed();
        assert!(
            desk.toast().contains("one row at a time, and 2 are marked. C clears the marks"),
            "{}",
            desk.toast()
        );
    }
    let mut desk = Desk::ready(80, 24, keys(9));
    desk.play("space space");
    let effects = desk.press("Y");
    let ids = format!("{} {}", key_id(0), key_id(1));
    let copies = |effect: &Effect| matches!(effect, Effect::Ask { request: Request::Copy(CopyText::Ids(text)), .. } if **text == *ids);
    assert!(effects.iter().any(copies), "{effects:#?}");
    // Previews and exports are of all that are marked.
    let both = vec![key_id(0), key_id(1)];
    let effects = desk.press("y");
    let previews = |effect: &Effect| matches!(effect, Effect::Ask { request: Request::Export { keys, form: ExportForm::Previews, to: None }, .. } if *keys == both);
    assert!(effects.iter().any(previews), "{effects:#?}");
    desk.press("w");
    desk.sees("Export 2 keys");
}

#[test]
fn end_and_home_reach_both_ends_of_a_long_table() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    desk.play("end").selects("Key 4999").play("pageup pageup home").selects("Key 0 ");
}

#[test]
fn steps_faster_than_rows_arrive_are_not_lost() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    for _ in 0..450 {
        let effects = desk.hurry("down");
        desk.keep(effects);
    }
    desk.settle().selects("Key 450");
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
    desk.selects("Key 0 ");
    assert!(desk.keys().rows.len() <= 600);
}

#[test]
fn a_filter_takes_hold_while_one_types_and_goes_with_esc() {
    let mut desk = Desk::ready(130, 24, keys(300));
    desk.play("/ \"key 29\"").sees("13 API keys").sees("Key 299").sees_not("Key 30 ").play("esc");
    desk.sees("300 API keys").sees_not("/ key").play("/ \"key 29\" enter esc").sees("300 API keys");
}

#[test]
fn a_filter_that_can_not_be_read_is_no_empty_result() {
    let mut desk = Desk::ready(130, 24, keys(3));
    desk.play("/ \"zzz\"").sees("No match").sees("0 API keys").sees("type account:");
    desk.play("\":x\"").sees("The filter can't be read").sees_not("No match").sees_not("0 API keys");
}

#[test]
fn a_mistake_in_the_filter_is_marked_at_its_place() {
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
    desk.play("space").sees("✓ 1 marked  Created ▼  row 2 of 30").play("j j v").sees("✓ 4 marked");
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
    assert_eq!(desk.cursor(), (0, 4));
    desk.play("j j");
    assert_eq!(desk.cursor(), (0, 6));
    desk.play("/ \"ab\"");
    assert_eq!(desk.cursor(), (5, 3));
}

#[test]
fn sorting_shows_its_direction_in_the_heading() {
    let mut desk = Desk::ready(120, 40, keys(30));
    desk.sees("Created ▼").play("R").sees("Created ▲").selects("Key 29");
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
fn the_mouse_opens_rows_sorts_and_changes_screens() {
    let mut desk = Desk::ready(120, 40, keys(30));
    click(&mut desk, 20, 7);
    desk.selects("Key 3");
    click(&mut desk, 20, 7);
    desk.sees(&key_id(3).to_string());
    click(&mut desk, 20, 3);
    desk.sees("Name ▲");
    click(&mut desk, 12, 1);
    assert_eq!(desk.state.shell.screen, crate::tui::words::ScreenId::Expiring);
}

#[test]
fn gestures_on_the_way_to_the_end_take_effect_there() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    desk.strike("G k").settle().selects("Key 4998").strike("g G g j");
    desk.settle().selects("Key 1 ");
}

#[test]
fn a_filter_longer_than_the_line_shows_the_part_with_the_cursor() {
    let mut desk = Desk::ready(60, 16, keys(30));
    let long = "x".repeat(70);
    desk.play(&format!("/ \"{long}the-end\"")).sees("the-end");
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

#[test]
fn without_its_filter_a_list_has_the_cursor_on_the_same_key() {
    let mut desk = Desk::ready(130, 24, keys(900));
    desk.play("/ \"key 45\" down down enter").selects("Key 245").play("esc").selects("Key 245");
    desk.sees_not("/ key")
        .sees("900 API keys")
        .play("up")
        .selects("Key 244")
        .play("down down")
        .selects("Key 246");
    // While it is typed, and where rows have not come yet.
    desk.play("/ \"key 77\"").selects("Key 277").play("esc").selects("Key 277 ");
    desk.strike("/ \"key 88\"").strike("esc").settle().selects("Key 277 ");
    // A key that is none of the list's without it.
    desk.play("/ \"status:revoked\" esc").sees("900 API keys");
}

#[test]
fn what_the_last_line_says_goes_when_it_is_so_no_longer() {
    let mut desk = Desk::ready(100, 24, keys(300));
    desk.play("ctrl-a").told("300 marked").play("esc");
    assert_eq!(desk.toast(), "", "nothing is marked any more");
    desk.strike("/ \"key 2\" enter").strike("d").told("still being read").settle();
    assert_eq!(desk.toast(), "", "they have been read");
    desk.strike("v").told("mark the first row").strike("down");
    assert_eq!(desk.toast(), "");
}

#[test]
fn the_name_of_the_key_is_seen_however_far_its_page_is_scrolled() {
    let mut desk = Desk::ready(60, 16, keys(3));
    desk.play("enter").sees("Key 0").play("G").sees("Key 0").sees("Audit");
    desk.play("g").sees("Key 0").sees("Status");
}

#[test]
fn a_selection_of_all_that_match_is_told_and_so_is_what_was_taken_out_of_it() {
    let mut desk = Desk::ready(160, 24, keys(5000));
    desk.play("/ \"status:active\" enter").sees("5,000 match · 200 shown");
    desk.play("ctrl-a").sees("✓ 5,000 marked: all that match").sees("5,000 match · 200 shown");
    desk.play("space space").sees("✓ 4,998 marked: all 5,000 that match but 2");
    // A key that comes later is not taken along; added by hand it is told.
    let new = numbered(9999);
    desk.database.keys.insert(0, new);
    desk.live(Subjects::KEYS).sees(": all 5,000 that match but 2");
    desk.play("g space").sees("✓ 4,999 marked: all 5,000 that match but 2 and 1 more");
    desk.play("C").sees("5,000 match · 200 shown");
}
