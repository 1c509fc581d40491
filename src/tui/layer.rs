//! What every overlay can do, with what most of them do as the default.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Failure, Reply, RequestId};
use super::input::Input;
use super::shell::Shell;
use super::typed::Typed;
use super::wish::{Asking, Wish};
use crate::config::keymap::{Action, Context};
use crate::domain::subjects::Subjects;

/// Something that lies over the screen.
pub trait Layer: Any + fmt::Debug {
    /// Which bindings hold while it is on top.
    fn context(&self) -> Context;

    /// A gesture.
    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect>;

    /// The answer to something that it asked for.
    fn reply(&mut self, _: &mut Shell, _: RequestId, _: Reply) -> Vec<Effect> {
        Vec::new()
    }

    /// The wish that it sends.
    fn wish(&mut self) -> Option<&mut Wish> {
        None
    }

    /// What a yes would send as things stand; `None` where it would send nothing. What that would come to is asked for all
    /// overlays in one place, and said in the wish.
    fn asking(&self, _: &Shell) -> Option<Asking> {
        None
    }

    /// The command that does what it is about, where no yes would be sent; `None`: that of the screen.
    fn typed(&self, _: &Shell) -> Option<Typed> {
        None
    }

    /// Sends what a yes sends as things stand.
    fn send_wish(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match (self.asking(shell), self.wish()) {
            (Some(ask), Some(wish)) => wish.send(shell, ask),
            _ => Vec::new(),
        }
    }

    /// What its wish would come to; answers what a yes would leave as it is.
    fn foreseen(&mut self, _: Reply) -> Option<String> {
        None
    }

    /// Something of these kinds changed in the database: what it tells of that has to be read again. What its wish would come
    /// to is asked anew for all.
    fn changed(&mut self, _: &mut Shell, _: Subjects) -> Vec<Effect> {
        Vec::new()
    }

    /// Its wish would be refused.
    fn forewarned(&mut self, _: &Failure) {}

    /// Its own timer has run out.
    fn timer(&mut self, _: &mut Shell) -> Vec<Effect> {
        Vec::new()
    }

    /// Whether the cursor stands in a text field, so that characters are text.
    fn typing(&self) -> bool {
        self.context().takes_text()
    }

    /// Whether what is pasted is searched for a secret, however long it is.
    fn searches(&self) -> bool {
        false
    }

    /// Whether it asks something at this place, so that a key that is no answer shuts the question.
    fn asks(&self) -> bool {
        matches!(self.context(), Context::Dialog | Context::Leaving | Context::Findings | Context::Exposed)
            && self.receipt().is_none()
    }

    /// Whether this action carries out what is asked: too early, it does nothing and says so.
    fn answers(&self, action: Action) -> bool {
        match action {
            Action::Yes | Action::Submit => true,
            Action::Press | Action::PressButton => self.asks(),
            _ => false,
        }
    }

    /// Which of its questions it asks: each has to be read, and so has what is added to one.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (self.context(), 0)
    }

    /// Whether Ctrl-C should come here first, because something would be lost: the overlay asks once, and the second
    /// Ctrl-C is the answer. A signal or a closed terminal ends the program in any case.
    fn guards_exit(&self) -> bool {
        false
    }

    /// The number of the receipt that it shows.
    fn receipt(&self) -> Option<u64> {
        None
    }

    /// Its receipt tells nothing, for there is no gate. Only the topmost overlay is told.
    fn no_gates(&mut self, _: &mut Shell) {}

    /// The last line's word for an action here; `None` where it does nothing.
    fn label(&self, _: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        match action {
            // What is done needs no answer.
            Action::Yes if self.receipt().is_some() => None,
            Action::No if self.receipt().is_some() => Some("close".into()),
            _ => Some(label.into()),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect);
}

/// What opening an overlay came to: the overlay, unless there was a reason not to, and the first effects.
#[derive(Debug, Default)]
pub struct Opened {
    pub layer: Option<Box<dyn Layer>>,
    pub effects: Vec<Effect>,
}

impl Opened {
    pub fn new(layer: impl Layer, effects: Vec<Effect>) -> Self {
        Self { layer: Some(Box::new(layer)), effects }
    }

    /// Nothing lies over the screen; the last line says why.
    pub fn refused() -> Self {
        Self::default()
    }
}
