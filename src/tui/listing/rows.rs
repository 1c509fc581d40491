//! A list whatever its rows are: what every screen leaves to its own.

use ratatui::layout::Rect;

use super::{Came, Listing, Source, Taken, counted, told};
use crate::config::keymap::Context;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::domain::when::Here;
use crate::tui::effect::{Effect, Reply, RequestId};
use crate::tui::input::Input;
use crate::tui::opening::Made;
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

    /// Something new was made here: the cursor goes to it, where it is one of the rows.
    fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect>;

    /// `✓ 3 marked`, or nothing; on a wide screen with their states where these differ.
    fn marked(&self, wide: bool) -> String;
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

    fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect> {
        S::made(made).map_or_else(Vec::new, |id| self.stand_on(shell, &id))
    }

    fn marked(&self, wide: bool) -> String {
        if self.marks.is_empty() {
            return String::new();
        }
        let states = counted(self.marks.values());
        let count = thousands(self.marks.len() as u64);
        if states.len() < 2 || !wide {
            format!("✓ {count} marked")
        } else {
            format!("✓ {count} marked ({})", told(&states))
        }
    }
}
