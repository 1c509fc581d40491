//! A backup that is put in the place of the database, as a console in a real terminal and a real gate notice it.

use std::time::Duration;

use crate::support::database::Database;
use crate::support::gate::{Gate, WITH_TOKEN, token};
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::{PATIENCE, Start, Terminal};
use crate::support::script::{Script, texts};
use keyrack::service::new_operation;

fn console(db: &Database, size: (u16, u16)) -> Terminal {
    Start::new(db.dir()).on(&db.address()).size(size.0, size.1).spawn()
}

/// Three keys, a backup, and then their revocation by somebody else.
async fn revoked_after_a_backup(db: &Database) -> (Vec<uuid::Uuid>, impl AsyncFnOnce()) {
    let service = office(db, preset("voicegram")).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(make_kept(&service, "acme", name).await.key.id);
    }
    service.close().await;
    db.back_up().await;
    let keys = ids.clone();
    (ids, async move || {
        let service = db.open().await;
        service.revoke_keys(new_operation(), &keys, Some("leaked")).await.unwrap();
        service.close().await;
    })
}

on_both! {
    async fn a_console_tells_of_a_restore_until_what_it_undid_is_made_again(db) {
        let (ids, revoke) = revoked_after_a_backup(&db).await;
        let mut terminal = console(&db, (100, 30));
        terminal.wait_for("● live");
        revoke().await;
        // The console was open when they were revoked: that is how it knows.
        terminal.wait_until_gone("● active");
        terminal.wait_quietly(Duration::from_millis(500));
        terminal.press("q");
        assert!(terminal.wait_for_exit(PATIENCE).success());
        db.restore().await;
        let mut terminal = console(&db, (80, 24));
        terminal.wait_for("This database is older than before");
        terminal.wait_for("3 revocations are undone");
        terminal.wait_for("● active");
        terminal.press("2");
        terminal.wait_for("This database is older than before");
        terminal.press("1");
        terminal.press("H");
        terminal.wait_for("type 3 to confirm");
        terminal.wait_for("acme");
        terminal.quiet(Duration::from_millis(450));
        terminal.type_text("3");
        terminal.answer("enter");
        terminal.wait_for("3 keys revoked");
        terminal.wait_until_gone("went back");
        let service = db.open().await;
        for id in ids {
            let key = service.key(id).await.unwrap();
            assert_eq!(key.revoke_reason.as_deref(), Some("made again after a restore: leaked"));
        }
        terminal.press("q");
        assert!(terminal.wait_for_exit(PATIENCE).success());
        assert_eq!(texts(&Script::on(&db).run(&["key", "list"])).1.lines().filter(|line| line.contains("is older than before")).count(), 0);
    }

    async fn without_anything_undone_an_admin_is_asked_whether_it_stays_so(db) {
        let service = office(&db, preset("voicegram")).await;
        make_kept(&service, "acme", "one").await;
        service.close().await;
        db.back_up().await;
        let keyrack = Script::on(&db);
        keyrack.ok(&["operator", "set", "bea", "viewer"]);
        keyrack.ok(&["key", "list"]);
        db.restore().await;
        let mut terminal = console(&db, (80, 24));
        terminal.wait_for("no revocation known here is undone");
        terminal.press("H");
        terminal.wait_for("Accept the database as it is?");
        terminal.answer("y");
        terminal.wait_for("accepted, and recorded in the audit");
        terminal.wait_until_gone("went back");
        assert_eq!(keyrack.json(&["audit", "list", "--filter", "action:audit.accept"]).as_array().unwrap().len(), 1);
    }

    async fn a_gate_remembers_for_who_has_no_memory(db) {
        let (ids, revoke) = revoked_after_a_backup(&db).await;
        db.role("gatekeeper").await;
        if db.is_postgres() {
            db.grant("keyrack_gate", "gatekeeper").await;
        }
        let state = db.dir().join("gate-state");
        std::fs::create_dir(&state).unwrap();
        let variables = [("STATE_DIRECTORY", state.to_str().unwrap())];
        let start = || Gate::by(
                &db.address_as("gatekeeper"),
                &db,
                &["--listen", "127.0.0.1:0", "--name", "east", "--verify-token-file", &token(db.dir())],
                &variables,
            );
        let gate = start();
        revoke().await;
        let memory = || {
            let files = std::fs::read_dir(state.join("memory")).into_iter().flatten();
            files.map(|file| file.unwrap().path()).find(|path| path.extension().is_some_and(|end| end == "memory"))
        };
        let begun = std::time::Instant::now();
        while !memory().is_some_and(|file| std::fs::read_to_string(file).unwrap().contains("leaked")) {
            assert!(begun.elapsed() < PATIENCE, "nothing is remembered");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(gate);
        db.restore().await;
        let mut gate = start();
        gate.wait_for_log("This database is older than before");
        let metrics = || gate.get("/metrics", &[WITH_TOKEN]).body;
        assert!(metrics().contains("keyrack_gate_database_went_back 1"), "{}", metrics());
        let keyrack = Script::on(&db);
        let file = memory().unwrap();
        let file = file.to_str().unwrap();
        let undone = keyrack.run(&["audit", "undone", "--memory", file]);
        assert_eq!(undone.status.code(), Some(6), "{undone:?}");
        keyrack.ok(&["key", "revoke", "--undone", "--memory", file, "--yes"]);
        let service = db.open().await;
        for id in ids {
            assert!(service.key(id).await.unwrap().revoked_at.is_some());
        }
        let begun = std::time::Instant::now();
        while !metrics().contains("keyrack_gate_database_went_back 0") {
            assert!(begun.elapsed() < PATIENCE, "{}", gate.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
