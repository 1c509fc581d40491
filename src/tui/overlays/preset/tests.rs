use crate::domain::issuer::Issuer;
use crate::domain::operator::Role;
use crate::tui::effect::{Reply, Request, RequestId, To};
use crate::tui::message::Message;
use crate::tui::overlays::account;
use crate::tui::testing::{Desk, only_request};
use crate::tui::update::update;

/// A database that has no issuer, as its first admin meets it.
fn new_database(role: Role) -> Desk {
    let mut desk = Desk::new();
    desk.role(role);
    desk.state.shell.issuers = None;
    let to = RequestId { to: To::Shell, number: 0 };
    let _ = update(&mut desk.state, Message::Reply { to, reply: Reply::Issuers(Ok(Vec::new())) });
    desk
}

#[test]
fn the_first_run_leads_from_an_issuer_to_an_account() {
    let mut desk = new_database(Role::Admin);
    desk.says("Welcome to Keyrack");
    desk.write("voxp");
    let (id, request) = only_request(desk.press("enter"));
    let Request::ApplyPolicy { policy, .. } = request else { panic!("{request:?}") };
    assert_eq!(policy.slug, "voxpria");
    let issuer = Issuer::with(*policy);
    desk.reply(id, Reply::ApplyPolicy(Ok(Box::new(issuer))));
    assert!(desk.shows::<account::State>());
    desk.says("The first account");
}

#[test]
fn the_welcome_comes_once() {
    let mut desk = new_database(Role::Admin);
    desk.press("esc");
    let to = RequestId { to: To::Shell, number: 0 };
    let _ = update(&mut desk.state, Message::Reply { to, reply: Reply::Issuers(Ok(Vec::new())) });
    desk.closed();
}

#[test]
fn only_an_admin_is_offered_an_issuer() {
    assert!(new_database(Role::Operator).top().is_none());
}

#[test]
fn the_welcome_at_80_by_24() {
    insta::assert_snapshot!(new_database(Role::Admin).screen());
}
