use crate::domain::expiry::Expiry;
use crate::domain::operator::Role;
use crate::domain::scope::Scopes;
use crate::service::{CreateKey, Field};
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RequestId};
use crate::tui::opening::Opening;
use crate::tui::overlays::reveal;
use crate::tui::testing::{Desk, account, created, only_request};

mod edit;

/// The form, opened for an account of the issuer.
fn form(issuer: &str) -> Desk {
    let mut desk = Desk::new();
    open(&mut desk, issuer);
    desk
}

fn open(desk: &mut Desk, issuer: &str) {
    let (id, request) = only_request(desk.open(Opening::Create { account: Some("acme".into()) }));
    assert_eq!(request, Request::Account("acme".into()));
    assert_eq!(desk.reply(id, Reply::Account(Ok(account(issuer, "acme")))), []);
}

/// Goes through the review and sends; answers with the id and what was sent.
fn send(desk: &mut Desk) -> (RequestId, CreateKey) {
    assert_eq!(desk.press("ctrl-s"), []);
    let (_, request) = desk.preview();
    assert!(matches!(request, Request::Create(_)), "{request:?}");
    desk.says("review");
    let (id, Request::Create(request)) = only_request(desk.press("enter")) else { panic!("not asked") };
    (id, *request)
}

fn refuse(desk: &mut Desk, id: RequestId, kind: FailureKind, text: &str) {
    assert_eq!(desk.fail(id, Reply::Create, kind, text), []);
}

#[test]
fn vp_08_nothing_is_ticked_at_first_and_each_scope_says_what_it_permits() {
    let mut desk = form("voxpria");
    desk.sees_not("[x]");
    assert_eq!(desk.screen().matches("[ ]").count(), 13);
    desk.strike("tab tab").says("calls:read: ");
    desk.strike("down right").says("campaigns:write: ");
}

#[test]
fn vp_23_a_key_is_configured_then_reviewed_then_created() {
    let mut desk = form("voxpria");
    desk.press("\"Production Server – Main App\" tab \"main app\" tab space down right space");
    let (_, request) = send(&mut desk);
    assert_eq!(
        request,
        CreateKey {
            operation: request.operation,
            account: "acme".into(),
            name: "Production Server – Main App".into(),
            description: "main app".into(),
            scopes: Scopes::parse("calls:read campaigns:write"),
            expiry: Expiry::Never,
            plan: Default::default(),
            allow: Default::default(),
            owner: None,
            tags: Default::default(),
            limits: Default::default(),
        }
    );
}

#[test]
fn vg_05_a_policy_without_scopes_says_fully_privileged_in_form_and_review() {
    let mut desk = form("voicegram");
    desk.says("fully privileged");
    desk.strike("\"CI\" ctrl-s").says("fully privileged");
}

#[test]
fn vg_08_the_form_calls_things_what_the_policy_calls_them() {
    let mut desk = form("voicegram");
    desk.sees("Create token");
    desk.strike("\"CI\" ctrl-s").sees("[ Create token ]");
    assert!(form("vozagent").screen().contains("Create API Key"));
}

#[test]
fn vg_09_a_name_is_required() {
    let mut desk = form("voicegram");
    assert_eq!(desk.press("ctrl-s"), []);
    desk.says("a name is required").says_not("review");
}

#[test]
fn va_05_a_name_is_required_and_a_description_is_not() {
    let mut desk = form("vozagent");
    desk.strike("ctrl-s").says("a name is required");
    desk.write("Zapier");
    assert_eq!(send(&mut desk).1.description, "");
}

#[test]
fn vg_10_the_choices_are_never_30_days_90_days_1_year_and_any_instant_shown_exactly() {
    let mut desk = form("voicegram");
    desk.says("(•) Never expires ( ) 30 days ( ) 90 days ( ) 1 year");
    desk.strike("\"CI\" tab tab right").says("2026-12-21 12:00:00 UTC");
    desk.strike("right right right tab \"2027-01-31T18:00Z\"").says("2027-01-31 18:00:00 UTC");
    let end = "2027-01-31T18:00:00Z".parse().unwrap();
    assert_eq!(send(&mut desk).1.expiry, Expiry::At(end));
}

#[test]
fn vp_21_a_name_holds_any_printable_unicode_and_nothing_that_can_not_be_seen() {
    let mut desk = form("voicegram");
    desk.paste("Télésecrétariat – 日本語 🔑");
    assert_eq!(send(&mut desk).1.name, "Télésecrétariat – 日本語 🔑");
    let mut desk = form("voicegram");
    desk.paste("invoice\u{202e}gpj");
    assert_eq!(desk.press("ctrl-s"), []);
    assert!(!desk.screen().contains('\u{202e}') && desk.words().contains("↑"), "{}", desk.screen());
}

#[test]
fn a_mistake_in_the_expiry_or_the_allow_list_is_shown_as_one_types() {
    let mut desk = form("voicegram");
    desk.strike("\"CI\" tab tab right right right right tab \"soonish\"").says("↑");
    desk.strike("ctrl-u \"3M\"")
        .says("3M could mean minutes or months: write 3m for minutes or 3mo for months");
    desk.strike("ctrl-u \"45D\"").says_not("↑");
    desk.strike("ctrl-u \"45d\"").says_not("↑");
    desk.strike("tab \"10.0.0.0/8 nowhere\"").says("\"nowhere\" isn't a valid address");
    assert_eq!(desk.press("ctrl-s"), [], "a form with a mistake goes nowhere");
    desk.says_not("review");
}

#[test]
fn vp_28_each_refusal_is_shown_in_its_own_words_and_the_form_stays_filled_in() {
    let mut desk = form("voicegram");
    desk.write("CI");
    let (id, first) = send(&mut desk);
    let mut sent = id;
    for (kind, words) in [
        (FailureKind::NotPermitted, "ada can't create keys: that needs the role operator"),
        (FailureKind::Rule, "account acme is suspended, so no key can be made for it"),
        (FailureKind::Rule, "account acme has 20 active keys and its limit is 20. Revoke one first"),
    ] {
        refuse(&mut desk, sent, kind, words);
        desk.says(words);
        let (id, Request::Create(request)) = only_request(desk.press("enter")) else { panic!("not asked") };
        assert_ne!(request.operation, first.operation, "a refused wish is over; this is a new one");
        assert_eq!(request.name, "CI");
        sent = id;
    }
}

#[test]
fn sending_again_after_a_lost_connection_is_the_same_wish() {
    let mut desk = form("voicegram");
    desk.write("CI");
    let (id, first) = send(&mut desk);
    refuse(&mut desk, id, FailureKind::Unreachable, "the database can't be reached");
    let (_, request) = only_request(desk.press("enter"));
    assert_eq!(request, Request::Create(Box::new(first)));
}

#[test]
fn a_refusal_about_a_field_stands_at_the_field() {
    let mut desk = form("voicegram");
    desk.write("CI");
    let (id, _) = send(&mut desk);
    refuse(&mut desk, id, FailureKind::Field(Field::Name), "name: there is one already");
    desk.says("↑ name: there is one already");
    desk.write("2");
    assert!(!desk.words().contains("↑"), "an edit takes the refusal away");
}

#[test]
fn a_viewer_gets_words_instead_of_a_form() {
    let mut desk = Desk::new();
    desk.role(Role::Viewer);
    desk.open(Opening::Create { account: None });
    desk.closed().told("viewers can't create keys");
}

#[test]
fn the_account_is_chosen_by_typing_a_part_of_its_name() {
    let mut desk = Desk::new();
    let (id, request) = only_request(desk.open(Opening::Create { account: None }));
    assert_eq!(request, Request::Accounts { filter: String::new(), after: None, limit: 50 });
    let two = vec![account("voicegram", "acme"), account("voxpria", "globex")];
    assert_eq!(desk.reply(id, Reply::Accounts(Ok(two))), []);
    let line = desk.screen().lines().find(|line| line.contains("globex")).unwrap_or_default().to_owned();
    assert!(line.contains("voxpria    3 keys"), "whose kind of key it will be: {line}");
    let (id, request) = only_request(desk.write("g"));
    assert_eq!(request, Request::Accounts { filter: "g".into(), after: None, limit: 50 });
    assert_eq!(desk.write("l"), [], "one search at a time");
    let (id, request) = only_request(desk.reply(id, Reply::Accounts(Ok(Vec::new()))));
    assert_eq!(request, Request::Accounts { filter: "gl".into(), after: None, limit: 50 });
    assert_eq!(desk.reply(id, Reply::Accounts(Ok(vec![account("voxpria", "globex")]))), []);
    desk.strike("enter").sees("Create API Key · globex");
}

#[test]
fn an_only_account_needs_no_choosing() {
    let mut desk = Desk::new();
    let (id, _) = only_request(desk.open(Opening::Create { account: None }));
    desk.reply(id, Reply::Accounts(Ok(vec![account("voicegram", "acme")])));
    desk.sees("Create token · acme");
}

#[test]
fn escape_asks_once_before_it_throws_away_what_was_filled_in() {
    let mut desk = form("voicegram");
    desk.press("\"CI\" esc");
    assert!(desk.top().is_some());
    desk.told("again throws away");
    desk.strike("esc").closed();
}

#[test]
fn a_burst_of_keys_creates_nothing() {
    let mut desk = form("voicegram");
    desk.write("CI");
    assert_eq!(desk.hurry("enter enter enter enter enter enter ctrl-s ctrl-s enter"), []);
}

#[test]
fn the_new_key_goes_to_the_reveal_and_every_screen_reads_again() {
    let mut desk = form("voicegram");
    desk.write("CI");
    let (id, _) = send(&mut desk);
    let effects = desk.reply(id, Reply::Create(Ok(Box::new(created("voicegram", "CI")))));
    assert!(effects.contains(&Effect::Mouse(false)), "{effects:#?}");
    assert!(desk.shows::<reveal::State>());
    desk.state.overlays.close();
    assert!(desk.top().is_none(), "the form is gone");
}

#[test]
fn pasted_lines_become_one_line_of_the_field() {
    let mut desk = form("voicegram");
    desk.paste("Production\nServer\u{1b}[31m");
    assert_eq!(send(&mut desk).1.name, "Production Server[31m");
}

#[test]
fn the_form_at_80_by_24() {
    let mut desk = form("voxpria");
    desk.write("Production Server – Main App");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn the_review_at_120_by_40() {
    let mut desk = Desk::sized(120, 40);
    open(&mut desk, "voxpria");
    desk.press("\"Production Server – Main App\" tab tab space ctrl-s");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn a_form_that_was_changed_after_a_try_without_an_answer_is_another_wish() {
    let mut desk = form("voicegram");
    desk.write("CI");
    let (id, first) = send(&mut desk);
    refuse(&mut desk, id, FailureKind::Unreachable, "the database can't be reached");
    desk.press("esc \"2\"");
    desk.strike("ctrl-s").says("may have been carried out");
    let (_, second) = only_request(desk.press("enter"));
    let Request::Create(second) = second else { panic!("{second:?}") };
    assert_eq!(second.name, "CI2");
    assert_ne!(second.operation, first.operation);
}

#[test]
fn the_step_that_is_missing_comes_before_the_form() {
    let mut desk = Desk::new();
    desk.state.shell.issuers = Some(Vec::new());
    desk.press("n");
    assert!(desk.words().contains("Welcome to Keyrack"), "{}", desk.screen());
    desk.press("esc");
    desk.press("n");
    assert!(desk.words().contains("Welcome to Keyrack"), "again: {}", desk.screen());

    let mut desk = Desk::new();
    let (id, request) = only_request(desk.press("n"));
    assert!(matches!(request, Request::Accounts { .. }), "{request:?}");
    desk.reply(id, Reply::Accounts(Ok(Vec::new())));
    assert!(desk.shows::<crate::tui::overlays::account::State>(), "{}", desk.screen());
}

#[test]
fn typing_after_choosing_another_expiry_goes_into_its_field() {
    for paste in [false, true] {
        let mut desk = form("voxpria");
        desk.press("tab tab tab right right right right right right right right right");
        if paste {
            desk.paste("45d");
        } else {
            desk.write("45d");
        }
        assert!(desk.words().contains("45d"), "{}", desk.screen());
    }
}

#[test]
fn the_review_says_what_the_service_would_refuse_before_anything_is_sent() {
    let mut desk = form("voicegram");
    desk.write("CI");
    assert_eq!(desk.press("ctrl-s"), []);
    let (id, _) = desk.preview();
    let words = "account acme has 20 active keys and its limit is 20";
    assert_eq!(desk.fail(id, Reply::Create, FailureKind::Rule, words), []);
    desk.says("review").says(words);
    assert_eq!(desk.press("esc ctrl-s"), []);
    let (id, _) = desk.preview();
    desk.says_not(words);
    refuse(&mut desk, id, FailureKind::Field(Field::Name), "name: there is one already");
    desk.says_not("review").says("↑ name: there is one already");
    assert_eq!(desk.press("\"2\" ctrl-s"), []);
    let (id, _) = desk.preview();
    assert_eq!(desk.reply(id, Reply::Create(Ok(Box::new(created("voicegram", "CI2"))))), []);
    desk.says("review");
    assert!(matches!(only_request(desk.press("enter")).1, Request::Create(_)), "only now it is made");
}
