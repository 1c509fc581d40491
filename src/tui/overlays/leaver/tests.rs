use crate::domain::operator::Role;
use crate::service::{Leaver, Left, Theirs};
use crate::tui::effect::{Effect, Reply, Request};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, key, noon, numbered, only_request};

fn told() -> Leaver {
    let theirs = |name: &str, owned, created| Theirs { key: key("voxpria", name), owned, created };
    Leaver {
        name: "bob".into(),
        role: Some(Role::Operator),
        login: Some("ALTER ROLE bob NOLOGIN; REVOKE keyrack_operator FROM bob;".into()),
        keys: vec![
            theirs("CI", true, true),
            theirs("Export", false, true),
            theirs("Production", true, false),
        ],
        now: noon(),
    }
}

fn page(width: u16, height: u16) -> Desk {
    let mut desk = Desk::sized(width, height);
    let (id, request) = only_request(desk.open(Opening::Leaver("bob".into())));
    assert_eq!(request, Request::Leaver("bob".into()));
    let effects = desk.reply(id, Reply::Leaver(Ok(Box::new(told()))));
    desk.keep(effects);
    desk
}

fn sent(effects: Vec<Effect>) -> Option<(crate::tui::effect::RequestId, crate::service::Leave)> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Ask { to, request: Request::Leave { leave, .. } } => Some((to, *leave)),
        _ => None,
    })
}

#[test]
fn kr_13_what_they_own_is_given_and_the_rest_kept_unless_told() {
    let mut desk = page(80, 24);
    desk.says("bob leaves").says("operator; of 3 keys 2 are given away and 1 kept").says("NOLOGIN");
    // Nobody is named who gets them: nothing is sent, and the line is open to be written.
    assert_eq!(sent(desk.press("y")), None);
    desk.write("Grace");
    desk.press("enter");
    desk.says("Grace");
    // Space decides about one, a about all.
    desk.press("space");
    desk.says("of 3 keys 1 are given away and 2 kept");
    desk.press("a");
    desk.says("of 3 keys 3 are given away and 0 kept");
    desk.press("a");
    desk.says("of 3 keys 0 are given away and 3 kept");
    desk.press("a");
    desk.settle();
    let (id, leave) = sent(desk.press("y")).unwrap();
    assert_eq!((leave.give.len(), leave.keys.len(), leave.to.as_str()), (3, 3, "Grace"));
    let effects = desk.reply(id, Reply::Leave(Ok(Left { given: vec![numbered(1)], kept: 2 })));
    desk.keep(effects);
    desk.says("bob left").says("1 key to Grace").says("Their login can still connect");
}

#[test]
fn kr_13_each_key_can_be_rotated_or_revoked_from_the_page() {
    let mut desk = page(80, 24);
    desk.press("d");
    desk.says("Revoke");
    desk.press("esc");
    desk.press("r");
    desk.says("Rotate");
}

#[test]
fn kr_13_what_is_kept_is_rotated_or_revoked_in_one_decision() {
    let mut desk = page(100, 40);
    // Of three only one is kept.
    desk.press("ctrl-x");
    desk.says("Revoke API key Export?");
    desk.press("esc");
    desk.press("a");
    desk.press("ctrl-r");
    desk.says("All of them are given to somebody else");
    desk.press("a");
    desk.press("ctrl-r");
    desk.says("Rotate 3 keys");
    desk.press("esc");
    desk.press("ctrl-x");
    desk.says("Revoke 3 keys");
}

#[test]
fn kr_13_only_admins_let_somebody_leave() {
    let mut desk = Desk::new();
    desk.role(Role::Operator);
    desk.open(Opening::Leaver("bob".into()));
    desk.closed();
}

#[test]
fn the_page_at_80_by_24() {
    insta::assert_snapshot!(page(80, 24).screen());
}

#[test]
fn the_page_at_200_by_50() {
    insta::assert_snapshot!(page(200, 50).screen());
}
