use crate::domain::budget::Budgets;
use crate::domain::key::Key;
use crate::domain::operator::Role;
use crate::domain::subjects::Subjects;
use crate::tui::effect::{FailureKind, Reply, Request};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, account, asks_nothing, key, noon, only_request, only_requests};

/// The form, opened for a key with these budgets, its account read.
fn form(issuer: &str, own: &str) -> Desk {
    let mut desk = Desk::new();
    let limits = Budgets::parse(own).unwrap();
    let key = Key { limits, ..key(issuer, "CRM") };
    let [(news, read), (id, request)] = only_requests(desk.open(Opening::Limit(Box::new(key.clone()))));
    assert_eq!((read, request), (Request::Key(key.id), Request::Account("acme".into())));
    assert_eq!(desk.reply(news, Reply::Key(Ok(Box::new(key)))), []);
    let mut summary = account(issuer, "acme");
    summary.account.plan = (issuer == "voxpria").then(|| "Starter".into());
    assert_eq!(desk.reply(id, Reply::Account(Ok(summary))), []);
    desk
}

#[test]
fn what_holds_now_and_what_would_hold_then_stand_in_the_form() {
    let mut desk = form("voxpria", "");
    desk.says("500 a minute, 5000 an hour; by the plan Starter");
    desk.says("From the next request on: as it is now");
    desk.write("10/1s 900/1m");
    let words = desk.words();
    let then = "From the next request on: 10 a second, 900 a minute, agreed for this key";
    assert!(words.contains(then), "{}", desk.screen());
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn a_row_of_before_is_not_taken_for_what_holds_now() {
    for (written, field) in [("", "900/1m"), ("5/1m", "5/1m")] {
        let mut desk = Desk::new();
        let of_before = key("voxpria", "CRM");
        let now = Key { limits: Budgets::parse("900/1m").unwrap(), ..of_before.clone() };
        let [(news, _), _] = only_requests(desk.open(Opening::Limit(Box::new(of_before))));
        desk.write(written);
        desk.reply(news, Reply::Key(Ok(Box::new(now))));
        desk.says("900 a minute, agreed for this key").sees(field);
        match written {
            "" => desk.says("as it is now").says_not("changed meanwhile"),
            _ => desk.says("changed meanwhile"),
        };
    }
}

#[test]
fn agreed_budgets_are_sent_and_said_to_hold_from_the_next_request_on() {
    let mut desk = form("voxpria", "");
    desk.write("900/1m");
    let (id, request) = only_request(desk.press("ctrl-s"));
    let Request::SetLimits { key: asked, limits, .. } = request else { panic!("{request:?}") };
    assert_eq!((asked, &limits), (key("voxpria", "CRM").id, &Budgets::parse("900/1m").unwrap()));
    assert_eq!(desk.press("ctrl-s esc"), [], "it is under way");
    let changed = Key { limits, ..key("voxpria", "CRM") };
    desk.reply(id, Reply::SetLimits(Ok(Box::new(changed))));
    desk.closed();
    let said = "CRM has 900/1m; gates apply that from the next request on";
    desk.told(said);
}

#[test]
fn an_emptied_line_gives_the_policys_limits_back() {
    let mut desk = form("voxpria", "900/1m");
    desk.says("900 a minute, agreed for this key");
    desk.strike("ctrl-u").says("From the next request on: 500 a minute");
    let (id, request) = only_request(desk.press("tab enter"));
    assert!(matches!(&request, Request::SetLimits { limits, .. } if limits.is_empty()), "{request:?}");
    desk.reply(id, Reply::SetLimits(Ok(Box::new(key("voxpria", "CRM")))));
    desk.told("its policy's limits again");
}

#[test]
fn what_is_no_budget_is_said_at_the_field_and_not_sent() {
    let mut desk = form("vozagent", "");
    desk.write("100 a minute");
    assert!(!desk.words().contains("isn't a valid budget"), "not while it is written: {}", desk.screen());
    assert_eq!(desk.press("ctrl-s"), []);
    desk.says("isn't a valid budget: write requests/time");
    desk.press("ctrl-u \"1/1m 2/60s\"");
    assert_eq!(desk.press("ctrl-s"), []);
    desk.says("two budgets over the same time");
}

#[test]
fn nothing_is_sent_where_nothing_changes_or_the_form_is_left() {
    let mut desk = form("voxpria", "900/1m");
    let effects = desk.press("ctrl-s");
    asks_nothing(&effects);
    desk.closed().told("stay as they were");
    let mut desk = form("voxpria", "");
    desk.write("900/1m");
    assert_eq!(desk.press("tab tab enter"), [], "cancelled");
    desk.closed();
}

#[test]
fn a_refusal_is_shown_in_the_form_in_its_own_words() {
    let mut desk = form("voxpria", "");
    desk.write("900/1m");
    let (id, _) = only_request(desk.press("ctrl-s"));
    desk.fail(
        id,
        Reply::SetLimits,
        FailureKind::NotPermitted,
        "ada can't change the limits of keys: that needs the role operator",
    );
    desk.says("can't change the limits of keys");
}

#[test]
fn a_viewer_and_a_revoked_key_get_no_form() {
    let mut desk = Desk::new();
    desk.role(Role::Viewer);
    let effects = desk.open(Opening::Limit(Box::new(key("voxpria", "CRM"))));
    asks_nothing(&effects);
    desk.closed().told("can't change the limits");
    let mut desk = Desk::new();
    let revoked = Key { revoked_at: Some(noon()), ..key("voxpria", "CRM") };
    let effects = desk.open(Opening::Limit(Box::new(revoked)));
    asks_nothing(&effects);
    desk.closed().told("limits have no effect on it");
}

#[test]
fn before_the_console_knows_who_is_there_it_says_so_and_not_that_somebody_may_not() {
    let mut desk = Desk::new();
    desk.state.shell.who = None;
    desk.open(Opening::Limit(Box::new(key("voxpria", "CRM"))));
    desk.closed().told("try again in a moment");
}

#[test]
fn the_form_hears_of_limits_that_are_set_elsewhere() {
    let mut desk = form("voxpria", "");
    let changed = Key { limits: Budgets::parse("7/1m").unwrap(), ..key("voxpria", "CRM") };
    desk.send(crate::tui::message::Message::Live(crate::service::LiveEvent::Changed(Subjects::KEYS)));
    let id = desk.asked.iter().find(|(_, request)| matches!(request, Request::Key(_))).unwrap().0;
    desk.reply(id, Reply::Key(Ok(Box::new(changed))));
    desk.says("7 a minute, agreed for this key").says("Its limits were changed meanwhile.");
}
