//! The place where one stands in a list: it is kept over another filter, order or tab, and told as "row n of N".

use super::{Listing, Load, Source};
use crate::config::keymap::Action;
use crate::domain::text::thousands;
use crate::service::Count;
use crate::tui::effect::Effect;
use crate::tui::shell::Shell;

/// Columns of one step sideways, and of all of them.
const MOVE: isize = 8;
const FURTHEST: usize = 400;

/// Where one stands, whatever the rows are.
#[derive(Clone, Debug)]
pub(super) enum Place<R> {
    /// At the beginning of the list: what comes first is looked at.
    Start,
    Row(R),
}

impl<S: Source> Listing<S> {
    /// Where one stands: where one went by oneself, while other rows are shown in its place.
    fn place(&self) -> Place<S::Row> {
        if let Some(home) = &self.home {
            return home.clone();
        }
        if self.leaping() && self.load == Load::First && self.around.is_none() {
            return Place::Start;
        }
        match self.selected() {
            Some(row) if self.at > 0 || self.more_before => Place::Row(row.clone()),
            _ => Place::Start,
        }
    }

    /// The row under the cursor, else the one that one stood on before there were no rows.
    fn own(&self) -> Option<S::Row> {
        match (self.selected(), &self.home) {
            (Some(row), _) => Some(row.clone()),
            (None, Some(Place::Row(row))) => Some(row.clone()),
            _ => None,
        }
    }

    /// Other rows are to come under the same cursor. `own`: on the row under it, wherever that is then; else where one went
    /// by oneself, so that back and forth leads to the same row.
    pub(super) fn keep_place(&mut self, own: bool) {
        self.around = match self.place() {
            _ if own => {
                let row = self.own();
                self.home = None;
                row
            }
            Place::Start => {
                self.home = Some(Place::Start);
                None
            }
            Place::Row(row) => {
                self.home = Some(Place::Row(row.clone()));
                Some(row)
            }
        };
    }

    /// The rows shall stand in another order. The cursor stays on its row; at the beginning it stays there.
    pub fn reorder(&mut self) {
        let start = matches!(self.place(), Place::Start);
        self.keep_place(!start);
        // A row's place in the order before says nothing in this one.
        self.loaded = false;
    }

    /// The list is of other rows of the same kind from now on: the cursor stays where one went by oneself, as near as it can.
    pub fn turn_to(&mut self, change: impl FnOnce(&mut S)) {
        self.turned();
        self.keep_place(false);
        change(&mut self.source);
        self.loaded = false;
    }

    /// The cursor shall be on this row again: where it is at hand, or as soon as the rows around it are.
    pub(super) fn stand_again(&mut self, row: &S::Row) {
        self.went();
        self.owed = 0;
        match self.position(&S::id(row)).filter(|_| self.loaded && !self.leaping()) {
            Some(at) => self.select(at),
            None => {
                self.around = Some(row.clone());
                self.loaded = false;
            }
        }
    }

    /// What reads the rows that are not there yet.
    pub fn anew(&self) -> Load {
        if S::BOTH_WAYS && self.around.is_some() { Load::Around } else { Load::First }
    }

    /// The same rows are looked at through another filter, without reading: the cursor stays on its row or goes to the
    /// nearest one.
    pub(super) fn sift_around(&mut self) {
        let own = self.around.take().map(|row| S::id(&row));
        let place = own.and_then(|id| self.rows.iter().position(|row| S::id(row) == id));
        let on_screen = self.at.saturating_sub(self.top);
        self.left = None;
        self.sift();
        let at = place.map_or(0, |place| self.shown.partition_point(|shown| *shown < place));
        self.select(at.min(self.len().saturating_sub(1)));
        self.top = self.at.saturating_sub(on_screen);
    }

    /// The rows around the one that was stood on. `at`: where it is among them, or would be.
    pub(super) fn arrived_around(&mut self, own: Option<S::Row>, at: usize, on_screen: usize) {
        let own = own.and_then(|own| self.position(&S::id(&own)));
        self.select(own.unwrap_or(at).min(self.len().saturating_sub(1)));
        self.top = self.at.saturating_sub(on_screen);
    }

    /// Rows before the first one at hand, as far as that is known. `all`: how many there are.
    pub fn before(&self, all: Option<Count>) -> Option<u64> {
        match (self.before, all) {
            (Some(before), _) => Some(before),
            (None, Some(Count::Exactly(all))) if !self.more_after => {
                all.checked_sub((self.rows.len() - usize::from(self.left.is_some())) as u64)
            }
            _ => None,
        }
    }

    /// The first row at hand, where it is not known how many come before it.
    pub fn unranked(&self, all: Option<Count>) -> Option<&S::Row> {
        if !self.loaded || self.before(all).is_some() && !self.drifted {
            return None;
        }
        self.rows.iter().find(|row| !self.is_left(row))
    }

    /// So many rows come before this one.
    pub fn ranked(&mut self, row: &S::Id, before: u64) {
        if let Some(place) = self.rows.iter().position(|own| S::id(own) == *row) {
            self.before = before.checked_sub(place as u64);
            self.drifted = false;
        }
    }

    /// `row 1,234 of 12,345`; without what is not known.
    pub fn row_of(&self, all: Option<Count>) -> String {
        if !self.loaded || self.is_empty() {
            return String::new();
        }
        let all_words = match all {
            Some(Count::Exactly(all)) => thousands(all),
            Some(Count::AtLeast(least)) => format!("over {}", thousands(least)),
            None if self.more_after => format!("{}+", thousands(self.len() as u64)),
            None => thousands((self.len() - usize::from(self.left.is_some())) as u64),
        };
        let lone = self.selected().is_some_and(|row| self.is_left(row));
        let before = match all {
            // What only a filter of the console leaves out is none of the rows.
            None if !self.more_before => Some(0),
            _ => self.before(all),
        };
        match before.filter(|_| !lone) {
            Some(before) => format!("row {} of {all_words}", thousands(before + self.at as u64 + 1)),
            None => format!("row – of {all_words}"),
        }
    }

    /// Shows more of what is cut: further to its end, or back to its beginning.
    pub(super) fn move_cut(&mut self, way: isize) -> Vec<Effect> {
        self.moved = self.moved.saturating_add_signed(way * MOVE).min(FURTHEST);
        Vec::new()
    }

    /// The person went somewhere: from there on is where one stands.
    pub(super) fn went(&mut self) {
        self.home = None;
        self.wanted = None;
    }

    /// Reads what the other filter or order shows.
    pub(super) fn read_anew(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        self.loaded = false;
        self.read(shell, self.anew(), page).into_iter().collect()
    }
}

/// Whether an action is about the selected or the marked rows: about those that one sees, not those that one will see.
pub(super) fn about_rows(action: Action) -> bool {
    use Action::*;
    matches!(
        action,
        Mark | MarkRange
            | Open
            | Revoke
            | Pause
            | Resume
            | Rotate
            | Limit
            | Explain
            | CopyPreview
            | CopyId
            | Export
            | ShowReach
            | OpenLinked
            | ShowAccountKeys
            | ShowSameCreator
            | KeyReminders
            | TellAdmins
            | GoToKey
            | Retry
            | Acknowledge
            | CloseOverlap
            | ExtendOverlap
            | OpenReplacement
            | ChangeAccount
            | ToggleStanding
            | ChangeRole
            | RemoveOperator
            | Leaves
    )
}
