//! A row that stands in the list although it is none of its rows: the selected one, after a change took it out of the
//! filter, until the cursor moves on; or a new one that the filter leaves out.

use super::{Chunk, Listing, Load, Source};
use crate::tui::effect::{Effect, Outcomes, RequestId, To};
use crate::tui::shell::Shell;

impl<S: Source> Listing<S> {
    /// Whether this row is none of the list's any more.
    pub fn is_left(&self, row: &S::Row) -> bool {
        self.left.as_ref().is_some_and(|left| *left == S::id(row))
    }

    /// What became of this row, where it is none of the list's any more.
    pub fn fate(&self, shell: &Shell, row: &S::Row) -> Option<String> {
        let fits = S::fits(&self.filter.meaning, row);
        self.is_left(row)
            .then(|| if fits { S::fate(shell, row) } else { "doesn't match the filter".to_owned() })
    }

    /// Asks for one row, whatever the filter says of it.
    pub(super) fn read_one(&mut self, shell: &mut Shell, id: &S::Id) -> Option<Effect> {
        let request = self.source.one(shell, id)?;
        self.ones.ask(shell, To::Screen(S::SCREEN), request)
    }

    /// The cursor shall stand on this row, which is new: unless it is moved before the row comes.
    pub fn stand_on(&mut self, shell: &mut Shell, id: &S::Id) -> Vec<Effect> {
        self.owed = 0;
        self.home = None;
        self.wanted = Some(id.clone());
        // Rows under way may bring it; else it is asked for when they have come.
        if !self.loaded || self.leaping() {
            return Vec::new();
        }
        self.find_wanted();
        if self.wanted.is_some() { self.read_one(shell, id).into_iter().collect() } else { Vec::new() }
    }

    /// The row that was waited for may be among the rows.
    pub(super) fn find_wanted(&mut self) {
        let Some(id) = &self.wanted else { return };
        if let Some(at) = self.position(id) {
            self.wanted = None;
            self.select(at);
        } else if self.rows.iter().any(|row| S::id(row) == *id) {
            self.left = self.wanted.take();
            self.stand_on_left();
        }
    }

    /// The one row has come; the outcome again if this answers something else. It may be wanted no longer: the cursor has
    /// left it, or has gone elsewhere.
    pub(super) fn one_came(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: Outcomes<Chunk<S::Row>>,
        page: usize,
    ) -> Result<Vec<Effect>, Outcomes<Chunk<S::Row>>> {
        let Some(settled) = self.ones.settle(shell, id) else { return Err(outcome) };
        let mut effects: Vec<Effect> = settled.next.into_iter().collect();
        let row = outcome.ok().and_then(|chunk| chunk.rows.into_iter().next());
        let Some(row) = row else { return Ok(effects) };
        let place = self.rows.iter().position(|own| S::id(own) == S::id(&row));
        match place {
            Some(place) if self.is_left(&row) => self.rows[place] = row,
            None if self.wanted != Some(S::id(&row)) => {}
            None if S::BOTH_WAYS => {
                self.goal = Some(row);
                effects.extend(self.read(shell, Load::Goal, page));
            }
            None if !self.leaping() => {
                self.wanted = None;
                let place = self.shown.get(self.at).copied().unwrap_or(0);
                self.put_left(place, row);
            }
            _ => {}
        }
        Ok(effects)
    }

    /// Puts a row at this place that is none of the list's.
    pub(super) fn put_left(&mut self, place: usize, row: S::Row) {
        self.left = Some(S::id(&row));
        // One that is read and hidden by the filter has its place.
        if self.rows.iter().all(|own| !self.is_left(own)) {
            self.rows.insert(place.min(self.rows.len()), row);
        }
        self.stand_on_left();
    }

    fn stand_on_left(&mut self) {
        self.sift();
        self.at = self.left.as_ref().and_then(|id| self.position(id)).unwrap_or(0);
        self.selected = self.left.clone();
    }

    /// Takes away what is none of the list's, as the cursor moves on to another row; answers where that is then.
    pub(super) fn leave(&mut self, at: usize) -> usize {
        let stays = self.row(at).is_some_and(|row| self.is_left(row));
        let Some(left) = self.left.take_if(|_| !stays) else { return at };
        let before = self.position(&left).is_some_and(|own| own < at);
        self.rows.retain(|row| S::id(row) != left || !S::fits(&self.filter.meaning, row));
        self.sift();
        at - usize::from(before)
    }
}
