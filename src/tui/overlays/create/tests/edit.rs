//! The form on a key that there is, and filled in from another.

use crate::domain::edit::Edit;
use crate::domain::key::Key;
use crate::domain::owner::{Owner, Tags};
use crate::domain::scope::Scopes;
use crate::service::{Alike, CreateKey, Edited, Field};
use crate::tui::effect::{FailureKind, Reply, Request, RequestId};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, account, asks_nothing, key, noon, only_request};

fn hub() -> Key {
    Key {
        description: "for the hub".into(),
        scopes: Scopes::parse("calls:read contacts:read"),
        owner: Owner::checked("Ada", Some("ada@acme.example")).unwrap(),
        tags: Tags::checked(["prod"]).unwrap(),
        expires_at: Some(noon() + chrono::Duration::days(30)),
        ..key("voxpria", "Hub")
    }
}

fn open(desk: &mut Desk) {
    let (id, request) = only_request(desk.open(Opening::Edit(Box::new(hub()))));
    assert_eq!(request, Request::Key(hub().id));
    assert_eq!(desk.reply(id, Reply::Key(Ok(Box::new(hub())))), []);
}

fn form() -> Desk {
    let mut desk = Desk::new();
    open(&mut desk);
    desk
}

/// Goes through the review and sends; answers with what was sent.
fn send(desk: &mut Desk) -> (RequestId, Edit) {
    assert_eq!(desk.press("ctrl-s"), []);
    desk.says("review");
    let (id, Request::Edit { keys, edit, shown, .. }) = only_request(desk.press("enter")) else {
        panic!("not asked")
    };
    assert_eq!((keys, shown.is_some()), (vec![hub().id], true));
    (id, *edit)
}

#[test]
fn kr_10_only_the_fields_that_changed_are_sent() {
    let mut desk = form();
    desk.says("for the hub").says("ada@acme.example").says("prod");
    desk.press("\" 2\"");
    let edit = send(&mut desk).1;
    assert_eq!(edit, Edit { name: Some("Hub 2".into()), ..Edit::default() });

    let mut desk = form();
    // Scopes: calls:write is ticked, contacts:read is not any more.
    desk.press("tab tab right space down down down left space");
    let edit = send(&mut desk).1;
    let wanted = Edit {
        add_scopes: Scopes::parse("calls:write"),
        remove_scopes: Scopes::parse("contacts:read"),
        ..Edit::default()
    };
    assert_eq!(edit, wanted);

    let mut desk = form();
    desk.press("tab tab tab tab tab ctrl-u \"Bob\" tab tab ctrl-u \"test prod\"");
    let edit = send(&mut desk).1;
    let wanted = Edit {
        owner: Some("Bob".into()),
        owner_mail: Some("ada@acme.example".into()),
        tag: Tags::checked(["test"]).unwrap(),
        ..Edit::default()
    };
    assert_eq!(edit, wanted, "the address on the screen is told, for another owner has none");
}

#[test]
fn kr_10_nothing_changed_is_nothing_to_save_or_to_lose() {
    let mut desk = form();
    asks_nothing(&desk.press("ctrl-s"));
    desk.told("Nothing was changed").says_not("review");
    desk.strike("esc").closed();
    let mut desk = form();
    desk.press("\"x\" esc");
    desk.told("again throws away");
    desk.strike("esc").closed();
}

#[test]
fn kr_10_what_lets_a_key_do_more_is_marked_with_a_sign_and_words() {
    let mut desk = form();
    desk.press("tab tab right space ctrl-s");
    desk.says("Scopes +calls:write ▲ can do more than before").says("Gates use it from the next request on");
    let mut desk = form();
    desk.press("tab tab tab right right right right right right right right tab \"+90d\" ctrl-s");
    desk.says("2026-12-21 12:00:00 UTC").says("2027-03-21 12:00:00 UTC").says("▲ can do more");
    let mut desk = form();
    desk.press("\"x\" ctrl-s");
    desk.says("Hub → Hubx").says_not("▲").says("This does not affect requests");
}

#[test]
fn kr_10_a_refusal_is_told_at_its_field_before_anything_is_sent() {
    let mut desk = form();
    desk.press("tab tab tab tab \"nowhere\"");
    desk.says("\"nowhere\" isn't a valid address").strike("ctrl-s").says_not("review");
    let mut desk = form();
    desk.press("\" 2\" ctrl-s");
    let (id, request) = desk.preview();
    assert!(matches!(request, Request::Edit { .. }), "{request:?}");
    let kind = FailureKind::Field(Field::Tags);
    assert_eq!(desk.fail(id, Reply::Edit, kind, "tags: 21 tags are too many"), []);
    desk.says_not("review").says("↑ tags: 21 tags are too many");
}

#[test]
fn kr_10_what_others_change_meanwhile_is_never_undone() {
    let mut desk = form();
    desk.press("\" 2\"");
    let other = Key { description: "another hub".into(), owner: None, ..hub() };
    let effects = desk.send(crate::tui::message::Message::Live(crate::service::LiveEvent::Changed(
        crate::domain::subjects::Subjects::KEYS,
    )));
    let asked = effects.asked.iter().rposition(|(_, request)| *request == Request::Key(hub().id)).unwrap();
    let (id, _) = desk.asked.remove(asked);
    desk.reply(id, Reply::Key(Ok(Box::new(other))));
    desk.says("Somebody else changed this key meanwhile").says("another hub");
    assert_eq!(send(&mut desk).1, Edit { name: Some("Hub 2".into()), ..Edit::default() });
}

#[test]
fn kr_10_an_edit_that_gates_decide_by_asks_for_their_receipt() {
    let mut desk = form();
    desk.press("\" 2\"");
    let (id, _) = send(&mut desk);
    let edited = |field: &str| Edited {
        key: hub(),
        changed: [(field.to_owned(), serde_json::json!([[], ["calls:read"]]))].into_iter().collect(),
        widened: Vec::new(),
    };
    let effects = desk.reply(id, Reply::Edit(Ok(vec![edited("name")])));
    assert!(!format!("{effects:?}").contains("Receipt"), "{effects:#?}");
    desk.closed().told("Hub was edited");
    let mut desk = form();
    desk.press("\" 2\"");
    let (id, _) = send(&mut desk);
    let effects = desk.reply(id, Reply::Edit(Ok(vec![edited("scopes")])));
    assert!(format!("{effects:?}").contains("Receipt"), "{effects:#?}");
}

#[test]
fn kr_10_what_has_ended_is_not_edited() {
    let mut desk = Desk::new();
    desk.open(Opening::Edit(Box::new(Key { revoked_at: Some(noon()), ..hub() })));
    desk.closed().told("so it can't be edited");
}

#[test]
fn kr_18_a_new_key_is_filled_in_from_another_one() {
    let mut desk = Desk::sized(80, 40);
    let (id, request) = only_request(desk.open(Opening::Alike(hub().id)));
    assert_eq!(request, Request::Alike(hub().id));
    let wish = CreateKey {
        operation: crate::domain::key::OperationId::nil(),
        account: "acme".into(),
        name: "Hub (2)".into(),
        description: "for the hub".into(),
        scopes: hub().scopes,
        expiry: crate::domain::expiry::Expiry::Days(45),
        plan: Default::default(),
        allow: Default::default(),
        owner: hub().owner,
        tags: hub().tags,
        limits: crate::domain::budget::Budgets::parse("100/1m").unwrap(),
    };
    let of = Key { limits: wish.limits.clone(), ..hub() };
    let notes = vec!["VoxPria no longer has the scope x:y: it is left out".into()];
    let alike = Alike { of, request: wish.clone(), notes };
    let (id, request) = only_request(desk.reply(id, Reply::Alike(Ok(Box::new(alike)))));
    assert_eq!(request, Request::Account("acme".into()));
    assert_eq!(desk.reply(id, Reply::Account(Ok(account("voxpria", "acme")))), []);
    desk.says("Hub (2)").says("45d").says("100/1m").says("no longer has the scope");
    desk.press("ctrl-u \"Hub\"");
    desk.says("choose another").strike("ctrl-s").says_not("review");
    desk.press("\" (2)\"");
    let (_, sent) = super::send(&mut desk);
    assert_eq!(CreateKey { operation: wish.operation, ..sent }, wish);
}

#[test]
fn the_edit_form_at_80_by_24() {
    insta::assert_snapshot!(form().screen());
}

#[test]
fn the_edit_review_at_200_by_50() {
    let mut desk = Desk::sized(200, 50);
    open(&mut desk);
    desk.press("\" 2\" tab tab right space ctrl-s");
    insta::assert_snapshot!(desk.screen());
}
