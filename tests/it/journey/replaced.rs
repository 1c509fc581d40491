//! A database whose file is replaced, moved, overwritten or torn from its log while a console or a command has it open.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::database::{Database, run_on_sqlite};
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::{PATIENCE, Start, Terminal};
use keyrack::service::new_operation;
use uuid::Uuid;

/// Two keys on the name that the program is given, and a backup of them.
struct Scene {
    db: Database,
    folder: PathBuf,
    name: PathBuf,
    backup: PathBuf,
    key: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `mv` of a backup.
    Replaced,
    /// The file lies elsewhere, then a backup comes.
    Moved,
    Deleted,
    /// The folder has another name, and another one has its.
    Folder,
    /// The name is a link.
    Link,
    /// `cp` of a backup.
    Overwritten,
    WithoutLog,
    WithoutIndex,
}

impl Way {
    const ALL: [Self; 8] = [
        Self::Replaced,
        Self::Moved,
        Self::Deleted,
        Self::Folder,
        Self::Link,
        Self::Overwritten,
        Self::WithoutLog,
        Self::WithoutIndex,
    ];
}

impl Scene {
    async fn begin(db: Database) -> Self {
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "hub").await.key.id;
        make_kept(&service, "acme", "spare").await;
        service.close().await;
        let folder = db.dir().join("data");
        std::fs::create_dir(&folder).unwrap();
        std::fs::rename(db.address(), folder.join("first.db")).unwrap();
        let name = folder.join("keyrack.db");
        std::os::unix::fs::symlink("first.db", &name).unwrap();
        let backup = db.dir().join("backup.db");
        std::fs::copy(&name, &backup).unwrap();
        Self { db, folder, name, backup, key }
    }

    fn address(&self) -> &str {
        self.name.to_str().unwrap()
    }

    fn file(&self) -> PathBuf {
        self.name.canonicalize().unwrap()
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.file().into_os_string();
        name.push(end);
        name.into()
    }

    /// What happens to the file; what is missing then is put there by [`Scene::mend`].
    fn happen(&self, way: Way) {
        let aside = self.db.dir().join("aside");
        match way {
            Way::Replaced => std::fs::rename(copy(&self.backup, &aside), self.file()).unwrap(),
            Way::Moved => std::fs::rename(self.file(), aside).unwrap(),
            Way::Deleted => std::fs::remove_file(self.file()).unwrap(),
            Way::Folder => std::fs::rename(&self.folder, aside).unwrap(),
            Way::Link => {
                copy(&self.backup, &self.folder.join("second.db"));
                std::fs::remove_file(&self.name).unwrap();
                std::os::unix::fs::symlink("second.db", &self.name).unwrap();
            }
            Way::Overwritten => {
                copy(&self.backup, &self.file());
            }
            Way::WithoutLog => std::fs::remove_file(self.beside("-wal")).unwrap(),
            Way::WithoutIndex => std::fs::remove_file(self.beside("-shm")).unwrap(),
        }
    }

    fn mend(&self, way: Way) {
        match way {
            Way::Moved | Way::Deleted => drop(copy(&self.backup, &self.folder.join("first.db"))),
            Way::Folder => {
                std::fs::create_dir(&self.folder).unwrap();
                copy(&self.backup, &self.name);
            }
            _ => {}
        }
    }

    fn status(&self) -> String {
        let args = ["key", "show", &self.key.to_string(), "--json", "--db", self.address()];
        let key = crate::support::program::json(self.db.dir(), args);
        key["status"].as_str().unwrap().to_owned()
    }
}

fn copy(from: &Path, to: &Path) -> PathBuf {
    // The times of a file may be as coarse as a tick of the kernel's.
    std::thread::sleep(Duration::from_millis(20));
    std::fs::copy(from, to).unwrap();
    to.to_owned()
}

/// The words of a screen, however they are wrapped and framed.
fn words(screen: &str) -> String {
    screen.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn console(scene: &Scene) -> Terminal {
    Start::new(scene.db.dir()).on(scene.address()).size(100, 30).spawn()
}

async fn in_the_console(db: Database, way: Way) {
    let scene = Scene::begin(db).await;
    let mut terminal = console(&scene);
    terminal.wait_for("● live");
    terminal.press("/");
    terminal.type_text("hub");
    terminal.press("enter");
    terminal.wait_until_gone("spare");
    terminal.press("d");
    terminal.wait_for("Revoke");
    scene.happen(way);
    terminal.wait_quietly(Duration::from_millis(450));
    // The console may have seen it by itself; a key would take its words away.
    if !words(&terminal.text()).contains("Nothing was revoked") {
        terminal.press("y");
    }
    terminal.wait("a red line", |screen| {
        let text = screen.contents();
        assert!(!text.contains("done: revoked") && !text.contains("key revoked"), "{way:?}:\n{text}");
        words(&text).contains("Nothing was revoked") && (text.contains("error:") || !text.contains("● live"))
    });
    if matches!(way, Way::Moved | Way::Deleted | Way::Folder) {
        terminal.wait_until_gone("● live");
        scene.mend(way);
    }
    terminal.wait_for("● live");
    assert_eq!(scene.status(), "active", "{way:?}");
    // The person decides again.
    terminal.wait_for("● active");
    terminal.press("d");
    terminal.wait_for("Revoke");
    terminal.answer("y");
    terminal.wait_for("✕ revoked");
    assert_eq!(scene.status(), "revoked", "{way:?}");
    terminal.press("q");
    assert!(terminal.wait_for_exit(PATIENCE).success());
    assert_eq!(scene.status(), "revoked", "{way:?}: its end takes nothing back");
}

#[test]
fn a_console_never_revokes_in_a_file_that_is_gone() {
    for way in Way::ALL {
        run_on_sqlite(|db| async move { in_the_console(db, way).await });
    }
}

async fn in_a_command(db: Database, way: Way) {
    let scene = Scene::begin(db).await;
    let id = scene.key.to_string();
    let mut terminal = Start::new(scene.db.dir()).args(["key", "revoke", &id]).on(scene.address()).spawn();
    terminal.wait_for("[y/N]");
    scene.happen(way);
    terminal.type_text("y");
    terminal.press("enter");
    let ended = terminal.wait_for_exit(PATIENCE);
    let text = terminal.text();
    assert_eq!(ended.exit_code(), 7, "{way:?}:\n{text}");
    assert!(words(&text).contains("Nothing was revoked"), "{way:?}:\n{text}");
    scene.mend(way);
    assert_eq!(scene.status(), "active", "{way:?}");
}

#[test]
fn a_command_never_revokes_in_a_file_that_is_gone() {
    for way in Way::ALL {
        run_on_sqlite(|db| async move { in_a_command(db, way).await });
    }
}

#[test]
fn what_stood_in_a_deleted_log_alone_is_saved() {
    run_on_sqlite(|db| async move {
        let scene = Scene::begin(db).await;
        let terminal = console(&scene);
        terminal.wait_for("● live");
        // The console's connections keep the log where it is.
        let revoke = ["key", "revoke", &scene.key.to_string(), "--yes", "--db", scene.address()];
        assert!(crate::support::program::run(scene.db.dir(), revoke).status.success());
        scene.happen(Way::WithoutLog);
        terminal.wait("a red line", |screen| words(&screen.contents()).contains("was deleted or replaced"));
        terminal.wait_for("● live");
        assert_eq!(scene.status(), "revoked");
    });
}

#[test]
fn a_service_goes_on_with_the_new_file_only_when_it_is_told_to() {
    run_on_sqlite(|db| async move {
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "hub").await.key.id;
        let aside = db.dir().join("aside.db");
        db.execute(&format!("VACUUM INTO '{}'", aside.display())).await;
        std::fs::rename(&aside, db.address()).unwrap();
        for _ in 0..2 {
            let refused = service.revoke_keys(new_operation(), &[key], None).await.unwrap_err().to_string();
            assert!(refused.contains("was replaced by another file"), "{refused}");
            assert!(
                service.key(key).await.is_err() && service.receipt(&[key], Duration::ZERO).await.is_err()
            );
        }
        let again = service.again().await.unwrap();
        assert!(again.key(key).await.unwrap().revoked_at.is_none());
        again.revoke_keys(new_operation(), &[key], None).await.unwrap();
        service.close().await;
        again.close().await;
        assert!(db.open().await.key(key).await.unwrap().revoked_at.is_some());
    });
}
