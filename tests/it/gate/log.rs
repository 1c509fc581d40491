//! The gate's log: whoever reads it, or does not, no request waits for that.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::{Database, run_on_sqlite};
use crate::support::gate::{WITH_TOKEN, arguments, bearer};
use crate::support::http::{Connection, free_port, request, send, wait_for_port};
use crate::support::people::{keep, office, preset, scoped};
use crate::support::program;
use rustix::process::Signal;

/// A gate whose standard error is a pipe that nobody reads.
struct Unread {
    child: Child,
    pipe: Option<ChildStderr>,
    address: SocketAddr,
}

impl Unread {
    fn start(db: &Database) -> Self {
        let address: SocketAddr = format!("127.0.0.1:{}", free_port()).parse().unwrap();
        let mut child =
            program::keyrack(db.dir(), arguments(db, address)).stderr(Stdio::piped()).spawn().unwrap();
        let pipe = child.stderr.take();
        wait_for_port(address);
        Self { child, pipe, address }
    }

    fn lost(&self) -> u64 {
        let text = send(self.address, "GET", "/metrics", &[WITH_TOKEN], "").body;
        let line = text.lines().find_map(|line| line.strip_prefix("keyrack_gate_lost_log_lines_total "));
        line.unwrap().parse().unwrap()
    }

    /// Lets thousands of requests be refused, until lines are missing in the log.
    fn flood(&self) {
        let begun = Instant::now();
        // Long paths make long lines.
        let path = "\u{1f511}".repeat(200);
        let asked = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", path.as_str())];
        let refused =
            [request("GET", "/auth", &asked, ""), request("GET", "/auth", &asked[..1], "")].concat();
        let mut connection = Connection::open(self.address);
        let mut requests = 0;
        while requests < 4_000 || self.lost() < 100 {
            for _ in 0..100 {
                connection.send(&refused.repeat(10));
                for _ in 0..10 {
                    assert_eq!(connection.answer().map(|answer| answer.status), Some(401));
                    assert_eq!(connection.answer().map(|answer| answer.status), Some(403));
                }
            }
            requests += 2_000;
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "after {requests} requests no line is missing"
            );
        }
    }

    /// Begins to read. The text is whole once the gate has ended.
    fn read(&mut self) -> std::thread::JoinHandle<String> {
        let mut pipe = self.pipe.take().unwrap();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            pipe.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        })
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a log says that is missing in it.
fn left_out(log: &str) -> u64 {
    let lines = log.lines().filter(|line| line.contains("lines were left out of the log"));
    let number = |line: &str| line.split("left_out=").nth(1)?.split(' ').next()?.parse::<u64>().ok();
    lines.map(|line| number(line).unwrap()).sum()
}

#[test]
fn a_log_that_nobody_reads_holds_no_request_up_and_says_later_what_is_missing() {
    run_on_sqlite(|db| async move {
        let office = office(&db, preset("voxpria")).await;
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let mut gate = Unread::start(&db);
        gate.flood();
        let asked =
            [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("Authorization", &key)];
        for _ in 0..50 {
            let begun = Instant::now();
            let answer = send(gate.address, "GET", "/auth", &asked, "");
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(begun.elapsed() < Duration::from_secs(1), "it took {:?}", begun.elapsed());
        }
        let lost = gate.lost();
        let reading = gate.read();
        // Once the reader is back, the log goes on.
        let begun = Instant::now();
        let mut lines = 0;
        while lines < 20 {
            let before = gate.lost();
            send(gate.address, "GET", "/auth", &asked[..1], "");
            lines += u64::from(gate.lost() == before);
            assert!(begun.elapsed() < Duration::from_secs(10), "lines are lost although somebody reads");
        }
        let all = gate.lost();
        program::signal(&gate.child, Signal::TERM);
        assert_eq!(program::ended(&mut gate.child).code(), Some(0));
        let log = reading.join().unwrap();
        assert!(lost >= 100 && all >= lost);
        assert_eq!(left_out(&log), all);
        assert!(
            log.lines().rev().take(5).any(|line| line.contains("stopping: open requests are answered")),
            "the last lines are there"
        );
    });
}

#[test]
fn a_gate_that_ends_writes_what_waits_and_does_not_wait_for_ever() {
    run_on_sqlite(|db| async move {
        office(&db, preset("voxpria")).await;
        let mut slow = Unread::start(&db);
        slow.flood();
        let lost = slow.lost();
        program::signal(&slow.child, Signal::TERM);
        std::thread::sleep(Duration::from_millis(500));
        let reading = slow.read();
        assert_eq!(program::ended(&mut slow.child).code(), Some(0));
        let log = reading.join().unwrap();
        let missing = left_out(&log);
        assert!(
            (lost + 1..lost + 100).contains(&missing),
            "{missing}: what it said of its end is missing too"
        );
        assert!(log.len() > 256 * 1024, "{}", log.len());

        let mut stuck = Unread::start(&db);
        stuck.flood();
        program::signal(&stuck.child, Signal::TERM);
        let begun = Instant::now();
        assert_eq!(program::ended(&mut stuck.child).code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    });
}
