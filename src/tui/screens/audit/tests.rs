use chrono::Duration;

use crate::domain::audit::finding::Findings;
use crate::domain::audit::{AuditFilter, Break, Entry, Verdict};
use crate::domain::key::{KeyId, OperationId};
use crate::domain::person::Person;
use crate::service::{AuditRequest, Compared};
use crate::tui::effect::{Reply, Request};
use crate::tui::testing::{Desk, asked, noon, only_request};
use crate::tui::words::ScreenId;

fn entry(seq: i64, action: &str, detail: &str) -> Entry {
    Entry {
        seq,
        at: noon() - Duration::hours(100 - seq),
        actor: "ada".into(),
        host: "desk".into(),
        client: Some("198.51.100.7".into()),
        person: Person::read("checked ssh-key SHA256:abc\nclaimed user grace"),
        operation: OperationId::from_u128(7),
        action: action.into(),
        subject: "0192d4e0-7b6a-7c3e-8f00-000000000001".into(),
        account: Some("acme".into()),
        key: Some(KeyId::from_u128(1)),
        name: None,
        detail: detail.into(),
        hash: "ab".repeat(32),
    }
}

fn screen() -> Desk {
    let mut desk = Desk::new();
    let (id, request) = only_request(desk.press("5"));
    let all = AuditRequest { filter: AuditFilter::default(), before: None, limit: 200 };
    assert_eq!(request, Request::Audit(all));
    let rows = vec![
        entry(99, "key.revoke", "{\"name\":\"CI\\u202e runner\",\"reason\":\"exposed\"}"),
        entry(98, "key.create", "{\"name\":\"Zapier\"}"),
    ];
    desk.reply(id, Reply::Audit(Ok(rows)));
    desk
}

#[test]
fn a_row_opens_with_everything_it_says() {
    let mut desk = screen();
    desk.press("enter");
    let words = desk.words();
    for part in
        ["Audit row 99", "2026-11-21 11:00:00 UTC", "198.51.100.7", "reason: exposed", &"ab".repeat(32)]
    {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[test]
fn text_in_the_particulars_can_not_turn_the_line_round() {
    let mut desk = screen();
    assert!(!desk.screen().contains('\u{202e}'));
    desk.press("enter");
    assert!(
        !desk.screen().contains('\u{202e}') && desk.screen().contains("CI\u{fffd} runner"),
        "{}",
        desk.screen()
    );
}

#[test]
fn the_filter_reads_as_one_types_and_survives_a_mistake() {
    let mut desk = screen();
    desk.press("/");
    assert_eq!(desk.paste("actor:"), [], "half a word is a mistake yet");
    desk.says("/ actor:").says("Zapier");
    let (id, request) = only_request(desk.write("a"));
    let filter = AuditFilter { actor: Some("a".into()), ..AuditFilter::default() };
    assert_eq!(request, Request::Audit(AuditRequest { filter, before: None, limit: 200 }));
    desk.reply(id, Reply::Audit(Ok(vec![entry(98, "key.create", "{\"name\":\"Zapier\"}")])));
    desk.says("Zapier");
}

#[test]
fn kr_17_o_goes_from_a_row_to_its_key() {
    for open in ["", "enter"] {
        let mut desk = screen();
        if !open.is_empty() {
            desk.press(open);
        }
        desk.press("o");
        assert_eq!(desk.state.shell.screen, ScreenId::Keys);
        desk.says(&format!("id:{}", KeyId::from_u128(1)));
    }
}

#[test]
fn verifying_says_what_it_found() {
    let intact = Verdict::Intact { rows: 4684, head: [0; 32] };
    for (verdict, count, words) in [
        (intact.clone(), 0, "Audit intact: 4,684 rows verified."),
        (intact.clone(), 1, "The database differs from the audit in 1 place"),
        (intact, 1_200, "The database differs from the audit in 1,200 places"),
        (Verdict::Broken { seq: 42, why: Break::Hash }, 3, "the chain breaks at row 42"),
    ] {
        let findings = Findings { kept: Vec::new(), count };
        let compared = Compared { verdict, findings, keys: 7, left: None };
        let mut desk = screen();
        let effects = desk.press("V");
        let id = asked(&effects, |request| matches!(request, Request::VerifyAudit));
        desk.reply(id, Reply::VerifyAudit(Ok(compared)));
        desk.told(words);
    }
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen().screen());
}
