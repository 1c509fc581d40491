//! What is pressed before the database has answered for the first time: kept in its order, and handled then, so that
//! nobody has to wait for the rows before typing.

use super::effect::{Effect, RequestId, To};
use super::message::Message;

/// The gestures that wait, and the first answers that they wait for.
#[derive(Debug, Default)]
pub struct Ahead {
    kept: Vec<Message>,
    awaited: Vec<RequestId>,
    over: bool,
}

impl Ahead {
    /// Nothing waits any more.
    #[cfg(test)]
    pub fn over() -> Self {
        Self { over: true, ..Self::default() }
    }

    /// Whether everything is handled as it comes.
    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn kept(&self) -> &[Message] {
        &self.kept
    }

    pub fn keep(&mut self, message: Message) {
        self.kept.push(message);
    }

    /// Takes note of what the console begins with. What an overlay asks for is its own matter.
    pub fn asked(&mut self, effects: &[Effect]) {
        self.awaited.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Ask { to, .. } if !self.over && !matches!(to.to, To::Overlay(_)) => Some(*to),
            _ => None,
        }));
    }

    pub fn answered(&mut self, id: RequestId) {
        self.awaited.retain(|awaited| *awaited != id);
    }

    /// Hands over what was kept, once: when the database is open and has answered.
    pub fn release(&mut self, open: bool) -> Vec<Message> {
        if self.over || !open || !self.awaited.is_empty() {
            return Vec::new();
        }
        self.over = true;
        std::mem::take(&mut self.kept)
    }
}
