//! Letters that stay in this process, for tests.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::{Letter, LetterOutcome, Letterhead, message};

/// Keeps letters instead of sending them. Clones share what they keep.
///
/// A letter is written out as for a server, so that what could not be sent is refused here too.
#[derive(Clone, Debug)]
pub struct Memory {
    head: Letterhead,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    posted: Vec<Posted>,
    always: HashMap<String, LetterOutcome>,
    once: HashMap<String, VecDeque<LetterOutcome>>,
}

/// A letter that was handed over for sending, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub letter: Letter,
    /// The message as a server would get it; empty if it could not be written.
    pub bytes: Vec<u8>,
    pub outcome: LetterOutcome,
}

impl Memory {
    pub fn new(head: Letterhead) -> Self {
        Self { head, inner: Arc::default() }
    }

    /// From now on every letter to this recipient gets this answer.
    pub fn answer(&self, to: &str, outcome: LetterOutcome) {
        self.lock().always.insert(to.to_owned(), outcome);
    }

    /// The next letter to this recipient gets this answer. Several of these answer one letter each, in their order.
    pub fn answer_once(&self, to: &str, outcome: LetterOutcome) {
        self.lock().once.entry(to.to_owned()).or_default().push_back(outcome);
    }

    /// Every attempt, whatever its outcome, in order.
    pub fn posted(&self) -> Vec<Posted> {
        self.lock().posted.clone()
    }

    /// The letters that were sent, in order.
    pub fn sent(&self) -> Vec<Letter> {
        let sent = |posted: &&Posted| matches!(posted.outcome, LetterOutcome::Sent { .. });
        self.lock().posted.iter().filter(sent).map(|posted| posted.letter.clone()).collect()
    }

    /// Forgets the letters; the answers stay.
    pub fn clear(&self) {
        self.lock().posted.clear();
    }

    pub(super) fn send(&self, letter: &Letter) -> LetterOutcome {
        let written = message::write(letter, &self.head);
        let mut inner = self.lock();
        let asked = inner.once.get_mut(&letter.to).and_then(VecDeque::pop_front);
        let asked = asked.or_else(|| inner.always.get(&letter.to).cloned());
        let (bytes, outcome) = match written {
            Ok(written) => (
                written.bytes,
                asked.unwrap_or_else(|| LetterOutcome::Sent { answer: "250 kept in memory".into() }),
            ),
            Err(answer) => (Vec::new(), LetterOutcome::Failed { answer }),
        };
        inner.posted.push(Posted { letter: letter.clone(), bytes, outcome: outcome.clone() });
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is kept is whole after every step, so a panic elsewhere does not spoil it.
        self.inner.lock()
    }
}

#[cfg(test)]
mod tests;
