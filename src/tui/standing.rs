//! What the console shows whatever the screen: who acts, the issuers, how the outbox stands, how many alerts are open.

use super::effect::{Effect, Request, RequestId, To};
use super::latest::Latest;
use super::shell::Shell;
use crate::domain::subjects::Subjects;

#[cfg(test)]
mod tests;

/// The questions about it: at most one of each under way at a time, for they are asked again with each change.
#[derive(Debug, Default)]
pub struct Standing {
    who: Latest,
    issuers: Latest,
    outbox: Latest,
    alerts: Latest,
}

impl Standing {
    /// Asks for what may have changed with these subjects.
    pub fn ask(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        // What is due follows from keys, their accounts and what was sent already.
        let due = Subjects::KEYS | Subjects::ACCOUNTS | Subjects::REMINDERS;
        [
            (&mut self.who, Subjects::OPERATORS, Request::Whoami),
            (&mut self.issuers, Subjects::ISSUERS, Request::Issuers),
            (&mut self.outbox, due, Request::Outbox),
            (&mut self.alerts, Subjects::ALERTS, Request::OpenAlerts),
        ]
        .into_iter()
        .filter(|(_, about, _)| about.meet(touched))
        .filter_map(|(latest, _, request)| latest.ask(shell, To::Shell, request))
        .collect()
    }

    /// Takes note of an answer; a question that waited for it is sent.
    pub fn settle(&mut self, shell: &mut Shell, id: RequestId) -> Option<Effect> {
        [&mut self.who, &mut self.issuers, &mut self.outbox, &mut self.alerts]
            .into_iter()
            .find_map(|latest| latest.settle(shell, id))?
            .next
    }
}
