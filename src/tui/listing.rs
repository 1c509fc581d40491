//! A list that is read from the database in pieces: its rows, the selection, the marks and the filter. All screens have
//! their lists from here, so that the same gesture does the same on each of them.
//!
//! The selection is a row, not a place: whatever comes and goes, it stays where it was, and moves to its neighbour only
//! when its row is gone. No gesture waits for the database: steps beyond the rows at hand are owed until those come.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ratatui::layout::Rect;

use super::effect::{Effect, FailureKind, Outcomes, RequestId, Timer, To};
use super::input::{Input, Key};
use super::latest::{Latest, Paced};
use super::shell::{Holds, Link, Shell};
use super::widgets::filter_line::FilterLine;
use super::widgets::{list, scroll};
use super::words::Severity;
use crate::config::keymap::Action;
use crate::domain::text::{SafeText, thousands};

mod filtering;
mod left;
mod marks;
mod picture;
mod place;
mod rows;
mod source;
#[cfg(test)]
mod tests;
mod window;

use marks::Gathering;
pub use marks::{counted, told};
pub use picture::{Absent, Empty, draw_fate, draw_place, draw_words};
use place::{Place, about_rows};
pub use rows::Rows;
pub use source::{Chunk, Mark, Part, Source};
pub use window::Load;

/// What a list made of a gesture.
#[derive(Debug, PartialEq)]
pub enum Taken {
    /// It was the list's.
    Done(Vec<Effect>),
    /// The action is not the list's to carry out.
    Left(Action),
}

/// An answer to the list's question: what was read, if it is the newest one and there was no failure.
#[derive(Debug)]
pub struct Came {
    pub load: Option<Load>,
    pub effects: Vec<Effect>,
}

#[derive(Debug)]
pub struct Listing<S: Source> {
    pub source: S,
    pub filter: FilterLine<S::Filter>,
    /// Whether rows were read under the present filter and in the present order.
    pub loaded: bool,
    /// Why the last reading failed.
    pub fault: Option<SafeText>,
    pub more_before: bool,
    pub more_after: bool,
    /// What was read, in the list's order and without a gap.
    rows: Vec<S::Row>,
    /// Those of them that are shown, by their places.
    shown: Vec<usize>,
    selected: Option<S::Id>,
    /// Where the selection stands among the rows shown, and the first of them on the screen.
    at: usize,
    top: usize,
    /// How far what is cut is moved to the left, in columns.
    pub moved: usize,
    /// Steps that wait for rows under way.
    owed: isize,
    pages: Paced,
    load: Load,
    /// How many rows were asked for.
    asked: u32,
    /// Shared with what can be undone.
    marks: Rc<BTreeMap<S::Id, Mark>>,
    /// All that the filter fitted when all of that was marked.
    whole: Option<Rc<BTreeSet<S::Id>>>,
    /// Where a range of marks begins.
    anchor: Option<S::Id>,
    /// The whole list, read for the marks.
    gathering: Option<Gathering<S::Id>>,
    gathers: Latest,
    /// The row that stands in the list although it is none of its rows.
    left: Option<S::Id>,
    /// The row to stand on once the rows around it have come.
    goal: Option<S::Row>,
    /// Where one went by oneself, while the cursor stands elsewhere because of a filter or a tab.
    home: Option<Place<S::Row>>,
    /// The row that the rows to come shall be around.
    around: Option<S::Row>,
    /// How many rows come before the first one at hand, where that is known.
    before: Option<u64>,
    /// Whether that was counted before the rows were read again.
    drifted: bool,
    ones: Latest,
    /// The row to stand on as soon as it comes.
    wanted: Option<S::Id>,
    /// Grows when the filter means something else.
    turn: u64,
}

impl<S: Source> Default for Listing<S> {
    fn default() -> Self {
        Self {
            source: S::default(),
            filter: FilterLine::default(),
            loaded: false,
            fault: None,
            more_before: false,
            more_after: false,
            rows: Vec::new(),
            shown: Vec::new(),
            selected: None,
            at: 0,
            top: 0,
            moved: 0,
            owed: 0,
            pages: Paced::default(),
            load: Load::First,
            asked: 0,
            marks: Rc::default(),
            whole: None,
            anchor: None,
            gathering: None,
            gathers: Latest::default(),
            left: None,
            goal: None,
            home: None,
            around: None,
            before: None,
            drifted: false,
            ones: Latest::default(),
            wanted: None,
            turn: 0,
        }
    }
}

impl<S: Source> Listing<S> {
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether there are more rows than those at hand.
    pub fn goes_beyond(&self) -> bool {
        self.more_before || self.more_after
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// `12 accounts`, `the first 2,000 accounts`: the rows of the list that are at hand, in words; empty where there are none.
    pub fn counted(&self, noun: &str) -> String {
        let count = self.iter().filter(|row| !self.is_left(row)).count();
        match (count, self.more_after) {
            (0, _) => String::new(),
            (_, true) if !self.goes_on() => {
                format!("the first {} {noun}s", thousands(self.rows.len() as u64))
            }
            (_, true) => format!("{}+ {noun}s", thousands(count as u64)),
            (1, false) => format!("1 {noun}"),
            (count, false) => format!("{} {noun}s", thousands(count as u64)),
        }
    }

    /// The rows shown, whether they are on the screen or not.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &S::Row> {
        self.shown.iter().map(|place| &self.rows[*place])
    }

    fn row(&self, at: usize) -> Option<&S::Row> {
        self.shown.get(at).map(|place| &self.rows[*place])
    }

    pub fn selected(&self) -> Option<&S::Row> {
        self.row(self.at)
    }

    pub fn selected_id(&self) -> Option<&S::Id> {
        self.selected.as_ref()
    }

    /// Where the selection stands among the rows shown.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The first row on the screen. `page`: how many there are.
    pub fn top(&self, page: usize) -> usize {
        // Behind a detail that takes its place, the list stands as it was.
        if page == 0 {
            return self.top.min(self.at);
        }
        scroll::follow(self.top, self.at, page, self.len())
    }

    pub fn position(&self, id: &S::Id) -> Option<usize> {
        self.iter().position(|row| S::id(row) == *id)
    }

    /// A number that is another one once the filter means something else.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// Whether rows are under way.
    pub fn busy(&self) -> bool {
        self.pages.busy()
    }

    /// Takes a gesture. `list`: where it is drawn, with its heading.
    pub fn take(&mut self, shell: &mut Shell, input: Input, list: Rect) -> Taken {
        let page = list::page(list);
        Taken::Done(match input {
            Input::Key(key) if self.filter.typing => self.type_filter(shell, key, page),
            Input::Key(Key { action: Some(action), .. }) => return self.act(shell, action, page),
            Input::Key(_) => Vec::new(),
            Input::Paste(pasted) if shell.holds_secret(pasted.as_str()) => self.expose(shell, pasted, page),
            Input::Paste(pasted) if self.filter.typing => {
                self.filter.paste(&pasted.line());
                self.typed(shell, page)
            }
            Input::Paste(_) => {
                if S::FILTER.is_some() {
                    let key = shell.keymap.key(Action::Filter);
                    shell.toast(Severity::Info, format!("to look for what you pasted, press {key} first"));
                }
                Vec::new()
            }
            Input::Scroll { lines, .. } => self.step(shell, lines as isize, page),
            Input::Click(at) => match list::row_at(list, at, self.top(page), self.len()) {
                Some(row) if row == self.at => return Taken::Left(Action::Open),
                Some(row) => self.step(shell, row as isize - self.at as isize, page),
                None => Vec::new(),
            },
        })
    }

    fn act(&mut self, shell: &mut Shell, action: Action, page: usize) -> Taken {
        let rows = page.max(1) as isize;
        if about_rows(action) && !(self.is_empty() && self.marks.is_empty()) && self.refuses(shell) {
            return Taken::Done(Vec::new());
        }
        Taken::Done(match action {
            Action::Up => self.step(shell, -1, page),
            Action::Down => self.step(shell, 1, page),
            Action::PageUp => self.step(shell, -rows, page),
            Action::PageDown => self.step(shell, rows, page),
            Action::HalfPageUp => self.step(shell, -(rows / 2).max(1), page),
            Action::HalfPageDown => self.step(shell, (rows / 2).max(1), page),
            Action::MoveLeft => self.move_cut(-1),
            Action::MoveRight => self.move_cut(1),
            Action::Top => self.go_to_start(shell, page),
            Action::Bottom => self.go_to_end(shell, page),
            Action::Filter if S::FILTER.is_some() => {
                self.filter.begin();
                Vec::new()
            }
            Action::Back if !self.marks.is_empty() => self.clear_marks(),
            Action::ClearFilter | Action::Back if !self.filter.is_empty() => self.drop_filter(shell, page),
            Action::Mark if S::MARKS => {
                self.mark(shell);
                self.step(shell, 1, page)
            }
            Action::MarkRange if S::MARKS => self.mark_range(shell),
            Action::MarkAll if S::MARKS => self.mark_all(shell),
            Action::ClearMarks if S::MARKS => self.clear_marks(),
            action => return Taken::Left(action),
        })
    }

    /// Whether nothing can be done to rows now, because those at hand or the marks are not yet the filter's; says so.
    fn refuses(&self, shell: &mut Shell) -> bool {
        let words = if self.leaping() || self.owed != 0 {
            "The rows are still being read. Try again in a moment.".to_owned()
        } else if !self.loaded {
            let key = shell.keymap.key(Action::Refresh);
            format!("The rows of this filter couldn't be read. {key} tries again.")
        } else if self.marking() {
            "The rows are still being marked. Try again in a moment.".to_owned()
        } else {
            return false;
        };
        shell.toast_until(Holds::Answer, Severity::Info, words);
        true
    }

    /// Reads the rows of another filter, or of the same one where something else about the source changed: those at hand
    /// would not be true to what stands above them.
    pub fn restart(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        self.keep_place(true);
        let around = self.around.take();
        self.turned();
        self.forget();
        self.around = around;
        self.read_anew(shell, page)
    }

    fn forget(&mut self) {
        self.replace(Chunk::whole(Vec::new()));
        self.select(0);
        self.top = 0;
    }

    /// The rows may have changed, or the list is shown from now on: reads what is at hand again.
    pub fn refresh(&mut self, shell: &mut Shell, page: usize) -> Option<Effect> {
        self.read(shell, if self.loaded { Load::Again } else { self.anew() }, page)
    }

    /// Asks for rows.
    pub fn read(&mut self, shell: &mut Shell, load: Load, page: usize) -> Option<Effect> {
        // The rows at hand are of another filter or order while others are to take their place.
        let load = if load == Load::Again && self.leaping() { self.load } else { load };
        let (part, limit) = self.wanted(load, page);
        let request = self.source.request(&self.filter.meaning, part, limit);
        if load == Load::Again && !shell.at_once && !self.pages.busy() {
            let effect = self.pages.again(shell, To::Screen(S::SCREEN), Timer::Rows(S::SCREEN), request);
            if matches!(effect, Some(Effect::Ask { .. })) {
                (self.load, self.asked) = (load, limit);
            }
            return effect;
        }
        self.load = load;
        self.asked = limit;
        self.pages.ask(shell, To::Screen(S::SCREEN), request)
    }

    /// Takes in an answer; `None` if it answers something else. Of a failure the last line tells, and what is at hand
    /// stays if it is the filter's.
    pub fn answered(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: Outcomes<Chunk<S::Row>>,
        page: usize,
    ) -> Option<Came> {
        if let Some(effects) = self.gathered(shell, id, &outcome) {
            shell.redraw = true;
            return Some(Came { load: None, effects });
        }
        let outcome = match self.one_came(shell, id, outcome, page) {
            Ok(effects) => {
                shell.redraw = true;
                return Some(Came { load: None, effects });
            }
            Err(outcome) => outcome,
        };
        let settled = self.pages.settle(shell, id, Timer::Rows(S::SCREEN), None)?;
        let mut effects: Vec<Effect> = settled.next.into_iter().collect();
        shell.redraw = true;
        let load = match outcome {
            _ if !settled.newest => None,
            Ok(chunk) => {
                // What has come may have more asked for.
                let load = self.load;
                effects.extend(self.arrived(shell, chunk, page));
                Some(load)
            }
            Err(failure) => {
                self.owed = 0;
                self.fault = Some(failure.text.clone());
                if !self.loaded {
                    self.forget();
                }
                shell.failed(&failure);
                // While the database is known to be gone, its return has everything read.
                if failure.kind == FailureKind::Unreachable && shell.link == Link::Live {
                    effects.extend(self.pages.retry(shell, Timer::Rows(S::SCREEN)));
                }
                None
            }
        };
        Some(Came { load, effects })
    }
}
