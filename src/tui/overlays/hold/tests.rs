use chrono::Duration;

use crate::domain::hold::{Hold, HoldKind};
use crate::domain::operator::Role;
use crate::domain::pause::{Lasting, Pause};
use crate::domain::query::Query;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::service::{Count, Field, HoldTarget, LiveEvent, PauseOrder};
use crate::tui::effect::{Effect, FailureKind, HoldRequest, Reply, Request, RequestId};
use crate::tui::message::Message;
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, asked, asks_nothing, keys, noon, only_request};

fn hold(n: i64, kind: HoldKind, filter: &str, account: Option<&str>) -> Hold {
    let pause = Pause {
        at: noon(),
        until: noon() + Duration::hours(1),
        by: "grace".into(),
        message: None,
        reason: Some("looking into a leak".into()),
        freeze: Some(n),
    };
    let account = account.map(Into::into);
    Hold { n, kind, filter: filter.into(), account, issuer: None, pause, lifted_at: None, lifted_by: None }
}

/// The question about this filter, which fits so many keys.
fn question(of: &str, fits: u64) -> Desk {
    let mut desk = Desk::new();
    let effects = desk.open(Opening::Hold { of: of.into(), lift: None });
    // What has ended is refused anyway.
    asked(
        &effects,
        |request| matches!(request, Request::Count(query) if query.to_string().contains("-status:")),
    );
    counted(&mut desk, effects, fits);
    desk
}

fn counted(desk: &mut Desk, effects: Vec<Effect>, fits: u64) {
    let count = asked(&effects, |request| matches!(request, Request::Count(_)));
    desk.reply(count, Reply::Count(Ok(Count::Exactly(fits))));
}

#[track_caller]
fn sent(desk: &mut Desk, keys: &str) -> (RequestId, HoldRequest) {
    let (id, request) = only_request(desk.press(keys));
    let Request::Hold(request) = request else { panic!("{request:?}") };
    (id, *request)
}

fn order(text: &str) -> PauseOrder {
    PauseOrder { lasting: Lasting::span(text).unwrap(), message: None, reason: None }
}

#[test]
fn kr_05_what_a_filter_fits_is_frozen_for_an_hour_once_the_number_is_typed() {
    let mut desk = question("account:acme", 271);
    desk.says("Matches 271 keys now; keys created later are refused too.");
    desk.says("Until 2026-11-21 13:00:00 UTC; then it is lifted automatically.");
    asks_nothing(&desk.press("y"));
    desk.says("type 271: that many keys are refused immediately");
    asks_nothing(&desk.press("\"27\" enter"));
    let (id, request) = sent(&mut desk, "\"1\" enter");
    assert_eq!(request.target, HoldTarget::Keys(Query::parse("account:acme", Here::utc(noon())).unwrap()));
    assert_eq!(request.order, order("1h"));
    let held = hold(3, HoldKind::Freeze, "account:acme", None);
    let effects = desk.reply(id, Reply::Hold(Ok(Box::new(held))));
    asked(&effects, |request| matches!(request, Request::Receipt { .. }));
    desk.closed().told("account:acme: frozen until 2026-11-21 13:00:00 UTC");
}

#[test]
fn kr_05_another_number_of_keys_is_another_question() {
    let mut desk = question("account:acme", 3);
    desk.press("up up up \"3\"");
    desk.says("3");
    let effects = desk.update(Message::Live(LiveEvent::Changed(Subjects::KEYS)));
    counted(&mut desk, effects, 4);
    asks_nothing(&desk.press("enter"));
    desk.says("type 4: that many keys");
}

#[test]
fn kr_05_one_key_needs_no_number_and_an_empty_filter_is_refused_here() {
    let mut desk = question("account:acme", 1);
    assert_eq!(sent(&mut desk, "y").1.order, order("1h"));
    let mut desk = Desk::new();
    asks_nothing(&desk.open(Opening::Hold { of: String::new(), lift: None }));
    asks_nothing(&desk.press("y"));
    desk.says("an empty filter matches every key");
    let effects = desk.paste("account:acme");
    counted(&mut desk, effects, 0);
    desk.says("Matches 0 keys now");
}

#[test]
fn kr_05_the_creation_of_keys_is_stopped_for_an_account_an_issuer_or_all() {
    for (of, account, issuer) in
        [("account:acme", Some("acme"), None), ("issuer:voxpria", None, Some("voxpria")), ("all", None, None)]
    {
        let mut desk = Desk::new();
        desk.open(Opening::Hold { of: of.into(), lift: None });
        desk.press("right");
        desk.says("Stop the creation of keys?").says("existing keys keep working");
        let (id, request) = sent(&mut desk, "down down right y");
        let (account, issuer) = (account.map(str::to_owned), issuer.map(str::to_owned));
        assert_eq!(request.target, HoldTarget::Creation { account: account.clone(), issuer });
        assert_eq!(request.order, order("8h"));
        let held = hold(4, HoldKind::Creation, "", account.as_deref());
        let effects = desk.reply(id, Reply::Hold(Ok(Box::new(held))));
        assert!(
            !effects
                .iter()
                .any(|effect| matches!(effect, Effect::Ask { request: Request::Receipt { .. }, .. }))
        );
        desk.closed().told("creation of keys (");
    }
    let mut desk = question("owner:ops", 2);
    desk.press("right");
    asks_nothing(&desk.press("y"));
    asks_nothing(&desk.press("down"));
    desk.says("write account: or issuer: and the slug, or all");
}

#[test]
fn kr_05_what_holds_is_lifted_and_a_freeze_can_be_undone() {
    let mut desk = Desk::new();
    desk.state.shell.holds = vec![hold(7, HoldKind::Freeze, "account:acme", None)];
    desk.open(Opening::Hold { of: String::new(), lift: None });
    desk.press("right right");
    desk.says("Lift freeze 7?")
        .says("Keys are frozen for account:acme until")
        .says("by grace (looking into a leak).");
    let (id, request) = only_request(desk.press("y"));
    assert!(matches!(request, Request::Lift { n: 7, .. }), "{request:?}");
    let lifted = hold(7, HoldKind::Freeze, "account:acme", None);
    desk.reply(id, Reply::Hold(Ok(Box::new(lifted))));
    desk.closed().told("account:acme: not frozen any more");

    let mut desk = question("account:acme", 1);
    let (id, _) = sent(&mut desk, "y");
    let held = hold(8, HoldKind::Freeze, "account:acme", None);
    desk.state.shell.holds = vec![held.clone()];
    desk.reply(id, Reply::Hold(Ok(Box::new(held))));
    desk.press("u");
    desk.says("Lift freeze 8?");
}

#[test]
fn kr_05_a_refusal_stands_at_its_field_and_what_was_written_stays() {
    let mut desk = question("status:active account:acme", 1);
    let (id, _) = sent(&mut desk, "y");
    desk.fail(
        id,
        Reply::Hold,
        FailureKind::Field(Field::Filter),
        "filter: status:active changes with use or time: remove it",
    );
    desk.says("changes with use or time").says("status:active account:acme");
    assert_eq!(desk.press("up down"), []);
}

#[test]
fn kr_05_only_admins_freeze() {
    for role in [Role::Viewer, Role::Operator] {
        let mut desk = Desk::new();
        desk.role(role);
        asks_nothing(&desk.open(Opening::Hold { of: "account:acme".into(), lift: None }));
        desk.closed().told("freeze keys or stop their creation");
    }
}

#[test]
fn kr_05_the_filter_at_hand_is_offered() {
    let mut desk = Desk::ready(100, 30, keys(3));
    desk.role(Role::Admin);
    desk.play("/ \"account:acme\" enter F").sees("Freeze keys?").sees("Keys       account:acme");
}

#[test]
fn kr_05_the_question_at_80_by_24() {
    let mut desk = question("account:acme scope:calls:write", 271);
    insta::assert_snapshot!(desk.screen());
    desk.press("right");
    insta::assert_snapshot!(desk.screen());
}
