//! Workers and the signals that reach them: what ends them, what does not, and what becomes of their logs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::{Database, run_on_sqlite};
use crate::support::gate::{WITH_TOKEN, arguments};
use crate::support::http::{free_port, send, wait_for_port};
use crate::support::people::{office, preset};
use crate::support::postbox::Postbox;
use crate::support::program::{self, ended, signal};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit};

/// A worker whose log is a file.
struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    fn start(mut command: Command, folder: &Path) -> Self {
        let log = folder.join("worker.log");
        command
            .env("KEYRACK_LOG_FILE", &log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), log }
    }

    fn gate(db: &Database, address: SocketAddr) -> Self {
        let mut worker = Self::start(program::keyrack(db.dir(), arguments(db, address)), db.dir());
        wait_for_port(address);
        worker.wait_for("listening");
        worker
    }

    fn watch(db: &Database, postbox: &Postbox) -> Self {
        let database = db.address();
        let mut command = program::keyrack(db.dir(), ["reminders", "watch", "--db", &database]);
        command.envs(postbox.environment());
        let mut worker = Self::start(command, db.dir());
        worker.wait_for("sent 0 letters");
        worker
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    #[track_caller]
    fn wait_for(&mut self, words: &str) {
        let begun = Instant::now();
        while !self.text().contains(words) {
            assert_eq!(self.child.try_wait().unwrap(), None, "{}", self.text());
            assert!(begun.elapsed() < Duration::from_secs(30), "waiting for {words:?} in:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What is not meant for it ends nothing, and a hang-up lets the log go on in a file of its name.
    #[track_caller]
    fn stands_signals(&mut self) {
        let moved = self.log.with_extension("log.1");
        for stranger in [Signal::USR1, Signal::USR2, Signal::XFSZ] {
            signal(&self.child, stranger);
        }
        for _ in 0..2 {
            std::fs::rename(&self.log, &moved).unwrap();
            signal(&self.child, Signal::HUP);
            self.wait_for("the log goes on in the file of its name");
        }
        assert!(
            !self.text().contains("listening") && !self.text().contains("sent 0 letters"),
            "{}",
            self.text()
        );
        assert_eq!(self.child.try_wait().unwrap(), None);
    }

    #[track_caller]
    fn ends_well_by(mut self, by: Signal) {
        signal(&self.child, by);
        assert_eq!(ended(&mut self.child).code(), Some(0), "{by:?}");
    }

    /// The disk is full for this worker once its log is as long as this; `None`: it has room again.
    fn full_at(&self, most: Option<u64>) {
        let all = getrlimit(Resource::Fsize);
        let pid = Pid::from_child(&self.child);
        prlimit(Some(pid), Resource::Fsize, Rlimit { current: most.or(all.current), maximum: all.maximum })
            .unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn address() -> SocketAddr {
    format!("127.0.0.1:{}", free_port()).parse().unwrap()
}

/// A refused request, which is a line in the log.
fn refused(gate: SocketAddr) {
    let asked =
        [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/"), ("X-Forwarded-For", "198.51.100.1")];
    assert_eq!(send(gate, "GET", "/auth", &asked, "").status, 401);
}

fn lost(gate: SocketAddr) -> u64 {
    let text = send(gate, "GET", "/metrics", &[WITH_TOKEN], "").body;
    let line = text.lines().find_map(|line| line.strip_prefix("keyrack_gate_lost_log_lines_total "));
    line.unwrap().parse().unwrap()
}

on_both! {
    async fn a_gate_and_a_watch_outlive_hang_ups_and_end_well_when_told_to(db) {
        office(&db, preset("voxpria")).await;
        for by in [Signal::TERM, Signal::INT] {
            let at = address();
            let mut gate = Worker::gate(&db, at);
            gate.stands_signals();
            refused(at);
            gate.ends_well_by(by);
            let postbox = Postbox::open();
            let mut watch = Worker::watch(&db, &postbox);
            watch.stands_signals();
            watch.ends_well_by(by);
        }
    }
}

#[test]
fn a_full_disk_loses_lines_of_a_gate_which_counts_them_and_goes_on() {
    run_on_sqlite(|db| async move {
        office(&db, preset("voxpria")).await;
        let at = address();
        let mut gate = Worker::gate(&db, at);
        // The database has its place before the disk is full.
        let database = std::fs::metadata(db.name()).unwrap().len();
        let room = database.max(4 << 20);
        std::fs::OpenOptions::new().append(true).open(&gate.log).unwrap().set_len(room - 300).unwrap();
        gate.full_at(Some(room));
        let begun = Instant::now();
        while lost(at) < 3 {
            refused(at);
            assert!(begun.elapsed() < Duration::from_secs(30));
        }
        assert_eq!(gate.child.try_wait().unwrap(), None);
        gate.full_at(None);
        refused(at);
        gate.wait_for("lines were left out of the log");
        let text = gate.text();
        let told = text.lines().find(|line| line.contains("lines were left out of the log")).unwrap();
        let told: u64 = told.rsplit_once("left_out=").unwrap().1.trim().parse().unwrap();
        assert!(told >= 3, "{told}");
        // Copied and cut short: it goes on at the new end.
        std::fs::OpenOptions::new().write(true).truncate(true).open(&gate.log).unwrap();
        refused(at);
        gate.wait_for("missing");
        assert!(std::fs::metadata(&gate.log).unwrap().len() < 1 << 20);
        gate.ends_well_by(Signal::TERM);
    });
}

#[test]
fn a_worker_that_is_killed_or_told_twice_does_not_end_well() {
    run_on_sqlite(|db| async move {
        office(&db, preset("voxpria")).await;
        let mut gate = Worker::gate(&db, address());
        signal(&gate.child, Signal::KILL);
        assert!(!ended(&mut gate.child).success());
    });
}
