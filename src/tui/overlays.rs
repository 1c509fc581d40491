//! What lies over the screen: a stack, the last one on top.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId, Timer};
use super::input::Input;
use super::state::Shell;
use crate::config::keymap::Context;

pub mod sort;

/// One kind of overlay and what it knows.
#[derive(Debug)]
pub enum Overlay {
    /// Choosing the order of the table of keys.
    Sort(sort::State),
}

impl Overlay {
    /// A gesture. `number` is this overlay's, for the requests that it makes.
    pub fn input(&mut self, shell: &mut Shell, number: u64, input: Input) -> Vec<Effect> {
        let _ = number;
        match self {
            Self::Sort(state) => state.input(shell, input),
        }
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let _ = (shell, id, reply);
        match self {
            Self::Sort(_) => Vec::new(),
        }
    }

    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        let _ = (shell, timer);
        match self {
            Self::Sort(_) => Vec::new(),
        }
    }

    /// Which bindings hold while it is on top.
    pub fn context(&self) -> Context {
        match self {
            Self::Sort(_) => Context::Picker,
        }
    }

    /// Whether the cursor stands in a text field, so that characters are text.
    pub fn typing(&self) -> bool {
        self.context().takes_text()
    }

    /// Whether Ctrl-C should come here first, because something would be lost: the overlay asks once, and the second
    /// Ctrl-C is the answer. A signal or a closed terminal ends the program in any case.
    pub fn guards_exit(&self) -> bool {
        match self {
            Self::Sort(_) => false,
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        match self {
            Self::Sort(state) => state.draw(shell, frame, area),
        }
    }
}
