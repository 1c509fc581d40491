//! What there is: two files, two consoles, a gate, a memory; and what may never come of it.

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// "Revoked" is said, and at no moment since the gesture did the file of that name hold the key revoked.
    FalseWord,
    /// "Revoked" was said, and the machine's loss of power takes it back.
    LostWord,
    /// A request passes that came after a receipt said that this gate has confirmed.
    PassedAfterReceipt,
    /// A request passes that came after the revocation.
    PassedAfterRevoked,
    /// A change that was begun when its file had lost the name is written all the same.
    WrittenIntoNothing,
    /// The disk has room, and a console can't begin to write.
    WriterIsStuck,
    /// "Revoked" was said, a console opens a file in which the key is active, and the memory has nothing to say.
    MemoryIsSilent,
}

/// What the code does against it: each can be left out.
#[derive(Clone, Copy, Debug)]
pub struct Defences {
    /// `Store::check_file` before a transaction, and before its commit.
    pub names_before_commit: bool,
    /// `Service::read_back` behind the commit, which compares the names too.
    pub read_back: bool,
    /// `sqlite::is_sound`: a connection that SQLite took a transaction from is closed.
    pub writer_is_closed: bool,
    /// `synchronous=FULL`, `synchronous_commit=on`: what is committed is on the disk.
    pub on_disk: bool,
    /// A commit whose answer is lost is tried again, under the same operation.
    pub lost_is_asked_again: bool,
    /// `Service::remember` before the word is said.
    pub memory: bool,
    /// Where `Service::remember` finds another file under the name, nothing is said to be done.
    pub memory_insists: bool,
    /// `Proof::ask`: a request waits for a reading that begins after it.
    pub proof_is_newer: bool,
    /// `Inner::reads_from_here`: what was read before the newest change is not remembered.
    pub reads_from_the_floor: bool,
    /// The prover forgets what changed before it says that its reading succeeded.
    pub forgets_first: bool,
    /// `WalIndex::check_names` in the gate's prover and registrar.
    pub gate_checks_names: bool,
}

impl Defences {
    pub const ALL: Self = Self {
        names_before_commit: true,
        read_back: true,
        writer_is_closed: true,
        on_disk: true,
        lost_is_asked_again: true,
        memory: true,
        memory_insists: true,
        proof_is_newer: true,
        reads_from_the_floor: true,
        forgets_first: true,
        gate_checks_names: true,
    };

    pub fn first_proof(&self) -> Proof {
        if self.proof_is_newer { Proof::Wanted } else { Proof::Given }
    }
}

/// A database's file. All come from one backup, in which the key is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct File {
    pub revoked: bool,
    /// Whether that is on the disk.
    pub saved: bool,
    /// The audit's last number, and that of the revocation.
    pub head: u8,
    pub revoked_at: u8,
    /// Up to which number the gate's row says that it has applied everything.
    pub confirmed: u8,
}

impl File {
    pub fn revoke(&mut self, on_disk: bool) {
        if !self.revoked {
            self.head += 1;
            (self.revoked, self.saved, self.revoked_at) = (true, on_disk, self.head);
        }
    }

    /// What was not on the disk is gone.
    pub fn crash(&mut self) {
        if self.revoked && !self.saved {
            *self = Self { confirmed: 0, ..Self::default() };
        }
    }
}

/// How far a console is with a revocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Step {
    #[default]
    Idle,
    Checked,
    Written,
    MayCommit,
    Committed,
    ReadBack,
}

/// What the person was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Answer {
    #[default]
    None,
    Revoked,
    /// It was not done: another file is under the name.
    Replaced,
    /// It may or may not have been done.
    Failed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Console {
    /// The file that its connections have open.
    pub held: u8,
    pub step: Step,
    pub answer: Answer,
    pub tries: u8,
    /// The driver takes a transaction for open that SQLite has ended.
    pub stuck: bool,
    /// Of the present try: whether the file had lost its name when it began; whether the key was revoked under the name since.
    pub was_gone: bool,
    pub was_true: bool,
}

/// Whether the proof is there that a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    Wanted,
    UnderWay,
    Given,
}

/// A request with the key. `dead`: it came when the key was revoked in the file of that name; `receipt`: it came when a
/// receipt had said that the gate has confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Request {
    #[default]
    None,
    Asked {
        dead: bool,
        receipt: bool,
    },
    Sight {
        dead: bool,
        receipt: bool,
        active: bool,
        seq: u8,
    },
    Known {
        dead: bool,
        receipt: bool,
        active: bool,
        proof: Proof,
    },
    Refused,
}

/// A reading of the gate's prover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Round {
    #[default]
    None,
    Begun,
    Read(u8),
    Applied,
    Late(u8),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gate {
    pub held: u8,
    /// Everything up to this number is applied.
    pub applied: u8,
    /// Whether the key is remembered, and as active.
    pub cache: Option<bool>,
    pub round: Round,
    pub request: Request,
}

impl Gate {
    /// Forgets what changed up to a number of the audit. Who rests on it is judged anew.
    pub fn forget(&mut self, head: u8) {
        if head > self.applied {
            (self.applied, self.cache) = (head, None);
            if let Request::Known { dead, receipt, .. } = self.request {
                self.request = Request::Asked { dead, receipt };
            }
        }
    }
}

impl Request {
    pub fn wants_nothing(&self) -> bool {
        !matches!(self, Self::Known { proof: Proof::Wanted, .. })
    }

    /// The name stands for another file: what the request was asked after is undone.
    pub fn is_undone(&mut self) {
        if let Self::Asked { dead, .. } | Self::Sight { dead, .. } | Self::Known { dead, .. } = self {
            *dead = false;
        }
    }

    pub fn round_begins(&mut self) {
        self.turns(Proof::Wanted, Proof::UnderWay);
    }

    pub fn round_succeeds(&mut self) {
        self.turns(Proof::UnderWay, Proof::Given);
    }

    fn turns(&mut self, from: Proof, to: Proof) {
        if let Self::Known { proof, .. } = self
            && *proof == from
        {
            *proof = to;
        }
    }

    pub fn fails(&mut self) {
        if matches!(self, Self::Known { proof: Proof::Wanted | Proof::UnderWay, .. }) {
            *self = Self::Refused;
        }
    }
}

/// What the consoles' machine remembers: the newest row of the audit that it saw, and whether it found one gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    pub file: u8,
    pub seq: u8,
    pub gap: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The first file, and a backup of it.
    pub files: [File; 2],
    /// Which of them is under the name.
    pub name: Option<u8>,
    pub full: bool,
    pub consoles: [Console; 2],
    pub gate: Gate,
    pub memory: Memory,
    /// "Revoked" was said; a receipt said that the gate has confirmed.
    pub told: bool,
    pub receipt: bool,
    /// How often something was done from outside.
    pub renamed: u8,
    pub filled: u8,
    pub crashed: u8,
}

impl World {
    pub fn new() -> Self {
        Self {
            files: Default::default(),
            name: Some(0),
            full: false,
            consoles: Default::default(),
            gate: Gate::default(),
            memory: Memory::default(),
            told: false,
            receipt: false,
            renamed: 0,
            filled: 0,
            crashed: 0,
        }
    }

    pub fn is_revoked_by_name(&self) -> bool {
        self.name.is_some_and(|name| self.files[usize::from(name)].revoked)
    }

    /// Whether a console's transaction is open in a file.
    pub fn is_locked(&self, file: u8) -> bool {
        let writes = |console: &Console| matches!(console.step, Step::Written | Step::MayCommit);
        self.consoles.iter().any(|console| console.held == file && writes(console))
    }

    /// `Memory::look`: compares a file with what is remembered, and remembers it.
    pub fn looks_back(&mut self, file: u8) {
        let head = self.files[usize::from(file)].head;
        let memory = &mut self.memory;
        let is_there = memory.seq == 0 || memory.file == file && memory.seq <= head;
        *memory = Memory { file, seq: head, gap: memory.gap || !is_there };
    }

    /// Takes note for each try whether the key was revoked under the name meanwhile.
    pub fn settled(mut self) -> Self {
        let now = self.is_revoked_by_name();
        for console in &mut self.consoles {
            console.was_true = console.step != Step::Idle && (console.was_true || now);
        }
        self
    }
}
