use crate::domain::account::Standing;
use crate::domain::issuer::{Caps, Plan};
use crate::domain::key::Status;
use crate::domain::operator::Role;
use crate::domain::text::SafeText;
use crate::service::{AccountPage, Count};
use crate::tui::effect::{Reply, Request, RequestId};
use crate::tui::testing::{Desk, account, key, only_request};
use crate::tui::words::ScreenId;

fn page(desk: &Desk) -> AccountPage {
    let mut summary = account("voxpria", "acme");
    summary.account.plan = Some(SafeText::new("Starter"));
    let plan = Plan { name: "Starter".into(), requests_per_hour: Some(20_000), requests_per_minute: None };
    AccountPage {
        summary,
        caps: Caps { active_keys: Some(500), creations_per_minute: None },
        plan: Some(plan),
        states: vec![(Status::Active, Count::Exactly(1_203)), (Status::Revoked, Count::AtLeast(1_000_000))],
        made: Count::Exactly(2),
        next: vec![key("voxpria", "Hub")],
        latest: Vec::new(),
        now: desk.state.shell.now,
    }
}

fn opened() -> (Desk, RequestId) {
    let mut desk = Desk::new();
    let (id, _) = only_request(desk.press("4"));
    desk.reply(id, Reply::Accounts(Ok(vec![account("voxpria", "acme")])));
    let (id, request) = only_request(desk.press("enter"));
    assert_eq!(request, Request::AccountPage("acme".into()));
    (desk, id)
}

#[test]
fn kr_14_enter_on_an_account_shows_everything_about_it() {
    let (mut desk, id) = opened();
    desk.says("Account acme").says("reading");
    let read = page(&desk);
    desk.reply(id, Reply::AccountPage(Ok(Box::new(read))));
    for words in [
        "Admins",
        "20,000 requests an hour",
        "1,203",
        "1,000,000 or more",
        "3 of 500",
        "2, no limit",
        "Ends next",
    ] {
        desk.says(words);
    }
    insta::assert_snapshot!(desk.screen());
    desk.press("enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    desk.closed();
    desk.says("account:acme");
}

#[test]
fn the_account_is_changed_and_suspended_from_its_page() {
    let (mut desk, id) = opened();
    let read = page(&desk);
    desk.reply(id, Reply::AccountPage(Ok(Box::new(read))));
    desk.press("p");
    desk.says("Suspend Acme Telephony?");
    let (_, request) = only_request(desk.press("y"));
    let Request::SetStanding { account, standing, .. } = request else { panic!("{request:?}") };
    assert_eq!((account.as_str(), standing), ("acme", Standing::Suspended));
}

#[test]
fn a_viewer_reads_the_page_and_changes_nothing() {
    let (mut desk, id) = opened();
    desk.role(Role::Viewer);
    let read = page(&desk);
    desk.reply(id, Reply::AccountPage(Ok(Box::new(read))));
    desk.says("Admins");
    desk.press("p");
    desk.says("Admins");
    assert!(desk.toast().contains("suspend or reinstate accounts"), "{}", desk.toast());
}
