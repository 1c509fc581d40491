//! What lies over the screen: a stack, the last one on top.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId, Timer};
use super::input::Input;
use super::state::Shell;
use crate::config::keymap::Context;

pub mod account;
pub mod confirm;
pub mod create;
pub mod emergency;
pub mod explain;
pub mod help;
pub mod leave;
pub mod limit;
pub mod palette;
pub mod preset;
pub mod reader;
pub mod reveal;
pub mod revoke;
pub mod rotate;
pub mod sort;
pub mod sweep;
pub mod themes;

/// One kind of overlay and what it knows.
#[derive(Debug)]
pub enum Overlay {
    /// Choosing the order of the table of keys.
    Sort(sort::State),
    Create(Box<create::State>),
    Reveal(Box<reveal::State>),
    Revoke(Box<revoke::State>),
    Emergency(Box<emergency::State>),
    Explain(Box<explain::State>),
    Rotate(Box<rotate::State>),
    Confirm(Box<confirm::State>),
    Account(Box<account::State>),
    Limit(Box<limit::State>),
    Preset(preset::State),
    Help(help::State),
    Palette(palette::State),
    Themes(Box<themes::State>),
    Reader(reader::State),
    Sweep(Box<sweep::State>),
    Leave(leave::State),
}

impl Overlay {
    /// A gesture. `number` is this overlay's, for the requests that it makes.
    pub fn input(&mut self, shell: &mut Shell, number: u64, input: Input) -> Vec<Effect> {
        match self {
            Self::Sort(state) => state.input(shell, input),
            Self::Create(state) => state.input(shell, number, input),
            Self::Reveal(state) => state.input(shell, input),
            Self::Revoke(state) => state.input(shell, input),
            Self::Emergency(state) => state.input(shell, input),
            Self::Explain(state) => state.input(shell, input),
            Self::Rotate(state) => state.input(shell, input),
            Self::Confirm(state) => state.input(shell, input),
            Self::Account(state) => state.input(shell, input),
            Self::Limit(state) => state.input(shell, input),
            Self::Preset(state) => state.input(shell, input),
            Self::Help(state) => state.input(shell, input),
            Self::Palette(state) => state.input(shell, input),
            Self::Themes(state) => state.input(shell, input),
            Self::Reader(state) => state.input(shell, input),
            Self::Sweep(state) => state.input(shell, input),
            Self::Leave(state) => state.input(shell, input),
        }
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match self {
            Self::Create(state) => state.reply(shell, id, reply),
            Self::Reveal(state) => state.reply(shell, id, reply),
            Self::Revoke(state) => state.reply(shell, id, reply),
            Self::Emergency(state) => state.reply(shell, id, reply),
            Self::Explain(state) => state.reply(shell, id, reply),
            Self::Rotate(state) => state.reply(shell, id, reply),
            Self::Confirm(state) => state.reply(shell, id, reply),
            Self::Account(state) => state.reply(shell, id, reply),
            Self::Limit(state) => state.reply(shell, id, reply),
            Self::Preset(state) => state.reply(shell, id, reply),
            Self::Themes(state) => state.reply(shell, reply),
            Self::Sweep(state) => state.reply(shell, id, reply),
            Self::Sort(_) | Self::Help(_) | Self::Palette(_) | Self::Reader(_) | Self::Leave(_) => Vec::new(),
        }
    }

    pub fn timer(&mut self, shell: &mut Shell, _: Timer) -> Vec<Effect> {
        match self {
            Self::Reveal(state) => state.timer(shell),
            _ => Vec::new(),
        }
    }

    /// Which bindings hold while it is on top.
    pub fn context(&self) -> Context {
        match self {
            Self::Sort(_) | Self::Preset(_) | Self::Palette(_) | Self::Themes(_) => Context::Picker,
            Self::Create(state) => state.context(),
            Self::Reveal(state) => state.context(),
            Self::Revoke(state) => state.context(),
            Self::Emergency(state) => state.context(),
            Self::Explain(state) => state.context(),
            Self::Rotate(state) => state.context(),
            Self::Confirm(state) => state.context(),
            Self::Account(state) => state.context(),
            Self::Limit(state) => state.context(),
            Self::Help(state) => state.context(),
            Self::Reader(_) => Context::Reader,
            Self::Sweep(state) => state.context(),
            Self::Leave(state) => state.context(),
        }
    }

    /// Whether the cursor stands in a text field, so that characters are text.
    pub fn typing(&self) -> bool {
        match self {
            Self::Create(state) => state.typing(),
            Self::Revoke(state) => state.typing(),
            Self::Account(state) => state.typing(),
            Self::Limit(state) => state.typing(),
            Self::Explain(state) => state.typing(),
            _ => self.context().takes_text(),
        }
    }

    /// Whether Ctrl-C should come here first, because something would be lost: the overlay asks once, and the second
    /// Ctrl-C is the answer. A signal or a closed terminal ends the program in any case.
    pub fn guards_exit(&self) -> bool {
        match self {
            Self::Reveal(state) => state.guards_exit(),
            Self::Leave(_) => true,
            _ => false,
        }
    }

    /// The number of the receipt that it shows.
    pub fn receipt(&self) -> Option<u64> {
        match self {
            Self::Revoke(state) => state.receipt(),
            Self::Emergency(state) => state.receipt(),
            _ => None,
        }
    }

    /// The receipt of this number tells nothing, for there is no gate. Only the topmost overlay is told.
    pub fn no_gates(&mut self, shell: &mut Shell, receipt: u64) {
        match self {
            Self::Revoke(state) if state.receipt() == Some(receipt) => state.close(shell),
            _ => {}
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        match self {
            Self::Sort(state) => state.draw(shell, frame, area),
            Self::Create(state) => state.draw(shell, frame, area),
            Self::Reveal(state) => state.draw(shell, frame, area),
            Self::Revoke(state) => state.draw(shell, frame, area),
            Self::Emergency(state) => state.draw(shell, frame, area),
            Self::Explain(state) => state.draw(shell, frame, area),
            Self::Rotate(state) => state.draw(shell, frame, area),
            Self::Confirm(state) => state.draw(shell, frame, area),
            Self::Account(state) => state.draw(shell, frame, area),
            Self::Limit(state) => state.draw(shell, frame, area),
            Self::Preset(state) => state.draw(shell, frame, area),
            Self::Help(state) => state.draw(shell, frame, area),
            Self::Palette(state) => state.draw(shell, frame, area),
            Self::Themes(state) => state.draw(shell, frame, area),
            Self::Reader(state) => state.draw(shell, frame, area),
            Self::Sweep(state) => state.draw(shell, frame, area),
            Self::Leave(state) => state.draw(shell, frame, area),
        }
    }
}
