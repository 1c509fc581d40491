//! What holds for every overlay that changes something.

use chrono::Duration;

use crate::domain::account::Standing;
use crate::domain::key::{Key, OperationId};
use crate::domain::text::SafeText;
use crate::service::Field;
use crate::tui::effect::{Effect, Failure, FailureKind, Outcomes, Reply, Request, RequestId, Timer, To};
use crate::tui::message::Message;
use crate::tui::opening::{Change, Opening, Question};
use crate::tui::testing::{Desk, account, created, key, only_request};

/// An overlay that sends a wish.
struct Case {
    opening: fn() -> Opening,
    /// What leads from its opening to the first wish.
    first: fn(&mut Desk) -> Vec<Effect>,
    /// What sends it again after a failure.
    again: fn(&mut Desk) -> Vec<Effect>,
    fails: fn(Failure) -> Reply,
}

fn question() -> Opening {
    Opening::Confirm(Question {
        title: "Suspend Acme?".into(),
        words: "No new key.".into(),
        verb: "Suspend",
        change: Change::Standing { account: "acme".into(), standing: Standing::Suspended },
        done: "Acme is suspended".into(),
        undo: None,
    })
}

fn crm() -> Box<Key> {
    Box::new(key("voxpria", "CRM"))
}

fn create(desk: &mut Desk) -> Vec<Effect> {
    desk.write("CI");
    desk.press("ctrl-s enter")
}

fn paste(desk: &mut Desk) -> Vec<Effect> {
    let (to, _) = only_request(desk.paste("a1B2"));
    desk.reply(to, Reply::Find(Ok(crate::tui::testing::search_found(vec![key("voxpria", "leaked")]))));
    desk.press("y")
}

fn fill_in(desk: &mut Desk) -> Vec<Effect> {
    desk.write("Acme");
    desk.press("tab tab \"ada@example.com\"");
    desk.press("ctrl-s")
}

fn case(
    what: &'static str,
    opening: fn() -> Opening,
    first: fn(&mut Desk) -> Vec<Effect>,
    again: fn(&mut Desk) -> Vec<Effect>,
    fails: fn(Failure) -> Reply,
) -> (&'static str, Case) {
    (what, Case { opening, first, again, fails })
}

fn cases() -> Vec<(&'static str, Case)> {
    let yes = |desk: &mut Desk| desk.press("y");
    let save = |desk: &mut Desk| desk.press("ctrl-s");
    let to_the_end = |desk: &mut Desk| {
        let effects = desk.press("ctrl-s");
        if wished(&effects).is_none() { desk.press("enter") } else { effects }
    };
    let limits = |desk: &mut Desk| {
        desk.write("9/1m");
        desk.press("ctrl-s")
    };
    let revoke = || Opening::Revoke { ids: vec![crm().id], known: vec![*crm()], states: String::new() };
    let account = || Opening::Account { issuer: Some("voxpria".into()), first_run: false };
    let new_key = || Opening::Create { account: Some("acme".into()) };
    let reveal = || Opening::Reveal { created: Box::new(created("voxpria", "CI")), replaces: None };
    let done = |desk: &mut Desk| desk.press("d y");
    let discard = |desk: &mut Desk| desk.press("x y");
    vec![
        case("confirm", question, yes, yes, |f| Reply::SetStanding(Err(f))),
        case("revoke", revoke, yes, yes, |f| Reply::Revoke(Err(f))),
        case("emergency", || Opening::Emergency, paste, yes, |f| Reply::Revoke(Err(f))),
        case("rotate", || Opening::Rotate(crm()), yes, yes, |f| Reply::Rotate(Err(f))),
        case("limit", || Opening::Limit(crm()), limits, save, |f| Reply::SetLimits(Err(f))),
        case("account", account, fill_in, save, |f| Reply::CreateAccount(Err(f))),
        case("create", new_key, create, to_the_end, |f| Reply::Create(Err(f))),
        case("reveal", reveal, done, |desk| desk.press("n d y"), |f| Reply::Acknowledge(Err(f))),
        case("discard", reveal, discard, |desk| desk.press("n x y"), |f| Reply::Revoke(Err(f))),
    ]
}

/// The wish among the effects.
#[track_caller]
fn wish(what: &str, effects: &[Effect]) -> (RequestId, OperationId) {
    wished(effects).unwrap_or_else(|| panic!("{what} sends no wish: {effects:#?}"))
}

fn wished(effects: &[Effect]) -> Option<(RequestId, OperationId)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ask { to, request } => match request {
            Request::SetStanding { operation, .. }
            | Request::Revoke { operation, .. }
            | Request::Rotate { operation, .. }
            | Request::SetLimits { operation, .. }
            | Request::CreateAccount { operation, .. }
            | Request::Acknowledge { operation, .. } => Some((*to, *operation)),
            Request::Create(request) => Some((*to, request.operation)),
            _ => None,
        },
        _ => None,
    })
}

/// The overlay, open and on the screen.
fn shown(case: &Case) -> Desk {
    let mut desk = Desk::new();
    for effect in desk.open((case.opening)()) {
        if let Effect::Ask { to, request: Request::Account(slug) } = effect {
            desk.reply(to, Reply::Account(Ok(account("voicegram", &slug))));
        }
    }
    desk.state.drawn(desk.state.shell.now);
    desk
}

/// The overlay after its first wish was sent.
fn sent(what: &str, case: &Case) -> (Desk, RequestId, OperationId) {
    let mut desk = shown(case);
    let effects = (case.first)(&mut desk);
    let (id, operation) = wish(what, &effects);
    (desk, id, operation)
}

#[test]
fn a_refused_wish_is_sent_as_new_and_an_unanswered_one_as_same() {
    for kind in [
        FailureKind::NotPermitted,
        FailureKind::Rule,
        FailureKind::Field(Field::Policy),
        FailureKind::NotFound,
        FailureKind::Unreachable,
        FailureKind::Unconfirmed,
        FailureKind::Other,
    ] {
        for (what, case) in cases() {
            let (mut desk, id, first) = sent(what, &case);
            let text = SafeText::new("said by the service");
            desk.reply(id, (case.fails)(Failure { kind, text }));
            assert!(desk.words().contains("said by the service"), "{what}, {kind:?}: {}", desk.screen());
            let (_, second) = wish(what, &(case.again)(&mut desk));
            assert_eq!(first == second, !kind.refused(), "{what}, {kind:?}");
        }
    }
}

#[test]
fn no_overlay_takes_an_answer_to_something_else_for_success() {
    for (what, case) in cases() {
        let (mut desk, id, first) = sent(what, &case);
        let effects = desk.reply(id, Reply::Operators(Outcomes::Ok(Vec::new())));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Ask { .. })), "{what}: {effects:#?}");
        assert!(desk.top().is_some(), "{what} has closed");
        assert!(desk.words().contains("did not match the request"), "{what}: {}", desk.screen());
        assert_eq!(wish(what, &(case.again)(&mut desk)).1, first, "{what}");
    }
}

#[test]
fn nothing_is_confirmed_before_it_could_be_read() {
    for (what, case) in cases() {
        let mut desk = shown(&case);
        desk.haste = Some(Duration::milliseconds(20));
        let effects = (case.first)(&mut desk);
        assert_eq!(wished(&effects), None, "{what}: {effects:#?}");
        assert!(desk.toast().starts_with("Too quick: nothing was done."), "{what}: {}", desk.toast());
        desk.haste = None;
        wish(what, &(case.again)(&mut desk));
    }
}

/// A question with its `y`, and what leads to it once it is open.
fn questions() -> Vec<(&'static str, Opening, &'static str)> {
    let ids = || vec![crm().id, key("voxpria", "other").id];
    let reveal = || Opening::Reveal { created: Box::new(created("voxpria", "CI")), replaces: None };
    vec![
        ("confirm", question(), ""),
        ("revoke", Opening::Revoke { ids: vec![crm().id], known: vec![*crm()], states: String::new() }, ""),
        ("revoke several", Opening::Revoke { ids: ids(), known: vec![*crm()], states: String::new() }, "tab"),
        ("rotate", Opening::Rotate(crm()), ""),
        ("leave the reveal", reveal(), "esc"),
        ("discard", reveal(), "x"),
    ]
}

#[test]
fn a_word_typed_over_a_question_is_no_answer_at_any_pace() {
    for gap in [10, 60, 150, 300, 600, 1500] {
        for (what, opening, way) in questions() {
            let mut desk = Desk::new();
            desk.open(opening);
            desk.press(way);
            desk.state.drawn(desk.state.shell.now);
            desk.haste = Some(Duration::milliseconds(gap));
            let effects = desk.press("e p l o y y tab enter");
            assert_eq!(wished(&effects), None, "{what} after {gap} ms: {effects:#?}");
            assert!(desk.toast().contains("is not an answer"), "{what}: {}", desk.toast());
            assert!(desk.top().is_some(), "{what} is open still");
        }
    }
}

#[test]
fn a_question_that_is_not_drawn_is_not_answered() {
    let mut desk = Desk::new();
    desk.open(question());
    desk.state.drawn(desk.state.shell.now);
    desk.send(Message::Resize { width: 50, height: 10 });
    desk.state.drawn(desk.state.shell.now);
    desk.haste = Some(Duration::seconds(5));
    assert_eq!(wished(&desk.press("y y")), None, "the terminal is too small to show it");
}

#[test]
fn an_answer_waits_until_the_question_could_be_read() {
    let mut desk = Desk::new();
    desk.open(question());
    desk.wait(Duration::seconds(60));
    desk.haste = Some(Duration::milliseconds(0));
    assert_eq!(wished(&desk.press("y")), None, "it was not on the screen yet");
    desk.haste = Some(Duration::milliseconds(399));
    assert_eq!(wished(&desk.press("y")), None);
    desk.told("then press y again");
    desk.haste = Some(Duration::milliseconds(400));
    wish("confirm", &desk.press("y"));
}

#[test]
fn a_clock_set_back_answers_nothing_and_holds_nothing_up() {
    let mut desk = Desk::new();
    desk.open(question());
    desk.state.drawn(desk.state.shell.now + Duration::hours(1));
    desk.haste = Some(Duration::milliseconds(400));
    assert_eq!(wished(&desk.press("y")), None);
    wish("confirm", &desk.press("y"));
}

/// What leads from the opening to where one commits to the wish, and what commits.
fn commits(what: &str) -> (&'static str, &'static str) {
    match what {
        "limit" => ("\"9/1m\" tab", "enter"),
        "account" => ("\"Acme\" tab tab \"ada@example.com\" tab", "ctrl-s"),
        "create" => ("\"CI\" ctrl-s", "enter"),
        _ => ("", "y"),
    }
}

fn foreseeing() -> Vec<(&'static str, Case)> {
    cases().into_iter().filter(|(what, _)| !matches!(*what, "reveal" | "discard" | "emergency")).collect()
}

#[test]
fn a_refusal_to_come_is_said_first_and_has_to_be_read() {
    for (what, case) in foreseeing() {
        let (way, go) = commits(what);
        let mut desk = shown(&case);
        assert_eq!(wished(&desk.press(way)), None, "{what}");
        desk.haste = Some(Duration::seconds(1));
        desk.state.drawn(desk.state.shell.now);
        let (id, _) = desk.preview();
        desk.wait(Duration::seconds(5));
        let refusal = Failure { kind: FailureKind::Rule, text: "a rule forbids it".into() };
        desk.reply(id, (case.fails)(refusal));
        desk.state.drawn(desk.state.shell.now);
        desk.says("a rule forbids it");
        desk.haste = Some(Duration::milliseconds(350));
        assert_eq!(wished(&desk.press(go)), None, "{what}: it was not there long enough");
        assert!(desk.toast().starts_with("Too quick"), "{what}: {}", desk.toast());
        desk.haste = Some(Duration::milliseconds(400));
        wish(what, &desk.press(go));
    }
}

#[test]
fn a_preview_that_adds_nothing_holds_nobody_up() {
    for (what, case) in foreseeing() {
        let (way, go) = commits(what);
        let mut desk = shown(&case);
        desk.press(way);
        desk.state.drawn(desk.state.shell.now);
        desk.wait(Duration::milliseconds(399));
        let (id, _) = desk.preview();
        let unreachable = Failure { kind: FailureKind::Unreachable, text: "no database".into() };
        desk.reply(id, (case.fails)(unreachable));
        desk.says_not("no database");
        desk.haste = Some(Duration::milliseconds(100));
        wish(what, &desk.press(go));
    }
}

#[test]
fn a_preview_of_what_was_changed_meanwhile_says_nothing() {
    let mut desk = Desk::new();
    desk.open(Opening::Rotate(crm()));
    let (id, _) = desk.preview();
    desk.press("right");
    assert!(desk.tried.is_empty(), "one at a time");
    desk.fail(id, Reply::Rotate, FailureKind::Rule, "not with this overlap");
    desk.says_not("not with this overlap");
    let (id, _) = desk.preview();
    desk.fail(id, Reply::Rotate, FailureKind::Rule, "not with that overlap either");
    desk.says("not with that overlap either");
    desk.press("left");
    desk.says_not("not with that overlap either");
}

#[test]
fn while_a_text_is_typed_a_preview_waits_for_a_pause() {
    let mut desk = Desk::new();
    desk.open(Opening::Limit(crm()));
    desk.write("9/1m");
    assert!(desk.tried.is_empty(), "{:?}", desk.tried);
    let number = desk.state.overlays.number();
    desk.send(Message::Timer(Timer::Of(To::Overlay(number))));
    let (id, request) = desk.preview();
    assert!(matches!(request, Request::SetLimits { .. }), "{request:?}");
    desk.fail(id, Reply::SetLimits, FailureKind::Rule, "more than the policy allows");
    desk.says("more than the policy allows");
    desk.write("0");
    desk.says_not("more than the policy allows");
}

#[test]
fn a_word_typed_after_a_preview_is_no_answer() {
    let mut desk = Desk::new();
    desk.open(question());
    desk.state.drawn(desk.state.shell.now);
    desk.haste = Some(Duration::milliseconds(600));
    desk.press("e");
    let (id, _) = desk.preview();
    desk.fail(id, Reply::SetStanding, FailureKind::Rule, "a rule forbids it");
    assert_eq!(wished(&desk.press("y y")), None);
}
