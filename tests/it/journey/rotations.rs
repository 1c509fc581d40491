//! KR-11 in a real terminal, on both databases: an overlap is seen to be silent, extended and closed; a selection is rotated.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::people::{make_kept, office, preset};
use crate::support::pty::Start;
use crate::support::script::Script;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::key::Status;
use keyrack::service::new_operation;

on_both! {
    async fn kr_11_an_overlap_is_extended_and_closed_in_the_cockpit(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let old = make_kept(&service, "acme", "hub").await.key;
        let new = service.rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap().key;
        service.acknowledge_key(new_operation(), new.id).await.unwrap();
        let before = service.key(old.id).await.unwrap().expires_at.unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("● live");
        terminal.press("0");
        terminal.wait_for("open overlaps, the next to end first");
        terminal.wait_for("hub");
        terminal.wait_for("never used");
        terminal.press("e");
        terminal.wait_for("Extend the overlap of hub");
        terminal.answer("y");
        terminal.wait_for("hub works until");
        let extended = service.key(old.id).await.unwrap().expires_at.unwrap();
        assert_eq!(extended, before + chrono::Duration::hours(24));
        terminal.quiet(Duration::from_millis(300));
        terminal.press("c");
        terminal.wait_for("Close the overlap of hub?");
        terminal.wait_for("no request in an hour");
        terminal.answer("y");
        terminal.wait_for("hub revoked at");
        terminal.wait_for("no longer in an overlap");
        let now = service.now().await.unwrap();
        assert_eq!(service.key(old.id).await.unwrap().status(now), Status::Revoked);
        assert_eq!(service.key(new.id).await.unwrap().status(now), Status::Active);
        Script::on(&db).ok(&["audit", "verify"]);
    }

    async fn kr_11_a_selection_is_rotated_into_files(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for name in ["one", "two", "three"] {
            make_kept(&service, "acme", name).await;
        }
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("● live");
        terminal.wait_for("three");
        terminal.press("ctrl-a");
        terminal.wait_for("✓ 3 marked");
        terminal.press("r");
        terminal.wait_for("Rotate 3 keys");
        terminal.wait_for("The new keys never expire.");
        terminal.press("tab");
        terminal.type_text("30d");
        terminal.wait_for("The new keys expire from");
        for _ in 0..3 {
            terminal.press("tab");
        }
        terminal.type_text("3");
        terminal.wait_for("How many 3");
        terminal.answer("ctrl-s");
        terminal.wait_for("3 keys rotated");
        terminal.wait_for("Screen 0 shows who still uses the old keys");
        let folder = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
        let folder = folder.into_iter().find(|path| path.is_dir() && path.file_name().unwrap().to_string_lossy().starts_with("keyrack-")).unwrap();
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(files.len(), 3);
        for file in &files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let keyrack = Script::on(&db);
        assert_eq!(keyrack.keys("overlap:old").len(), 3);
        let new = keyrack.keys("overlap:new");
        assert!(new.len() == 3 && new.iter().all(|key| key["expires_at"].is_string()), "{new:?}");
        terminal.press("esc");
        terminal.press("0");
        terminal.wait_for("open overlaps, the next to end first");
        terminal.wait_for("two");
    }
}
