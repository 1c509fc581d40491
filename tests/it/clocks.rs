//! A machine whose clock is set back, or far ahead, under the real program.

use chrono::Duration;

use crate::support::database::{Database, run_on_sqlite};
use crate::support::faults::Faults;
use crate::support::gate::{Gate, TRUSTING};
use crate::support::people::{make_kept, office, preset};
use crate::support::program;
use crate::support::pty::{PATIENCE, Start};
use crate::support::script::texts;
use keyrack::domain::secret::PlainKey;

/// The program at another time.
struct At<'a> {
    db: &'a Database,
    faults: Faults,
}

impl At<'_> {
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let address = self.db.address();
        let args = [args, &["--db", &address]].concat();
        let output = program::keyrack(self.db.dir(), args).envs(self.faults.variables()).output().unwrap();
        let (said, told) = texts(&output);
        (output.status.code(), said, told)
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> (String, String) {
        let (code, said, told) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {said}{told}");
        (said, told)
    }

    fn status(&self, key: &str) -> String {
        let key: serde_json::Value =
            serde_json::from_str(&self.ok(&["key", "show", key, "--json"]).0).unwrap();
        key["status"].as_str().unwrap().to_owned()
    }

    fn gate(&self) -> Gate {
        let args = [&["--listen", "127.0.0.1:0"], TRUSTING].concat();
        Gate::told_with(self.db, &args, &self.faults.variables())
    }
}

async fn begin(db: &Database) -> (At<'_>, String, PlainKey) {
    let service = office(db, preset("voicegram")).await;
    service.close().await;
    let at = At { db, faults: Faults::new(db.dir()) };
    let made = at.ok(&["key", "create", "--account", "acme", "--name", "hub", "--expires", "1d", "--json"]).0;
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let (id, secret) = (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned());
    at.ok(&["key", "acknowledge", &id]);
    (at, id, PlainKey::from_input(&secret))
}

#[test]
fn a_clock_that_is_set_back_revives_no_expired_key() {
    run_on_sqlite(|db| async move {
        let (at, id, secret) = begin(&db).await;
        let gate = at.gate();
        assert_eq!(gate.me(&secret).status, 200);
        at.faults.clock(Duration::days(2));
        assert_eq!((at.status(&id).as_str(), gate.me(&secret).status), ("expired", 401));
        at.ok(&["key", "create", "--account", "acme", "--name", "later"]);
        at.faults.clock(Duration::hours(12));
        let (said, told) = at.ok(&["key", "show", &id]);
        assert!(said.contains("expired") && told.contains("it was set back"), "{said}{told}");
        assert_eq!(gate.me(&secret).status, 401, "the gate that was there\n{}", gate.log());
        assert!(gate.stop().0.success());
        let gate = at.gate();
        assert_eq!(gate.me(&secret).status, 401, "another gate\n{}", gate.log());
        assert!(gate.log().contains("it was set back"));
        let (code, found, cures) = at.run(&["doctor"]);
        assert!(
            code == Some(6) && (found.clone() + &cures).contains("audit accept --clock"),
            "{found}{cures}"
        );
        let mut terminal = Start::new(db.dir()).on(&db.address()).size(110, 30);
        for (name, value) in at.faults.variables() {
            terminal = terminal.env(name, value);
        }
        let mut terminal = terminal.spawn();
        terminal.wait_for("error:");
        terminal.wait_for("expired");
        terminal.press("q");
        assert!(terminal.wait_for_exit(PATIENCE).success());
        // The clock was wrong before, and is right now.
        at.ok(&["audit", "accept", "--clock", "--reason", "the battery"]);
        assert_eq!(at.status(&id), "active");
        let begun = std::time::Instant::now();
        while gate.me(&secret).status != 200 {
            assert!(begun.elapsed() < PATIENCE, "{}", gate.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert!(!at.ok(&["key", "list"]).1.contains("set back"));
        for name in ["one", "two", "three"] {
            at.ok(&["key", "create", "--account", "acme", "--name", name]);
        }
        at.ok(&["audit", "verify"]);
    });
}

#[test]
fn a_clock_far_ahead_is_not_believed_and_locks_nobody_out() {
    run_on_sqlite(|db| async move {
        let (at, id, secret) = begin(&db).await;
        let gate = at.gate();
        assert_eq!(gate.me(&secret).status, 200);
        at.faults.clock(Duration::days(20_000));
        let (code, said, told) = at.run(&["key", "create", "--account", "acme", "--name", "new"]);
        assert!(code == Some(5) && told.contains("is not believed"), "{code:?} {said}{told}");
        let (code, found, cures) = at.run(&["doctor"]);
        assert!(
            code == Some(6) && (found.clone() + &cures).contains("audit accept --clock"),
            "{found}{cures}"
        );
        for _ in 0..5 {
            assert_eq!(gate.me(&secret).status, 200, "{}", gate.log());
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let address = db.address();
        let output = program::keyrack(db.dir(), ["gate", "--db", &address, "--listen", "127.0.0.1:0"])
            .envs(at.faults.variables())
            .output()
            .unwrap();
        assert!(!output.status.success() && texts(&output).1.contains("is not believed"));
        at.faults.clock(Duration::zero());
        assert_eq!((at.status(&id).as_str(), gate.me(&secret).status), ("active", 200));
        for name in ["one", "two"] {
            at.ok(&["key", "create", "--account", "acme", "--name", name]);
        }
        assert!(gate.stop().0.success());
        // A machine that was off for long has a clock that is right.
        at.faults.clock(Duration::days(300));
        at.ok(&["audit", "accept", "--clock"]);
        at.ok(&["key", "create", "--account", "acme", "--name", "after the holidays"]);
        assert_eq!(at.status(&id), "expired");
    });
}

#[test]
fn a_clock_that_was_wrong_for_a_while_brakes_nobody_afterwards() {
    run_on_sqlite(|db| async move {
        let service = office(&db, preset("voicegram")).await;
        for n in 0..9 {
            make_kept(&service, "acme", &format!("key {n}")).await;
        }
        service.close().await;
        // As an older version let it happen.
        db.execute_past_triggers("keys", "UPDATE key_auth SET created_at = created_at + 1728000000000000")
            .await;
        let at = At { db: &db, faults: Faults::new(db.dir()) };
        for n in 0..9 {
            at.ok(&["key", "create", "--account", "acme", "--name", &format!("new {n}")]);
        }
    });
}
