//! The protocol: what may happen next, as the code has it. Each step names the code that it stands for.

use std::fmt;

use crate::world::{Answer, Broken, Console, Defences, File, Proof, Request, Round, Step, World};

/// How often persons and the world may do something in one history.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Revocations that each console tries.
    pub tries: [u8; 2],
    pub gate: bool,
    pub renamings: u8,
    pub fillings: u8,
    pub crashes: u8,
}

impl Bounds {
    /// All of it, with few repetitions.
    pub const ALL: Self = Self { tries: [1, 1], gate: true, renamings: 1, fillings: 1, crashes: 0 };
    /// What the world can do to a gate and one person.
    pub const GATE: Self = Self { tries: [1, 0], gate: true, renamings: 3, fillings: 0, crashes: 0 };
    /// What two persons and the world can do to each other.
    pub const CONSOLES: Self = Self { tries: [2, 1], gate: false, renamings: 3, fillings: 2, crashes: 0 };
    pub const POWER: Self = Self { tries: [1, 1], gate: true, renamings: 0, fillings: 1, crashes: 1 };
}

/// Who does something.
#[derive(Clone, Copy)]
pub enum Who {
    Console(usize),
    Gate,
    World,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console(number) => write!(f, "console {number}"),
            Self::Gate => f.write_str("gate"),
            Self::World => f.write_str("world"),
        }
    }
}

/// One thing that happens, and what it leads to.
pub type Next = (Who, &'static str, Result<World, Broken>);

/// Everything that may happen next.
pub fn steps(world: &World, on: &Defences, bounds: &Bounds) -> Vec<Next> {
    let mut next = Vec::new();
    let mut add = |who, (name, then): (&'static str, Result<World, Broken>)| {
        next.push((who, name, then.map(World::settled)))
    };
    for number in 0..world.consoles.len() {
        console(world, number, on, bounds).into_iter().for_each(|step| add(Who::Console(number), step));
    }
    if bounds.gate {
        let gate = prover(world, on).into_iter().chain(registrar(world, on)).chain(request(world, on));
        gate.for_each(|step| add(Who::Gate, step));
    }
    outside(world, bounds).into_iter().for_each(|step| add(Who::World, step));
    next
}

type Steps = Vec<(&'static str, Result<World, Broken>)>;

/// `service::revoke`, over `store::transact`, from the gesture to the word.
fn console(world: &World, number: usize, on: &Defences, bounds: &Bounds) -> Steps {
    let own = &world.consoles[number];
    let same = world.name == Some(own.held);
    let with = |change: &dyn Fn(&mut World, &mut Console)| {
        let mut then = *world;
        let mut console = then.consoles[number];
        change(&mut then, &mut console);
        then.consoles[number] = console;
        then
    };
    let end = |answer: Answer| with(&|_, console| (console.step, console.answer) = (Step::Idle, answer));
    // SQLite has taken the transaction back by itself. `sqlite::is_sound` has the pool close such a connection (H20).
    let full = || {
        with(&|_, console| {
            (console.step, console.answer, console.stuck) =
                (Step::Idle, Answer::Failed, !on.writer_is_closed);
        })
    };
    let goes = |step: Step| with(&|_, console| console.step = step);
    match own.step {
        Step::Idle => {
            let mut steps = Vec::new();
            if own.tries < bounds.tries[number] && own.answer != Answer::Revoked {
                // `Store::begin`: `check_file`.
                let name = "begin: check_file";
                steps.push(if on.names_before_commit && !same {
                    (
                        name,
                        Ok(with(&|_, console| {
                            (console.answer, console.tries) = (Answer::Replaced, console.tries + 1)
                        })),
                    )
                } else {
                    let begins = |_: &mut World, console: &mut Console| {
                        *console = Console {
                            step: Step::Checked,
                            tries: console.tries + 1,
                            was_gone: !same,
                            was_true: false,
                            ..*console
                        };
                    };
                    (name, Ok(with(&begins)))
                });
            }
            // `Worker::reopen`, `Service::again`, and then `Service::history`: the file is compared with the memory.
            if let Some(name) = world.name.filter(|_| !same) {
                let mut then = with(&|_, console| (console.held, console.stuck) = (name, false));
                then.looks_back(name);
                let silent = then.told && !then.files[usize::from(name)].revoked && !then.memory.gap;
                steps.push(("again, history", if silent { Err(Broken::MemoryIsSilent) } else { Ok(then) }));
            }
            // `Service::receipt`: what the gate's row says of the revocation.
            let file = &world.files[usize::from(own.held)];
            let confirmed =
                own.answer == Answer::Revoked && same && file.revoked && file.confirmed >= file.revoked_at;
            if confirmed && !world.receipt {
                steps.push(("receipt: the gate has confirmed", Ok(with(&|world, _| world.receipt = true))));
            }
            steps
        }
        // `begin_with("BEGIN IMMEDIATE")`: who finds the file locked waits.
        Step::Checked if own.stuck && !world.full => vec![("begin_with", Err(Broken::WriterIsStuck))],
        Step::Checked if own.stuck => vec![("begin_with: at non-zero depth", Ok(end(Answer::Failed)))],
        Step::Checked if world.is_locked(own.held) => Vec::new(),
        // `Revoke::carry_out`, with the row of the audit: nobody sees anything of it before the commit.
        Step::Checked if world.full => vec![("begin_with, carry_out: the disk is full", Ok(full()))],
        Step::Checked => vec![("begin_with, carry_out", Ok(goes(Step::Written)))],
        // `Store::attempt`: `check_file`.
        Step::Written if on.names_before_commit && !same => {
            vec![("attempt: check_file", Ok(end(Answer::Replaced)))]
        }
        Step::Written => vec![("attempt: check_file", Ok(goes(Step::MayCommit)))],
        Step::MayCommit if own.was_gone => vec![("commit", Err(Broken::WrittenIntoNothing))],
        Step::MayCommit if world.full => vec![("commit: the disk is full", Ok(full()))],
        Step::MayCommit => {
            let commits = |world: &mut World, held: u8| world.files[usize::from(held)].revoke(on.on_disk);
            // A lost answer: `Error::is_transient`, and the operation is tried again, which asks `Tx::seen`.
            let lost = if on.lost_is_asked_again { Step::Checked } else { Step::ReadBack };
            vec![
                (
                    "commit",
                    Ok(with(&|world, console| {
                        commits(world, console.held);
                        console.step = Step::Committed;
                    })),
                ),
                (
                    "commit: carried out, the answer is lost",
                    Ok(with(&|world, console| {
                        commits(world, console.held);
                        console.step = lost;
                    })),
                ),
                ("commit: not carried out, the answer is lost", Ok(goes(lost))),
            ]
        }
        // `Service::read_back`: `Store::reader` checks the names, then the key is read.
        Step::Committed if !on.read_back => vec![("no read_back", Ok(goes(Step::ReadBack)))],
        Step::Committed if !same => vec![("check_file", Ok(end(Answer::Replaced)))],
        Step::Committed if !world.files[usize::from(own.held)].revoked => {
            vec![("read_back", Ok(end(Answer::Failed)))]
        }
        Step::Committed => vec![("read_back", Ok(goes(Step::ReadBack)))],
        // `Service::remember`: without the file of that name it is no success. Else the word is said.
        Step::ReadBack if on.memory && on.memory_insists && !same => {
            vec![("remember", Ok(end(Answer::Replaced)))]
        }
        Step::ReadBack if !own.was_true => vec![("remember, \"revoked\"", Err(Broken::FalseWord))],
        Step::ReadBack => {
            let mut then = end(Answer::Revoked);
            then.told = true;
            if on.memory && same {
                then.looks_back(own.held);
            }
            vec![("remember, \"revoked\"", Ok(then))]
        }
    }
}

/// `service::gate::prover`: one reading for all who wait.
fn prover(world: &World, on: &Defences) -> Steps {
    let gate = &world.gate;
    let file = &world.files[usize::from(gate.held)];
    let mut then = *world;
    let own = &mut then.gate;
    match gate.round {
        // `Pulse::state`: `check_names`; then `Pulse::head`. Who waits now waits for this round.
        Round::None => {
            // It reads all the time; without anything to find that changes nothing.
            if gate.request.wants_nothing() && gate.applied == file.head {
                return Vec::new();
            }
            if on.gate_checks_names && world.name != Some(gate.held) {
                own.request.fails();
                return vec![("check_names, fail", Ok(then))];
            }
            own.round = Round::Begun;
            own.request.round_begins();
            vec![("begin", Ok(then))]
        }
        Round::Begun => {
            own.round = Round::Read(file.head);
            vec![("head", Ok(then))]
        }
        // `forget`, and only then `Proof::succeed`.
        Round::Read(head) if on.forgets_first => {
            own.forget(head);
            own.round = Round::Applied;
            vec![("forget", Ok(then))]
        }
        Round::Read(head) => {
            own.request.round_succeeds();
            own.round = Round::Late(head);
            vec![("succeed, and nothing is forgotten yet", Ok(then))]
        }
        Round::Applied => {
            own.request.round_succeeds();
            own.round = Round::None;
            vec![("succeed", Ok(then))]
        }
        Round::Late(head) => {
            own.forget(head);
            own.round = Round::None;
            vec![("forget", Ok(then))]
        }
    }
}

/// `service::gate::registrar`: how far the gate has applied what changed, in its row. `Store::writer` checks the names.
fn registrar(world: &World, on: &Defences) -> Steps {
    let gate = &world.gate;
    let gone = on.gate_checks_names && world.name != Some(gate.held);
    let known = world.files[usize::from(gate.held)].confirmed == gate.applied;
    if known || gone || world.full || world.is_locked(gate.held) {
        return Vec::new();
    }
    let mut then = *world;
    then.files[usize::from(gate.held)].confirmed = gate.applied;
    vec![("beat_gate", Ok(then))]
}

/// A request with the key, from `Gate::known` to `Gate::confirm`.
fn request(world: &World, on: &Defences) -> Steps {
    let gate = &world.gate;
    let file = &world.files[usize::from(gate.held)];
    let mut then = *world;
    let own = &mut then.gate;
    match gate.request {
        Request::None => {
            let dead = world.is_revoked_by_name();
            own.request = Request::Asked { dead, receipt: world.receipt };
            vec![("a request comes", Ok(then))]
        }
        Request::Asked { dead, receipt } => match gate.cache {
            Some(active) => {
                own.request = Request::Known { dead, receipt, active, proof: on.first_proof() };
                vec![("known: remembered", Ok(then))]
            }
            // `Store::sight`: the key and the number of the audit, at one moment.
            None => {
                own.request = Request::Sight { dead, receipt, active: !file.revoked, seq: file.head };
                vec![("read: sight", Ok(then))]
            }
        },
        // `Cache::keep`: what may be out of date already is read again (`reads_from_here`).
        Request::Sight { dead, receipt, active, seq } => {
            if on.reads_from_the_floor && seq < gate.applied {
                own.request = Request::Asked { dead, receipt };
                return vec![("keep: too old", Ok(then))];
            }
            own.cache = Some(active);
            own.request = Request::Known { dead, receipt, active, proof: on.first_proof() };
            vec![("keep", Ok(then))]
        }
        // `Proof::ask`: only a reading that begins later counts; and what was forgotten meanwhile is judged anew.
        Request::Known { dead, receipt, active, proof: Proof::Given } => {
            own.request = Request::None;
            if !active {
                return vec![("confirm: refused", Ok(then))];
            }
            // Where the name has changed meanwhile, somebody undid it.
            let still = world.is_revoked_by_name();
            let broken = match (dead && still, receipt && still && world.name == Some(gate.held)) {
                (_, true) => Some(Broken::PassedAfterReceipt),
                (true, _) => Some(Broken::PassedAfterRevoked),
                _ => None,
            };
            vec![("confirm: it passes", broken.map_or(Ok(then), Err))]
        }
        Request::Known { .. } => Vec::new(),
        Request::Refused => {
            own.request = Request::None;
            vec![("no proof: refused", Ok(then))]
        }
    }
}

/// What others do to the file, the disk and the machine.
fn outside(world: &World, bounds: &Bounds) -> Steps {
    let mut steps = Vec::new();
    if world.renamed < bounds.renamings {
        for (what, name) in [
            ("the file is moved away", None),
            ("the first file is put back", Some(0)),
            ("a backup is put in its place", Some(1)),
        ] {
            if world.name != name {
                let mut then = World { name, renamed: world.renamed + 1, ..*world };
                then.gate.request.is_undone();
                steps.push((what, Ok(then)));
            }
        }
    }
    if world.filled < bounds.fillings {
        let what = if world.full { "the disk has room again" } else { "the disk fills" };
        steps.push((what, Ok(World { full: !world.full, filled: world.filled + 1, ..*world })));
    }
    if world.crashed < bounds.crashes {
        let mut then = World { crashed: world.crashed + 1, ..*world };
        then.files.iter_mut().for_each(File::crash);
        let lost = world.told && world.is_revoked_by_name() && !then.is_revoked_by_name();
        steps.push(("the machine loses power", if lost { Err(Broken::LostWord) } else { Ok(then) }));
    }
    steps
}
