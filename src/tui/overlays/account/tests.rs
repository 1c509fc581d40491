use crate::service::{ChangeAccount, CreateAccount};
use crate::tui::effect::{FailureKind, Reply, Request};
use crate::tui::opening::Opening;
use crate::tui::overlays::create;
use crate::tui::testing::{self, Desk, only_request};

fn form(first_run: bool) -> Desk {
    let mut desk = Desk::new();
    desk.open(Opening::Account { issuer: Some("voxpria".into()), first_run });
    desk
}

fn filled(desk: &mut Desk) {
    desk.press("\"Acme Telephony & Co\" tab tab \"ada@example.com, bob@example.com\"");
}

#[test]
fn the_slug_follows_the_name_until_one_is_written() {
    let mut desk = form(false);
    filled(&mut desk);
    desk.press("tab right right");
    let (_, request) = only_request(desk.press("ctrl-s"));
    let Request::CreateAccount { request, .. } = request else { panic!("{request:?}") };
    assert_eq!(
        request,
        CreateAccount {
            issuer: "voxpria".into(),
            slug: "acme-telephony-co".into(),
            name: "Acme Telephony & Co".into(),
            admins: vec!["ada@example.com".into(), "bob@example.com".into()],
            plan: Some("Starter".into()),
        }
    );
}

#[test]
fn what_is_missing_or_wrong_is_shown_at_its_field() {
    let mut desk = form(false);
    assert_eq!(desk.press("ctrl-s"), []);
    desk.says("a name is required");
    desk.strike("\"Acme\" tab \" Ä\"").says("a slug holds lower-case letters");
    desk.strike("backspace backspace ctrl-s").says("at least one mail address");
}

#[test]
fn on_the_first_run_the_form_for_a_key_follows() {
    let mut desk = form(true);
    filled(&mut desk);
    let (id, _) = only_request(desk.press("ctrl-s"));
    let made = testing::account("voxpria", "acme").account;
    desk.reply(id, Reply::CreateAccount(Ok(made)));
    assert!(desk.shows::<create::State>());
}

#[test]
fn a_slug_that_is_taken_is_refused_in_the_form() {
    let mut desk = form(false);
    filled(&mut desk);
    let (id, _) = only_request(desk.press("ctrl-s"));
    desk.fail(id, Reply::CreateAccount, FailureKind::Rule, "there is already an account acme");
    desk.says("there is already an account acme");
}

#[test]
fn the_form_at_80_by_24() {
    insta::assert_snapshot!(form(false).screen());
}

#[test]
fn an_account_is_changed_in_the_same_form_and_keeps_its_slug() {
    let mut desk = Desk::new();
    let there = testing::account("voxpria", "acme").account;
    desk.open(Opening::ChangeAccount(there.clone()));
    let before = desk.words();
    assert!(before.contains("Change an account") && before.contains("acme"), "{}", desk.screen());
    desk.press("ctrl-u \"new@acme.example\" tab right right");
    let (id, request) = only_request(desk.press("ctrl-s"));
    let Request::ChangeAccount { account: slug, change, .. } = request else { panic!("{request:?}") };
    assert_eq!(slug, "acme");
    let expected = ChangeAccount {
        name: Some(there.name.to_string()),
        admins: Some(vec!["new@acme.example".into()]),
        plan: Some(Some("Starter".into())),
    };
    assert_eq!(change, expected);
    desk.reply(id, Reply::ChangeAccount(Ok(there)));
    desk.closed();
}
