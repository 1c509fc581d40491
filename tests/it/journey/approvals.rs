//! KR-16 in a real terminal, on both databases: what takes a second person.

use keyrack::domain::operator::Role;
use keyrack::service::{Error, new_operation};

use crate::support::people::{as_person, furnish, make_kept, preset};
use crate::support::pty::{Start, Terminal};
use crate::support::script::Script;

/// Marks all keys and revokes them.
fn revoke_three(terminal: &mut Terminal) {
    terminal.wait_for("three");
    terminal.press("ctrl-a");
    terminal.wait_for("✓ 3 marked");
    terminal.press("d");
    terminal.wait_for("Revoke 3 ");
}

on_both! {
    async fn kr_16_one_operator_asks_and_another_approves_in_the_console(db) {
        let service = db.open().await;
        let mut policy = preset("voicegram");
        policy.bulk.four_eyes = Some(2);
        furnish(&service, policy).await;
        let mut keys = Vec::new();
        for name in ["one", "two", "three"] {
            keys.push(make_kept(&service, "acme", name).await.key.id);
        }
        db.role("bob").await;
        service.set_operator(new_operation(), "bob", Role::Operator).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("three");
        // Another operator asks; this console shows it at once.
        let bob = as_person(&db, "bob").await;
        let asked = bob.revoke_keys(new_operation(), &keys, Some("leaked")).await;
        assert!(matches!(asked, Err(Error::Asked { n: 1, .. })), "{asked:?}");
        terminal.wait_for("! bob asks to revoke 3 keys until ");
        terminal.press("A");
        terminal.wait_for("Waiting for approval");
        terminal.wait_for("Asked by");
        for name in ["one", "two", "three"] {
            terminal.wait_for(name);
        }
        terminal.press("a");
        terminal.wait_for("Approve: revoke 3 keys?");
        terminal.answer("y");
        terminal.wait_for("approved: revoke 3 keys");
        terminal.wait_for("Nothing waits for a second person");
        terminal.press("esc");
        terminal.wait_until_gone("bob asks to revoke");
        let now = service.now().await.unwrap();
        assert!(service.keys(&keys).await.unwrap().iter().all(|key| key.is_revoked(now)));
        let keyrack = Script::on(&db);
        let row = &keyrack.json(&["audit", "list", "--filter", "action:approval.approve"])[0];
        assert_eq!(row["detail"]["asked_by"], "bob");
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_16_who_asks_in_the_console_waits_or_does_it_alone_with_a_reason(db) {
        let service = db.open().await;
        let mut policy = preset("voicegram");
        policy.bulk.four_eyes = Some(2);
        furnish(&service, policy).await;
        let mut keys = Vec::new();
        for name in ["one", "two", "three"] {
            keys.push(make_kept(&service, "acme", name).await.key.id);
        }
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        revoke_three(&mut terminal);
        terminal.type_text("3");
        terminal.answer("enter");
        terminal.wait_for("request 1 (revoke 3 keys) waits");
        terminal.press("esc");
        terminal.wait_for(" asks to revoke 3 keys until ");
        let now = service.now().await.unwrap();
        assert!(service.keys(&keys).await.unwrap().iter().all(|key| !key.is_revoked(now)));
        terminal.press("A");
        terminal.wait_for("You asked for it");
        terminal.press("O");
        terminal.wait_for("Without a second person: revoke 3 keys");
        terminal.type_text("the house is on fire");
        terminal.press("tab");
        terminal.answer("enter");
        terminal.wait_for("done without a second person");
        terminal.press("esc");
        terminal.wait_for("! 1 alert");
        let now = service.now().await.unwrap();
        assert!(service.keys(&keys).await.unwrap().iter().all(|key| key.is_revoked(now)));
        let keyrack = Script::on(&db);
        let words = keyrack.json(&["alerts", "list"])[0]["words"].clone();
        assert!(words.as_str().unwrap().contains("the house is on fire"), "{words}");
    }
}
