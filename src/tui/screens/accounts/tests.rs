use crate::domain::account::{AccountSummary, Standing};
use crate::domain::operator::Role;
use crate::tui::effect::{Reply, Request};
use crate::tui::opening::Made;
use crate::tui::testing::{Desk, account, only_request};
use crate::tui::words::ScreenId;

fn rows() -> Vec<AccountSummary> {
    let mut suspended = account("voicegram", "globex");
    suspended.account.standing = Standing::Suspended;
    vec![account("voxpria", "acme"), suspended]
}

fn screen() -> Desk {
    let mut desk = Desk::new();
    let (id, request) = only_request(desk.press("4"));
    assert_eq!(request, Request::Accounts { filter: String::new(), after: None, limit: 200 });
    assert_eq!(desk.reply(id, Reply::Accounts(Ok(rows()))), []);
    desk
}

#[test]
fn enter_twice_shows_the_keys_of_the_account() {
    let mut desk = screen();
    let effects = desk.press("enter enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    assert!(!effects.is_empty() || desk.words().contains("account:acme"), "{effects:?}");
    desk.says("account:acme");
}

#[test]
fn suspending_asks_first_and_no_is_the_default() {
    let mut desk = screen();
    desk.strike("p").says("Suspend Acme Telephony?").says("Gates refuse 3 keys of it that work now.");
    assert_eq!(desk.press("enter"), []);
    desk.closed();
    desk.press("p");
    let (id, request) = only_request(desk.press("y"));
    let Request::SetStanding { account: slug, standing, .. } = request else { panic!("{request:?}") };
    assert_eq!((slug.as_str(), standing), ("acme", Standing::Suspended));
    let mut done = account("voxpria", "acme").account;
    done.standing = Standing::Suspended;
    desk.reply(id, Reply::SetStanding(Ok(done)));
    assert_eq!(desk.toast(), "Acme Telephony is suspended");
    desk.closed();
}

#[test]
fn kr_05_the_keys_of_the_account_at_hand_can_be_frozen_from_the_list_and_from_its_page() {
    let mut desk = screen();
    desk.press("F");
    desk.says("Freeze keys?").says("account:acme");
    desk.press("esc enter F");
    desk.says("Freeze keys?").says("account:acme");
}

#[test]
fn a_suspended_account_is_reinstated_the_same_way() {
    let mut desk = screen();
    desk.press("down p");
    let (_, request) = only_request(desk.press("y"));
    let Request::SetStanding { account, standing, .. } = request else { panic!("{request:?}") };
    assert_eq!((account.as_str(), standing), ("globex", Standing::Good));
}

#[test]
fn a_viewer_may_neither_create_nor_suspend() {
    let mut desk = screen();
    desk.role(Role::Viewer);
    desk.strike("p").told("viewers can't suspend");
    desk.strike("n").told("viewers can't create accounts").closed();
}

#[test]
fn n_opens_the_form_and_a_filter_narrows_the_list() {
    let mut desk = screen();
    desk.strike("n").says("New account");
    desk.press("esc /");
    let (_, request) = only_request(desk.write("g"));
    assert_eq!(request, Request::Accounts { filter: "g".into(), after: None, limit: 200 });
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen().screen());
}

#[test]
fn a_new_account_hidden_by_the_filter_has_the_cursor() {
    let mut desk = screen();
    let mut effects = desk.press("/ \"globex\" enter");
    while !effects.is_empty() {
        let (id, _) = only_request(effects);
        effects = desk.reply(id, Reply::Accounts(Ok(rows().split_off(1))));
    }
    let effects = desk.with(|shell| shell.made(Made::Account("umbrella".into())));
    let (id, request) = only_request(effects);
    assert_eq!(request, Request::Account("umbrella".into()));
    desk.reply(id, Reply::Account(Ok(account("voxpria", "umbrella"))));
    let line = desk.selected_line();
    assert!(line.contains("umbrella") && line.contains("not in this list"), "{line}");
    desk.press("down");
    desk.says_not("umbrella").selects("globex");
}
