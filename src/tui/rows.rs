//! The rows of a list that is read in pages: bounded, read on where they end soon, and read anew when the database
//! changed, with the selection on the row that it was on.

use std::collections::BTreeSet;
use std::ops::Deref;

use super::effect::{Effect, Outcomes, Request, RequestId, To};
use super::latest::Latest;
use super::shell::Shell;
use super::widgets::list::Place;

/// Rows read at once, and the most that are kept.
pub const CHUNK: u32 = 200;
pub const MOST: usize = 2_000;

/// What was read of a list so far. A slice of the rows in all else.
#[derive(Debug)]
pub struct Rows<T> {
    rows: Vec<T>,
    /// Whether there are more than these.
    pub more: bool,
    /// Whether any answer came since they were last wanted anew.
    pub loaded: bool,
    /// The selection, in the rows that are shown.
    pub place: Place,
    /// Whether the answer awaited goes on from the rows at hand.
    going_on: bool,
    pages: Latest,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            more: false,
            loaded: false,
            place: Place::default(),
            going_on: false,
            pages: Latest::default(),
        }
    }
}

impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}

/// What an answer brought: the page, if it is the newest one and there was no failure; and the request that waited for it.
pub struct Answered<P> {
    pub page: Option<P>,
    pub next: Option<Effect>,
}

impl<T> Rows<T> {
    /// The selected row, where all rows are shown.
    pub fn selected(&self) -> Option<&T> {
        self.rows.get(self.place.at)
    }

    /// Asks for all rows anew: for as many as there were, so that the selection stays where it is. `request` is told the
    /// row to go on after, here none, and how many are wanted.
    pub fn read(
        &mut self,
        shell: &mut Shell,
        to: To,
        request: impl FnOnce(Option<&T>, u32) -> Request,
    ) -> Option<Effect> {
        self.going_on = false;
        let limit = CHUNK.max(u32::try_from(self.rows.len()).unwrap_or(CHUNK));
        self.pages.ask(shell, to, request(None, limit))
    }

    /// Asks for the rows after the last one, if the selection is near it, there are more, and not too many were read
    /// already. `count` rows are shown, `page` of them on the screen.
    pub fn read_on(
        &mut self,
        shell: &mut Shell,
        to: To,
        (count, page): (usize, usize),
        request: impl FnOnce(Option<&T>, u32) -> Request,
    ) -> Option<Effect> {
        let near_end = self.place.at + 2 * page >= count;
        if !self.more || !near_end || self.rows.len() >= MOST || self.pages.busy() {
            return None;
        }
        self.going_on = true;
        self.pages.ask(shell, to, request(self.rows.last(), CHUNK))
    }

    /// Forgets the rows: others are wanted.
    pub fn restart(&mut self) {
        self.rows.clear();
        self.loaded = false;
        self.place = Place::default();
    }

    /// Takes note of an answer, and tells of its failure; `None` if it answers something else.
    pub fn answered<P>(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: Outcomes<P>,
    ) -> Option<Answered<P>> {
        let settled = self.pages.settle(shell, id)?;
        shell.redraw = true;
        let page = match outcome {
            Ok(page) if settled.newest => Some(page),
            Err(failure) if settled.newest => {
                shell.failed(&failure);
                None
            }
            _ => None,
        };
        Some(Answered { page, next: settled.next })
    }

    /// Takes in what an answer brought. A row that is at hand already, because it moved while one read on, is not taken
    /// twice. The selection stays where it was by number.
    pub fn take_in<K: Ord>(&mut self, rows: impl IntoIterator<Item = T>, more: bool, id: impl Fn(&T) -> K) {
        self.loaded = true;
        self.more = more;
        if self.going_on {
            let held: BTreeSet<K> = self.rows.iter().map(&id).collect();
            self.rows.extend(rows.into_iter().filter(|row| !held.contains(&id(row))));
        } else {
            self.rows = rows.into_iter().collect();
        }
    }

    /// The same, where all rows are shown: the selection stays with its row, wherever that went. In a list with the newest
    /// row first it stays at the top where it was there, to see what comes in. `page`: rows on the screen.
    pub fn arrived<K: Ord>(
        &mut self,
        rows: impl IntoIterator<Item = T>,
        more: bool,
        order: Order,
        page: usize,
        id: impl Fn(&T) -> K,
    ) {
        let stays = order == Order::NewestFirst && self.place.at == 0;
        let selected = self.selected().filter(|_| !stays).map(&id);
        self.take_in(rows, more, &id);
        let at = selected.and_then(|selected| self.rows.iter().position(|row| id(row) == selected));
        self.place.go_to(at.unwrap_or(self.place.at), self.rows.len(), page);
    }
}

/// What a list is sorted by, as far as it matters to the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    Other,
}

/// Whether a page of this many rows was cut off at its limit.
pub fn is_full<T>(rows: &[T]) -> bool {
    rows.len() >= CHUNK as usize
}
