use crate::service::{About, Matter};
use crate::tui::effect::{Reply, Request};
use crate::tui::testing::{Desk, only_request};
use crate::tui::words::ScreenId;

fn told() -> Vec<Matter> {
    let line = |about, what: &str, count, wants| Matter { about, what: what.into(), count, wants };
    vec![
        line(About::Keys, "1,234,567 keys that haven't ended", Some(1_234_567), false),
        line(About::Expiring, "12 keys within 7 days, 40 within 30", Some(12), true),
        line(About::Rotations, "no old key works beside its replacement", Some(0), false),
        line(About::Holds, "no keys are frozen, and no creation is stopped", Some(0), false),
        line(About::Alerts, "2 alerts are open", Some(2), true),
        line(About::Gates, "3 gates are alive", Some(3), false),
        line(About::Reminders, "5 due, 0 failed, 0 ambiguous", Some(5), false),
        line(About::Sweep, "the last began at 2026-11-21 09:00 UTC", None, false),
        line(About::Approvals, "no change waits for a second person", Some(0), false),
    ]
}

fn screen(mut desk: Desk) -> Desk {
    let (id, request) = only_request(desk.press("T"));
    assert_eq!(request, Request::Overview(true));
    assert_eq!(desk.reply(id, Reply::Overview(Ok(told()))), []);
    desk
}

#[test]
fn each_line_tells_how_it_is_and_enter_shows_more() {
    let mut desk = screen(Desk::new());
    desk.says("2 things need attention").says("1,234,567").says("Enter shows Keys");
    desk.press("down");
    desk.says("Enter shows Expiring");
    desk.press("enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Expiring);
    let mut desk = screen(desk);
    desk.press("end up enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Reminders);
}

#[test]
fn a_filter_is_typed_over_the_keys() {
    let mut desk = screen(Desk::new());
    desk.press("/");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    desk.strike("\"prod\"").says("prod");
}

#[test]
fn what_is_frozen_is_shown_among_the_keys() {
    let mut desk = screen(Desk::new());
    desk.press("down down down");
    desk.says("Enter shows Keys, status:paused");
    desk.press("enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    desk.says("status:paused");
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen(Desk::new()).screen());
}

#[test]
fn the_screen_at_200_by_50() {
    insta::assert_snapshot!(screen(Desk::sized(200, 50)).screen());
}
