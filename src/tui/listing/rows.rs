//! A list whatever its rows are: what every screen leaves to its own.

use std::any::Any;
use std::rc::Rc;

use ratatui::layout::Rect;

use super::{Came, Listing, Part, Source, Taken};
use crate::config::keymap::Context;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::tui::effect::{Effect, Reply, Request, RequestId};
use crate::tui::input::Input;
use crate::tui::opening::Made;
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::undo::Marks;

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

    /// Whether its rows are known to be out of date, and rest before they are read again.
    fn is_late(&self) -> bool;

    /// They have rested.
    fn rested(&mut self);

    /// See [`Listing::set_filter`]. `stay`: the cursor stays on its row, where that is one of them.
    fn filter(&mut self, text: &str, here: Here, stay: bool);

    /// What stands in its filter.
    fn filter_text(&self) -> &str;

    /// Whether its filter is being typed.
    fn typing(&self) -> bool;

    /// Whether one step back clears its marks or, where that counts, its filter.
    fn nearer(&self, filter: bool) -> bool;

    /// What is marked now, to be marked again.
    fn keep_marks(&self) -> Marks;

    /// Whether more rows are marked now; `None`: the same ones.
    fn marks_differ(&self, kept: &Marks) -> Option<bool>;

    fn mark_again(&mut self, kept: &Marks);

    /// The row under the cursor.
    fn row(&self) -> Option<Rc<dyn Any>>;

    /// Stands on a row that was under the cursor before, as soon as it is there again.
    fn stand(&mut self, row: Option<&dyn Any>);

    /// Something new was made here: the cursor goes to it, where it is one of the rows.
    fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect>;

    /// The command that shows what the filter fits, or the marked rows where it can name them.
    fn typed(&self, shell: &Shell) -> Option<Typed>;
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

    fn filter(&mut self, text: &str, here: Here, stay: bool) {
        let own = self.selected().filter(|_| stay).cloned();
        if self.set_filter(text, here) {
            self.home = None;
            self.around = own;
        }
    }

    fn is_late(&self) -> bool {
        self.pages.is_late()
    }

    fn rested(&mut self) {
        self.pages.rung();
    }

    fn filter_text(&self) -> &str {
        self.filter.value()
    }

    fn typing(&self) -> bool {
        self.filter.typing
    }

    fn nearer(&self, filter: bool) -> bool {
        !self.marks.is_empty() || filter && !self.filter.is_empty()
    }

    fn keep_marks(&self) -> Marks {
        self.keep_marks()
    }

    fn marks_differ(&self, kept: &Marks) -> Option<bool> {
        self.marks_differ(kept)
    }

    fn mark_again(&mut self, kept: &Marks) {
        self.mark_again(kept);
    }

    fn row(&self) -> Option<Rc<dyn Any>> {
        Some(Rc::new(self.selected()?.clone()))
    }

    fn stand(&mut self, row: Option<&dyn Any>) {
        if let Some(row) = row.and_then(|row| row.downcast_ref::<S::Row>()) {
            self.stand_again(row);
        }
    }

    fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect> {
        S::made(made).map_or_else(Vec::new, |id| self.stand_on(shell, &id))
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        let request = self.source.request(&self.filter.meaning, Part::Start, 1);
        let typed = match S::keys(self.marks.keys()) {
            Some(keys) if !keys.is_empty() && self.is_whole() => {
                let Request::Page(page) = &request else { return None };
                Typed::new("key list").option("--filter", page.query.to_string())
            }
            Some(keys) if !keys.is_empty() => Typed::new("key list").keys(shell, &keys),
            _ => Typed::of(&request, shell)?,
        };
        // What has no form of its own to be written in stands as it was typed.
        let text = self.filter.value().trim();
        Some(match request {
            Request::Audit(_) | Request::Reminders(_) => typed.option("--filter", text),
            _ => typed,
        })
    }
}
