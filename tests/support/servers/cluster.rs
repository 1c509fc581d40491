//! A real Redis Cluster on this machine: three primaries, and a replica of each.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::http::free_port;
use super::super::program::signal;
use super::{Server, folder, local, program};

/// Slots of a cluster.
const SLOTS: u16 = 16_384;
/// After so many milliseconds without a word a node is taken to be gone.
const TIMEOUT: &str = "1000";

/// The nodes: three primaries first, then the replica of each. And the turn: six servers at a time are enough for a machine,
/// where answers have to come in time.
pub struct Cluster(Vec<Server>, #[expect(dead_code, reason = "held for as long as the cluster")] File);

impl Cluster {
    /// `None` where neither Redis nor Valkey is installed.
    #[track_caller]
    pub fn start(dir: &Path) -> Option<Self> {
        let turn = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster-turn")).unwrap();
        turn.lock().unwrap();
        let nodes: Vec<(Server, u16)> = (0..6).map(|_| node(dir)).collect::<Option<_>>()?;
        let ids: Vec<String> =
            nodes.iter().map(|(node, _)| ask(node, redis::cmd("CLUSTER").arg("MYID"))).collect();
        let meet = |one: &Server| {
            for (other, bus) in &nodes {
                let (host, port) = (other.address.ip().to_string(), other.address.port());
                ask::<String>(one, redis::cmd("CLUSTER").arg("MEET").arg(host).arg(port).arg(*bus));
            }
        };
        nodes.iter().for_each(|(node, _)| meet(node));
        for (place, (node, _)) in nodes.iter().enumerate().take(3) {
            let from = |place: usize| u16::try_from(place).unwrap() * (SLOTS / 3);
            let last = if place == 2 { SLOTS - 1 } else { from(place + 1) - 1 };
            let mut add = redis::cmd("CLUSTER");
            ask::<String>(node, add.arg("ADDSLOTSRANGE").arg(from(place)).arg(last));
        }
        let cluster = Self(nodes.into_iter().map(|(node, _)| node).collect(), turn);
        for place in 3..6 {
            let follow = || {
                try_ask::<String>(
                    &cluster.0[place],
                    redis::cmd("CLUSTER").arg("REPLICATE").arg(&ids[place - 3]),
                )
            };
            wait("a node knows its primary", || follow().is_some());
        }
        wait("every node knows every other, and each replica is in step", || {
            cluster.0.iter().all(|node| {
                let info: String = ask(node, redis::cmd("CLUSTER").arg("INFO"));
                let slots: Vec<Vec<redis::Value>> = ask(node, redis::cmd("CLUSTER").arg("SLOTS"));
                info.contains("cluster_state:ok")
                    && slots.len() == 3
                    && slots.iter().all(|range| range.len() == 4)
            }) && cluster.0[3..].iter().all(|node| {
                let info: String = ask(node, redis::cmd("INFO").arg("replication"));
                info.contains("master_link_status:up")
            })
        });
        Some(cluster)
    }

    /// What a gate is told: one node of each half is enough.
    pub fn url(&self) -> String {
        format!("redis-cluster://{},{},{}", self.0[0].address, self.0[1].address, self.0[5].address)
    }

    /// Which of the primaries that it began with has an account's windows.
    pub fn place(&self, account: &str) -> usize {
        let slot: u16 = ask(&self.0[0], redis::cmd("CLUSTER").arg("KEYSLOT").arg(account));
        usize::from(slot / (SLOTS / 3)).min(2)
    }

    pub fn node(&self, place: usize) -> &Server {
        &self.0[place]
    }

    /// Ends a node at once.
    pub fn kill(&mut self, place: usize) {
        self.0[place].kill();
    }

    pub fn signal(&self, place: usize, what: Signal) {
        signal(&self.0[place].child, what);
    }

    /// Tells every node that lives.
    pub fn tell(&self, command: &[&str]) {
        for node in &self.0 {
            try_ask::<redis::Value>(node, redis::cmd(command[0]).arg(&command[1..]));
        }
    }

    /// Moves the slot of an account, with what is in it, to another of the primaries; the nodes tell each other.
    #[track_caller]
    pub fn move_slot(&self, account: &str, to: usize) {
        let slot: u16 = ask(&self.0[0], redis::cmd("CLUSTER").arg("KEYSLOT").arg(account));
        let (old, new) = (&self.0[self.place(account)], &self.0[to]);
        let id = |node| -> String { ask(node, redis::cmd("CLUSTER").arg("MYID")) };
        let set = |node, how: &[&str]| {
            ask::<String>(node, redis::cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(how));
        };
        set(new, &["IMPORTING", &id(old)]);
        set(old, &["MIGRATING", &id(new)]);
        let keys: Vec<String> = ask(old, redis::cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(1_000));
        let (host, port) = (new.address.ip().to_string(), new.address.port());
        for key in keys {
            ask::<String>(old, redis::cmd("MIGRATE").arg(&host).arg(port).arg(key).arg(0).arg(1_000));
            std::thread::sleep(Duration::from_millis(50));
        }
        for node in [new, old] {
            set(node, &["NODE", &id(new)]);
        }
    }

    /// Waits until the replica of a node has taken its place.
    #[track_caller]
    pub fn wait_for_replica(&self, place: usize) {
        wait("the replica took over", || {
            let role: Vec<redis::Value> = ask(&self.0[place + 3], &redis::cmd("ROLE"));
            let info: String = ask(&self.0[place + 3], redis::cmd("CLUSTER").arg("INFO"));
            role.first() == Some(&redis::Value::BulkString(b"master".to_vec()))
                && info.contains("cluster_state:ok")
        });
    }
}

/// A node of its own, and the port at which others reach it.
fn node(dir: &Path) -> Option<(Server, u16)> {
    let program = program("redis-server").or_else(|| program("valkey-server"))?;
    let (listen, bus) = (local(free_port()), free_port());
    let dir = folder(dir, "node");
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--cluster-enabled", "yes"]);
    command.args(["--cluster-node-timeout", TIMEOUT, "--cluster-require-full-coverage", "no"]);
    command.args(["--repl-diskless-sync-delay", "0", "--port", &listen.port().to_string()]);
    command.args(["--cluster-port", &bus.to_string()]);
    Some((Server::start(command, listen, &dir), bus))
}

fn try_ask<T: redis::FromRedisValue>(node: &Server, command: &redis::Cmd) -> Option<T> {
    let client = redis::Client::open(format!("redis://{}", node.address)).unwrap();
    let mut line = client.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
    line.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    command.query(&mut line).ok()
}

#[track_caller]
fn ask<T: redis::FromRedisValue>(node: &Server, command: &redis::Cmd) -> T {
    try_ask(node, command).unwrap_or_else(|| panic!("{} gives no answer", node.address))
}

#[track_caller]
fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waiting for: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
