//! Answers by lease as a small model: two gates, a database, a person who revokes the key; gates that stand still, readings
//! that are lost, machines that sleep, a row that is taken away. Time goes in steps, without end, and between any two of them
//! anybody may do anything. Every interleaving is tried: what is kept of time is how long ago something was, up to where that makes
//! no difference any more.
//!
//! A lease lasts [`LEASE`] steps. What the model leaves out: clocks that go at different paces (`Freshness::over_after` has a
//! margin for them), and proofs that overlap, which `protocol` has.

use std::fmt;

use super::{Next, Search};

/// How long a gate answers from memory.
const LEASE: u8 = 1;
/// Longer ago than this is over, however long.
const OVER: u8 = LEASE + 1;

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A request passes that came after the revocation was acknowledged.
    PassedAfterDone,
    /// An answer passes that is older than the lease.
    OlderThanLease,
}

/// What the code does against it: each can be left out.
#[derive(Clone, Copy, Debug)]
pub struct Defences {
    /// `Proof::succeed`: a lease counts from when its reading began.
    pub counts_from_the_beginning: bool,
    /// `Door::decide`: whether the lease holds is asked last, and for the time that it is then.
    pub asks_last: bool,
    /// `Gate::begin`: the lease is in the gate's row before a request rests on it.
    pub writes_it_first: bool,
    /// `Pulse::head`: a reading that does not find the lease in the gate's row gives none.
    pub sees_its_row: bool,
    /// `registrar::forget_leases`, and `Inner::is_heard_of`: a row is only taken away when nothing can rest on it any more.
    pub row_stays: bool,
    /// `Uptime`: time goes on while the machine sleeps.
    pub counts_sleep: bool,
    /// `prover::look`: what changed is forgotten before the reading counts.
    pub forgets_first: bool,
    /// `registrar::tell`: a gate confirms what it has applied, and no more.
    pub confirms_what_is_applied: bool,
    /// `leases::run_out`: who revoked waits for gates that have not confirmed, from after the commit on.
    pub waits: bool,
    pub waits_from_the_commit: bool,
    /// A gate that looks out of touch is waited for all the same.
    pub waits_for_the_silent: bool,
}

impl Defences {
    pub const ALL: Self = Self {
        counts_from_the_beginning: true,
        asks_last: true,
        writes_it_first: true,
        sees_its_row: true,
        row_stays: true,
        counts_sleep: true,
        forgets_first: true,
        confirms_what_is_applied: true,
        waits: true,
        waits_from_the_commit: true,
        waits_for_the_silent: true,
    };
}

/// A gate's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Row {
    confirmed: bool,
    /// How long ago it was written last.
    heard: u8,
}

/// A reading of a gate's prover: how long ago it began by the gate's clock, and what it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Round {
    #[default]
    None,
    Begun {
        ago: u8,
    },
    Read {
        ago: u8,
        revoked: bool,
        row: bool,
    },
    /// It counts, and what it told of is not forgotten yet.
    Late,
}

/// A request with the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Request {
    #[default]
    None,
    /// `done`: it came after the revocation was acknowledged.
    Asked { done: bool },
    /// The key was remembered, and as active; `held`: the lease held then.
    Judged { done: bool, held: bool },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Gate {
    /// Whether it has forgotten the key as active, because a reading told of the revocation.
    applied: bool,
    round: Round,
    /// How long ago, by the gate's clock, the reading began that the lease is by.
    leased: Option<u8>,
    request: Request,
}

/// How far the revocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Person {
    Idle,
    /// It has been on its way for so long.
    Sent(u8),
    /// It is committed, and is waited for since then; these gates had a row at the first look.
    Waits(u8, [bool; 2]),
    Done,
}

/// What may happen in one history.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Whether there is a second gate, of which only its readings and its row are looked at.
    pub second: bool,
    /// Whether readings are lost, a machine sleeps, a row is taken away.
    pub mishaps: bool,
}

impl Bounds {
    pub const TWO: Self = Self { second: true, mishaps: false };
    pub const ONE: Self = Self { second: false, mishaps: true };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// How long ago the key was revoked, if it was.
    revoked: Option<u8>,
    rows: [Option<Row>; 2],
    gates: [Gate; 2],
    person: Person,
}

/// Who does something.
#[derive(Clone, Copy)]
pub enum Who {
    Person,
    Gate(usize),
    World,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("person"),
            Self::Gate(number) => write!(f, "gate {number}"),
            Self::World => f.write_str("world"),
        }
    }
}

/// The model with these defences, within these bounds.
pub struct Leases {
    pub on: Defences,
    pub bounds: Bounds,
}

impl Search for Leases {
    type World = World;
    type Who = Who;
    type Broken = Broken;

    fn first(&self) -> World {
        World { revoked: None, rows: [None; 2], gates: Default::default(), person: Person::Idle }
    }

    fn steps(&self, world: &World) -> Vec<Next<Self>> {
        let mut next = Vec::new();
        let mut add = |who, steps: Vec<Step<Result<World, Broken>>>| {
            next.extend(steps.into_iter().map(|(what, then)| (who, what, then)));
        };
        add(Who::Gate(0), [self.registrar(world, 0), self.prover(world), request(world, &self.on)].concat());
        if self.bounds.second {
            add(Who::Gate(1), [self.registrar(world, 1), second(world)].concat());
        }
        add(Who::Person, self.person(world));
        add(Who::World, self.outside(world));
        next
    }
}

type Step<T> = (&'static str, T);
type Steps = Vec<Step<Result<World, Broken>>>;

fn later(ago: &mut u8) {
    *ago = (*ago + 1).min(OVER);
}

impl World {
    /// A step of time; `asleep`: the first gate's clock stands still meanwhile.
    fn goes_on(mut self, asleep: bool) -> Self {
        self.revoked.as_mut().into_iter().for_each(later);
        self.rows.iter_mut().flatten().for_each(|row| later(&mut row.heard));
        if let Person::Sent(ago) | Person::Waits(ago, _) = &mut self.person {
            later(ago);
        }
        for gate in &mut self.gates[usize::from(asleep)..] {
            if let Round::Begun { ago } | Round::Read { ago, .. } = &mut gate.round {
                later(ago);
            }
            gate.leased.as_mut().into_iter().for_each(later);
        }
        self
    }

    fn with(&self, gate: usize, change: impl FnOnce(&mut Gate)) -> Self {
        let mut then = *self;
        change(&mut then.gates[gate]);
        then
    }
}

impl Leases {
    /// Whoever revokes: `Service::change`, and behind it `leases::run_out`.
    fn person(&self, world: &World) -> Steps {
        let on = &self.on;
        let then = |person| Ok(World { person, ..*world });
        match world.person {
            Person::Idle => vec![("transact", then(Person::Sent(0)))],
            Person::Sent(ago) => {
                let since = if on.waits_from_the_commit { 0 } else { ago };
                let alive = |row: &Row| on.waits_for_the_silent || row.heard < OVER;
                let waited = [0, 1].map(|gate| on.waits && world.rows[gate].as_ref().is_some_and(alive));
                let person = Person::Waits(since, waited);
                vec![(
                    "commit, and the first look at the rows",
                    Ok(World { revoked: Some(0), person, ..*world }),
                )]
            }
            Person::Waits(ago, waited) => {
                let confirmed = |gate: usize| world.rows[gate].is_none_or(|row| row.confirmed);
                let settled = (0..2).all(|gate| !waited[gate] || ago >= OVER || confirmed(gate));
                if settled { vec![("\"revoked\" is said", then(Person::Done))] } else { Vec::new() }
            }
            Person::Done => Vec::new(),
        }
    }

    /// `service::gate::registrar`.
    fn registrar(&self, world: &World, number: usize) -> Steps {
        let own = &world.gates[number];
        let applied = if self.on.confirms_what_is_applied { own.applied } else { world.revoked.is_some() };
        let (what, confirmed) = match world.rows[number] {
            None => ("register_gate", own.applied),
            Some(row) => ("beat_gate", row.confirmed || applied),
        };
        let new = Some(Row { confirmed, heard: 0 });
        if world.rows[number] == new {
            return Vec::new();
        }
        let mut then = *world;
        then.rows[number] = new;
        vec![(what, Ok(then))]
    }

    /// `service::gate::prover` of the first gate.
    fn prover(&self, world: &World) -> Steps {
        let (on, own) = (&self.on, &world.gates[0]);
        match own.round {
            Round::None => vec![("begin", Ok(world.with(0, |gate| gate.round = Round::Begun { ago: 0 })))],
            Round::Begun { ago } => {
                let read =
                    Round::Read { ago, revoked: world.revoked.is_some(), row: world.rows[0].is_some() };
                let mut steps = vec![("head", Ok(world.with(0, |gate| gate.round = read)))];
                if self.bounds.mishaps {
                    let lost = world.with(0, |gate| gate.round = Round::None);
                    steps.push(("fail: the answer is lost", Ok(lost)));
                }
                steps
            }
            Round::Read { ago, revoked, row } => {
                let may = row || !on.writes_it_first || !on.sees_its_row && own.leased.is_some();
                let then = world.with(0, |gate| {
                    gate.leased = may.then_some(if on.counts_from_the_beginning { ago } else { 0 });
                    gate.applied |= revoked && on.forgets_first;
                    gate.round = if revoked && !gate.applied { Round::Late } else { Round::None };
                });
                vec![("forget, succeed", Ok(then))]
            }
            Round::Late => {
                let then = world.with(0, |gate| (gate.applied, gate.round) = (true, Round::None));
                vec![("forget", Ok(then))]
            }
        }
    }

    /// What happens to everybody, and to the first gate.
    fn outside(&self, world: &World) -> Steps {
        let mut steps = vec![("time goes on", Ok(world.goes_on(false)))];
        if !self.bounds.mishaps {
            return steps;
        }
        steps.push(("the gate's machine sleeps", Ok(world.goes_on(!self.on.counts_sleep))));
        let own = &world.gates[0];
        if let Some(row) = world.rows[0] {
            let rests = own.leased.is_some_and(|ago| ago < OVER) || own.round != Round::None;
            if !self.on.row_stays || (row.heard >= OVER && !rests) {
                let mut then = *world;
                then.rows[0] = None;
                steps.push(("the gate's row is taken away", Ok(then)));
            }
        }
        steps
    }
}

/// The second gate reads in one step: it is there to be waited for.
fn second(world: &World) -> Steps {
    if world.revoked.is_none() || world.gates[1].applied {
        return Vec::new();
    }
    vec![("read, forget, succeed", Ok(world.with(1, |gate| gate.applied = true)))]
}

/// A request at the first gate, from `Gate::known` to `Gate::confirm`.
fn request(world: &World, on: &Defences) -> Steps {
    let own = &world.gates[0];
    let holds = own.leased.is_some_and(|ago| ago < OVER);
    let becomes = |request| Ok(world.with(0, |gate| gate.request = request));
    match own.request {
        Request::None => {
            vec![("a request comes", becomes(Request::Asked { done: world.person == Person::Done }))]
        }
        Request::Asked { .. } if own.applied => vec![("it is refused", becomes(Request::None))],
        Request::Asked { done } => {
            vec![("known: remembered", becomes(Request::Judged { done, held: holds }))]
        }
        // A proof finds what is so.
        Request::Judged { held, .. } if own.applied || !(if on.asks_last { holds } else { held }) => {
            vec![("confirm: by a proof, or not at all", becomes(Request::None))]
        }
        Request::Judged { done, .. } => {
            let passes = match world.revoked {
                _ if done => Err(Broken::PassedAfterDone),
                Some(OVER) => Err(Broken::OlderThanLease),
                _ => becomes(Request::None),
            };
            vec![("confirm: it passes by the lease", passes)]
        }
    }
}
