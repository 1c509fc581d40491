//! What is out of the ordinary about the use of keys, newest first, and the gates that see it.

use std::any::Any;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Action;
use crate::domain::key::KeyId;
use crate::domain::operator::Permission;
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::service::{AlertRequest, GateStanding, RaisedAlert};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, Timer, To};
use crate::tui::latest::Latest;
use crate::tui::listing::{Chunk, Listing, Part, Rows, Source};
use crate::tui::opening::{About, Opening};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::views::View;
use crate::tui::words::{self, ScreenId, Severity};

mod filter;
mod page;
#[cfg(test)]
mod tests;
mod view;

use filter::Filter;

const ME: To = To::Screen(ScreenId::Alerts);
/// How often the gates' heartbeats are looked at while the screen is shown.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
struct Alerts {
    /// Whether only those are read that nobody acknowledged.
    open_only: bool,
}

impl Source for Alerts {
    type Row = RaisedAlert;
    type Id = i64;
    type Filter = Filter;

    const SCREEN: ScreenId = ScreenId::Alerts;
    /// An alert names its key, as that is now.
    const ABOUT: Subjects = Subjects::ALERTS.and(Subjects::KEYS);
    const FILTER: Option<&'static str> = Some("words, or account:acme key:ID");
    const MARKS: bool = true;

    fn id(row: &RaisedAlert) -> i64 {
        row.id
    }

    fn parse(text: &str, _: Here) -> Result<Filter, QueryError> {
        Filter::parse(text)
    }

    fn fits(filter: &Filter, row: &RaisedAlert) -> bool {
        filter.fits(row)
    }

    fn reads_same(one: &Filter, other: &Filter) -> bool {
        one.reads_same(other)
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<RaisedAlert>>> {
        Some(reply.try_as_alerts()?.map(Chunk::forward))
    }

    fn state(_: &Shell, row: &RaisedAlert) -> &'static str {
        if row.acknowledged_at.is_none() { "open" } else { "acknowledged" }
    }

    fn over(row: &RaisedAlert) -> bool {
        row.acknowledged_at.is_some()
    }

    fn request(&self, filter: &Filter, part: Part<'_, RaisedAlert>, limit: u32) -> Request {
        let (account, key, before) = (filter.account.clone(), filter.key, part.after().map(Self::id));
        Request::Alerts(AlertRequest { open: self.open_only, key, account, before, limit })
    }
}

/// The alerts that the filter fits, and the gates.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Alerts>,
    gates: Option<Vec<GateStanding>>,
    /// Whether a timer will look at the gates again.
    looking: bool,
    standings: Latest,
    acknowledging: Option<RequestId>,
}

impl Screen for State {
    its_rows!();

    fn place(&self, shell: &Shell) -> Rect {
        self.list_of(shell)
    }

    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        let page = self.page(shell);
        let mut effects = self.rows.changed(shell, touched, page);
        effects.extend(self.look(shell));
        effects
    }

    fn view(&self, view: &mut View) {
        view.filter = self.rows.filter_text().to_owned();
        view.tab = usize::from(self.rows.source.open_only);
    }

    fn show(&mut self, shell: &mut Shell, view: &View, row: Option<&dyn Any>) {
        if self.rows.filter_text() != view.filter {
            self.rows.filter(&view.filter, shell.here(), false);
        }
        let open_only = view.tab > 0;
        if open_only != self.rows.source.open_only {
            self.rows.turn_to(|source| source.open_only = open_only);
        }
        self.rows.stand(row);
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let one = match action {
            Action::Revoke => "Revoking",
            Action::Pause => "Pausing",
            Action::Explain => "Explaining",
            _ => "",
        };
        if !one.is_empty() && !self.rows.takes_one(shell, one) {
            return Vec::new();
        }
        match action {
            Action::Left => return self.show(shell, false),
            Action::Right => return self.show(shell, true),
            Action::FocusDetail => return self.show(shell, !self.rows.source.open_only),
            Action::Open => {
                if let Some(row) = self.rows.selected() {
                    let (title, parts) = page::of(shell, row);
                    let about = row.alert.key().map(About::key);
                    shell.open(Opening::Reader { title, parts, about });
                }
            }
            Action::GoToKey => {
                if let Some(key) = self.selected_key(shell) {
                    shell.filter(About::key(key).filter);
                }
            }
            Action::Revoke => {
                if let Some(key) = self.selected_key(shell) {
                    shell.open(Opening::Revoke { ids: vec![key], known: Vec::new(), states: String::new() });
                }
            }
            Action::Pause => {
                if let Some(key) = self.selected_key(shell) {
                    let (ids, known, states) = (vec![key], Vec::new(), String::new());
                    shell.open(Opening::Pause { ids, known, states, resume: false });
                }
            }
            Action::Explain => {
                let key = self.rows.selected().and_then(|row| row.alert.key());
                // Where nobody knows which key was tried, whoever has it can paste it.
                shell.open(key.map_or(Opening::ExplainSecret, Opening::ExplainId));
            }
            Action::Acknowledge => return self.acknowledge(shell),
            _ => {}
        }
        Vec::new()
    }

    fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        if timer != Timer::Of(ME) {
            return Vec::new();
        }
        self.looking = false;
        if shell.screen == ScreenId::Alerts { self.look(shell) } else { Vec::new() }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        shell.redraw = true;
        let page = self.page(shell);
        match reply {
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
                        self.rows.clear_marks();
                        shell.toast(Severity::Good, format!("{} acknowledged", words::count(count, "alert")));
                        shell.changed(Subjects::ALERTS | Subjects::AUDIT);
                    }
                    Err(failure) => shell.failed(&failure),
                }
                Vec::new()
            }
            reply => self.rows.reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.draw_all(shell, frame, area);
    }
}

impl State {
    /// Asks how the gates are, now and again after a while.
    fn look(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.standings.ask(shell, ME, Request::Gates).into_iter().collect();
        if !self.looking {
            self.looking = true;
            effects.push(Effect::SetTimer { timer: Timer::Of(ME), after: LOOK });
        }
        effects
    }

    /// Shows all alerts, or only those that nobody acknowledged.
    fn show(&mut self, shell: &mut Shell, open_only: bool) -> Vec<Effect> {
        if open_only == self.rows.source.open_only {
            return Vec::new();
        }
        self.rows.source.open_only = open_only;
        let page = self.page(shell);
        self.rows.restart(shell, page)
    }

    /// The key that the selected alert is about; says so if it is about none.
    fn selected_key(&self, shell: &mut Shell) -> Option<KeyId> {
        let key = self.rows.selected()?.alert.key();
        if key.is_none() {
            shell.toast(Severity::Info, "no key of this database was used there");
        }
        key
    }

    /// Says that somebody looked at the marked alerts, or at the selected one.
    fn acknowledge(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let marks = self.rows.marks();
        let alerts: Vec<i64> = match marks.is_empty() {
            true => {
                self.rows.selected().filter(|row| !Alerts::over(row)).map(|row| row.id).into_iter().collect()
            }
            false => marks.iter().rev().filter(|(_, mark)| !mark.over).map(|(id, _)| *id).collect(),
        };
        if alerts.is_empty() {
            if let Some(row) = self.rows.selected()
                && let Some(by) = &row.acknowledged_by
            {
                shell.toast(Severity::Info, format!("{by} already acknowledged it"));
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
}
