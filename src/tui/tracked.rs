//! What is known of one revocation's receipt: which gates have applied it, in words.

use super::effect::RequestId;
use super::view::times;
use super::words::{Severity, count};
use crate::config::theme::Role;
use crate::domain::key::KeyId;
use crate::domain::text::SafeText;
use crate::service::{GateReceipt, GateState, NO_GATE};

/// A gate that is alive and has not confirmed after this many seconds is an error.
pub const PATIENCE: u64 = 3;
/// Gates that are named; of more that confirmed only the number is said.
const NAMED: usize = 6;

/// What gates are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Revoked,
    Edited,
    Paused,
    Resumed,
}

impl Deed {
    /// Whether gates are to refuse what they let pass before.
    fn refuses(self) -> bool {
        matches!(self, Self::Revoked | Self::Paused)
    }

    /// What it is, and what has been done.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Revoked => ("revocation", "revoked"),
            Self::Edited => ("change", "saved"),
            Self::Paused => ("pause", "paused"),
            Self::Resumed => ("change", "resumed"),
        }
    }
}

/// What is known of the receipt of a revocation, an edit, a pause.
#[derive(Debug, PartialEq)]
pub struct Tracked {
    pub number: u64,
    pub deed: Deed,
    /// What was changed: a name, or how many.
    pub what: String,
    pub keys: Vec<KeyId>,
    pub looks: usize,
    pub asked: Option<RequestId>,
    pub gates: Vec<GateReceipt>,
    /// Why the database may lose the revocation.
    pub weakness: Option<&'static str>,
    pub end: Option<End>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There is no gate to ask.
    NoGates,
    /// Every gate that is alive has confirmed.
    Complete,
    /// A gate that is alive has not.
    Waiting,
    /// The gates could not be asked; the reason in words.
    Unknown(SafeText),
}

impl Tracked {
    /// Takes over what the gates say now. What a gate said first counts: the next change moves its mark on.
    pub fn merge(&mut self, gates: Vec<GateReceipt>) {
        let old = std::mem::replace(&mut self.gates, gates);
        for gate in &mut self.gates {
            let said = old.iter().find(|other| {
                (&other.name, &other.host, &other.listen) == (&gate.name, &gate.host, &gate.listen)
            });
            if let Some(said) = said.filter(|said| matches!(said.state, GateState::Confirmed { .. })) {
                gate.state = said.state;
            }
        }
    }

    /// Whether a first answer has come.
    pub fn begun(&self) -> bool {
        self.end.is_some() || !self.gates.is_empty()
    }

    /// Whether the end is known.
    pub fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether there is no gate to ask.
    pub fn without_gates(&self) -> bool {
        self.end == Some(End::NoGates)
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for gate in &self.gates {
            match gate.state {
                GateState::Confirmed { after_ms } => {
                    counts.confirmed += 1;
                    counts.last_ms = counts.last_ms.max(after_ms);
                }
                GateState::LeaseRanOut { .. } => counts.ran_out += 1,
                GateState::Waiting => counts.waiting += 1,
                GateState::OutOfTouch { .. } => counts.silent += 1,
            }
        }
        counts
    }

    /// The whole in one sentence, and how good that is.
    pub fn summary(&self) -> (Severity, String) {
        let (severity, words) = self.standing();
        match self.weakness {
            Some(why) => {
                let (what, _) = self.deed.words();
                (severity.max(Severity::Warning), format!("{words}; the {what} may be lost: {why}"))
            }
            None => (severity, words),
        }
    }

    fn standing(&self) -> (Severity, String) {
        let Counts { confirmed, ran_out, waiting, silent, last_ms } = self.counts();
        let gone_words = match ran_out {
            0 => String::new(),
            1 => "; the lease of one ran out".to_owned(),
            many => format!("; the leases of {many} ran out"),
        };
        let silent_words = gone_words
            + &match silent {
                0 => String::new(),
                1 => "; one gate is out of touch and refuses everything".to_owned(),
                many => format!("; {many} gates are out of touch and refuse everything"),
            };
        match &self.end {
            None if self.gates.is_empty() => (Severity::Info, "asking the gates…".into()),
            None => (
                Severity::Info,
                format!(
                    "waiting for {waiting} of {}…",
                    count((confirmed + ran_out + waiting + silent) as u64, "gate")
                ),
            ),
            Some(End::NoGates) => (Severity::Warning, NO_GATE.into()),
            Some(End::Complete) if confirmed == 0 && ran_out > 0 => {
                let everywhere = if self.deed.refuses() { "refused" } else { "applied" };
                (Severity::Good, format!("{everywhere} everywhere: no gate confirmed{silent_words}"))
            }
            Some(End::Complete) if confirmed == 0 => {
                (Severity::Warning, format!("no gate is in touch{silent_words}"))
            }
            Some(End::Complete) => {
                let words = match (confirmed, silent + ran_out) {
                    (1, 0) => format!("the gate confirmed after {last_ms} ms"),
                    (1, _) => format!("one gate confirmed after {last_ms} ms"),
                    (many, 0) => format!("all {many} gates confirmed, the last after {last_ms} ms"),
                    (many, _) => format!("{many} gates confirmed, the last after {last_ms} ms"),
                };
                let everywhere = if self.deed.refuses() { "refused" } else { "applied" };
                (Severity::Good, format!("{everywhere} everywhere: {words}{silent_words}"))
            }
            Some(End::Waiting) => (
                Severity::Bad,
                format!(
                    "{} alive and {} not confirmed within {PATIENCE} s: {} may still {}{silent_words}",
                    if waiting == 1 { "one gate is".into() } else { format!("{waiting} gates are") },
                    if waiting == 1 { "has" } else { "have" },
                    if waiting == 1 { "it" } else { "they" },
                    if self.deed.refuses() { "let it pass" } else { "decide as before" },
                ),
            ),
            Some(End::Unknown(why)) => {
                let (_, done) = self.deed.words();
                (Severity::Warning, format!("it is {done}, but whether the gates know is unknown: {why}"))
            }
        }
    }

    /// The receipt as lines: the whole first, then each gate, those that need a person before the others.
    pub fn lines(&self, utc: bool) -> Vec<(Role, String)> {
        let (severity, words) = self.summary();
        let mut first = words.chars();
        let words: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
        let stop = if words.ends_with('…') { "" } else { "." };
        let mut lines = vec![(severity.role(), format!("{words}{stop}"))];
        let place = |gate: &&GateReceipt| match gate.state {
            GateState::Waiting => 0,
            GateState::OutOfTouch { .. } | GateState::LeaseRanOut { .. } => 1,
            GateState::Confirmed { .. } => 2,
        };
        let mut gates: Vec<&GateReceipt> = self.gates.iter().collect();
        gates.sort_by_key(place);
        let needed = gates.iter().filter(|gate| place(gate) < 2).count();
        let named = if gates.len() > NAMED { needed.max(NAMED - 1) } else { gates.len() };
        for gate in &gates[..named] {
            lines.extend(self.gate_lines(utc, gate));
        }
        let more = gates.len() - named;
        if more > 0 {
            lines.push((Role::Ok, format!("✓ {more} more confirmed")));
        }
        lines
    }

    fn gate_lines(&self, utc: bool, gate: &GateReceipt) -> Vec<(Role, String)> {
        let twin = self.gates.iter().filter(|other| other.name == gate.name).count() > 1;
        let name = if twin {
            format!("{} on {} ({})", gate.name, gate.host, gate.listen)
        } else {
            gate.name.as_str().to_owned()
        };
        match gate.state {
            GateState::Confirmed { after_ms } => {
                vec![(Role::Ok, format!("✓ {name} confirmed after {after_ms} ms"))]
            }
            GateState::LeaseRanOut { at } => vec![(
                Role::Ok,
                format!(
                    "✓ {name} hasn't confirmed; its lease ran out at {}, so it no longer answers from older data",
                    times::clock(at, utc)
                ),
            )],
            GateState::Waiting if self.end.is_none() => {
                vec![(Role::Info, format!("○ {name} waiting"))]
            }
            GateState::Waiting => vec![
                (Role::Danger, format!("✕ {name} has not confirmed within {PATIENCE} s")),
                (Role::Text, format!("  {}", remedy(gate))),
            ],
            GateState::OutOfTouch { since } => vec![(
                Role::Warning,
                format!(
                    "! {name} out of touch since {}: it refuses everything until it reaches the database again",
                    times::clock(since, utc)
                ),
            )],
        }
    }
}

#[derive(Default)]
struct Counts {
    confirmed: usize,
    /// That did not, and can't answer from memory any more.
    ran_out: usize,
    waiting: usize,
    silent: usize,
    /// The longest that a gate took to confirm.
    last_ms: u64,
}

/// What to do about a gate that does not confirm.
pub fn remedy(gate: &GateReceipt) -> String {
    format!("Stop {} on {} ({}) now; its log says what holds it up.", gate.name, gate.host, gate.listen)
}
