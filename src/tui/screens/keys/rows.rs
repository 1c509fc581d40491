//! The window of rows and the selection in it: moving, reading on, taking over what has come.

use std::time::Duration;

use super::state::{Load, State};
use super::view;
use super::window::CHUNK;
use crate::domain::Instant;
use crate::service::{From, Page, PageRequest, Row};
use crate::tui::effect::{Effect, Failure, Reply, Request, RequestId, Timer, To};
use crate::tui::shell::Shell;
use crate::tui::view::PATIENCE;
use crate::tui::words::ScreenId;

/// How long the count may be out of date.
const RECOUNT: Duration = Duration::from_secs(1);
const ME: To = To::Screen(ScreenId::Keys);

impl State {
    pub(super) fn go_to_start(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.window.more_before || self.leaping() {
            self.owed = 0;
            return self.read(shell, Load::First);
        }
        self.step(shell, isize::MIN / 2)
    }

    pub(super) fn go_to_end(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.window.more_after || self.leaping() {
            self.owed = 0;
            return self.read(shell, Load::Last);
        }
        self.step(shell, isize::MAX / 2)
    }

    /// Whether the rows under way take the place of those at hand, and the selection with them.
    fn leaping(&self) -> bool {
        self.pages.busy() && matches!(self.load, Load::First | Load::Last)
    }

    /// Moves the selection by rows. What goes beyond the rows at hand is owed until they come.
    pub(super) fn step(&mut self, shell: &mut Shell, by: isize) -> Vec<Effect> {
        if self.leaping() {
            self.owed = self.owed.saturating_add(by);
            return Vec::new();
        }
        if self.window.is_empty() {
            return Vec::new();
        }
        let last = self.window.len() as isize - 1;
        let wanted = (self.place as isize).saturating_add(self.owed).saturating_add(by);
        let place = wanted.clamp(0, last);
        let beyond = wanted - place;
        self.owed = match beyond {
            0 => 0,
            _ if beyond > 0 && self.window.more_after => beyond,
            _ if beyond < 0 && self.window.more_before => beyond,
            _ => 0,
        };
        let page = view::rows_shown(self, shell) as isize;
        // A whole page moves the view along, so that the selection stays at its place on the screen.
        if by.abs() >= page && by.abs() < last {
            let top = (self.top as isize).saturating_add(by);
            self.top = top.clamp(0, (last + 1 - page).max(0)) as usize;
        }
        self.select(place as usize);
        self.show_selection(shell);
        let mut effects = self.read_on(shell);
        effects.extend(self.follow(shell));
        effects
    }

    fn select(&mut self, place: usize) {
        self.place = place;
        let id = self.window.rows.get(place).map(|row| row.key.id);
        if self.selected != id {
            self.selected = id;
            self.detail.scroll = 0;
        }
    }

    /// Scrolls as little as it takes to have the selection on the screen.
    pub(super) fn show_selection(&mut self, shell: &Shell) {
        let page = view::rows_shown(self, shell).max(1);
        self.top = self.top.min(self.window.len().saturating_sub(page));
        if self.place < self.top {
            self.top = self.place;
        } else if self.place >= self.top + page {
            self.top = self.place + 1 - page;
        }
    }

    /// Reads rows ahead, so that the next page is at hand before it is wanted.
    fn read_on(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.pages.busy() {
            return Vec::new();
        }
        if self.window.wants_after(self.place) {
            return self.read(shell, Load::After);
        }
        if self.window.wants_before(self.place) {
            return self.read(shell, Load::Before);
        }
        Vec::new()
    }

    /// Asks for rows.
    pub(super) fn read(&mut self, shell: &mut Shell, load: Load) -> Vec<Effect> {
        let edge = |row: Option<&Row>| row.map(|row| row.cursor.clone());
        let page = view::rows_shown(self, shell);
        let (from, limit) = match load {
            Load::First => (From::Start, CHUNK),
            // Only what is shown at once and the page before it: the rest is read while one looks.
            Load::Last => (From::End, u32::try_from(page * 2).unwrap_or(CHUNK).clamp(1, CHUNK)),
            Load::After => match edge(self.window.rows.last()) {
                Some(cursor) => (From::After(cursor), CHUNK),
                None => (From::Start, CHUNK),
            },
            Load::Before => match edge(self.window.rows.first()) {
                Some(cursor) => (From::Before(cursor), CHUNK),
                None => (From::Start, CHUNK),
            },
            Load::Again | Load::Used => {
                // A page more above, so that there is something to scroll into.
                let first = self.top.saturating_sub(page);
                let limit = u32::try_from(page * 3).unwrap_or(CHUNK).max(CHUNK);
                match self.window.rows.get(first) {
                    Some(row) if first > 0 || self.window.more_before => {
                        (From::At(row.cursor.clone()), limit)
                    }
                    _ => (From::Start, limit),
                }
            }
        };
        self.load = load;
        if !matches!(load, Load::After | Load::Before) {
            self.asked_at = Some(shell.now);
        }
        let request = PageRequest { query: self.filter.query.clone(), sort: self.sort, from, limit };
        let mut effects: Vec<Effect> =
            self.pages.ask(shell, ME, Request::Page(request)).into_iter().collect();
        if !self.loaded {
            effects.push(Effect::SetTimer { timer: Timer::Slow, after: PATIENCE });
        }
        effects
    }

    pub(super) fn recount(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let query = self.filter.query.clone();
        self.counts.ask(shell, ME, Request::Count(query)).into_iter().collect()
    }

    /// The detail follows the selection: its audit is read as soon as the one before has come.
    pub(super) fn follow(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.read_usage(shell).into_iter().collect();
        let Some(id) = self.selected.filter(|_| self.detail.open) else { return effects };
        let known = self.detail.wanted == Some(id) && self.detail.trails.busy()
            || self.detail.trail.as_ref().is_some_and(|(of, _)| *of == id);
        if !known {
            self.detail.wanted = Some(id);
            effects.extend(self.detail.trails.ask(shell, ME, Request::Trail(id)));
        }
        effects.extend(self.read_account(shell));
        effects
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

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Page(outcome) => {
                let Some(settled) = self.pages.settle(shell, id) else { return Vec::new() };
                let mut effects: Vec<Effect> = settled.next.into_iter().collect();
                if settled.newest {
                    match outcome {
                        Ok(page) => effects.extend(self.arrived(shell, page)),
                        Err(failure) => self.did_not_arrive(shell, &failure),
                    }
                }
                effects
            }
            Reply::Count(outcome) => {
                let Some(settled) = self.counts.settle(shell, id) else { return Vec::new() };
                if let (true, Ok(count)) = (settled.newest, outcome)
                    && self.count != Some(count)
                {
                    self.count = Some(count);
                    shell.redraw = true;
                }
                settled.next.into_iter().collect()
            }
            Reply::Trail(outcome) => {
                let Some(settled) = self.detail.trails.settle(shell, id) else { return Vec::new() };
                if let (true, Ok(trail), Some(key)) = (settled.newest, outcome, self.detail.wanted) {
                    self.detail.trail = Some((key, trail));
                    shell.redraw = true;
                }
                settled.next.into_iter().collect()
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

    fn arrived(&mut self, shell: &mut Shell, page: Page) -> Vec<Effect> {
        shell.redraw = true;
        let first_time = !self.loaded;
        self.loaded = true;
        self.fault = None;
        self.slow = false;
        let load = self.load;
        let mut count = first_time;
        let mut stale = false;
        match load {
            Load::First => {
                self.window.replace(page, shell.now);
                self.top = 0;
                self.select(0);
                count |= self.count.is_none();
            }
            Load::Last => {
                self.window.replace(page, shell.now);
                self.select(self.window.len().saturating_sub(1));
            }
            Load::Again => {
                self.refreshed(page, shell.now);
                count |= self.count.is_none();
                stale = true;
                self.detail.trail = None;
                self.detail.account_stale = true;
            }
            Load::Used => self.refreshed(page, shell.now),
            Load::After => {
                let gone = self.window.append(page);
                self.place = self.place.saturating_sub(gone);
                self.top = self.top.saturating_sub(gone);
            }
            Load::Before => {
                let added = self.window.prepend(page);
                self.place += added;
                self.top += added;
            }
        }
        self.show_selection(shell);
        let mut effects = Vec::new();
        let owed = std::mem::take(&mut self.owed);
        if owed != 0 {
            effects.extend(self.step(shell, owed));
        } else {
            effects.extend(self.read_on(shell));
            effects.extend(self.follow(shell));
        }
        if count {
            effects.extend(self.recount(shell));
        } else if stale && !self.recount_due {
            // Counting costs more than reading: where much changes, it is done once in a while.
            self.recount_due = true;
            effects.push(Effect::SetTimer { timer: Timer::Of(ME), after: RECOUNT });
        }
        effects
    }

    /// What is held stays as it is. Where nothing is held the reason stands in its place.
    fn did_not_arrive(&mut self, shell: &mut Shell, failure: &Failure) {
        self.owed = 0;
        self.fault = Some(failure.text.clone());
        shell.failed(failure);
    }

    /// The same rows as they are now. The selection stays on its key and, if it can, at its place on the screen; where
    /// the key is gone its neighbour takes its place.
    fn refreshed(&mut self, page: Page, now: Instant) {
        let at_start = self.top == 0 && !self.window.more_before;
        let on_screen = self.place.saturating_sub(self.top);
        let old: Vec<_> = self.window.rows.iter().map(|row| row.key.id).collect();
        self.window.replace(page, now);
        let below = old[self.place.min(old.len())..].iter();
        let above = old[..self.place.min(old.len())].iter().rev();
        let place = below.chain(above).find_map(|id| self.window.position(*id)).unwrap_or(0);
        self.select(place);
        // At the very beginning new rows come into sight; elsewhere the screen stands still.
        self.top = if at_start { 0 } else { place.saturating_sub(on_screen) };
    }
}
