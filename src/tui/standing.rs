//! What the console shows whatever the screen: who acts, the issuers, how the outbox stands, how many alerts are open, what is
//! frozen or stopped.

use super::effect::{Effect, Request, RequestId, Timer, To};
use super::latest::{COUNTS, Latest, Paced};
use super::shell::Shell;
use crate::domain::subjects::Subjects;

#[cfg(test)]
mod tests;

const TIMER: Timer = Timer::Of(To::Shell);

/// The questions about it: at most one of each under way at a time, for they are asked again with each change.
#[derive(Debug, Default)]
pub struct Standing {
    who: Latest,
    issuers: Latest,
    /// What is due is counted among all keys.
    outbox: Paced,
    alerts: Latest,
    holds: Latest,
}

impl Standing {
    /// Asks for what may have changed with these subjects.
    pub fn ask(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        // What is due follows from keys, their accounts and what was sent already.
        let due = Subjects::KEYS | Subjects::ACCOUNTS | Subjects::REMINDERS;
        let mut effects: Vec<Effect> = [
            (&mut self.who, Subjects::OPERATORS, Request::Whoami),
            (&mut self.issuers, Subjects::ISSUERS, Request::Issuers),
        ]
        .into_iter()
        .filter(|(_, about, _)| about.meet(touched))
        .filter_map(|(latest, _, request)| latest.ask(shell, To::Shell, request))
        .collect();
        if due.meet(touched) {
            effects.extend(self.outbox.again(shell, To::Shell, TIMER, Request::Outbox));
        }
        if Subjects::ALERTS.meet(touched) {
            effects.extend(self.alerts.ask(shell, To::Shell, Request::OpenAlerts));
        }
        if Subjects::HOLDS.meet(touched) {
            effects.extend(self.holds.ask(shell, To::Shell, Request::Holds));
        }
        effects
    }

    /// A change has waited long enough for what is due to be counted again.
    pub fn ring(&mut self, shell: &mut Shell) -> Option<Effect> {
        if self.outbox.rung() { self.outbox.ask(shell, To::Shell, Request::Outbox) } else { None }
    }

    /// Takes note of an answer; a question that waited for it is sent.
    pub fn settle(&mut self, shell: &mut Shell, id: RequestId) -> Option<Effect> {
        if let Some(settled) = self.outbox.settle(shell, id, TIMER, Some(COUNTS)) {
            return settled.next;
        }
        [&mut self.who, &mut self.issuers, &mut self.alerts, &mut self.holds]
            .into_iter()
            .find_map(|latest| latest.settle(shell, id))?
            .next
    }
}
