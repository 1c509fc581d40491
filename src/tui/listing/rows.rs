//! A list whatever its rows are: what every screen leaves to its own.

use ratatui::layout::Rect;

use super::{Came, Listing, Source, Taken};
use crate::config::keymap::Context;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::tui::effect::{Effect, Reply, RequestId};
use crate::tui::input::Input;
use crate::tui::shell::Shell;

/// What a screen asks of its list. `page`: how many rows are shown.
pub trait Rows {
    /// Which bindings hold in it.
    fn context(&self) -> Context;

    /// Something of these kinds changed: reads again what tells of them.
    fn changed(&mut self, shell: &mut Shell, touched: Subjects, page: usize) -> Vec<Effect>;

    /// See [`Listing::take`].
    fn gesture(&mut self, shell: &mut Shell, input: Input, place: Rect) -> Taken;

    /// Takes in an answer; `None` if it is to something else.
    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply, page: usize) -> Option<Came>;

    /// See [`Listing::set_filter`].
    fn filter(&mut self, text: &str, here: Here);

    /// `✓ 3 marked`, or nothing.
    fn marked(&self) -> String;
}

impl<S: Source> Rows for Listing<S> {
    fn context(&self) -> Context {
        if self.filter.typing { Context::Prompt } else { S::SCREEN.context() }
    }

    fn changed(&mut self, shell: &mut Shell, touched: Subjects, page: usize) -> Vec<Effect> {
        if touched.meet(S::ABOUT) { self.refresh(shell, page).into_iter().collect() } else { Vec::new() }
    }

    fn gesture(&mut self, shell: &mut Shell, input: Input, place: Rect) -> Taken {
        self.take(shell, input, place)
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply, page: usize) -> Option<Came> {
        let outcome = self.source.answer(reply)?;
        self.answered(shell, id, outcome, page)
    }

    fn filter(&mut self, text: &str, here: Here) {
        self.set_filter(text, here);
    }

    fn marked(&self) -> String {
        let count = self.marks.len();
        if count > 0 { format!("✓ {count} marked") } else { String::new() }
    }
}
