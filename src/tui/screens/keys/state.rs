//! What the screen of keys knows.

use chrono::Duration;

use super::areas::Areas;
use super::table::Table;
use super::tabs::{Counts, Tab};
use super::usage::Uses;
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::audit::Entry;
use crate::domain::key::{Key, KeyId};
use crate::domain::query::Query;
use crate::domain::usage::Late;
use crate::service::Count;
use crate::tui::latest::{Latest, Paced};
use crate::tui::listing::Listing;
use crate::tui::shell::Shell;

/// The table of keys, how many there are, and the detail of the selected one.
#[derive(Debug, Default)]
pub struct State {
    pub rows: Listing<Table>,
    /// What the database's clock is ahead of ours.
    pub(super) ahead: Duration,
    /// Whether loading takes so long that it should be shown.
    pub slow: bool,
    /// Whether the rows under way are read for what gates write down and tell nobody of: when keys were last used.
    pub(super) quiet: bool,
    /// How many keys there are in each tab.
    pub(super) tabs: Counts,
    pub(super) counts: Paced,
    /// What the count under way is of.
    pub(super) counting: Option<(Query, Tab)>,
    /// The same for the tabs that are not open.
    pub(super) others: Paced,
    pub(super) other: Option<(Query, Tab)>,
    pub(super) ranks: Latest,
    /// The row whose place is being counted, and its turn in the list.
    pub(super) ranking: Option<(u64, KeyId)>,
    /// Whether the rows under way are read because of a change that was made here.
    pub(super) own: bool,
    pub detail: Detail,
    pub uses: Uses,
    /// When the rows on the screen were last read.
    pub(super) read_at: Option<Instant>,
}

/// The pane with everything about the selected key.
#[derive(Debug, Default)]
pub struct Detail {
    pub open: bool,
    /// Whether keys scroll the pane instead of the list.
    pub focused: bool,
    pub scroll: u16,
    /// The key that it was scrolled for.
    pub(super) of: Option<KeyId>,
    /// The audit of one key.
    pub trail: Option<(KeyId, Vec<Entry>)>,
    pub(super) trails: Latest,
    /// What gates saw of one key after its end.
    pub late: Option<(KeyId, Option<Late>)>,
    pub(super) lates: Latest,
    /// The selected key's account, once it was read; its plan says which budgets hold.
    pub account: Option<Account>,
    pub(super) accounts: Latest,
    /// Whether the account may be out of date.
    pub(super) account_stale: bool,
    /// The key whose trail is under way.
    pub(super) wanted: Option<KeyId>,
}

impl Detail {
    /// The audit has grown: what is at hand of it, or under way, is old.
    pub(super) fn forget_trail(&mut self) {
        self.trail = None;
        self.late = None;
        self.wanted = None;
    }
}

impl State {
    pub fn areas(&self, shell: &Shell) -> Areas {
        Areas::of(shell, self.rows.filter.visible(), self.detail.open)
    }

    pub fn selected_key(&self) -> Option<&Key> {
        self.rows.selected().map(|row| &row.key)
    }

    /// The database's present, as far as it is known.
    pub fn now(&self, shell: &Shell) -> Instant {
        shell.now + self.ahead
    }

    /// How many keys of the open tab the filter fits, as far as it is known.
    pub(super) fn count(&self) -> Option<Count> {
        self.count_in(self.tab())
    }
}
