//! The receipt of `keyrack key revoke` and of what else stops keys: what each gate says.

use std::sync::Arc;

use super::super::failure::{Failure, Result};
use super::super::say;
use super::super::session::Session;
use crate::domain::key::KeyId;
use crate::service::{GateReceipt, GateState, NO_GATE, PATIENCE, Service};

/// What the gates said to every batch of keys.
#[derive(Default)]
pub struct Gates {
    /// What was done, if that was not revoking: pause, resume, freeze, lift.
    verb: Option<&'static str>,
    /// Of the last batch; of a gate that failed one, its answer to that.
    last: Vec<GateReceipt>,
    /// Why they could not be asked.
    failed: Option<String>,
    /// Why the database may lose the revocation.
    weakness: Option<&'static str>,
}

impl Gates {
    /// Gates that are to confirm something else than a revocation.
    pub fn of(verb: &'static str) -> Self {
        Self { verb: Some(verb), ..Self::default() }
    }

    /// `revoked in the database`
    fn done(&self) -> String {
        match self.verb {
            Some("freeze") => "frozen in the database".into(),
            Some("lift") => "lifted in the database".into(),
            Some("extend") => "extended in the database".into(),
            Some("edit") => "edited in the database".into(),
            Some(verb) => format!("{verb}d in the database"),
            None => "revoked in the database".into(),
        }
    }

    /// Asks the gates for the receipt of what was done to these keys; of none: of everything up to now.
    pub async fn ask(&mut self, keys: &[KeyId], service: &Service) -> Arc<[GateReceipt]> {
        // Whoever has kept one batch waiting gets no second chance to.
        let stuck = self.last.iter().any(|gate| gate.state == GateState::Waiting);
        let patience = if stuck { std::time::Duration::ZERO } else { PATIENCE };
        match service.receipt(keys, patience).await {
            Ok(receipt) => {
                let waited = self.last.iter().filter(|gate| gate.state == GateState::Waiting);
                let waited: Vec<_> = waited.map(|gate| (gate.name.clone(), gate.host.clone())).collect();
                self.last = receipt.gates.clone();
                self.weakness = receipt.weakness;
                for gate in &mut self.last {
                    if waited.iter().any(|(name, host)| *name == gate.name && *host == gate.host) {
                        gate.state = GateState::Waiting;
                    }
                }
                receipt.gates.into()
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                Arc::default()
            }
        }
    }

    /// Shows a person what they said.
    pub fn tell(&self, session: &Session) {
        if let Some(weakness) = self.weakness.filter(|_| session.format().for_people()) {
            let what = if self.verb.is_some() { "what was done" } else { "the revocation" };
            say(&format!("keyrack: warning: {what} may be lost: {weakness}"));
        }
        if self.failed.is_some() || !session.format().for_people() || session.global.quiet {
            return;
        }
        if self.last.is_empty() {
            return say(&format!("But {NO_GATE}."));
        }
        let width = |of: fn(&GateReceipt) -> usize| self.last.iter().map(of).max().unwrap_or(0);
        let (name, host) = (width(|gate| gate.name.chars().count()), width(|gate| gate.host.chars().count()));
        say("Gates:");
        for gate in &self.last {
            say(&format!("  {:name$}  {:host$}  {}", gate.name.as_str(), gate.host.as_str(), gate.state));
        }
    }

    /// Success only if every gate that is alive has confirmed.
    pub fn verdict(&self) -> Result {
        if let Some(error) = &self.failed {
            return Err(Failure::check(format!(
                "{}, but whether the gates know is unknown: {error}",
                self.done()
            )));
        }
        let waiting = self.last.iter().filter(|gate| gate.state == GateState::Waiting);
        let names: Vec<_> = waiting.map(|gate| format!("{} on {}", gate.name, gate.host)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let seconds = PATIENCE.as_secs();
        Err(Failure::check(format!(
            "{}, but NOT CONFIRMED within {seconds} s by gate {}, which is alive: treat the keys \
                 as {} there, and look at that gate or stop it",
            self.done(),
            names.join(", "),
            match self.verb {
                Some("resume" | "lift" | "extend") => "refused",
                Some("edit") => "what they were",
                _ => "still working",
            }
        )))
    }
}
