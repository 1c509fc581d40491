//! What the table of keys knows.

use std::collections::BTreeSet;

use super::filter::Filter;
use super::usage::Uses;
use super::window::Window;
use crate::config::keymap::Context;
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::audit::Entry;
use crate::domain::key::{Key, KeyId};
use crate::domain::query::Sort;
use crate::domain::text::SafeText;
use crate::service::{Count, Row};
use crate::tui::latest::Latest;
use crate::tui::shell::Shell;

/// The table of keys: a window of rows, the selection, the filter, the marks, the detail.
#[derive(Debug, Default)]
pub struct State {
    pub filter: Filter,
    pub sort: Sort,
    pub window: Window,
    /// Whether rows were ever read under the present filter and order.
    pub loaded: bool,
    /// Whether loading takes so long that it should be shown.
    pub slow: bool,
    /// Why the last reading failed.
    pub fault: Option<SafeText>,
    pub selected: Option<KeyId>,
    /// Where the selection stands in the window.
    pub(super) place: usize,
    /// The first row of the window that is shown.
    pub(super) top: usize,
    /// Steps that wait for rows under way.
    pub(super) owed: isize,
    pub(super) pages: Latest,
    pub(super) load: Load,
    pub count: Option<Count>,
    pub(super) counts: Latest,
    /// Whether a timer will ask for the count again.
    pub(super) recount_due: bool,
    pub marks: BTreeSet<KeyId>,
    pub(super) anchor: Option<KeyId>,
    pub detail: Detail,
    pub uses: Uses,
    /// When the rows on the screen were last asked for.
    pub(super) asked_at: Option<Instant>,
}

/// What the page under way is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// The table from its beginning, its first row selected.
    #[default]
    First,
    /// The table's end, its last row selected.
    Last,
    /// The same place again, with the same key selected.
    Again,
    /// The same, for what gates write down and tell nobody of: when keys were last used.
    Used,
    After,
    Before,
}

/// The pane with everything about the selected key.
#[derive(Debug, Default)]
pub struct Detail {
    pub open: bool,
    /// Whether keys scroll the pane instead of the list.
    pub focused: bool,
    pub scroll: u16,
    /// The audit of one key.
    pub trail: Option<(KeyId, Vec<Entry>)>,
    pub(super) trails: Latest,
    /// The selected key's account, once it was read; its plan says which budgets hold.
    pub account: Option<Account>,
    pub(super) accounts: Latest,
    /// Whether the account may be out of date.
    pub(super) account_stale: bool,
    /// The key whose trail is under way.
    pub(super) wanted: Option<KeyId>,
}

impl State {
    pub fn selected_row(&self) -> Option<&Row> {
        self.window.rows.get(self.place).filter(|row| Some(row.key.id) == self.selected)
    }

    pub fn selected_key(&self) -> Option<&Key> {
        self.selected_row().map(|row| &row.key)
    }

    /// The keys that an action on several is about: the marked ones, else the selected one.
    pub fn chosen(&self) -> Vec<KeyId> {
        if self.marks.is_empty() {
            self.selected.into_iter().collect()
        } else {
            self.marks.iter().copied().collect()
        }
    }

    /// Those of [`Self::chosen`] that are held here, for showing them.
    pub fn chosen_keys(&self) -> Vec<Key> {
        let chosen = self.chosen();
        self.window
            .rows
            .iter()
            .filter(|row| chosen.contains(&row.key.id))
            .map(|row| row.key.clone())
            .collect()
    }

    /// The database's present, as far as it is known.
    pub fn now(&self, shell: &Shell) -> Instant {
        shell.now + self.window.ahead
    }

    pub fn context(&self) -> Context {
        if self.filter.editing {
            Context::Prompt
        } else if self.detail.open && self.detail.focused {
            Context::Detail
        } else {
            Context::Keys
        }
    }

    /// What the header says about how many keys there are.
    pub fn summary(&self, shell: &Shell) -> String {
        let noun = shell.wording().noun;
        let plural = |n: u64| if n == 1 { noun.clone() } else { format!("{noun}s") };
        let count = match self.count {
            Some(Count::Exactly(n)) => format!("{} {}", thousands(n), plural(n)),
            Some(Count::AtLeast(n)) => format!("over {} {}", thousands(n), plural(n)),
            None => String::new(),
        };
        if self.marks.is_empty() {
            return count;
        }
        let marked = format!("✓ {} marked", self.marks.len());
        if count.is_empty() { marked } else { format!("{marked} of {count}") }
    }
}

/// `1000000` as `1,000,000`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
