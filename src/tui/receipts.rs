//! Receipts: which gates have applied a revocation or an edit that was made here, and how soon.
//!
//! Asked in the background as soon as the database shows the revocation. Whoever looks sees the lines fill; whoever went
//! on is told the end in the last line. Where no gate runs nothing is shown.

use std::time::Duration;

use super::effect::{Effect, Outcomes, Request, RequestId, To};
use super::shell::Shell;
use super::tracked::{Deed, End, Tracked, remedy};
use crate::domain::key::KeyId;
use crate::service::{GateState, Receipt};

#[cfg(test)]
mod tests;

/// How long each look may wait for gates that have not confirmed: at first not at all, so that a person sees at once which
/// gates there are; together [`super::tracked::PATIENCE`].
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(2_750)];
/// Receipts that are kept.
const KEPT: usize = 8;

/// Asks the gates about keys that were revoked or edited. Answers the receipt's number.
pub fn begin(shell: &mut Shell, deed: Deed, what: String, keys: Vec<KeyId>) -> (u64, Effect) {
    let number = shell.number();
    let (id, effect) = look(shell, &keys, 0);
    let surplus = (shell.receipts.len() + 1).saturating_sub(KEPT);
    shell.receipts.drain(..surplus);
    shell.receipts.push(Tracked {
        number,
        deed,
        what,
        keys,
        looks: 1,
        asked: Some(id),
        gates: Vec::new(),
        weakness: None,
        end: None,
    });
    (number, effect)
}

fn look(shell: &mut Shell, keys: &[KeyId], number: usize) -> (RequestId, Effect) {
    let patience = LOOKS[number.min(LOOKS.len() - 1)];
    shell.ask(To::Shell, Request::Receipt { keys: keys.to_vec(), patience })
}

/// What an answer came to.
#[derive(Debug, Default)]
pub struct Answered {
    pub effects: Vec<Effect>,
    /// The receipt that turned out to tell nothing while somebody looks at it: there is no gate.
    pub nothing: Option<u64>,
}

/// An answer has come. Where nobody looks any more, by what `watched` says of its number, the end is told in the last line.
pub fn answered(
    shell: &mut Shell,
    id: RequestId,
    outcome: Outcomes<Receipt>,
    watched: impl FnOnce(u64) -> bool,
) -> Answered {
    let mut answered = Answered::default();
    let Some(at) = shell.receipts.iter().position(|one| one.asked == Some(id)) else { return answered };
    let mut one = shell.receipts.swap_remove(at);
    one.asked = None;
    match outcome {
        Err(failure) => one.end = Some(End::Unknown(failure.text)),
        Ok(receipt) => {
            let complete = receipt.is_complete();
            one.weakness = receipt.weakness;
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
                answered.effects.push(effect);
            }
        }
    }
    if one.ended() && !watched(one.number) {
        tell(shell, &one);
    } else {
        answered.nothing = one.without_gates().then_some(one.number);
        shell.receipts.push(one);
    }
    answered
}

/// Says the end in the last line, for whoever has gone on.
fn tell(shell: &mut Shell, one: &Tracked) {
    if one.without_gates() && one.weakness.is_none() {
        return;
    }
    let (severity, words) = one.summary();
    let stop = match one.gates.iter().find(|gate| gate.state == GateState::Waiting) {
        Some(gate) if one.end == Some(End::Waiting) => format!(". {}", remedy(gate)),
        _ => String::new(),
    };
    shell.toast(severity, format!("{}: {words}{stop}", one.what));
}
