//! The way of a revocation as a small model: two consoles, a gate, a database whose file is moved, put back or replaced by a
//! backup, a disk that fills, a machine that loses power. Every interleaving of their steps is tried.
//!
//! The steps stand for the code and are named as it is ([`protocol`]). That nothing breaks says something only because each
//! defence that is left out breaks something, which is tried too. What the model leaves out: connections that a pool opens
//! anew while the name changes twice, an in-place overwrite (`tests/it/journey/replaced.rs` tries both), time, and a memory
//! whose own file can't be written.

mod protocol;
mod world;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};

use protocol::{Bounds, Who};
use world::{Broken, Defences, World};

/// What a search came to.
struct Searched {
    states: usize,
    /// The shortest way to each thing that broke.
    broken: HashMap<Broken, Vec<String>>,
}

/// Tries every interleaving, the shortest ones first; at most until something breaks.
fn search(on: &Defences, bounds: &Bounds, until: Option<Broken>) -> Searched {
    // Each world with the number of the one before it.
    let mut known: HashMap<World, u32, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    let mut ways: Vec<Way> = vec![(0, Who::World, "")];
    let mut queue = VecDeque::from([(World::new(), 0)]);
    let mut broken: HashMap<Broken, Vec<String>> = HashMap::new();
    known.insert(World::new(), 0);
    while let Some((world, number)) = queue.pop_front()
        && until.is_none_or(|what| !broken.contains_key(&what))
    {
        for (who, step, then) in protocol::steps(&world, on, bounds) {
            match then {
                Err(what) => {
                    broken.entry(what).or_insert_with(|| way(&ways, (number, who, step)));
                }
                Ok(then) if !known.contains_key(&then) => {
                    let next = u32::try_from(ways.len()).unwrap_or(u32::MAX);
                    known.insert(then, next);
                    ways.push((number, who, step));
                    queue.push_back((then, next));
                }
                Ok(_) => {}
            }
        }
    }
    Searched { states: known.len(), broken }
}

/// The number of the world before, and what happened then.
type Way = (u32, Who, &'static str);

fn way(ways: &[Way], mut last: Way) -> Vec<String> {
    let mut steps = Vec::new();
    loop {
        let (before, who, step) = last;
        steps.push(format!("{who}: {step}"));
        if before == 0 {
            break;
        }
        last = ways[before as usize];
    }
    steps.reverse();
    steps
}

#[test]
fn no_interleaving_breaks_a_promise() {
    for bounds in [Bounds::ALL, Bounds::GATE, Bounds::CONSOLES, Bounds::POWER] {
        let found = search(&Defences::ALL, &bounds, None);
        println!("{bounds:?}: {} states", found.states);
        assert!(found.broken.is_empty(), "{:#?}", found.broken);
        assert!(found.states > 5_000, "{} states are too few to mean something", found.states);
    }
}

#[test]
fn each_defence_that_is_left_out_breaks_a_promise() {
    let all = Defences::ALL;
    for (without, breaks, bounds) in [
        (Defences { names_before_commit: false, ..all }, Broken::WrittenIntoNothing, Bounds::CONSOLES),
        (Defences { read_back: false, memory_insists: false, ..all }, Broken::FalseWord, Bounds::CONSOLES),
        (Defences { writer_is_closed: false, ..all }, Broken::WriterIsStuck, Bounds::CONSOLES),
        (Defences { on_disk: false, ..all }, Broken::LostWord, Bounds::POWER),
        (Defences { lost_is_asked_again: false, ..all }, Broken::FalseWord, Bounds::CONSOLES),
        (Defences { memory: false, ..all }, Broken::MemoryIsSilent, Bounds::CONSOLES),
        (Defences { memory_insists: false, ..all }, Broken::MemoryIsSilent, Bounds::CONSOLES),
        (Defences { proof_is_newer: false, ..all }, Broken::PassedAfterRevoked, Bounds::GATE),
        (Defences { reads_from_the_floor: false, ..all }, Broken::PassedAfterReceipt, Bounds::GATE),
        (Defences { forgets_first: false, ..all }, Broken::PassedAfterRevoked, Bounds::GATE),
        (Defences { gate_checks_names: false, ..all }, Broken::PassedAfterRevoked, Bounds::GATE),
    ] {
        let found = search(&without, &bounds, Some(breaks));
        let Some(way) = found.broken.get(&breaks) else {
            panic!("{without:?} breaks {:?} and not {breaks:?}", found.broken.keys());
        };
        println!("{breaks:?}, {} states, {without:?}:\n  {}", found.states, way.join("\n  "));
    }
}
