//! What was done here and can be undone, the newest last. Not among it: what ends a key, and what changes one.

use std::any::Any;
use std::rc::Rc;

use super::opening::Opening;
use super::views::Seen;
use super::words::ScreenId;

/// So much can be undone.
const MOST: usize = 50;

/// One thing that can be undone.
#[derive(Debug)]
pub enum Undo {
    /// The rows of a screen were others, and these were marked; in words, what was changed.
    View(&'static str, Seen, Marks),
    /// These were marked on this screen.
    Marks(ScreenId, Marks),
    /// What was done, and the question whether to take it back.
    Open(String, Box<Opening>),
}

/// What is marked in a list; only the list knows what that is.
pub type Marks = Rc<dyn Any>;

/// See [`Undo`].
#[derive(Debug, Default)]
pub struct Undos(Vec<Undo>);

impl Undos {
    pub fn push(&mut self, undo: Undo) {
        self.0.push(undo);
        if self.0.len() > MOST {
            self.0.remove(0);
        }
    }

    pub fn pop(&mut self) -> Option<Undo> {
        self.0.pop()
    }
}
