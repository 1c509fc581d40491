//! What is out of the ordinary about the use of keys, newest first, and the gates that see it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::keymap::{Action, Context};
use crate::domain::key::KeyId;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::service::{AlertRequest, GateStanding, RaisedAlert};
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::opening::{About, Opening};
use crate::tui::rows::{Rows, is_full};
use crate::tui::shell::Shell;
use crate::tui::widgets::filter_line::FilterLine;
use crate::tui::widgets::list::{Place, Taken};
use crate::tui::words::{ScreenId, Severity};

mod filter;
mod page;
#[cfg(test)]
mod tests;
mod view;

use filter::Filter;

const ME: To = To::Screen(ScreenId::Alerts);
/// How often the gates' heartbeats are looked at while the screen is shown.
const LOOK: Duration = Duration::from_secs(2);

/// The alerts that the filter fits, and the gates.
#[derive(Debug, Default)]
pub struct State {
    /// What was read; [`State::shown`] are those of them that have the filter's words.
    rows: Rows<RaisedAlert>,
    marks: BTreeSet<i64>,
    /// Whether only those are shown that nobody acknowledged.
    open_only: bool,
    filter: FilterLine,
    /// The last filter without a mistake in it.
    good: Filter,
    mistake: Option<String>,
    gates: Option<Vec<GateStanding>>,
    /// Whether a timer will look at the gates again.
    looking: bool,
    standings: Latest,
    acknowledging: Option<RequestId>,
}

impl State {
    pub fn context(&self) -> Context {
        if self.filter.typing { Context::Prompt } else { Context::Alerts }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell)
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let request = self.request();
        let mut effects: Vec<Effect> = self.rows.read(shell, ME, request).into_iter().collect();
        effects.extend(self.look(shell));
        effects
    }

    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        if timer != Timer::Of(ME) {
            return Vec::new();
        }
        self.looking = false;
        if shell.screen == ScreenId::Alerts { self.look(shell) } else { Vec::new() }
    }

    /// Asks how the gates are, now and again after a while.
    fn look(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.standings.ask(shell, ME, Request::Gates).into_iter().collect();
        if !self.looking {
            self.looking = true;
            effects.push(Effect::SetTimer { timer: Timer::Of(ME), after: LOOK });
        }
        effects
    }

    fn request(&self) -> impl FnOnce(Option<&RaisedAlert>, u32) -> Request + use<> {
        let (open, Filter { account, key, .. }) = (self.open_only, self.good.clone());
        move |last, limit| {
            Request::Alerts(AlertRequest { open, key, account, before: last.map(|row| row.id), limit })
        }
    }

    /// Reads on where the rows at hand end soon.
    fn read_on(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let (count, page) = (self.shown().count(), view::rows_shown(self, shell));
        let request = self.request();
        self.rows.read_on(shell, ME, (count, page), request).into_iter().collect()
    }

    /// The rows that have the filter's words.
    fn shown(&self) -> impl Iterator<Item = &RaisedAlert> {
        self.rows.iter().filter(|row| self.good.fits(row))
    }

    fn selected(&self) -> Option<&RaisedAlert> {
        self.shown().nth(self.rows.place.at)
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.filter.typing {
            return if self.filter.take(&input) { self.filtered(shell) } else { Vec::new() };
        }
        let page = view::rows_shown(self, shell);
        let count = self.shown().count();
        let mut place = self.rows.place;
        let taken = place.take(&input, count, page, |at| view::row_at(self, shell, at));
        self.rows.place = place;
        match taken {
            Taken::Moved => self.read_on(shell),
            Taken::Left(action) => self.act(shell, action),
            Taken::Nothing => Vec::new(),
        }
    }

    /// The filter was changed: with a mistake in it the last good result stays.
    fn filtered(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match Filter::parse(self.filter.value()) {
            Ok(filter) => {
                self.mistake = None;
                if filter == self.good {
                    return Vec::new();
                }
                let same = (&filter.account, &filter.key) == (&self.good.account, &self.good.key);
                self.good = filter;
                self.marks.clear();
                self.rows.place = Place::default();
                // Other words are looked for in what is at hand.
                if same { self.read_on(shell) } else { self.restart(shell) }
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                Vec::new()
            }
        }
    }

    /// Other rows are wanted.
    fn restart(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.rows.restart();
        self.marks.clear();
        let request = self.request();
        self.rows.read(shell, ME, request).into_iter().collect()
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Filter => self.filter.typing = true,
            Action::Left | Action::Right | Action::FocusDetail => {
                let wanted = match action {
                    Action::Left => false,
                    Action::Right => true,
                    _ => !self.open_only,
                };
                if wanted != self.open_only {
                    self.open_only = wanted;
                    return self.restart(shell);
                }
            }
            Action::Back if !self.marks.is_empty() => self.marks.clear(),
            Action::ClearFilter | Action::Back if !self.filter.is_empty() => {
                self.filter.clear();
                return self.filtered(shell);
            }
            Action::ClearMarks => self.marks.clear(),
            Action::Mark => {
                if let Some(id) = self.selected().map(|row| row.id)
                    && !self.marks.remove(&id)
                {
                    self.marks.insert(id);
                }
                let (count, page) = (self.shown().count(), view::rows_shown(self, shell));
                self.rows.place.step(1, count, page);
            }
            Action::MarkAll => {
                let ids: Vec<i64> = self.shown().map(|row| row.id).collect();
                self.marks.extend(ids);
                if self.rows.more {
                    let words = "only the rows at hand were marked: narrow the filter to mark all of them";
                    shell.toast(Severity::Warning, words);
                }
            }
            Action::Open => {
                if let Some(row) = self.selected() {
                    let (title, parts) = page::of(shell, row);
                    let about = row.alert.key().map(About::key);
                    shell.open(Opening::Reader { title, parts, about });
                }
            }
            Action::GoToKey => match self.selected_key(shell) {
                Some(key) => shell.filter(About::key(key).filter),
                None => return Vec::new(),
            },
            Action::Revoke => {
                if let Some(key) = self.selected_key(shell) {
                    shell.open(Opening::Revoke { ids: vec![key], known: Vec::new() });
                }
            }
            Action::Explain => {
                let key = self.selected().and_then(|row| row.alert.key());
                // Where nobody knows which key was tried, whoever has it can paste it.
                shell.open(key.map_or(Opening::ExplainSecret, Opening::ExplainId));
            }
            Action::Acknowledge => return self.acknowledge(shell),
            _ => {}
        }
        Vec::new()
    }

    /// The key that the selected alert is about; says so if it is about none.
    fn selected_key(&self, shell: &mut Shell) -> Option<KeyId> {
        let key = self.selected()?.alert.key();
        if key.is_none() {
            shell.toast(
                Severity::Info,
                "no key of this database was used there: nobody knows which was meant",
            );
        }
        key
    }

    /// Says that somebody looked at the marked alerts, or at the selected one.
    fn acknowledge(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let wanted = |row: &&RaisedAlert| {
            row.acknowledged_at.is_none() && (self.marks.is_empty() || self.marks.contains(&row.id))
        };
        let alerts: Vec<i64> = if self.marks.is_empty() {
            self.selected().filter(wanted).into_iter().map(|row| row.id).collect()
        } else {
            self.shown().filter(wanted).map(|row| row.id).collect()
        };
        if alerts.is_empty() {
            if let Some(row) = self.selected()
                && let Some(by) = &row.acknowledged_by
            {
                shell.toast(Severity::Info, format!("{by} acknowledged it already"));
            }
            return Vec::new();
        }
        if self.acknowledging.is_some() || !shell.refuse_unless(Permission::ChangeKeys, "acknowledge alerts")
        {
            return Vec::new();
        }
        let operation = shell.operation();
        let (id, effect) = shell.ask(ME, Request::AcknowledgeAlerts { operation, alerts });
        self.acknowledging = Some(id);
        vec![effect]
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        shell.redraw = true;
        match reply {
            Reply::Alerts(outcome) => {
                let Some(answered) = self.rows.answered(shell, id, outcome) else { return Vec::new() };
                let mut effects: Vec<Effect> = answered.next.into_iter().collect();
                if let Some(rows) = answered.page {
                    effects.extend(self.arrived(shell, rows));
                }
                effects
            }
            Reply::Gates(outcome) => {
                let Some(settled) = self.standings.settle(shell, id) else { return Vec::new() };
                // Without an answer the last one stays: what is wrong with the database is said elsewhere.
                if let Ok(gates) = outcome {
                    self.gates = Some(gates);
                }
                settled.next.into_iter().collect()
            }
            Reply::AcknowledgeAlerts(outcome) if self.acknowledging == Some(id) => {
                self.acknowledging = None;
                match outcome {
                    Ok(count) => {
                        self.marks.clear();
                        let words = if count == 1 { "1 alert".into() } else { format!("{count} alerts") };
                        shell.toast(Severity::Good, format!("{words} acknowledged"));
                        shell.changed(Subjects::ALERTS | Subjects::AUDIT);
                    }
                    Err(failure) => shell.failed(&failure),
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn arrived(&mut self, shell: &mut Shell, rows: Vec<RaisedAlert>) -> Vec<Effect> {
        let selected = self.selected().map(|row| row.id);
        // At the top one stays at the top, to see what comes in.
        let follow = self.rows.place.at > 0;
        let more = is_full(&rows);
        self.rows.take_in(rows, more, |row| row.id);
        let at = selected.filter(|_| follow).and_then(|id| self.shown().position(|row| row.id == id));
        let (count, page) = (self.shown().count(), view::rows_shown(self, shell));
        self.rows.place.go_to(at.unwrap_or(self.rows.place.at), count, page);
        self.marks.retain(|id| self.rows.iter().any(|row| row.id == *id));
        if self.good.has_words() { self.read_on(shell) } else { Vec::new() }
    }
}
