//! What is due, what was mailed and what went wrong: the outbox, the last sweeps, the reminders.

use std::collections::BTreeSet;

use crate::config::keymap::{Action, Context};
use crate::domain::query::QueryError;
use crate::domain::reminder::{self, Delivery, Reminder, ReminderFilter, ReminderId, Sweep};
use crate::service::ReminderRequest;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::opening::{About, Change, Opening, Question};
use crate::tui::rows::{Order, Rows, is_full};
use crate::tui::shell::Shell;
use crate::tui::sweep_state::{self, MAY_SWEEP};
use crate::tui::widgets::filter_line::FilterLine;
use crate::tui::widgets::list::Taken;
use crate::tui::words::{ScreenId, Severity};

mod page;
mod preset;
#[cfg(test)]
mod tests;
mod view;

use preset::Preset;

const ME: To = To::Screen(ScreenId::Reminders);
/// Sweeps that are read: as many as the largest screen shows.
const SWEEPS: u32 = 8;

/// The reminders that the filter fits, and the last sweeps.
#[derive(Debug, Default)]
pub struct State {
    rows: Rows<Reminder>,
    marks: BTreeSet<ReminderId>,
    filter: FilterLine,
    /// The last filter without a mistake in it.
    good: ReminderFilter,
    mistake: Option<QueryError>,
    sweeps: Option<Vec<Sweep>>,
    histories: Latest,
}

impl State {
    pub fn context(&self) -> Context {
        if self.filter.typing { Context::Prompt } else { Context::Reminders }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects = self.changed(shell);
        effects.push(shell.ask(To::Shell, Request::Post).1);
        effects
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> =
            self.histories.ask(shell, ME, Request::Sweeps(SWEEPS)).into_iter().collect();
        effects.extend(self.read(shell));
        effects
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    /// Replaces the filter, without reading yet.
    pub fn set_filter(&mut self, text: &str) {
        self.filter.set(text);
        self.filter.typing = false;
        self.interpret();
    }

    fn request(&self) -> impl FnOnce(Option<&Reminder>, u32) -> Request + use<> {
        let filter = self.good.clone();
        move |last, limit| {
            Request::Reminders(ReminderRequest { filter, after: last.map(|row| row.id), limit })
        }
    }

    fn read(&mut self, shell: &mut Shell) -> Option<Effect> {
        let request = self.request();
        self.rows.read(shell, ME, request)
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.filter.typing {
            return if self.filter.take(&input) { self.filtered(shell) } else { Vec::new() };
        }
        let (count, page) = (self.rows.len(), view::rows_shown(self, shell));
        let mut place = self.rows.place;
        let taken = place.take(&input, count, page, |at| view::row_at(self, shell, at));
        self.rows.place = place;
        match taken {
            Taken::Moved => {}
            Taken::Left(action) => return self.act(shell, action),
            Taken::Nothing => return Vec::new(),
        }
        let request = self.request();
        self.rows.read_on(shell, ME, (count, page), request).into_iter().collect()
    }

    /// The filter was changed: with a mistake in it the last good result stays.
    fn filtered(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.interpret() { self.read(shell).into_iter().collect() } else { Vec::new() }
    }

    /// Answers whether the filter means something else now.
    fn interpret(&mut self) -> bool {
        match ReminderFilter::parse(self.filter.value()) {
            Ok(filter) => {
                self.mistake = None;
                if filter == self.good {
                    return false;
                }
                self.good = filter;
                self.rows.restart();
                self.marks.clear();
                true
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                false
            }
        }
    }

    fn show(&mut self, shell: &mut Shell, preset: Preset) -> Vec<Effect> {
        let text = preset.put_into(self.filter.value());
        self.filter.set(&text);
        self.filtered(shell)
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let preset = Preset::of(&self.good);
        match action {
            Action::Filter => self.filter.typing = true,
            Action::Left => return self.show(shell, Preset::step(preset, -1, false)),
            Action::Right => return self.show(shell, Preset::step(preset, 1, false)),
            Action::FocusDetail => return self.show(shell, Preset::step(preset, 1, true)),
            Action::Back if !self.marks.is_empty() => self.marks.clear(),
            Action::ClearFilter | Action::Back if !self.filter.is_empty() => {
                self.filter.clear();
                return self.filtered(shell);
            }
            Action::ClearMarks => self.marks.clear(),
            Action::Mark => {
                if let Some(id) = self.rows.selected().map(|row| row.id)
                    && !self.marks.remove(&id)
                {
                    self.marks.insert(id);
                }
                let (count, page) = (self.rows.len(), view::rows_shown(self, shell));
                self.rows.place.step(1, count, page);
            }
            Action::MarkAll => {
                self.marks.extend(self.rows.iter().map(|row| row.id));
                if self.rows.more {
                    let words = "only the rows at hand were marked: narrow the filter to mark all of them";
                    shell.toast(Severity::Warning, words);
                }
            }
            Action::Open => {
                if let Some(row) = self.rows.selected() {
                    let (title, parts, jump) = page::of(shell, row);
                    let about = Some(About { filter: jump, revoke: None });
                    shell.open(Opening::Reader { title, parts, about });
                }
            }
            Action::GoToKey => {
                if let Some(row) = self.rows.selected() {
                    let filter = page::key_filter(row);
                    shell.filter(filter);
                }
            }
            Action::Retry => return self.retry(shell),
            _ => {}
        }
        Vec::new()
    }

    /// Asks whether the marked reminders, or the selected one, shall be sent again.
    fn retry(&self, shell: &mut Shell) -> Vec<Effect> {
        let wanted: Vec<&Reminder> = if self.marks.is_empty() {
            self.rows.selected().into_iter().collect()
        } else {
            self.rows.iter().filter(|row| self.marks.contains(&row.id)).collect()
        };
        let Some(first) = wanted.first().copied() else { return Vec::new() };
        let fit: Vec<&Reminder> = wanted.iter().copied().filter(|row| can_retry(row)).collect();
        if fit.is_empty() {
            let words = match wanted.len() {
                1 => format!(
                    "only what failed, is ambiguous or was put off is sent again; this is {}",
                    first.state.as_str()
                ),
                _ => "only what failed, is ambiguous or was put off is sent again: none of the marked ones"
                    .to_owned(),
            };
            shell.toast(Severity::Info, words);
            return Vec::new();
        }
        if !shell.refuse_unless(MAY_SWEEP, "send reminders again") {
            return Vec::new();
        }
        shell.open(Opening::Confirm(question(&fit, wanted.len() - fit.len())));
        Vec::new()
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Sweeps(outcome) => {
                let Some(settled) = self.histories.settle(shell, id) else { return Vec::new() };
                shell.redraw = true;
                match outcome {
                    Ok(sweeps) => self.sweeps = Some(sweeps),
                    Err(failure) => shell.failed(&failure),
                }
                settled.next.into_iter().collect()
            }
            Reply::Reminders(outcome) => {
                let Some(answered) = self.rows.answered(shell, id, outcome) else { return Vec::new() };
                if let Some(rows) = answered.page {
                    let (more, page) = (is_full(&rows), view::rows_shown(self, shell));
                    self.rows.arrived(rows, more, Order::NewestFirst, page, |row| row.id);
                    self.marks.retain(|id| self.rows.iter().any(|row| row.id == *id));
                }
                answered.next.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What failed, what is ambiguous, and what waits for another try after a passing fault.
fn can_retry(row: &Reminder) -> bool {
    let waits = |delivery: &Delivery| delivery.state == reminder::State::Pending && delivery.attempts > 0;
    row.state.needs_attention() || row.deliveries.iter().any(waits)
}

/// The question before reminders are sent again. `others`: marked ones that can't be.
fn question(fit: &[&Reminder], others: usize) -> Question {
    let ambiguous = fit.iter().any(|row| row.state == reminder::State::Ambiguous);
    let title = match fit {
        [one] => format!("Send the reminder about {} again?", one.key_name),
        many => format!("Send {} again?", sweep_state::reminders(many.len() as u64)),
    };
    let mut words = "The next sweep writes again to those whom it did not reach.".to_owned();
    if ambiguous {
        words.push_str(" Of what is ambiguous a letter may have arrived: then a second one comes, with the same Message-ID.");
    }
    if others > 0 {
        words.push_str(&format!(" {others} of the marked ones did not fail, and stay as they are."));
    }
    let change = Change::RetryReminders(fit.iter().map(|row| row.id).collect());
    Question { title, words, verb: "Send again", change, done: String::new() }
}
