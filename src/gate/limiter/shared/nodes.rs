//! Who has whose windows, and who is left alone for a while because it gave no answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::RwLock;

use super::line::Range;

/// After a failure a node is left alone for so many milliseconds, so that not every request has to wait; after several in
/// a row for so many times that, but never for longer than this.
const REST: u64 = 200;
const LONGEST: u32 = 5;
/// Slots of a Redis Cluster.
const SLOTS: u16 = 16_384;

/// One server, or the nodes of a cluster as far as they are known.
pub(super) struct Nodes {
    /// Stands for every node that is not known.
    unknown: Arc<Node>,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    ranges: Vec<Range>,
    /// In the order of the ranges.
    nodes: Vec<Arc<Node>>,
}

/// A node, and how it answers.
pub(super) struct Node {
    pub name: String,
    /// Milliseconds until which it is left alone.
    rests_until: AtomicU64,
    /// Failures in a row.
    failures: AtomicU32,
}

impl Node {
    fn new(name: String) -> Arc<Self> {
        Arc::new(Self { name, rests_until: AtomicU64::new(0), failures: AtomicU32::new(0) })
    }

    pub fn rests(&self, now: u64) -> bool {
        now < self.rests_until.load(Ordering::Relaxed)
    }

    /// Leaves it alone for a while. Answers whether that begins only now.
    pub fn failed(&self, now: u64) -> bool {
        let rests = self.rests_until.load(Ordering::Relaxed);
        // Those that waited together failed once together.
        if now < rests {
            return false;
        }
        let failures = self.failures.load(Ordering::Relaxed).saturating_add(1);
        let until = now + REST * u64::from(failures.min(LONGEST));
        let begins =
            self.rests_until.compare_exchange(rests, until, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if begins {
            self.failures.store(failures, Ordering::Relaxed);
        }
        begins
    }

    /// It answered. Answers whether it had failed before.
    pub fn answered(&self) -> bool {
        // Reading first keeps the line shared between the cores.
        self.failures.load(Ordering::Relaxed) > 0 && self.failures.swap(0, Ordering::Relaxed) > 0
    }
}

impl Nodes {
    /// `name` is what those are called that are not known.
    pub fn new(name: String) -> Self {
        Self { unknown: Node::new(name), known: RwLock::default() }
    }

    /// Who has the windows of an account.
    pub fn of(&self, account: &str) -> Arc<Node> {
        let known = self.known.read();
        if known.ranges.is_empty() {
            return Arc::clone(&self.unknown);
        }
        let slot = slot(account);
        let place = known.ranges.iter().position(|range| range.slots.contains(&slot));
        Arc::clone(place.and_then(|place| known.nodes.get(place)).unwrap_or(&self.unknown))
    }

    /// Takes over who has which slots now. Answers whether anything changed.
    pub fn learn(&self, ranges: &[Range]) -> bool {
        let mut ranges = ranges.to_vec();
        ranges.sort_by_key(|range| *range.slots.start());
        let mut known = self.known.write();
        if ranges.is_empty() || known.ranges == ranges {
            return false;
        }
        let mut nodes: Vec<Arc<Node>> = Vec::with_capacity(ranges.len());
        for Range { primary, .. } in &ranges {
            let there = nodes.iter().chain(&known.nodes).find(|node| node.name == *primary).map(Arc::clone);
            nodes.push(there.unwrap_or_else(|| Node::new(primary.clone())));
        }
        *known = Known { ranges, nodes };
        true
    }

    /// Every primary once, with how many replicas it has.
    pub fn primaries(&self) -> Vec<(String, usize)> {
        let known = self.known.read();
        let mut all: Vec<_> =
            known.ranges.iter().map(|range| (range.primary.clone(), range.replicas)).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// The slot of a name that stands in braces: CRC16 as XMODEM has it, as Redis Cluster wants it.
fn slot(name: &str) -> u16 {
    crc16::State::<crc16::XMODEM>::calculate(name.as_bytes()) % SLOTS
}

#[cfg(test)]
mod tests {
    use redis::cluster_routing::Slot;

    use super::*;

    fn range(slots: std::ops::RangeInclusive<u16>, primary: &str) -> Range {
        Range { slots, primary: primary.into(), replicas: 1 }
    }

    #[test]
    fn a_slot_is_the_one_that_the_library_goes_to() {
        for name in ["", "a", "acme", "stark-insurance", "globex-logistics-2"] {
            let key = format!("keyrack:{{{name}}}:key:7");
            let wanted = if name.is_empty() { Slot::for_key(&key) } else { Slot::for_key(name) };
            if !name.is_empty() {
                assert_eq!(Some(wanted), Slot::new(slot(name)), "{name}");
                assert_eq!(Slot::for_key(&key), wanted, "{name}");
            }
        }
        assert_eq!(slot("123456789"), 0x31C3 % SLOTS);
    }

    #[test]
    fn who_gives_no_answer_rests_and_the_others_do_not() {
        let nodes = Nodes::new("all".into());
        assert_eq!(nodes.of("acme").name, "all");
        let half = slot("acme");
        assert!(nodes.learn(&[range(half + 1..=SLOTS - 1, "b:1"), range(0..=half, "a:1")]));
        let (acme, before) = (nodes.of("acme"), nodes.of("acme"));
        assert_eq!(acme.name, "a:1");
        assert!(acme.failed(1_000) && !acme.failed(1_050), "it is told once");
        assert!(before.rests(1_100) && !before.rests(1_260));
        for n in 1..=20 {
            acme.failed(n * 10_000);
        }
        assert!(acme.rests(200_900) && !acme.rests(201_100), "a second at most");
        assert!(nodes.known.read().nodes.iter().any(|node| node.name == "b:1" && !node.rests(200_900)));
        assert!(acme.answered() && !acme.answered());
        assert!(!nodes.learn(&[range(0..=half, "a:1"), range(half + 1..=SLOTS - 1, "b:1")]), "as before");
        assert!(nodes.learn(&[range(0..=SLOTS - 1, "b:1")]));
        assert_eq!((nodes.of("acme").name.as_str(), nodes.primaries().len()), ("b:1", 1));
        assert!(!nodes.learn(&[]) && nodes.of("acme").name == "b:1", "what is known stays");
    }
}
