//! The way of a revocation as a small model: two consoles, a gate, a database whose file is moved, put back or replaced by a
//! backup, a disk that fills, a machine that loses power. Every interleaving of their steps is tried.
//!
//! Answers by lease have a model of their own ([`lease`]), with time, and so have lanes of the audit ([`lanes`]).
//!
//! The steps stand for the code and are named as it is ([`protocol`]). That nothing breaks says something only because each
//! defence that is left out breaks something, which is tried too. What the model leaves out: connections that a pool opens
//! anew while the name changes twice, an in-place overwrite (`tests/it/journey/replaced.rs` tries both), time, and a memory
//! whose own file can't be written.

mod lanes;
mod lease;
mod protocol;
mod world;

use std::collections::{HashMap, VecDeque};
use std::fmt::{Debug, Display};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash};

use lanes::Lanes;
use lease::Leases;
use protocol::{Bounds, Who};
use world::{Broken, Defences, World};

/// A model: where it begins, and everything that may happen next.
trait Search {
    type World: Copy + Eq + Hash;
    type Who: Copy + Display;
    type Broken: Copy + Eq + Hash + Debug;

    fn first(&self) -> Self::World;
    fn steps(&self, world: &Self::World) -> Vec<Next<Self>>;
}

/// One thing that happens, and what it leads to.
type Next<M> = (<M as Search>::Who, &'static str, Result<<M as Search>::World, <M as Search>::Broken>);

/// What a search came to.
struct Searched<B> {
    states: usize,
    /// The shortest way to each thing that broke.
    broken: HashMap<B, Vec<String>>,
}

/// Tries every interleaving, the shortest ones first; at most until something breaks.
fn search<M: Search>(model: &M, until: Option<M::Broken>) -> Searched<M::Broken> {
    // Each world with the number of the one before it.
    let mut known: HashMap<M::World, u32, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    let mut ways: Vec<Way<M>> = vec![(0, None)];
    let mut queue = VecDeque::from([(model.first(), 0)]);
    let mut broken: HashMap<M::Broken, Vec<String>> = HashMap::new();
    known.insert(model.first(), 0);
    while let Some((world, number)) = queue.pop_front()
        && until.is_none_or(|what| !broken.contains_key(&what))
    {
        for (who, step, then) in model.steps(&world) {
            match then {
                Err(what) => {
                    broken.entry(what).or_insert_with(|| way::<M>(&ways, (number, Some((who, step)))));
                }
                Ok(then) if !known.contains_key(&then) => {
                    let next = u32::try_from(ways.len()).unwrap_or(u32::MAX);
                    known.insert(then, next);
                    ways.push((number, Some((who, step))));
                    queue.push_back((then, next));
                }
                Ok(_) => {}
            }
        }
    }
    Searched { states: known.len(), broken }
}

/// The number of the world before, and what happened then.
type Way<M> = (u32, Option<(<M as Search>::Who, &'static str)>);

fn way<M: Search>(ways: &[Way<M>], mut last: Way<M>) -> Vec<String> {
    let mut steps = Vec::new();
    while let (before, Some((who, step))) = last {
        steps.push(format!("{who}: {step}"));
        last = ways[before as usize];
    }
    steps.reverse();
    steps
}

/// The way of a revocation.
struct Protocol<'a> {
    on: &'a Defences,
    bounds: &'a Bounds,
}

impl Search for Protocol<'_> {
    type World = World;
    type Who = Who;
    type Broken = Broken;

    fn first(&self) -> World {
        World::new()
    }

    fn steps(&self, world: &World) -> Vec<Next<Self>> {
        protocol::steps(world, self.on, self.bounds)
    }
}

#[test]
fn no_interleaving_breaks_a_promise() {
    for bounds in [Bounds::ALL, Bounds::GATE, Bounds::CONSOLES, Bounds::POWER] {
        let found = search(&Protocol { on: &Defences::ALL, bounds: &bounds }, None);
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
        let found = search(&Protocol { on: &without, bounds: &bounds }, Some(breaks));
        let Some(way) = found.broken.get(&breaks) else {
            panic!("{without:?} breaks {:?} and not {breaks:?}", found.broken.keys());
        };
        println!("{breaks:?}, {} states, {without:?}:\n  {}", found.states, way.join("\n  "));
    }
}

#[test]
fn no_interleaving_breaks_the_promise_of_a_lease() {
    for bounds in [lease::Bounds::ONE, lease::Bounds::TWO] {
        let found = search(&Leases { on: lease::Defences::ALL, bounds }, None);
        println!("{bounds:?}: {} states", found.states);
        assert!(found.broken.is_empty(), "{:#?}", found.broken);
        assert!(found.states > 1_000, "{} states are too few to mean something", found.states);
    }
}

#[test]
fn each_defence_of_a_lease_that_is_left_out_breaks_its_promise() {
    use lease::Broken::{OlderThanLease, PassedAfterDone};
    let (all, one, two) = (lease::Defences::ALL, lease::Bounds::ONE, lease::Bounds::TWO);
    for (on, breaks, bounds) in [
        (lease::Defences { counts_from_the_beginning: false, ..all }, PassedAfterDone, one),
        (lease::Defences { asks_last: false, ..all }, OlderThanLease, one),
        (lease::Defences { writes_it_first: false, ..all }, PassedAfterDone, one),
        (lease::Defences { sees_its_row: false, ..all }, PassedAfterDone, one),
        (lease::Defences { row_stays: false, ..all }, PassedAfterDone, one),
        (lease::Defences { counts_sleep: false, ..all }, PassedAfterDone, one),
        (lease::Defences { forgets_first: false, ..all }, PassedAfterDone, one),
        (lease::Defences { confirms_what_is_applied: false, ..all }, PassedAfterDone, one),
        (lease::Defences { waits: false, ..all }, PassedAfterDone, two),
        (lease::Defences { waits_from_the_commit: false, ..all }, PassedAfterDone, two),
        (lease::Defences { waits_for_the_silent: false, ..all }, PassedAfterDone, two),
    ] {
        let found = search(&Leases { on, bounds }, Some(breaks));
        let Some(way) = found.broken.get(&breaks) else {
            panic!("{on:?} breaks {:?} and not {breaks:?}", found.broken.keys());
        };
        println!("{breaks:?}, {} states, {on:?}:\n  {}", found.states, way.join("\n  "));
    }
}

#[test]
fn no_interleaving_breaks_a_promise_in_lanes() {
    let found = search(&Lanes { on: lanes::Defences::ALL }, None);
    println!("{} states", found.states);
    assert!(found.broken.is_empty(), "{:#?}", found.broken);
    assert!(found.states > 5_000, "{} states are too few to mean something", found.states);
}

#[test]
fn each_defence_of_lanes_that_is_left_out_breaks_a_promise() {
    use lanes::Broken::{OutOfOrder, PassedAfterDone, Twice};
    let all = lanes::Defences::ALL;
    for (on, breaks) in [
        (lanes::Defences { waits: false, ..all }, PassedAfterDone),
        (lanes::Defences { sees_lanes: false, ..all }, Twice),
        (lanes::Defences { seals_first: false, ..all }, OutOfOrder),
        (lanes::Defences { in_order: false, ..all }, OutOfOrder),
    ] {
        let found = search(&Lanes { on }, Some(breaks));
        let Some(way) = found.broken.get(&breaks) else {
            panic!("{on:?} breaks {:?} and not {breaks:?}", found.broken.keys());
        };
        println!("{breaks:?}, {} states, {on:?}:\n  {}", found.states, way.join("\n  "));
    }
}
