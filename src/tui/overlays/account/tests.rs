use crate::service::{ChangeAccount, CreateAccount};
use crate::tui::effect::{Failure, FailureKind, Reply, Request};
use crate::tui::opening::Opening;
use crate::tui::overlays::create;
use crate::tui::testing::{self, Desk, only_request};

fn form(first_run: bool) -> Desk {
    let mut desk = Desk::new();
    desk.open(Opening::Account { issuer: Some("voxpria".into()), first_run });
    desk
}

fn filled(desk: &mut Desk) {
    desk.write("Acme Telephony & Co");
    desk.press("tab tab");
    desk.write("ada@example.com, bob@example.com");
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
    assert!(desk.words().contains("a name is required"), "{}", desk.screen());
    desk.write("Acme");
    desk.press("tab");
    desk.write(" Ä");
    assert!(desk.words().contains("a slug holds lower-case letters"), "{}", desk.screen());
    desk.press("backspace backspace ctrl-s");
    assert!(desk.words().contains("at least one mail address"), "{}", desk.screen());
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
    let failure = Failure { kind: FailureKind::Rule, text: "there is an account acme already".into() };
    desk.reply(id, Reply::CreateAccount(Err(failure)));
    assert!(desk.words().contains("there is an account acme already"), "{}", desk.screen());
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
    desk.press("ctrl-u");
    desk.write("new@acme.example");
    desk.press("tab right right");
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
    assert!(desk.top().is_none(), "{}", desk.screen());
}
