//! Windows that several gates share, in a Redis, a Valkey or a Redis Cluster: one script decides about all budgets of a
//! request in one step, by the clock of the server that has them.
//!
//! In a cluster all windows of an account lie in one slot, by a hash tag: so one node decides about a request as a whole, and
//! a node that is gone concerns its own accounts alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use redis::{Cmd, ErrorKind, RedisError, RedisResult, Script, ServerErrorKind};

use crate::domain::limit::{Bucket, Charge, Quota, State};

mod address;
mod line;
mod nodes;

pub use address::Address;
use line::{Line, PATIENCE};
use nodes::{Node, Nodes};

/// Something odd is told again after so many milliseconds.
const ODD_EVERY: u64 = 10_000;
const WINDOW: &str = include_str!("window.lua");

/// The shared windows.
pub struct Shared {
    line: Line,
    /// Whether it is a cluster.
    spread: bool,
    nodes: Nodes,
    /// The script's name at a server that has it already.
    script: String,
    /// Names each request of this gate.
    gate: u64,
    requests: AtomicU64,
    begun: Instant,
    /// Milliseconds since `begun` at which something odd was told last; 0: never.
    odd_told_at: AtomicU64,
}

impl Shared {
    /// Prepares the connection; it is made with the first question, and made anew whenever it breaks. `gate` is a random
    /// number of this gate's own. Within a runtime.
    pub fn new(address: Address, gate: u64, begun: Instant) -> RedisResult<Self> {
        let spread = matches!(address, Address::Cluster { .. });
        Ok(Self {
            nodes: Nodes::new(address.name()),
            line: Line::open(address)?,
            spread,
            script: Script::new(WINDOW).get_hash().to_owned(),
            gate,
            requests: AtomicU64::new(0),
            begun,
            odd_told_at: AtomicU64::new(0),
        })
    }

    /// Counts a request in budgets of one account, or only looks. Answers what is left and the server's time in
    /// microseconds; `None` if who has them can't be asked.
    pub async fn ask(&self, account: &str, charges: &[Charge], count: bool) -> Option<(Option<Quota>, i64)> {
        let node = self.nodes.of(account);
        if node.rests(self.now()) {
            return None;
        }
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let asking = async {
            match self.decide(account, charges, count, request).await {
                // The server was restarted, or cut a connection that was idle for long: a new one knows. Under the same
                // name, what was counted already is not counted twice.
                Err(error)
                    if !error.is_timeout() && (error.is_io_error() || error.is_connection_dropped()) =>
                {
                    self.decide(account, charges, count, request).await
                }
                decided => decided,
            }
        };
        let numbers = match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(numbers)) => numbers,
            // What lies under one of these names is no window: that concerns nobody else.
            Ok(Err(error)) if matches!(error.code(), Some("WRONGTYPE" | "ERR")) && !is_no_cluster(&error) => {
                return self.odd(account, charges, &error.to_string());
            }
            // Its slot is on the way to another node: that concerns nobody else, and lasts until the move is done or called off.
            Ok(Err(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::TryAgain) => {
                self.seldom(|| {
                    tracing::warn!(
                        account,
                        "the shared limiter can't count for this account while its slot is moved: finish the move, or call it off with \
                         CLUSTER SETSLOT … STABLE"
                    );
                });
                return None;
            }
            Ok(Err(error)) => return self.failed(&node, &why(&error)),
            Err(_) => return self.failed(&node, "no answer in time"),
        };
        if node.answered() {
            tracing::info!(node = node.name, "the shared limiter can be asked again");
        }
        read(charges, &numbers)
            .or_else(|| self.odd(account, charges, "an answer that the script does not give"))
    }

    async fn decide(
        &self,
        account: &str,
        charges: &[Charge],
        count: bool,
        request: u64,
    ) -> RedisResult<Vec<i64>> {
        let call = |verb: &str, script: &str| {
            let mut call = Cmd::new();
            call.arg(verb).arg(script).arg(charges.len());
            for charge in charges {
                call.arg(self.name(account, &charge.bucket));
            }
            call.arg(u8::from(count)).arg(format!("{:x}-{request:x}", self.gate));
            for charge in charges {
                call.arg(charge.budgets.len());
                for budget in &charge.budgets {
                    call.arg(budget.seconds).arg(budget.requests);
                }
            }
            call
        };
        match self.line.ask(&call("EVALSHA", &self.script)).await {
            // A server that was restarted, or a replica that became a primary, gets it with the question.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.line.ask(&call("EVAL", WINDOW)).await
            }
            decided => decided,
        }
    }

    /// The name of a window. In a cluster the account stands in braces, so that all of its windows are in one place.
    fn name(&self, account: &str, bucket: &Bucket) -> String {
        if self.spread { format!("keyrack:{{{account}}}:{bucket}") } else { format!("keyrack:{bucket}") }
    }

    /// Whether counting works.
    pub async fn is_reachable(&self) -> bool {
        matches!(tokio::time::timeout(PATIENCE, self.line.is_well()).await, Ok(Ok(true)))
    }

    /// Looks which nodes a cluster has, and says so where that changed.
    ///
    /// # Errors
    /// In words, where what was named as a cluster says that it is none. That it can't be asked, requests tell.
    pub async fn look_round(&self) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.line.ranges()).await {
            Ok(Ok(ranges)) if self.nodes.learn(&ranges) => self.introduce(),
            Ok(Err(error)) if is_no_cluster(&error) => return Err(why(&error)),
            _ => {}
        }
        Ok(())
    }

    fn introduce(&self) {
        let primaries = self.nodes.primaries();
        let list = |which: fn(usize) -> bool| {
            let names: Vec<&str> =
                primaries.iter().filter(|(_, n)| which(*n)).map(|(name, _)| name.as_str()).collect();
            names.join(", ")
        };
        tracing::info!(primaries = list(|_| true), "the shared limiter is a Redis Cluster");
        let lone = list(|replicas| replicas == 0);
        if !lone.is_empty() {
            tracing::warn!(
                primaries = lone,
                "nodes of the shared limiter have no replica: while one of them is gone, nobody counts for its accounts"
            );
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Says something, unless something was said a moment ago.
    fn seldom(&self, say: impl FnOnce()) {
        let (now, told_at) = (self.now(), self.odd_told_at.load(Ordering::Relaxed));
        let is_due = told_at == 0 || now >= told_at + ODD_EVERY;
        if is_due && self.odd_told_at.swap(now.max(1), Ordering::Relaxed) == told_at {
            say();
        }
    }

    /// Says, now and then, under which names something lies that is no window.
    fn odd<T>(&self, account: &str, charges: &[Charge], why: &str) -> Option<T> {
        self.seldom(|| {
            let names: Vec<_> = charges.iter().map(|charge| self.name(account, &charge.bucket)).collect();
            let names = names.join(" ");
            tracing::warn!(
                why,
                names,
                "the shared limiter can't count for these: remove what lies there with DEL"
            );
        });
        None
    }

    fn failed<T>(&self, node: &Node, why: &str) -> Option<T> {
        if node.failed(self.now()) {
            tracing::warn!(node = node.name, why, "the shared limiter can't be asked");
        }
        None
    }
}

/// Whether a server says that it is none of a cluster.
fn is_no_cluster(error: &RedisError) -> bool {
    error.to_string().contains("cluster support disabled")
}

/// Why a server can't be asked, in words that help where somebody named it wrongly.
fn why(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => {
            "it is a node of a Redis Cluster: name it with redis-cluster://host:port".into()
        }
        ErrorKind::ClusterConnectionNotFound => "none of its nodes answers".into(),
        _ if is_no_cluster(error) => {
            "it does not belong to a Redis Cluster: name it with redis://host:port/0".into()
        }
        _ => error.to_string(),
    }
}

/// Reads what the script answers.
fn read(charges: &[Charge], numbers: &[i64]) -> Option<(Option<Quota>, i64)> {
    let (&[now, allowed], states) = numbers.split_first_chunk::<2>()?;
    let budgets = charges.iter().flat_map(|charge| charge.budgets.iter().map(move |budget| (charge, budget)));
    let mut pairs = states.chunks_exact(2);
    let mut left = Vec::new();
    for (charge, budget) in budgets {
        let &[count, room] = pairs.next()? else { return None };
        let count = u32::try_from(count).ok()?;
        left.push(State::new(charge.bucket.word(), *budget, count, room, now));
    }
    Some((Quota::new(left, allowed == 1), now))
}

#[cfg(test)]
mod tests;
