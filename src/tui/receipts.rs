//! Receipts: which gates have applied a revocation that was made here, and how soon.
//!
//! Asked in the background as soon as the database shows the revocation. Whoever looks sees the lines fill; whoever went
//! on is told the end in the last line. Where no gate runs nothing is shown.

use std::time::Duration;

use super::effect::{Effect, Outcomes, Request, RequestId, To};
use super::state::{Severity, Shell, State};
use crate::config::theme::Role;
use crate::domain::key::KeyId;
use crate::domain::text::SafeText;
use crate::service::{GateReceipt, GateState, Receipt};
use crate::tui::view::times;

#[cfg(test)]
mod tests;

/// How long each look may wait for gates that have not confirmed: at first not at all, so that a person sees at once which
/// gates there are; together [`PATIENCE`].
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(2_750)];
/// A gate that is alive and has not confirmed after this many seconds is an error.
const PATIENCE: u64 = 3;
/// Receipts that are kept.
const KEPT: usize = 8;
/// Gates that are named; of more that confirmed only the number is said.
const NAMED: usize = 6;

/// What is known of one revocation's receipt.
#[derive(Debug, PartialEq)]
pub struct Tracked {
    number: u64,
    /// What was revoked: a name, or how many.
    what: String,
    keys: Vec<KeyId>,
    looks: usize,
    asked: Option<RequestId>,
    gates: Vec<GateReceipt>,
    end: Option<End>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// There is no gate to ask.
    NoGates,
    /// Every gate that is alive has confirmed.
    Complete,
    /// A gate that is alive has not.
    Waiting,
    /// The gates could not be asked; the reason in words.
    Unknown(SafeText),
}

/// Asks the gates about keys that were revoked. Answers the receipt's number.
pub fn begin(shell: &mut Shell, what: String, keys: Vec<KeyId>) -> (u64, Effect) {
    let number = shell.reserve();
    let (id, effect) = look(shell, &keys, 0);
    let surplus = (shell.receipts.len() + 1).saturating_sub(KEPT);
    shell.receipts.drain(..surplus);
    shell.receipts.push(Tracked {
        number,
        what,
        keys,
        looks: 1,
        asked: Some(id),
        gates: Vec::new(),
        end: None,
    });
    (number, effect)
}

fn look(shell: &mut Shell, keys: &[KeyId], number: usize) -> (RequestId, Effect) {
    let patience = LOOKS[number.min(LOOKS.len() - 1)];
    shell.ask(To::Shell, Request::Receipt { keys: keys.to_vec(), patience })
}

/// An answer has come. Ends what waits for it, or tells the end where nobody looks any more.
pub fn answered(state: &mut State, id: RequestId, outcome: Outcomes<Receipt>) -> Vec<Effect> {
    let State { shell, overlays, .. } = state;
    let Some(at) = shell.receipts.iter().position(|one| one.asked == Some(id)) else { return Vec::new() };
    let mut one = shell.receipts.swap_remove(at);
    one.asked = None;
    let mut effects = Vec::new();
    match outcome {
        Err(failure) => one.end = Some(End::Unknown(failure.text)),
        Ok(receipt) => {
            let complete = receipt.is_complete();
            one.merge(receipt.gates);
            if one.gates.is_empty() {
                one.end = Some(End::NoGates);
            } else if complete {
                one.end = Some(End::Complete);
            } else if one.looks == LOOKS.len() {
                one.end = Some(End::Waiting);
            } else {
                let (id, effect) = look(shell, &one.keys, one.looks);
                one.asked = Some(id);
                one.looks += 1;
                effects.push(effect);
            }
        }
    }
    let number = one.number;
    let watched = overlays.iter().any(|opened| opened.overlay.receipt() == Some(number));
    if one.end.is_some() && !watched {
        one.tell(shell);
        return effects;
    }
    let nothing = one.end == Some(End::NoGates);
    shell.receipts.push(one);
    if nothing && let Some(opened) = overlays.last_mut() {
        opened.overlay.no_gates(shell, number);
    }
    effects
}

impl Shell {
    /// The receipt of this number, where there are gates or may be.
    pub fn receipt(&self, number: u64) -> Option<&Tracked> {
        self.receipts.iter().find(|one| one.number == number && one.end != Some(End::NoGates))
    }
}

impl Tracked {
    /// Takes over what the gates say now. What a gate said first counts: the next change moves its mark on.
    fn merge(&mut self, gates: Vec<GateReceipt>) {
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

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for gate in &self.gates {
            match gate.state {
                GateState::Confirmed { after_ms } => {
                    counts.confirmed += 1;
                    counts.last_ms = counts.last_ms.max(after_ms);
                }
                GateState::Waiting => counts.waiting += 1,
                GateState::OutOfTouch { .. } => counts.silent += 1,
            }
        }
        counts
    }

    /// The whole in one sentence, and how good that is.
    fn summary(&self) -> (Severity, String) {
        let Counts { confirmed, waiting, silent, last_ms } = self.counts();
        let silent_words = match silent {
            0 => String::new(),
            1 => "; one gate is out of touch and refuses everything by itself".to_owned(),
            many => format!("; {many} gates are out of touch and refuse everything by themselves"),
        };
        match &self.end {
            None if self.gates.is_empty() => (Severity::Info, "asking the gates…".into()),
            None => {
                (Severity::Info, format!("waiting for {waiting} of {}…", gates(confirmed + waiting + silent)))
            }
            Some(End::NoGates) => (Severity::Info, "no gate is registered".into()),
            Some(End::Complete) if confirmed == 0 => {
                (Severity::Warning, format!("no gate is in touch{silent_words}"))
            }
            Some(End::Complete) => {
                let words = match (confirmed, silent) {
                    (1, 0) => format!("the gate confirmed after {last_ms} ms"),
                    (1, _) => format!("one gate confirmed after {last_ms} ms"),
                    (many, 0) => format!("all {many} gates confirmed, the last after {last_ms} ms"),
                    (many, _) => format!("{many} gates confirmed, the last after {last_ms} ms"),
                };
                (Severity::Good, format!("refused everywhere: {words}{silent_words}"))
            }
            Some(End::Waiting) => (
                Severity::Bad,
                format!(
                    "{} alive and {} not confirmed within {PATIENCE} s: {} may still let it pass{silent_words}",
                    if waiting == 1 { "one gate is".into() } else { format!("{waiting} gates are") },
                    if waiting == 1 { "has" } else { "have" },
                    if waiting == 1 { "it" } else { "they" },
                ),
            ),
            Some(End::Unknown(why)) => {
                (Severity::Warning, format!("it is revoked, but whether the gates know can't be seen: {why}"))
            }
        }
    }

    /// Says the end in the last line, for whoever has gone on.
    fn tell(&self, shell: &mut Shell) {
        if self.end == Some(End::NoGates) {
            return;
        }
        let (severity, words) = self.summary();
        let stop = match self.gates.iter().find(|gate| gate.state == GateState::Waiting) {
            Some(gate) if self.end == Some(End::Waiting) => format!(". {}", remedy(gate)),
            _ => String::new(),
        };
        shell.toast(severity, format!("{}: {words}{stop}", self.what));
    }

    /// The receipt as lines: the whole first, then each gate, those that need a person before the others.
    pub fn lines(&self, shell: &Shell) -> Vec<(Role, String)> {
        let (severity, words) = self.summary();
        let mut first = words.chars();
        let words: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
        let stop = if words.ends_with('…') { "" } else { "." };
        let mut lines = vec![(severity.role(), format!("{words}{stop}"))];
        let place = |gate: &&GateReceipt| match gate.state {
            GateState::Waiting => 0,
            GateState::OutOfTouch { .. } => 1,
            GateState::Confirmed { .. } => 2,
        };
        let mut gates: Vec<&GateReceipt> = self.gates.iter().collect();
        gates.sort_by_key(place);
        let needed = gates.iter().filter(|gate| place(gate) < 2).count();
        let named = if gates.len() > NAMED { needed.max(NAMED - 1) } else { gates.len() };
        for gate in &gates[..named] {
            lines.extend(self.gate_lines(shell, gate));
        }
        let more = gates.len() - named;
        if more > 0 {
            lines.push((Role::Ok, format!("✓ {more} more confirmed")));
        }
        lines
    }

    fn gate_lines(&self, shell: &Shell, gate: &GateReceipt) -> Vec<(Role, String)> {
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
                    "! {name} out of touch since {}: it refuses everything by itself until the database answers it",
                    times::clock(since, shell.utc)
                ),
            )],
        }
    }
}

#[derive(Default)]
struct Counts {
    confirmed: usize,
    waiting: usize,
    silent: usize,
    /// The longest that a gate took to confirm.
    last_ms: u64,
}

/// What to do about a gate that does not confirm.
fn remedy(gate: &GateReceipt) -> String {
    format!("Stop {} on {} ({}) now; its log says what holds it up.", gate.name, gate.host, gate.listen)
}

fn gates(count: usize) -> String {
    if count == 1 { "1 gate".into() } else { format!("{count} gates") }
}
