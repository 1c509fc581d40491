//! Marked rows, for doing something with several. What is marked is in the list: the mark of a row that is gone, or over,
//! goes with it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Chunk, Listing, Mark, Part, Source};
use crate::config::keymap::Action;
use crate::domain::text::thousands;
use crate::tui::effect::{Effect, Outcomes, RequestId, To};
use crate::tui::shell::{Holds, Shell};
use crate::tui::undo::Marks;
use crate::tui::view::body::WIDE;
use crate::tui::words::Severity;

/// Rows of one reading of the whole list.
const GATHERED: u32 = 1_000;
/// At most so many rows are marked.
const MOST: usize = 50_000;

/// The whole list is read, for its marks.
#[derive(Debug)]
pub(super) struct Gathering<I> {
    /// The filter that it is read under.
    turn: u64,
    /// Whether all rows shall be marked; else the marks are looked at that are not at hand.
    mark: bool,
    found: BTreeMap<I, Mark>,
}

impl<S: Source> Listing<S> {
    pub fn is_marked(&self, row: &S::Row) -> bool {
        self.marks.contains_key(&S::id(row))
    }

    /// The rows that an action on several is about: the marked ones, else the selected one. Some may not be at hand.
    pub fn chosen(&self) -> Vec<S::Id> {
        if self.marks.is_empty() {
            self.selected.iter().cloned().collect()
        } else {
            self.marks.keys().cloned().collect()
        }
    }

    /// Those of [`Self::chosen`] that are at hand, in the list's order.
    pub fn chosen_rows(&self) -> Vec<&S::Row> {
        if self.marks.is_empty() {
            self.selected().into_iter().collect()
        } else {
            self.iter().filter(|row| self.is_marked(row)).collect()
        }
    }

    pub fn marks(&self) -> &BTreeMap<S::Id, Mark> {
        &self.marks
    }

    /// Whether an action that takes one row may go on: other marks than the selected row's are not passed over in silence.
    pub fn takes_one(&self, shell: &mut Shell, what: &str) -> bool {
        let own = self.selected.as_ref().is_some_and(|id| self.marks.contains_key(id));
        if self.marks.len() <= usize::from(own) {
            return true;
        }
        let key = shell.keymap.key(Action::ClearMarks);
        let words = format!(
            "{what} takes one row at a time, and {} are marked. {key} clears the marks.",
            thousands(self.marks.len() as u64)
        );
        shell.toast_until(Holds::Gesture, Severity::Warning, words);
        false
    }

    pub fn clear_marks(&mut self) -> Vec<Effect> {
        self.marks = Rc::default();
        self.whole = None;
        self.anchor = None;
        self.gathering = None;
        Vec::new()
    }

    /// Whether just all that the filter fitted is marked.
    pub fn is_whole(&self) -> bool {
        self.whole.as_ref().is_some_and(|whole| whole.len() == self.marks.len() && self.without(whole) == 0)
    }

    /// How many of these are not marked.
    pub(super) fn without(&self, whole: &BTreeSet<S::Id>) -> usize {
        whole.iter().filter(|id| !self.marks.contains_key(id)).count()
    }

    fn mark_rows(&mut self, shell: &Shell, from: usize, to: usize) {
        let own = self.iter().enumerate().take(to + 1).skip(from).map(|(_, row)| row);
        let marks: Vec<(S::Id, Mark)> =
            own.filter(|row| !self.is_left(row)).map(|row| (S::id(row), S::mark(shell, row))).collect();
        Rc::make_mut(&mut self.marks).extend(marks);
    }

    /// Marks the selected row, or takes its mark away.
    pub(super) fn mark(&mut self, shell: &Shell) {
        if let Some(id) = self.selected.clone() {
            if Rc::make_mut(&mut self.marks).remove(&id).is_none() {
                self.mark_rows(shell, self.at, self.at);
            }
            self.anchor = Some(id);
        }
    }

    /// Marks everything from the last mark to the selected row.
    pub(super) fn mark_range(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Some(anchor) = self.anchor.as_ref().and_then(|id| self.position(id)) else {
            let keys = (shell.keymap.key(Action::Mark), shell.keymap.key(Action::MarkRange));
            let words =
                format!("mark the first row of the range with {}, then press {} on its last", keys.0, keys.1);
            shell.toast(Severity::Info, words);
            return Vec::new();
        };
        self.mark_rows(shell, anchor.min(self.at), anchor.max(self.at));
        Vec::new()
    }

    /// Whether all rows are being marked.
    pub(super) fn marking(&self) -> bool {
        self.gathering.as_ref().is_some_and(|gathering| gathering.mark)
    }

    /// Marks every row of the filter, whether it is at hand or not: what is at hand may be another filter's still.
    pub(super) fn mark_all(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if !self.loaded && !self.busy() {
            self.refuses(shell);
            return Vec::new();
        }
        if !self.loaded || self.leaping() || self.more_after || self.more_before {
            return self.gather(shell, true).into_iter().collect();
        }
        self.mark_rows(shell, 0, self.len());
        let all: BTreeSet<S::Id> = self.iter().filter(|row| !self.is_left(row)).map(S::id).collect();
        self.whole = (!all.is_empty()).then(|| Rc::new(all));
        Vec::new()
    }

    fn gather(&mut self, shell: &mut Shell, mark: bool) -> Option<Effect> {
        self.gathering = Some(Gathering { turn: self.turn, mark, found: BTreeMap::new() });
        let request = self.source.request(&self.filter.meaning, Part::Start, GATHERED);
        self.gathers.ask(shell, To::Screen(S::SCREEN), request)
    }

    /// A piece of the whole list has come; `None` if this answers something else.
    pub(super) fn gathered(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: &Outcomes<Chunk<S::Row>>,
    ) -> Option<Vec<Effect>> {
        let settled = self.gathers.settle(shell, id)?;
        let next: Vec<Effect> = settled.next.into_iter().collect();
        let turn = self.turn;
        let Some(mut gathering) = self.gathering.take_if(|one| settled.newest && one.turn == turn) else {
            return Some(next);
        };
        let chunk = match outcome {
            Ok(chunk) => chunk,
            Err(failure) => {
                shell.failed(failure);
                return Some(next);
            }
        };
        let rows = chunk.rows.iter().filter(|row| S::fits(&self.filter.meaning, row));
        gathering.found.extend(rows.map(|row| (S::id(row), S::mark(shell, row))));
        let more = chunk.more_after.unwrap_or(chunk.rows.len() >= GATHERED as usize);
        let last = chunk.rows.last().filter(|_| more);
        if let Some(row) = last.filter(|_| gathering.found.len() < MOST) {
            let request = self.source.request(&self.filter.meaning, Part::After(row), GATHERED);
            self.gathering = Some(gathering);
            return Some(self.gathers.ask(shell, To::Screen(S::SCREEN), request).into_iter().collect());
        }
        if gathering.mark {
            let count = thousands(gathering.found.len() as u64);
            match last {
                None => shell.toast(Severity::Info, format!("{count} marked: every row of the filter")),
                Some(_) => {
                    let words = format!(
                        "Only the first {count} rows are marked. Narrow the filter to mark the rest."
                    );
                    shell.toast_until(Holds::Gesture, Severity::Warning, words);
                }
            }
            let whole = last.is_none() && !gathering.found.is_empty();
            self.whole = whole.then(|| Rc::new(gathering.found.keys().cloned().collect()));
            Rc::make_mut(&mut self.marks).extend(gathering.found);
        } else if last.is_none() {
            self.renew(|id, _| gathering.found.get(id).copied());
        }
        Some(next)
    }

    /// What is marked is told as it is now, and what is over since it was marked is marked no longer.
    fn renew(&mut self, now: impl Fn(&S::Id, Mark) -> Option<Mark>) {
        Rc::make_mut(&mut self.marks).retain(|id, mark| {
            let before = *mark;
            match now(id, before) {
                Some(read) => *mark = read,
                None => return false,
            }
            before.over || !mark.over
        });
    }

    /// Rows were read: marks go with rows that are gone. `anew`: those that are not at hand are looked for.
    pub(super) fn check_marks(&mut self, shell: &mut Shell, anew: bool) -> Option<Effect> {
        if self.marks.is_empty() {
            return None;
        }
        let marks = self.rows.iter().filter(|row| !self.is_left(row));
        let held: BTreeMap<S::Id, Mark> = marks.map(|row| (S::id(row), S::mark(shell, row))).collect();
        let out_of_reach = self.more_before || self.more_after;
        self.renew(|id, mark| held.get(id).copied().or(Some(mark).filter(|_| out_of_reach)));
        if let Some(left) = &self.left
            && self.marks.contains_key(left)
        {
            Rc::make_mut(&mut self.marks).remove(left);
        }
        let unseen = anew && self.marks.keys().any(|id| !held.contains_key(id));
        if unseen && self.gathering.is_none() { self.gather(shell, false) } else { None }
    }
}

/// What is marked, to be marked again.
#[derive(Debug)]
struct Kept<I> {
    marks: Rc<BTreeMap<I, Mark>>,
    whole: Option<Rc<BTreeSet<I>>>,
}

impl<S: Source> Listing<S> {
    /// What is marked now.
    pub(super) fn keep_marks(&self) -> Marks {
        Rc::new(Kept { marks: Rc::clone(&self.marks), whole: self.whole.clone() })
    }

    /// Whether more rows are marked now; `None`: the same ones.
    pub(super) fn marks_differ(&self, kept: &Marks) -> Option<bool> {
        let kept = kept.downcast_ref::<Kept<S::Id>>()?;
        let same = Rc::ptr_eq(&self.marks, &kept.marks) || self.marks.keys().eq(kept.marks.keys());
        (!same).then(|| self.marks.len() > kept.marks.len())
    }

    /// Marks what was marked then; whether it still can be is looked up with the next rows.
    pub(super) fn mark_again(&mut self, kept: &Marks) {
        if let Some(kept) = kept.downcast_ref::<Kept<S::Id>>() {
            self.marks = Rc::clone(&kept.marks);
            self.whole = kept.whole.clone();
        }
    }

    /// What is marked, from the most words to the fewest: `✓ 3 marked`, or nothing. On a wide screen with the states where
    /// these differ; with `: all 271 that match but 2` where all that the filter fits was marked.
    pub fn marks_told(&self, width: u16) -> Vec<String> {
        if self.marks.is_empty() {
            return Vec::new();
        }
        let wide = width >= WIDE;
        let states = counted(self.marks.values());
        let count = thousands(self.marks.len() as u64);
        let (marked, whole) = (format!("✓ {count} marked"), self.whole_told(wide));
        let mut ways = vec![format!("{marked}{whole}"), marked.clone()];
        if states.len() > 1 && wide {
            ways.insert(0, format!("{marked} ({}){whole}", told(&states)));
        }
        ways.dedup();
        ways
    }

    /// Where nothing was added or taken away that needs to be said on a wide screen only.
    fn whole_told(&self, wide: bool) -> String {
        let Some(whole) = &self.whole else { return String::new() };
        let out = self.without(whole);
        let more = self.marks.len() + out - whole.len();
        if (out, more) == (0, 0) {
            return if wide { ": all that match".to_owned() } else { String::new() };
        }
        let part = |number: usize, before: &str, behind: &str| match number {
            0 => String::new(),
            number => format!(" {before} {}{behind}", thousands(number as u64)),
        };
        let all = thousands(whole.len() as u64);
        format!(": all {all} that match{}{}", part(out, "but", ""), part(more, "and", " more"))
    }
}

/// How many of each state there are, the most first.
pub fn counted<'m>(marks: impl Iterator<Item = &'m Mark>) -> Vec<(&'static str, usize)> {
    let mut states: Vec<(&'static str, usize)> = Vec::new();
    for mark in marks {
        match states.iter_mut().find(|(state, _)| *state == mark.state) {
            Some((_, count)) => *count += 1,
            None => states.push((mark.state, 1)),
        }
    }
    states.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    states
}

/// `2 active, 1 expired`
pub fn told(states: &[(&'static str, usize)]) -> String {
    let words: Vec<String> =
        states.iter().map(|(state, count)| format!("{} {state}", thousands(*count as u64))).collect();
    words.join(", ")
}
