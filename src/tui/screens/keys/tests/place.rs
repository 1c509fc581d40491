//! The place in the table is kept, whatever is shown of it, and told.

use crate::domain::subjects::Subjects;
use crate::service::From;
use crate::tui::effect::Request;
use crate::tui::testing::{Desk, keys, numbered};

#[test]
fn a_sort_leaves_the_cursor_on_its_key_and_its_line() {
    let mut desk = Desk::ready(100, 24, keys(900));
    for _ in 0..20 {
        desk.play("pagedown");
    }
    desk.play("down down down");
    let (own, line) = (desk.selected_line(), desk.cursor());
    desk.strike("R").selects(own.split("vx_").next().unwrap()).settle();
    assert_eq!(desk.selected_line(), own);
    assert_eq!(desk.cursor(), line, "the screen stands still around it");
    desk.play("R").selects(own.split("vx_").next().unwrap());
    // At the beginning one looks at what comes first.
    desk.play("g R").selects("Key 899 ").play("R").selects("Key 0 ");
}

#[test]
fn a_filter_leaves_the_cursor_on_its_key_or_the_nearest() {
    let mut desk = Desk::ready(130, 24, keys(900));
    for _ in 0..455 {
        let effects = desk.hurry("down");
        desk.keep(effects).settle();
    }
    desk.play("pagedown pageup").selects("Key 455 ");
    // It fits; it does not, and the next one that does is near; and back to it, letter by letter.
    desk.play("/ \"key 45\"").selects("Key 455 ").play("\"6\"").selects("Key 456 ");
    desk.play("backspace").selects("Key 455 ").play("\"9\"").selects("Key 459 ");
    desk.play("enter esc").selects("Key 459 ").sees("900 API keys");
    // Behind it there is none: the nearest stands before it.
    desk.play("/ \"key 129\"").selects("Key 129 ").play("ctrl-u").selects("Key 459 ");
    desk.play("\"zebra\"").sees("No match").play("esc").selects("Key 459 ");
    // Where one goes by oneself counts from there on.
    desk.play("/ \"key 45\" enter up up esc").selects("Key 457 ");
}

#[test]
fn no_key_press_waits_for_the_rows_around() {
    let mut desk = Desk::ready(100, 24, keys(900));
    desk.play("pagedown pagedown down down");
    let own = desk.selected_line();
    desk.strike("R down down").settle();
    assert_ne!(desk.selected_line(), own);
    desk.play("up up");
    assert_eq!(desk.selected_line(), own, "the steps were owed");
    let asked = desk.strike("R").asked.iter().any(|(_, request)| match request {
        Request::Page(page) => matches!(page.from, From::Around(_)),
        _ => false,
    });
    assert!(asked, "one request: {:?}", desk.asked);
}

#[test]
fn the_row_of_the_cursor_is_told_on_every_size() {
    for (width, height) in [(80, 24), (200, 50), (60, 16)] {
        let mut desk = Desk::ready(width, height, keys(5000));
        desk.sees("row 1 of 5,000")
            .play("down")
            .sees("row 2 of 5,000")
            .play("end")
            .sees("row 5,000 of 5,000");
        desk.play("up").sees("row 4,999 of 5,000").play("R").sees("row 2 of 5,000");
        for _ in 0..80 {
            desk.play("pagedown");
        }
        let own = desk.selected_line();
        let number = 5000
            - own.split("Key ").nth(1).unwrap().split_whitespace().next().unwrap().parse::<u64>().unwrap();
        desk.sees(&format!("row {} of 5,000", crate::domain::text::thousands(number)));
        desk.play("R").sees(&format!("row {} of 5,000", crate::domain::text::thousands(5001 - number)));
        // A key made meanwhile comes before it.
        desk.database.keys.insert(0, numbered(9_000));
        desk.wait(chrono::Duration::seconds(60));
        desk.live(Subjects::KEYS);
        desk.send(crate::tui::message::Message::Timer(crate::tui::effect::Timer::Of(
            crate::tui::effect::To::Screen(crate::tui::words::ScreenId::Keys),
        )));
        desk.settle().sees(&format!("row {} of 5,001", crate::domain::text::thousands(5002 - number)));
    }
}

#[test]
fn other_lists_tell_the_row_too() {
    let mut desk = Desk::ready(80, 24, keys(30));
    for screen in ["2", "0"] {
        desk.play(screen);
        let rows = desk.screen().contains("row 1 of ");
        assert!(
            rows || desk.screen().contains("No ") || desk.screen().contains("Nothing"),
            "{}",
            desk.screen()
        );
    }
}
