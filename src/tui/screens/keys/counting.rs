//! The tabs of the table of keys: opening one, and counting what is in them.

use ratatui::text::Line;

use super::state::State;
use super::tabs::Tab;
use crate::domain::text::thousands;
use crate::service::Count;
use crate::tui::effect::{Effect, Outcomes, Request, RequestId, Timer, To};
use crate::tui::latest::COUNTS;
use crate::tui::shell::Shell;
use crate::tui::widgets::tabs::{self, Tab as Shown};
use crate::tui::words::{ScreenId, Severity};

impl State {
    /// The tab that is open.
    pub fn tab(&self) -> Tab {
        self.rows.source.tab.under(&self.rows.filter.meaning)
    }

    pub(super) fn count_in(&self, tab: Tab) -> Option<Count> {
        self.tabs.of(&self.rows.filter.meaning, tab)
    }

    /// Shows another tab. The cursor stays on its key, or goes to the nearest one.
    pub(super) fn turn(&mut self, shell: &mut Shell, tab: Tab) -> Vec<Effect> {
        if self.rows.filter.meaning.mentions_status() {
            let words = "The filter names a status, so it decides which keys are shown.";
            shell.toast(Severity::Info, words);
            return Vec::new();
        }
        if tab == self.rows.source.tab {
            return Vec::new();
        }
        self.rows.turn_to(|source| source.tab = tab);
        self.read(shell, self.rows.anew())
    }

    /// Counts the other tabs, once the open one is counted: at most one at a time, and none of it holds anything up.
    pub(super) fn count_others(&mut self, shell: &mut Shell) -> Option<Effect> {
        let filter = self.rows.filter.meaning.clone();
        if self.counts.busy() || self.others.busy() || filter.mentions_status() {
            return None;
        }
        // Of three that make up one another, two say it all.
        self.tabs.rest(&filter);
        let order = [Tab::All, Tab::Live, Tab::Ended];
        let tab = order.into_iter().find(|tab| *tab != self.tab() && self.tabs.wants(&filter, *tab))?;
        // Only what changed may wait.
        if self.tabs.of(&filter, tab).is_some() && self.others.waits(shell) {
            return None;
        }
        self.other = Some((filter.clone(), tab));
        self.others.ask(shell, To::Screen(ScreenId::Keys), Request::Count(tab.query(&filter)))
    }

    /// An answer to that; `None` if it is to something else.
    pub(super) fn other_counted(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: &Outcomes<Count>,
    ) -> Option<Vec<Effect>> {
        let timer = Timer::Of(To::Screen(ScreenId::Keys));
        self.others.settle(shell, id, timer, Some(COUNTS))?;
        let (filter, tab) = self.other.take()?;
        // One that was stopped says nothing: it is counted again with the next one.
        let Ok(count) = outcome else { return Some(Vec::new()) };
        if *count == Count::AtLeast(0) || filter != self.rows.filter.meaning {
            return Some(Vec::new());
        }
        self.tabs.put(&filter, tab, *count);
        shell.redraw = true;
        Some(self.count_others(shell).into_iter().collect())
    }

    /// `[Live 1,234]  All 2,345  Ended 1,111`.
    pub(super) fn tab_line(&self, shell: &Shell, columns: usize) -> Line<'static> {
        let tabs = Tab::ALL.iter().map(|&tab| Shown {
            name: tab.into(),
            count: match self.count_in(tab) {
                Some(Count::Exactly(count)) => Some(thousands(count)),
                Some(Count::AtLeast(least)) => Some(format!("{}+", thousands(least))),
                None => None,
            },
            open: tab == self.tab(),
        });
        tabs::line(&shell.styles, tabs, columns)
    }
}
