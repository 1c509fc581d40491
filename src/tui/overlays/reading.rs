//! A question is answered by whoever read it, not by keys that were on their way when it came. One rule for all overlays:
//! nothing is confirmed before the question was on the screen for [`READ`], nor by keys that follow each other within
//! [`PACE`]; and after a key that is no answer, nothing here is confirmed any more.

use chrono::Duration;

use crate::config::keymap::Context;
use crate::domain::Instant;

/// How long a question is on the screen before it can be answered.
const READ: Duration = Duration::milliseconds(400);
/// Keys that are this close come from a program that types, or from a key that is held down.
const PACE: Duration = Duration::milliseconds(80);

/// What is asked: another one has to be read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The overlay's number.
    pub overlay: u64,
    /// Which of its questions.
    pub which: (Context, usize),
    /// How often something was added to it.
    pub told: usize,
}

/// How far the question on top was read.
#[derive(Debug, Default)]
pub struct Reading {
    of: Option<Question>,
    /// When it came onto the screen. `None` until then.
    since: Option<Instant>,
    /// When the key before was pressed.
    pressed: Option<Instant>,
    /// Whether a key was pressed that is no answer.
    stray: bool,
}

impl Reading {
    /// This is what is asked now.
    pub fn meet(&mut self, question: Question) {
        if self.of == Some(question) {
            return;
        }
        // What is added has to be read too; it makes no answer of what was none.
        let same = self.of.is_some_and(|of| Question { told: question.told, ..of } == question);
        let stray = self.stray && same;
        *self = Self { of: Some(question), pressed: self.pressed, stray, ..Self::default() };
    }

    /// It is on the screen.
    pub fn drawn(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// A key was pressed; answers whether it may confirm something.
    pub fn press(&mut self, now: Instant) -> bool {
        // A clock that was set back says nothing: the time begins anew.
        if self.since.is_some_and(|since| since > now) {
            self.since = Some(now);
        }
        let passed = |since: Option<Instant>, long| since.is_some_and(|since| now - since >= long);
        let calm = self.pressed.is_none_or(|before| passed(Some(before), PACE));
        self.pressed = Some(now);
        calm && !self.stray && passed(self.since, READ)
    }

    /// An answer came too early: the person is told, and has to read that.
    pub fn again(&mut self, now: Instant) {
        self.since = self.since.map(|_| now);
    }

    /// Whether something was pressed or pasted that is no answer. In a field everything is text, and all is well again.
    pub fn stray(&mut self, asks: bool, stray: bool) {
        self.stray = asks && (self.stray || stray);
    }

    pub fn is_stray(&self) -> bool {
        self.stray
    }
}
