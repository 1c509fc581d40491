//! Which keys of the filter are shown: those that live, those that have ended, or all; and how many there are of each.

use strum::{IntoStaticStr, VariantArray};

use crate::domain::key::Status;
use crate::domain::query::{Query, Term, Test};
use crate::service::Count;

/// The keys that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Tab {
    /// Those that work, or would but for a pause or a suspension.
    #[default]
    Live,
    All,
    /// Those that work never again.
    Ended,
}

impl Tab {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The filter of the tab together with the one that was typed. One that names a status decides that by itself.
    pub fn query(self, filter: &Query) -> Query {
        let mut query = filter.clone();
        if !filter.mentions_status() {
            let any = match self {
                // Named, so that those are among them that a policy hides: the tabs make up one another.
                Self::All => Status::ALL.to_vec(),
                _ => Status::ENDED.to_vec(),
            };
            query.terms.push(Term { negated: self == Self::Live, test: Test::Status(any) });
        }
        query
    }

    /// The tab that is open under this filter.
    pub fn under(self, filter: &Query) -> Self {
        if filter.mentions_status() { Self::All } else { self }
    }

    /// Its neighbour, if it has one there.
    pub fn step(self, by: isize) -> Option<Self> {
        let at = Self::ALL.iter().position(|tab| *tab == self)?;
        Self::ALL.get(at.checked_add_signed(by)?).copied()
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// How many keys there are in each tab, as far as that was counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// The filter that they were counted under.
    of: Query,
    tabs: [Option<Count>; Tab::ALL.len()],
    /// Those that something has changed since.
    old: [bool; Tab::ALL.len()],
}

impl Counts {
    pub fn of(&self, filter: &Query, tab: Tab) -> Option<Count> {
        self.tabs[tab.place()].filter(|_| self.of == *filter)
    }

    pub fn put(&mut self, filter: &Query, tab: Tab, count: Count) {
        if self.of != *filter {
            *self = Self { of: filter.clone(), ..Self::default() };
        }
        self.tabs[tab.place()] = Some(count);
        self.old[tab.place()] = false;
    }

    /// Keys have changed: what was counted holds until it is counted again.
    pub fn age(&mut self) {
        self.old = [true; Tab::ALL.len()];
    }

    pub(super) fn wants(&self, filter: &Query, tab: Tab) -> bool {
        self.of(filter, tab).is_none() || self.old[tab.place()]
    }

    /// What is left of all for the third tab.
    pub(super) fn rest(&mut self, filter: &Query) {
        let (live, all, ended) =
            (self.of(filter, Tab::Live), self.of(filter, Tab::All), self.of(filter, Tab::Ended));
        let Some(Count::Exactly(all)) = all else { return };
        let left = |part: u64| Count::Exactly(all.saturating_sub(part));
        match (live, ended) {
            (Some(Count::Exactly(live)), None) => self.put(filter, Tab::Ended, left(live)),
            (None, Some(Count::Exactly(ended))) => self.put(filter, Tab::Live, left(ended)),
            (Some(Count::Exactly(live)), Some(_)) if !self.old[Tab::Live.place()] => {
                self.put(filter, Tab::Ended, left(live));
            }
            (Some(_), Some(Count::Exactly(ended))) if !self.old[Tab::Ended.place()] => {
                self.put(filter, Tab::Live, left(ended));
            }
            _ => {}
        }
    }
}
