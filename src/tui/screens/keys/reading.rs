//! What is read for the screen of keys, and what becomes of the answers.

use std::collections::HashMap;

use super::columns;
use super::state::State;
use super::usage::{ASKED, FRESH};
use crate::domain::key::KeyId;
use crate::domain::usage::Minute;
use crate::service::{Count, Page, Rank};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, Timer, To};
use crate::tui::latest::COUNTS;
use crate::tui::listing::Load;
use crate::tui::screens::of_keys;
use crate::tui::shell::Shell;
use crate::tui::view::body::PATIENCE;
use crate::tui::words::ScreenId;

const ME: To = To::Screen(ScreenId::Keys);

impl State {
    /// Asks for rows.
    pub(super) fn read(&mut self, shell: &mut Shell, load: Load) -> Vec<Effect> {
        self.quiet = false;
        self.own = shell.at_once;
        let page = self.areas(shell).page();
        let mut effects: Vec<Effect> = self.rows.read(shell, load, page).into_iter().collect();
        if !self.rows.loaded {
            effects.push(Effect::SetTimer { timer: Timer::Slow, after: PATIENCE });
        }
        effects
    }

    pub(super) fn recount(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let (filter, tab) = (self.rows.filter.meaning.clone(), self.tab());
        let query = tab.query(&filter);
        self.counting = Some((filter, tab));
        self.counts.ask(shell, ME, Request::Count(query)).into_iter().collect()
    }

    /// Counts what comes before the rows at hand, where that is not known: a place in the middle was gone to.
    pub(super) fn rank(&mut self, shell: &mut Shell) -> Option<Effect> {
        if self.ranks.busy() || self.counts.busy() {
            return None;
        }
        let row = self.rows.unranked(self.count())?;
        let (id, place) = (row.key.id, row.cursor.clone());
        let query = self.tab().query(&self.rows.filter.meaning);
        let rank = Rank { query, sort: self.rows.source.sort, place };
        self.ranking = Some((self.rows.turn(), id));
        self.ranks.ask(shell, ME, Request::Rank(Box::new(rank)))
    }

    /// Counts again once that has rested: counting costs more than reading.
    pub(super) fn recount_seldom(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.counts.waits(shell) {
            return self.counts.later(shell, Timer::Of(ME)).into_iter().collect();
        }
        self.recount(shell)
    }

    /// The detail follows the selection: its audit is read as soon as the one before has come.
    pub(super) fn follow(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.read_usage(shell).into_iter().collect();
        let selected = self.rows.selected_id().copied();
        if self.detail.of != selected {
            self.detail.of = selected;
            self.detail.scroll = 0;
        }
        let Some(id) = selected.filter(|_| self.detail.open) else { return effects };
        let known = self.detail.wanted == Some(id) && self.detail.trails.busy()
            || self.detail.trail.as_ref().is_some_and(|(of, _)| *of == id);
        if !known {
            self.detail.wanted = Some(id);
            effects.extend(self.detail.trails.ask(shell, ME, Request::Trail(id)));
        }
        effects.extend(self.read_account(shell));
        effects.extend(self.read_late(shell));
        effects
    }

    /// What gates saw of the key in the detail after its end, unless it works, or that is at hand or under way.
    fn read_late(&mut self, shell: &mut Shell) -> Option<Effect> {
        let key = self.selected_key().filter(|key| key.has_ended(self.now(shell)))?;
        let known = self.detail.late.as_ref().is_some_and(|(of, _)| *of == key.id);
        let request = Request::Late(Box::new(key.clone()));
        if known || self.detail.lates.busy() { None } else { self.detail.lates.ask(shell, ME, request) }
    }

    /// The account of the key in the detail, unless it is at hand or under way.
    fn read_account(&mut self, shell: &mut Shell) -> Option<Effect> {
        let slug = self.selected_key()?.account.clone();
        let held = self.detail.account.as_ref().is_some_and(|account| account.slug == slug);
        if held && !self.detail.account_stale || self.detail.accounts.busy() {
            return None;
        }
        self.detail.account_stale = false;
        self.detail.accounts.ask(shell, ME, Request::Account(slug))
    }

    /// Asks for what is not known of the keys on the screen, unless an answer is under way: that asks on when it comes.
    pub(super) fn read_usage(&mut self, shell: &mut Shell) -> Option<Effect> {
        if self.uses.reads.busy() {
            return None;
        }
        let now = self.now(shell);
        let areas = self.areas(shell);
        let column = columns::has_usage(areas.rows.width, self.uses.column, shell.columns.as_deref());
        let shown = if column { areas.page() } else { 0 };
        let rows = self.rows.iter().skip(self.rows.top(areas.page())).take(shown).map(|row| row.key.id);
        let selected = self.rows.selected_id().copied().filter(|_| self.detail.open);
        let stale = |id: &KeyId| !self.uses.knows(*id, now);
        let mut keys: Vec<KeyId> = selected.into_iter().chain(rows).filter(stale).take(ASKED).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return None;
        }
        self.uses.reads.ask(shell, ME, Request::Usage { keys, since: now - chrono::Duration::hours(24) })
    }

    /// Reads the rows once more when they are a minute old: that keys are used is no news that comes by itself.
    pub(super) fn read_last_used(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let fresh = self.read_at.is_none_or(|at| shell.now - at < FRESH);
        if fresh || !self.rows.loaded || self.rows.busy() {
            return Vec::new();
        }
        let effects = self.read(shell, Load::Again);
        self.quiet = true;
        effects
    }

    pub(super) fn answered(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Page(outcome) => self.page_arrived(shell, id, outcome),
            Reply::Count(outcome) => {
                if let Some(effects) = self.other_counted(shell, id, &outcome) {
                    return effects;
                }
                let Some(settled) = self.counts.settle(shell, id, Timer::Of(ME), Some(COUNTS)) else {
                    return Vec::new();
                };
                let counted = self.counting.take_if(|_| settled.newest);
                if let (Ok(count), Some((filter, tab))) = (outcome, counted) {
                    shell.redraw |= self.tabs.of(&filter, tab) != Some(count);
                    self.tabs.put(&filter, tab, count);
                }
                let mut effects: Vec<Effect> = settled.next.into_iter().collect();
                effects.extend(self.count_others(shell));
                effects.extend(self.rank(shell));
                effects
            }
            Reply::Rank(outcome) => {
                if self.ranks.settle(shell, id).is_none() {
                    return Vec::new();
                }
                let ranked = self.ranking.take().filter(|(turn, _)| *turn == self.rows.turn());
                if let (Some((_, row)), Ok(Count::Exactly(before))) = (ranked, outcome) {
                    self.rows.ranked(&row, before);
                    shell.redraw = true;
                }
                Vec::new()
            }
            Reply::Trail(outcome) => {
                let Some(settled) = self.detail.trails.settle(shell, id) else { return Vec::new() };
                if let (true, Ok(trail), Some(key)) = (settled.newest, outcome, self.detail.wanted) {
                    self.detail.trail = Some((key, trail));
                    shell.redraw = true;
                }
                settled.next.into_iter().collect()
            }
            Reply::Late { key, outcome } => {
                if self.detail.lates.settle(shell, id).is_none() {
                    return Vec::new();
                }
                // Without an answer it is asked for again with the next step, not at once.
                let Ok(late) = outcome else { return Vec::new() };
                self.detail.late = Some((key, late));
                shell.redraw = true;
                if self.detail.open { self.read_late(shell).into_iter().collect() } else { Vec::new() }
            }
            Reply::Account(outcome) => {
                if self.detail.accounts.settle(shell, id).is_none() {
                    return Vec::new();
                }
                // Without an answer it is asked for again with the next step, not at once.
                let Ok(summary) = outcome else { return Vec::new() };
                self.detail.account = Some(summary.account);
                shell.redraw = true;
                if self.detail.open { self.read_account(shell).into_iter().collect() } else { Vec::new() }
            }
            Reply::Usage { keys, outcome } => self.usage_arrived(shell, id, &keys, outcome),
            _ => Vec::new(),
        }
    }

    fn page_arrived(&mut self, shell: &mut Shell, id: RequestId, outcome: Outcomes<Page>) -> Vec<Effect> {
        let now = outcome.as_ref().ok().map(|page| page.now);
        let page = self.areas(shell).page();
        let Some(came) = self.rows.answered(shell, id, outcome.map(of_keys::chunk), page) else {
            return Vec::new();
        };
        let mut effects = came.effects;
        let Some(load) = came.load else {
            effects.extend(self.follow(shell));
            return effects;
        };
        self.slow = false;
        if !matches!(load, Load::After | Load::Before) {
            self.read_at = Some(shell.now);
            self.ahead = now.map_or(self.ahead, |now| now - shell.now);
        }
        let quiet = load == Load::Again && self.quiet;
        let stale = load == Load::Again && !quiet;
        if stale {
            self.tabs.age();
            self.detail.forget_trail();
            self.detail.account_stale = true;
        }
        effects.extend(self.follow(shell));
        let uncounted = self.count().is_none() && !matches!(load, Load::After | Load::Before);
        if uncounted && !quiet || stale && std::mem::take(&mut self.own) {
            effects.extend(self.recount(shell));
        } else if stale {
            effects.extend(self.recount_seldom(shell));
        }
        if self.rows.before(self.count()).is_none() {
            effects.extend(self.rank(shell));
        }
        effects
    }

    fn usage_arrived(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        keys: &[KeyId],
        outcome: Outcomes<HashMap<KeyId, Vec<Minute>>>,
    ) -> Vec<Effect> {
        if self.uses.reads.settle(shell, id).is_none() {
            return Vec::new();
        }
        // Without an answer what is held stays; the next look at the table asks again.
        let Ok(usage) = outcome else { return Vec::new() };
        let now = self.now(shell);
        self.uses.take_in(keys, usage, now, shell.utc);
        shell.redraw = true;
        self.read_usage(shell).into_iter().collect()
    }
}
