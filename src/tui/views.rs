//! What was looked at before, and after that: like the pages of a browser.

use std::any::Any;
use std::rc::Rc;

use super::words::ScreenId;
use crate::domain::query::Sort;

/// So many views are kept.
const MOST: usize = 100;

/// The tabs of the table of keys, as the settings spell them.
pub const TABS: [&str; 3] = ["live", "all", "ended"];

/// What a screen shows: enough to show it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub screen: ScreenId,
    pub filter: String,
    /// The number of the open tab, where the screen has some.
    pub tab: usize,
    pub sort: Sort,
}

impl Default for View {
    fn default() -> Self {
        Self { screen: ScreenId::Keys, filter: String::new(), tab: 0, sort: Sort::default() }
    }
}

/// The table of keys, as far as it is a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfKeys {
    pub sort: Sort,
    /// Its tab: the place in [`TABS`].
    pub tab: usize,
}

impl From<&View> for OfKeys {
    fn from(view: &View) -> Self {
        Self { sort: view.sort, tab: view.tab }
    }
}

/// A view, and the row that one stood on; only its list knows what that is.
#[derive(Clone, Debug)]
pub struct Seen {
    pub view: View,
    pub row: Option<Rc<dyn Any>>,
}

/// The views before and after the present one.
#[derive(Debug, Default)]
pub struct Views {
    before: Vec<Seen>,
    /// The next one last.
    after: Vec<Seen>,
    present: Option<Seen>,
    /// Was gone to with its filter: one step back leads to where one came from.
    jump: Option<View>,
}

impl Views {
    /// Takes note of what is shown; the view that was left for it, where it is another one.
    pub fn note(&mut self, seen: Seen) -> Option<Seen> {
        let same = |present: &Seen| present.view == seen.view;
        let left = if self.present.as_ref().is_some_and(same) { None } else { self.present.take() };
        self.present = Some(seen);
        if let Some(left) = &left {
            self.before.push(left.clone());
            if self.before.len() > MOST {
                self.before.remove(0);
            }
            self.after.clear();
        }
        left
    }

    pub fn back(&mut self) -> Option<Seen> {
        let seen = self.before.pop()?;
        self.after.extend(self.present.take());
        Some(seen)
    }

    pub fn forward(&mut self) -> Option<Seen> {
        let seen = self.after.pop()?;
        self.before.extend(self.present.take());
        Some(seen)
    }

    /// This is shown by going back or forward: it is no new view.
    pub fn shows(&mut self, seen: Seen) {
        self.present = Some(seen);
    }

    pub fn jumped(&mut self, view: View) {
        self.jump = Some(view);
    }

    pub fn is_jump(&self, view: &View) -> bool {
        self.jump.as_ref() == Some(view) && !self.before.is_empty()
    }
}
