//! What others did and wrote, as it is seen in a console, in a real terminal.

use super::keys::{console, create, home, status_of};
use crate::contract::odd::{id_of, plant};
use crate::support::people::{as_person, make_kept, office, preset, used};
use crate::support::program;
use crate::support::pty::Start;
use keyrack::domain::key::Status;
use keyrack::domain::operator::Role;
use keyrack::service::new_operation;

on_both! {
    async fn vp_28_a_viewer_is_told_that_they_only_look(db) {
        if !db.is_postgres() {
            // On SQLite the person is the operating system's user; the rights are tested in contract_rights.rs.
            return;
        }
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "Seen").await;
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        let _ = as_person(&db, "vera").await;
        let home = home();
        let mut terminal = Start::new(home.path()).on(&db.address_as("vera")).size(80, 24).spawn();
        terminal.wait_for("Seen");
        terminal.wait_for("viewer");
        terminal.press("d");
        terminal.wait("a refusal", |screen| {
            let text = screen.contents();
            text.contains("can't") || text.contains("read-only") || text.contains("viewer")
        });
        terminal.answer("y");
        terminal.quiet(std::time::Duration::from_millis(300));
        assert_eq!(status_of(&service, "Seen").await, Status::Active);
    }

    async fn a_console_shows_a_key_that_cant_be_read_and_revokes_it(db) {
        let service = office(&db, preset("voxpria")).await;
        let (odd, _) = (make_kept(&service, "acme", "Odd").await, make_kept(&service, "acme", "Sound").await);
        let far = if db.is_postgres() { "'infinity'" } else { "9223372036854775807" };
        let set = used(&db, far, &format!("id = {}", id_of(&db, odd.key.id)));
        plant(&db, "keys", &set).await;
        let home = home();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(140, 40).spawn();
        terminal.wait_for("can't be read: last_u");
        terminal.wait_for("! damaged");
        terminal.wait_for("● active");
        // The newest stands first.
        terminal.press("down");
        terminal.press("d");
        terminal.wait_for("last_used_at: isn't within");
        terminal.quiet(std::time::Duration::from_millis(400));
        terminal.answer("y");
        terminal.wait_for("✕ revoked");
        assert_eq!(status_of(&service, "Odd").await, Status::Revoked);
    }

    async fn a_poisoned_name_never_reaches_the_terminal(db) {
        let service = office(&db, preset("voiceinfra")).await;
        make_kept(&service, "acme", "POISON").await;
        let (esc, c1, rlo, zwsp, tag) = ('\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{e0041}');
        let poison = format!("a{esc}]0;owned{esc}\\b{c1}31mc{rlo}d{zwsp}e{tag}f{esc}[2J");
        let sql = format!("UPDATE keys SET name = '{poison}', description = '{poison}'; UPDATE key_auth SET revoke_reason = '{poison}'; UPDATE key_use SET last_used_from = '{poison}'");
        db.execute_past_triggers("keys", &sql).await;
        db.execute(&format!("UPDATE accounts SET name = '{poison}'")).await;
        let home = home();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(140, 40).spawn();
        terminal.wait_for("● active");
        for key in ["enter", "d", "esc", "x", "esc", "3", "2", "4", "5", "6", "1"] {
            terminal.press(key);
            terminal.quiet(std::time::Duration::from_millis(120));
        }
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(raw.contains('\u{fffd}'), "the poison was not shown at all");
        for (name, c) in [("C1", c1), ("bidi override", rlo), ("zero width space", zwsp), ("tag", tag)] {
            assert!(!raw.contains(c), "{name} reached the terminal");
        }
        assert!(!raw.contains("\u{1b}]0;owned"), "a title was set");
        let listed = program::stdout(home.path(), ["--db", &db.address(), "key", "list"]);
        assert!(!listed.contains([esc, c1, rlo, zwsp, tag]), "{listed:?}");
    }
}

/// Two operators of one PostgreSQL: what bob does shows on ada's screen, and the audit tells them apart.
#[test]
fn vp_25_two_operators_on_postgresql_see_each_others_work() {
    crate::support::database::run_on_postgres("two operators", |db| async move {
        let service = office(&db, preset("voiceinfra")).await;
        service.set_operator(new_operation(), "bob", Role::Operator).await.unwrap();
        let _ = as_person(&db, "bob").await;
        let home = home();
        let ada = console(&home, &db);
        ada.wait_for("Generate New Key");
        let mut bob = Start::new(home.path()).on(&db.address_as("bob")).size(80, 24).spawn();
        bob.wait_for("operator");
        create(&mut bob, "Of Bob");
        bob.press("d");
        bob.wait_for("neither copied nor written");
        bob.answer("y");
        bob.wait_for("● active");
        ada.wait_for("Of Bob");
        let rows =
            service.audit(&keyrack::service::AuditRequest { limit: 1, ..Default::default() }).await.unwrap();
        assert_eq!(&*rows[0].actor, "bob");
    });
}
