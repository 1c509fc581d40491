use crate::domain::approval::Approval;
use crate::domain::key::OperationId;
use crate::service::{ApprovalPage, Decision};
use crate::tui::effect::{Reply, Request, RequestId};
use crate::tui::testing::approvals::approval;
use crate::tui::testing::{Desk, key, only_request};

fn page(approval: Approval) -> ApprovalPage {
    let mut keys = vec![key("voxpria", "Hub"), key("voxpria", "CI runner")];
    keys[1].id = OperationId::from_u128(7);
    let changed = [(keys[1].id, "was changed")].into();
    let now = approval.asked_at;
    ApprovalPage { approval, keys, changed, now }
}

fn opened(waiting: Vec<ApprovalPage>) -> (Desk, RequestId) {
    let mut desk = Desk::new();
    let (id, request) = only_request(desk.press("A"));
    assert_eq!(request, Request::Approvals);
    desk.says("reading");
    desk.reply(id, Reply::Approvals(Ok(waiting)));
    (desk, id)
}

#[test]
fn kr_16_a_request_shows_whom_it_touches_and_what_changed_since() {
    let (mut desk, _) = opened(vec![page(approval(3, "grace")), page(approval(2, "hedy"))]);
    for words in [
        "Request 1 of 2",
        "grace",
        "revoke 12 keys",
        "leaked",
        "CI runner",
        "was changed since: left as it is",
    ] {
        desk.says(words);
    }
    insta::assert_snapshot!(desk.screen());
    desk.press("n");
    desk.says("Request 2 of 2").says("hedy");
}

#[test]
fn kr_16_approving_takes_one_key_and_a_yes() {
    let (mut desk, _) = opened(vec![page(approval(3, "grace"))]);
    desk.press("a");
    desk.says("Approve: revoke 12 keys?")
        .says("under both")
        .says("names. 1 changed since, and stays as it is.");
    let sent = |effects: Vec<crate::tui::effect::Effect>| {
        effects.into_iter().any(|effect| {
            matches!(
                effect,
                crate::tui::effect::Effect::Ask { request: Request::Decide(_, 3, Decision::Approve), .. }
            )
        })
    };
    assert!(!sent(desk.press("n")), "no is the default");
}

#[test]
fn kr_16_who_asked_is_offered_no_approval() {
    let (mut desk, _) = opened(vec![page(approval(3, "ada"))]);
    desk.says("another operator must approve it").says("and raises an alert");
    desk.press("a");
    desk.says("you asked for it yourself");
    desk.press("O");
    desk.says("Without a second person: revoke 12 keys").says("why it can't wait");
}
