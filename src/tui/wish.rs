//! A wish to change something: sent, answered, and sent again without being carried out twice.

use std::time::Duration;

use super::effect::{Effect, Failure, FailureKind, Outcomes, Reply, Request, RequestId, Timer, To};
use super::latest::Latest;
use super::shell::Shell;
use crate::domain::key::OperationId;
use crate::domain::text::SafeText;
use crate::service::Field;

#[cfg(test)]
mod tests;

/// One wish of an overlay. It keeps its operation id until it is known that nothing came of it: what was carried out and
/// not heard of is then not done a second time. What differs from it is another wish, with an id of its own.
#[derive(Debug)]
pub struct Wish {
    to: To,
    operation: OperationId,
    sent: Option<RequestId>,
    /// What was sent and is not known to have come to an end, each under its operation.
    open: Vec<(OperationId, Request)>,
    failure: Option<Failure>,
    /// What it would come to was asked for this, under no operation's id; `None` once something was changed.
    foreseen: Option<Request>,
    trying: Latest,
    /// What a yes would leave as it is, and why.
    beforehand: Option<SafeText>,
    /// How often something was added to what is said of it.
    told: usize,
}

/// What makes the request of a wish under an operation's id.
pub type Asking = Box<dyn Fn(OperationId) -> Request>;

/// What would come of a text is asked when it was not changed for so long.
pub const PAUSE: Duration = Duration::from_millis(300);

/// Said while something was sent of which nobody knows what came, and what is to be sent now may differ.
const UNKNOWN: &str = "what you sent before was not answered and may have been carried out: look first. Sent again \
    unchanged it is done once; changed, it is done as well";

impl Wish {
    /// A wish of the overlay with this number.
    pub fn new(shell: &mut Shell, overlay: u64) -> Self {
        Self {
            to: To::Overlay(overlay),
            operation: shell.operation(),
            sent: None,
            open: Vec::new(),
            failure: None,
            foreseen: None,
            trying: Latest::default(),
            beforehand: None,
            told: 0,
        }
    }

    /// Sends it, or sends it again; while an answer is awaited nothing.
    pub fn send(&mut self, shell: &mut Shell, request: impl Fn(OperationId) -> Request) -> Vec<Effect> {
        if self.sent.is_some() {
            return Vec::new();
        }
        let same = self.open.iter().find(|(operation, open)| *open == request(*operation));
        if let Some((operation, _)) = same {
            self.operation = *operation;
        } else {
            if self.open.iter().any(|(operation, _)| *operation == self.operation) {
                self.operation = shell.operation();
            }
            self.open.push((self.operation, request(self.operation)));
        }
        let (id, effect) = shell.ask(self.to, request(self.operation));
        self.sent = Some(id);
        self.failure = None;
        vec![effect]
    }

    /// Takes note of an answer; `None` if it is not this wish's. `done` takes what was wished for out of the reply: any
    /// other reply leaves open what happened, and is never taken for success.
    pub fn settle<T>(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        reply: Reply,
        done: impl FnOnce(Reply) -> Option<Outcomes<T>>,
    ) -> Option<Outcomes<T>> {
        if !self.awaits(id) {
            return None;
        }
        self.sent = None;
        let outcome = done(reply).unwrap_or_else(|| {
            let text = "the reply did not match the request: check whether it was done before you try again";
            Err(Failure { kind: FailureKind::Other, text: text.into() })
        });
        self.failure = outcome.as_ref().err().cloned();
        self.told += usize::from(self.failure.is_some());
        if self.failure.as_ref().is_none_or(|failure| failure.kind.refused()) {
            let over = std::mem::replace(&mut self.operation, shell.operation());
            self.open.retain(|(operation, _)| *operation != over);
        }
        Some(outcome)
    }

    /// Asks the service what it would come to, unless that was asked of just this: checked as ever, and then rolled back.
    /// `typing`: not before the person pauses. Nothing waits for the answer.
    pub fn foresee(&mut self, shell: &mut Shell, ask: &Asking, typing: bool) -> Option<Effect> {
        let wanted = ask(OperationId::nil());
        if self.under_way() || self.foreseen.as_ref() == Some(&wanted) {
            return None;
        }
        if self.foreseen.is_some() {
            self.edited();
        }
        if typing {
            return Some(Effect::SetTimer { timer: Timer::Of(self.to), after: PAUSE });
        }
        self.foreseen = Some(wanted);
        let request = Request::Try(Box::new(ask(shell.operation())));
        self.trying.ask(shell, self.to, request)
    }

    /// What is asked looks different now: it has to be read again.
    pub fn changed(&mut self) {
        self.told += 1;
    }

    /// The database has changed: what it would come to is asked anew. What was said stands until that is answered.
    /// Whether it was asked of what is wanted now.
    pub fn stale(&mut self, ask: Option<&Asking>) -> bool {
        let wanted = ask.map(|ask| ask(OperationId::nil()));
        self.foreseen.take().is_some_and(|foreseen| Some(foreseen) == wanted)
    }

    /// Takes note that this answers what it would come to, and asks what waited for that; `None` if it answers something
    /// else. Whether it tells of what a yes would send now.
    pub fn foresaw(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        ask: Option<&Asking>,
    ) -> Option<(bool, Option<Effect>)> {
        let settled = self.trying.settle(shell, id)?;
        let wanted = ask.map(|ask| ask(OperationId::nil()));
        let current = settled.newest && wanted.is_some() && wanted == self.foreseen && !self.under_way();
        Some((current, settled.next))
    }

    /// Says what it would come to: a refusal before it is sent, or what it would leave as it is.
    pub fn tell(&mut self, refusal: Option<&Failure>, beforehand: Option<SafeText>) {
        if let Some(failure) = refusal.filter(|failure| failure.kind.refused()) {
            self.failure = Some(failure.clone());
            self.told += 1;
        }
        self.told += usize::from(beforehand.is_some() && self.beforehand != beforehand);
        self.beforehand = beforehand;
    }

    /// What a yes would leave as it is, and why.
    pub fn beforehand(&self) -> Option<&SafeText> {
        self.beforehand.as_ref()
    }

    /// How often something was added to what is said of it: whoever answers has to read it.
    pub fn told(&self) -> usize {
        self.told
    }

    /// Whether this is the answer that it waits for.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.sent == Some(id)
    }

    /// Whether an answer is awaited.
    pub fn under_way(&self) -> bool {
        self.sent.is_some()
    }

    /// What was said of it last.
    pub fn failure(&self) -> Option<&SafeText> {
        self.failure.as_ref().map(|failure| &failure.text)
    }

    /// What was said of one field.
    pub fn refusal(&self, field: Field) -> Option<&SafeText> {
        self.failure.as_ref().filter(|failure| failure.kind == FailureKind::Field(field)).map(|one| &one.text)
    }

    /// What was said last, unless it was said of one of these fields, at which it stands.
    pub fn failure_besides(&self, fields: &[Field]) -> Option<&SafeText> {
        let at_field = |kind| fields.iter().any(|field| kind == FailureKind::Field(*field));
        self.failure.as_ref().filter(|failure| !at_field(failure.kind)).map(|failure| &failure.text)
    }

    /// Something was changed: what was said holds no longer. What was sent and not answered may have been done.
    pub fn edited(&mut self) {
        let unknown = || Failure { kind: FailureKind::Other, text: UNKNOWN.into() };
        // What was said of it is asked again.
        if self.failure.is_some() || self.beforehand.is_some() {
            self.foreseen = None;
        }
        self.failure = (!self.open.is_empty()).then(unknown);
        self.beforehand = None;
    }
}
