//! Lanes of the audit as a small model: one who revokes a key, one who edits it, by a lane or past them, one who changes
//! another key; clients that die and wish again; a gate. Every interleaving is tried.
//!
//! A transaction's rows are seen with its commit. What the model leaves out: numbers of transactions, by which the search for
//! rows is kept short (`what_waits_is_numbered_whatever_the_server_counts` has those), and how a gate comes to remember what
//! it read, which `protocol` has.

use std::fmt;

use super::{Next, Search};

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A request passes that came after the revocation was confirmed.
    PassedAfterDone,
    /// A change is confirmed that has no number.
    Unnumbered,
    /// A change is told twice.
    Twice,
    /// What rests on another change has the smaller number.
    OutOfOrder,
}

/// What the code does against it: each can be left out.
#[derive(Clone, Copy, Debug)]
pub struct Defences {
    /// `Tx::commit`: nobody is answered before `keyrack_seal` has.
    pub waits: bool,
    /// `Tx::seen`: who wishes again finds what has no number yet.
    pub sees_lanes: bool,
    /// `keyrack_audit_begin`: whoever writes into the audit itself seals first.
    pub seals_first: bool,
    /// `keyrack_seal_all`: by the order in which rows were written.
    pub in_order: bool,
}

impl Defences {
    pub const ALL: Self = Self { waits: true, sees_lanes: true, seals_first: true, in_order: true };
}

const REVOKES: usize = 0;
const EDITS: usize = 1;
const PEOPLE: usize = 3;
/// Each wishes again so often.
const TRIES: u8 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Idle,
    /// The transaction has the key.
    Locked,
    /// Its row is written; `lane`: into a lane.
    Written {
        lane: bool,
    },
    Committed,
    /// It is sealing what these people left, a bit each.
    Sealing(u8),
    Done,
    Gone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Person {
    phase: Phase,
    tries: u8,
    /// What it seals before its own row, past the lanes.
    taken: u8,
    /// Its row in a lane, by the order of writing; and whether that is committed.
    row: Option<u8>,
    waits: bool,
}

/// A request with the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Request {
    #[default]
    None,
    /// `done`: it came after the revocation was confirmed.
    Judged { done: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    people: [Person; PEOPLE],
    /// Who has the key, and who the audit's head.
    key: Option<u8>,
    head: Option<u8>,
    written: u8,
    /// Whose changes have numbers, and how many there are.
    chain: [Option<u8>; PEOPLE],
    numbers: u8,
    /// Who of the two has changed the key first.
    first: Option<u8>,
    revoked: bool,
    /// The gate remembers the key as active, as of this number.
    known: Option<u8>,
    request: Request,
}

type Then = Result<World, Broken>;
type Steps = Vec<(&'static str, Then)>;

/// Who does something.
#[derive(Clone, Copy)]
pub enum Who {
    Person(usize),
    Gate,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(REVOKES) => f.write_str("who revokes"),
            Self::Person(EDITS) => f.write_str("who edits"),
            Self::Person(_) => f.write_str("another"),
            Self::Gate => f.write_str("gate"),
        }
    }
}

impl World {
    fn has_number(&self, who: usize) -> bool {
        self.chain.contains(&Some(who as u8))
    }

    /// Those whose rows are committed and have no number.
    fn waiting(&self) -> u8 {
        (0..PEOPLE).filter(|who| self.people[*who].waits).map(|who| 1 << who).sum()
    }

    fn number(&mut self, who: usize) -> Result<(), Broken> {
        if self.has_number(who) {
            return Err(Broken::Twice);
        }
        // Of the two changes of the key the second rests on the first.
        if who < 2 && self.first.is_some_and(|first| first != who as u8 && !self.has_number(first.into())) {
            return Err(Broken::OutOfOrder);
        }
        self.chain[usize::from(self.numbers)] = Some(who as u8);
        self.numbers += 1;
        Ok(())
    }

    /// The commit of who has sealed these.
    fn seal(&mut self, taken: u8, on: &Defences) -> Result<(), Broken> {
        let mut rows: Vec<usize> = (0..PEOPLE).filter(|who| taken & (1 << who) != 0).collect();
        rows.sort_by_key(|who| self.people[*who].row);
        if !on.in_order {
            rows.reverse();
        }
        for who in rows {
            self.number(who)?;
            self.people[who].row = None;
            self.people[who].waits = false;
        }
        Ok(())
    }

    fn commits(&mut self, who: usize) {
        if who < 2 {
            self.first = self.first.or(Some(who as u8));
            self.revoked |= who == REVOKES;
            self.key = None;
        }
    }
}

/// The model.
pub struct Lanes {
    pub on: Defences,
}

impl Search for Lanes {
    type World = World;
    type Who = Who;
    type Broken = Broken;

    fn first(&self) -> World {
        World {
            people: [Person::default(); PEOPLE],
            key: None,
            head: None,
            written: 0,
            chain: [None; PEOPLE],
            numbers: 0,
            first: None,
            revoked: false,
            known: None,
            request: Request::None,
        }
    }

    fn steps(&self, world: &World) -> Vec<Next<Self>> {
        let mut next = Vec::new();
        for who in 0..PEOPLE {
            let steps = self.person(world, who);
            next.extend(steps.into_iter().map(|(name, then)| (Who::Person(who), name, then)));
        }
        next.extend(self.gate(world).into_iter().map(|(name, then)| (Who::Gate, name, then)));
        next
    }
}

impl Lanes {
    fn person(&self, world: &World, who: usize) -> Steps {
        let (own, mut steps) = (world.people[who], Steps::new());
        let phase = |phase| {
            let mut then = *world;
            then.people[who].phase = phase;
            then
        };
        match own.phase {
            Phase::Idle if who < 2 && world.key.is_some() => {}
            Phase::Idle => {
                let mut then = phase(Phase::Locked);
                then.key = if who < 2 { Some(who as u8) } else { then.key };
                steps.push(("begin, lock", Ok(then)));
            }
            Phase::Locked if world.has_number(who) || (self.on.sees_lanes && own.waits) => {
                let mut then = phase(Phase::Committed);
                then.key = if who < 2 { None } else { then.key };
                steps.push(("seen: nothing to do", Ok(then)));
            }
            // Another row of the same wish.
            Phase::Locked if own.waits => steps.push(("write a row", Err(Broken::Twice))),
            Phase::Locked => {
                let mut then = phase(Phase::Written { lane: true });
                then.people[who].row = Some(then.written);
                then.written += 1;
                steps.push(("write a row into a lane", Ok(then)));
                if who == EDITS && world.head.is_none() {
                    let mut then = phase(Phase::Written { lane: false });
                    then.head = Some(who as u8);
                    then.people[who].taken = if self.on.seals_first { world.waiting() } else { 0 };
                    steps.push(("write a row past the lanes", Ok(then)));
                }
            }
            Phase::Written { lane: true } => {
                let mut then = phase(Phase::Committed);
                then.people[who].waits = true;
                then.commits(who);
                steps.push(("commit", Ok(then)));
            }
            Phase::Written { lane: false } => {
                let mut then = phase(Phase::Committed);
                then.head = None;
                let sealed = then.seal(own.taken, &self.on);
                then.people[who].taken = 0;
                then.commits(who);
                steps.push(("commit past the lanes", sealed.and_then(|()| then.number(who)).map(|()| then)));
            }
            Phase::Committed if !own.waits || !self.on.waits => {
                let then = phase(Phase::Done);
                let numbered = world.has_number(who) || !self.on.waits;
                steps.push(("done", if numbered { Ok(then) } else { Err(Broken::Unnumbered) }));
            }
            Phase::Committed if world.head.is_none() => {
                let mut then = phase(Phase::Sealing(world.waiting()));
                then.head = Some(who as u8);
                steps.push(("seal", Ok(then)));
            }
            Phase::Sealing(taken) => {
                let mut then = phase(Phase::Committed);
                then.head = None;
                let sealed = then.seal(taken, &self.on);
                steps.push(("commit the sealing", sealed.map(|()| then)));
            }
            Phase::Committed | Phase::Done | Phase::Gone => {}
        }
        if !matches!(own.phase, Phase::Idle | Phase::Done | Phase::Gone) {
            let mut then = phase(if own.tries + 1 < TRIES { Phase::Idle } else { Phase::Gone });
            then.people[who].tries += 1;
            then.people[who].taken = 0;
            if !own.waits {
                then.people[who].row = None;
            }
            then.key = then.key.filter(|holder| *holder != who as u8);
            then.head = then.head.filter(|holder| *holder != who as u8);
            steps.push(("dies, or loses its server", Ok(then)));
        }
        steps
    }

    fn gate(&self, world: &World) -> Steps {
        let (mut steps, mut then) = (Steps::new(), *world);
        match (world.known, world.request) {
            (None, _) if !world.revoked => {
                then.known = Some(world.numbers);
                steps.push(("read the key", Ok(then)));
            }
            (Some(_), Request::None) => {
                then.request = Request::Judged { done: world.people[REVOKES].phase == Phase::Done };
                steps.push(("a request comes, the key is remembered", Ok(then)));
            }
            (Some(known), Request::Judged { done }) => {
                let told =
                    world.chain[usize::from(known)..].iter().flatten().any(|who| usize::from(*who) < 2);
                then.request = Request::None;
                then.known = if told { None } else { Some(known) };
                let passes = if done && !told { Err(Broken::PassedAfterDone) } else { Ok(then) };
                steps.push((if told { "the proof tells of the key" } else { "it passes" }, passes));
            }
            (None, _) => {}
        }
        if world.waiting() > 0 && world.head.is_none() {
            let mut then = *world;
            let sealed = then.seal(world.waiting(), &self.on);
            steps.push(("seals what was left", sealed.map(|()| then)));
        }
        steps
    }
}
