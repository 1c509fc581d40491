use chrono::Duration;

use super::Window;
use crate::domain::key::Key;
use crate::domain::query::{Cursor, CursorValue, Query};
use crate::domain::reminder::{Reminder, State};
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::service::{From, Mailing, Outlook, Page, PageRequest, Row, Week};
use crate::tui::effect::{CopyText, Reply, Request};
use crate::tui::testing::reminders::reminder;
use crate::tui::testing::{Desk, asked, key, noon, only_request, only_requests};
use crate::tui::words::ScreenId;

fn ends_in(name: &str, days: i64) -> Row {
    let end = noon() + Duration::days(days);
    let created_at = noon() - Duration::days(60);
    let key = Key { created_at, expires_at: Some(end), ..key("voxpria", name) };
    Row { cursor: Cursor { value: CursorValue::Instant(end), id: key.id, odd_id: None }, key }
}

fn page(rows: Vec<Row>) -> Reply {
    Reply::Page(Ok(Page { rows, at: 0, more_before: false, more_after: false, now: noon() }))
}

fn outlook() -> Outlook {
    let weeks = (0..13)
        .map(|week| Week {
            starts_at: noon() + Duration::weeks(week),
            keys: u64::try_from(week % 5).unwrap(),
        })
        .collect();
    Outlook { now: noon(), overdue: 2, within_7_days: 1, within_30_days: 8, within_90_days: 20, weeks }
}

fn screen(width: u16, height: u16) -> Desk {
    let mut desk = Desk::sized(width, height);
    let [(outlook_id, first), (page_id, second)] = only_requests(desk.press("2"));
    assert_eq!(desk.state.shell.screen, ScreenId::Expiring);
    assert_eq!(first, Request::Outlook);
    let sort = Window::Days7.sort();
    let query = Window::Days7.query();
    assert_eq!(second, Request::Page(PageRequest { query, sort, from: From::Start, limit: 200 }));
    desk.reply(outlook_id, Reply::Outlook(Ok(outlook())));
    let (id, request) =
        only_request(desk.reply(page_id, page(vec![ends_in("soon", 2), ends_in("later", 5)])));
    let Request::RemindersOf(keys) = request else { panic!("{request:?}") };
    assert_eq!(keys, [ends_in("soon", 2).key.id, ends_in("later", 5).key.id]);
    desk.reply(
        id,
        Reply::RemindersOf {
            keys,
            outcome: Ok(Mailing { reminders: reminders(), due: vec![ends_in("later", 5).key.id] }),
        },
    );
    desk
}

/// "soon" was reminded of at 30 days; the letter at 7 days was refused.
fn reminders() -> Vec<Reminder> {
    vec![reminder("soon", 30, 2, State::Sent), reminder("soon", 7, 2, State::Failed)]
}

#[test]
fn vg_15_each_key_shows_which_reminders_went_out_and_when() {
    let mut desk = screen(120, 40);
    desk.says("in 2d soon acme 30d ✓ 7d ✕");
    desk.says("30 days before: ✓ sent 2h ago, to ada@example.com and 1 more");
    desk.says("7 days before: ✕ failed 2h ago, to ada@example.com (1 failed, 1 sent): 550 5.1.1");
    desk.strike("t").says("30 days before: ✓ sent 2026-11-21 10:00:00 UTC");
    desk.press("i");
    assert_eq!(desk.state.shell.screen, ScreenId::Reminders);
    desk.sees(&format!("key:{}", ends_in("soon", 2).key.id));
}

#[test]
fn the_tabs_tell_how_many_end_and_the_soonest_stands_first() {
    let desk = screen(80, 24);
    let words = desk.words();
    assert!(words.contains("Overdue 2 [7 days 1] 30 days 8 90 days 20"), "{words}");
    assert!(words.find("soon").unwrap() < words.find("later").unwrap());
}

#[test]
fn each_tab_is_a_filter_of_the_filter_language() {
    for &window in Window::ALL {
        assert_eq!(Query::parse(window.filter(), Here::utc(noon())).unwrap(), window.query(), "{window:?}");
    }
}

#[test]
fn another_tab_reads_its_own_keys() {
    let mut desk = screen(80, 24);
    let (_, Request::Page(request)) = only_request(desk.press("right")) else { panic!("not asked") };
    assert_eq!(request.query, Window::Days30.query());
    let mut desk = screen(80, 24);
    let (id, Request::Page(request)) = only_request(desk.press("left")) else { panic!("not asked") };
    assert_eq!(request.query, Window::Overdue.query());
    desk.reply(id, page(Vec::new()));
    desk.says("Nothing expired in the last 30 days");
}

#[test]
fn a_key_that_was_replaced_is_not_overdue() {
    let mut desk = screen(80, 24);
    let (_, request) = only_request(desk.press("left"));
    let Request::Page(request) = request else { panic!("{request:?}") };
    assert!(request.query.to_string().ends_with(" replaced:no"), "{}", request.query);
    let mut replaced = ends_in("replaced", -3).key;
    replaced.successor = Some(ends_in("new", 9).key.id);
    assert!(!request.query.matches(&replaced, noon()));
    assert!(request.query.matches(&ends_in("forgotten", -2).key, noon()));
}

#[test]
fn vp_29_marked_keys_of_the_list_are_revoked_together() {
    let mut desk = screen(80, 24);
    desk.strike("space space d").says("Revoke 2 keys?");
}

#[test]
fn a_live_change_leaves_the_selection_with_its_key() {
    let mut desk = screen(80, 24);
    desk.press("down");
    let effects = desk.with(|shell| shell.changed(Subjects::KEYS));
    let id = asked(&effects, |request| matches!(request, Request::Page(_)));
    desk.reply(id, page(vec![ends_in("sooner", 1), ends_in("soon", 2), ends_in("later", 5)]));
    desk.strike("d").says("Revoke API key later?");
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen(80, 24).screen());
}

#[test]
fn the_screen_at_120_by_40() {
    insta::assert_snapshot!(screen(120, 40).screen());
}

#[test]
fn marks_are_counted_ranged_and_taken_away() {
    let mut desk = screen(80, 24);
    desk.strike("space v").says("✓ 2 marked").strike("esc").says_not("marked");
    desk.strike("ctrl-a C").says_not("marked");
}

#[test]
fn what_is_done_to_a_key_in_the_table_is_done_here_too() {
    let mut desk = screen(80, 24);
    let (_, request) = only_request(desk.press("Y"));
    assert_eq!(request, Request::Copy(CopyText::Ids(ends_in("soon", 2).key.id.to_string().into())));
    desk.strike("o").told("neither replaces another");
    desk.press("b");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    assert_eq!(desk.keys().rows.filter.value(), "by:ada");
}
