//! The rows at hand and the selection in them: moving, reading on, taking in what has come.

use std::collections::BTreeSet;

use super::{Chunk, Listing, Part, Source};
use crate::domain::text::thousands;
use crate::tui::effect::Effect;
use crate::tui::shell::Shell;
use crate::tui::words::Severity;

/// Rows of one reading.
const CHUNK: u32 = 200;
/// At most so many rows are held of a list that can be read from any place,
const KEEP: usize = 600;
/// and of one that is read from the beginning on.
pub(super) const MOST: usize = 2_000;
/// Fewer rows than this between the selection and an end of what is held: time to read on.
const NEAR: usize = 100;

/// What the rows under way are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// The list from its beginning, its first row selected.
    First,
    /// The list's end, its last row selected.
    Last,
    /// The place of the row that is to be stood on.
    Goal,
    /// The rows around the one that was stood on, whether it is one of them or not.
    Around,
    /// The same place again, with the same row selected.
    Again,
    After,
    Before,
}

impl<S: Source> Listing<S> {
    /// Which rows a reading is about, and how many.
    pub(super) fn wanted(&self, load: Load, page: usize) -> (Part<'_, S::Row>, u32) {
        let rows = |count: usize| u32::try_from(count).unwrap_or(CHUNK);
        match load {
            Load::First => (Part::Start, CHUNK),
            // Only what is shown at once and the page before it: the rest is read while one looks.
            Load::Last => (Part::End, rows(page * 2).clamp(1, CHUNK)),
            Load::Goal => (self.goal.as_ref().map_or(Part::Start, Part::At), CHUNK),
            Load::Around => (self.around.as_ref().map_or(Part::Start, Part::Around), CHUNK),
            // What is none of the list's says nothing of the place.
            Load::After => {
                (self.rows.iter().rfind(|row| !self.is_left(row)).map_or(Part::Start, Part::After), CHUNK)
            }
            Load::Before => {
                (self.rows.iter().find(|row| !self.is_left(row)).map_or(Part::Start, Part::Before), CHUNK)
            }
            Load::Again if S::BOTH_WAYS => {
                // A page more above, so that there is something to scroll into.
                let first = self.top.saturating_sub(page);
                let row = self.iter().skip(first).find(|row| !self.is_left(row));
                let part = row.filter(|_| first > 0 || self.more_before);
                (part.map_or(Part::Start, Part::At), rows(page * 3).max(CHUNK))
            }
            Load::Again => (Part::Start, rows(self.rows.len()).max(CHUNK)),
        }
    }

    pub(super) fn go_to_start(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        self.went();
        if self.more_before || self.leaping() {
            self.owed = 0;
            return self.read(shell, Load::First, page).into_iter().collect();
        }
        self.step(shell, isize::MIN / 2, page)
    }

    pub(super) fn go_to_end(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        self.went();
        if S::BOTH_WAYS && (self.more_after || self.leaping()) {
            self.owed = 0;
            return self.read(shell, Load::Last, page).into_iter().collect();
        }
        self.step(shell, isize::MAX / 2, page)
    }

    /// Whether the rows under way take the place of those at hand, and the selection with them.
    pub(super) fn leaping(&self) -> bool {
        self.pages.busy() && matches!(self.load, Load::First | Load::Last | Load::Goal | Load::Around)
    }

    /// Whether rows follow that can be read.
    pub(super) fn goes_on(&self) -> bool {
        self.more_after && (S::BOTH_WAYS || self.rows.len() < MOST)
    }

    /// Moves the selection by rows. What goes beyond the rows at hand is owed until they come. `page`: rows on the screen.
    pub(super) fn step(&mut self, shell: &mut Shell, by: isize, page: usize) -> Vec<Effect> {
        self.went();
        if self.leaping() {
            self.owed = self.owed.saturating_add(by);
            return Vec::new();
        }
        if self.is_empty() {
            return Vec::new();
        }
        let last = self.len() as isize - 1;
        let wanted = (self.at as isize).saturating_add(self.owed).saturating_add(by);
        let at = wanted.clamp(0, last);
        let beyond = wanted - at;
        self.owed = match beyond {
            _ if beyond > 0 && self.goes_on() => beyond,
            _ if beyond < 0 && self.more_before => beyond,
            _ => 0,
        };
        if beyond > 0 && self.more_after && !self.goes_on() {
            let most = thousands(self.rows.len() as u64);
            let how = if S::FILTER.is_some() { ": narrow the filter to see the others" } else { "" };
            shell.toast(Severity::Info, format!("only the first {most} rows are read here{how}"));
        }
        // A whole page moves the view along, so that the selection stays at its place on the screen.
        let rows = page as isize;
        if by.abs() >= rows && by.abs() < last {
            let top = (self.top as isize).saturating_add(by);
            self.top = top.clamp(0, (last + 1 - rows).max(0)) as usize;
        }
        self.select(at as usize);
        self.top = self.top(page);
        self.read_on(shell, page).into_iter().collect()
    }

    pub(super) fn select(&mut self, at: usize) {
        self.at = self.leave(at);
        self.selected = self.row(self.at).map(S::id);
    }

    /// Decides which rows are shown.
    pub(super) fn sift(&mut self) {
        let fits = |place: &usize| {
            let row = &self.rows[*place];
            S::fits(&self.filter.meaning, row) || self.is_left(row)
        };
        self.shown = (0..self.rows.len()).filter(fits).collect();
    }

    /// Reads rows ahead, so that the next page is at hand before it is wanted.
    pub(super) fn read_on(&mut self, shell: &mut Shell, page: usize) -> Option<Effect> {
        if self.pages.busy() {
            return None;
        }
        let near = NEAR.max(2 * page);
        if self.goes_on() && self.len().saturating_sub(self.at) < near {
            return self.read(shell, Load::After, page);
        }
        if self.more_before && self.at < near {
            return self.read(shell, Load::Before, page);
        }
        None
    }

    pub(super) fn arrived(&mut self, shell: &mut Shell, chunk: Chunk<S::Row>, page: usize) -> Vec<Effect> {
        self.loaded = true;
        self.fault = None;
        match self.load {
            Load::First => {
                // A list that is read from its beginning on can't be read around a row: that is where it was, if not found.
                let (own, at, on_screen) = (self.around.take(), self.at, self.at.saturating_sub(self.top));
                self.replace(chunk);
                if own.is_some() {
                    self.arrived_around(own, at, on_screen);
                } else {
                    self.select(0);
                    self.top = 0;
                }
            }
            Load::Around => {
                let (own, at, on_screen) = (self.around.take(), chunk.at, self.at.saturating_sub(self.top));
                self.replace(chunk);
                self.arrived_around(own, at, on_screen);
            }
            Load::Last => {
                self.replace(chunk);
                self.select(self.len().saturating_sub(1));
            }
            Load::Goal => self.reached(chunk),
            Load::Again => self.refreshed(chunk),
            Load::After => self.append(chunk),
            Load::Before => self.prepend(chunk),
        }
        self.find_wanted();
        self.top = self.top(page);
        let again = self.load == Load::Again;
        let anew = !matches!(self.load, Load::After | Load::Before);
        let mut effects: Vec<Effect> = self.check_marks(shell, anew).into_iter().collect();
        // Where the cursor is on its way to another row, the one that is left goes anyway.
        let left = self.left.clone().filter(|_| again);
        if let Some(one) = self.wanted.clone().filter(|_| anew && !self.ones.busy()).or(left) {
            effects.extend(self.read_one(shell, &one));
        }
        effects.extend(match std::mem::take(&mut self.owed) {
            0 => self.read_on(shell, page).into_iter().collect(),
            owed => self.step(shell, owed, page),
        });
        effects
    }

    /// Takes rows that are known from elsewhere, until they are read.
    pub fn hold(&mut self, rows: Vec<S::Row>) {
        self.loaded = true;
        self.replace(Chunk::whole(rows));
        self.select(0);
    }

    fn more_after(&self, chunk: &Chunk<S::Row>) -> bool {
        chunk.more_after.unwrap_or(chunk.rows.len() >= self.asked as usize)
    }

    pub(super) fn replace(&mut self, chunk: Chunk<S::Row>) {
        self.more_after = self.more_after(&chunk);
        self.more_before = chunk.more_before;
        self.before = (!self.more_before).then_some(0);
        self.drifted = false;
        self.rows = chunk.rows;
        self.left = None;
        self.sift();
    }

    /// The rows from the goal on: it is among them, or stands before them as none of theirs.
    fn reached(&mut self, chunk: Chunk<S::Row>) {
        self.replace(chunk);
        let Some(goal) = self.goal.take() else { return self.select(0) };
        match self.position(&S::id(&goal)) {
            Some(at) => self.select(at),
            None => self.put_left(0, goal),
        }
        self.top = 0;
    }

    /// The same rows as they are now. The selection stays on its row and, if it can, at its place on the screen, even where
    /// the row is none of theirs any more.
    fn refreshed(&mut self, chunk: Chunk<S::Row>) {
        let at_start = self.top == 0 && !self.more_before;
        let first = chunk.rows.first().map(S::id);
        let first = first.and_then(|id| self.rows.iter().position(|row| S::id(row) == id));
        let before = self.before.zip(first).map(|(before, first)| before + first as u64);
        let on_screen = self.at.saturating_sub(self.top);
        let old: Vec<S::Id> = self.iter().map(S::id).collect();
        let place = self.shown.get(self.at).copied();
        let mut rows = std::mem::take(&mut self.rows);
        let own = place.map(|place| rows.swap_remove(place));
        self.replace(chunk);
        if self.more_before {
            // As it was, until it is counted again: what came or went before these rows is not known.
            (self.before, self.drifted) = (before, true);
        }
        let (above, below) = old.split_at(self.at.min(old.len()));
        match own {
            Some(own) if self.position(&S::id(&own)).is_none() => {
                let place = |id: &S::Id| self.rows.iter().position(|row| S::id(row) == *id);
                let after = above.iter().rev().find_map(place).map(|place| place + 1);
                let place = after.or_else(|| below.iter().find_map(place)).unwrap_or(0);
                self.put_left(place, own);
            }
            _ => {
                let at = below.iter().find_map(|id| self.position(id)).unwrap_or(0);
                self.select(at);
            }
        }
        let at = self.at;
        // At the very beginning new rows come into sight; elsewhere the screen stands still.
        self.top = if at_start { 0 } else { at.saturating_sub(on_screen) };
    }

    /// Adds the rows that follow; forgets the first ones if there are too many.
    fn append(&mut self, chunk: Chunk<S::Row>) {
        self.more_after = self.more_after(&chunk);
        let held: BTreeSet<S::Id> = self.rows.iter().map(S::id).collect();
        // A row that moved while one read on is not taken twice.
        self.rows.extend(chunk.rows.into_iter().filter(|row| !held.contains(&S::id(row))));
        let surplus = if S::BOTH_WAYS { self.rows.len().saturating_sub(KEEP) } else { 0 };
        self.rows.drain(..surplus);
        self.more_before |= surplus > 0;
        self.before = self.before.map(|before| before + surplus as u64);
        self.moved(surplus, 0);
    }

    /// Adds the rows that come before; forgets the last ones if there are too many.
    fn prepend(&mut self, chunk: Chunk<S::Row>) {
        self.more_before = chunk.more_before;
        let held: BTreeSet<S::Id> = self.rows.iter().map(S::id).collect();
        let mut rows: Vec<S::Row> =
            chunk.rows.into_iter().filter(|row| !held.contains(&S::id(row))).collect();
        let added = rows.len();
        self.before = match self.more_before {
            true => self.before.and_then(|before| before.checked_sub(added as u64)),
            false => Some(0),
        };
        rows.append(&mut self.rows);
        self.rows = rows;
        if self.rows.len() > KEEP {
            self.rows.truncate(KEEP);
            self.more_after = true;
        }
        self.moved(0, added);
    }

    /// Rows were taken from the beginning, or put before it: the selection moves with its row.
    fn moved(&mut self, gone: usize, added: usize) {
        let on_screen = self.at.saturating_sub(self.top);
        let gone = self.shown.partition_point(|place| *place < gone);
        self.sift();
        let added = self.shown.partition_point(|place| *place < added);
        self.select(self.at.saturating_sub(gone) + added);
        self.top = self.at.saturating_sub(on_screen);
    }
}
