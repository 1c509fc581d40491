//! What is due, what was mailed and what went wrong: the outbox, the last sweeps, the reminders.

use std::collections::BTreeSet;

use crate::config::keymap::{Action, Context};
use crate::domain::query::QueryError;
use crate::domain::reminder::{self, Delivery, Reminder, ReminderFilter, ReminderId, Sweep};
use crate::service::ReminderRequest;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::overlays::confirm::{self, Change, Question};
use crate::tui::overlays::reader;
use crate::tui::screens::ScreenId;
use crate::tui::state::{Severity, Shell};
use crate::tui::sweeping::{self, MAY_SWEEP};
use crate::tui::widgets::list::{Place, Taken};
use crate::tui::widgets::text_field::TextField;

mod page;
mod preset;
#[cfg(test)]
mod tests;
mod view;

use preset::Preset;

const ME: To = To::Screen(ScreenId::Reminders);
/// Rows read at once, and the most that are kept.
const CHUNK: u32 = 200;
const MOST: usize = 2_000;
/// Sweeps that are read: as many as the largest screen shows.
const SWEEPS: u32 = 8;

/// The reminders that the filter fits, and the last sweeps.
#[derive(Debug, Default)]
pub struct State {
    rows: Vec<Reminder>,
    more: bool,
    going_on: bool,
    loaded: bool,
    place: Place,
    marks: BTreeSet<ReminderId>,
    filter: TextField,
    /// The last filter without a mistake in it.
    good: ReminderFilter,
    mistake: Option<QueryError>,
    typing: bool,
    sweeps: Option<Vec<Sweep>>,
    pages: Latest,
    histories: Latest,
}

impl State {
    pub fn context(&self) -> Context {
        if self.typing { Context::Prompt } else { Context::Reminders }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects = self.changed(shell);
        effects.push(shell.ask(To::Shell, Request::Post).1);
        effects
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> =
            self.histories.ask(shell, ME, Request::Sweeps(SWEEPS)).into_iter().collect();
        effects.extend(self.read(shell, false));
        effects
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    /// Replaces the filter, without reading yet.
    pub fn set_filter(&mut self, text: &str) {
        self.filter = TextField::with(text);
        self.typing = false;
        self.interpret();
    }

    fn read(&mut self, shell: &mut Shell, go_on: bool) -> Option<Effect> {
        let after = self.rows.last().filter(|_| go_on).map(|row| row.id);
        // Reading anew keeps as many rows as there were, so that the selection stays where it is.
        let limit = if go_on { CHUNK } else { CHUNK.max(u32::try_from(self.rows.len()).unwrap_or(CHUNK)) };
        self.going_on = go_on;
        let request = ReminderRequest { filter: self.good.clone(), after, limit };
        self.pages.ask(shell, ME, Request::Reminders(request))
    }

    fn selected(&self) -> Option<&Reminder> {
        self.rows.get(self.place.at)
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.typing {
            return self.type_filter(shell, input);
        }
        let shown = view::rows_shown(self, shell);
        let count = self.rows.len();
        let mut place = self.place;
        let taken = place.take(&input, count, shown, |at| view::row_at(self, shell, at));
        self.place = place;
        match taken {
            Taken::Moved => {}
            Taken::Left(action) => return self.act(shell, action),
            Taken::Nothing => return Vec::new(),
        }
        let near_end = self.place.at + 2 * shown >= count;
        if self.more && near_end && count < MOST && !self.pages.busy() {
            return self.read(shell, true).into_iter().collect();
        }
        Vec::new()
    }

    fn type_filter(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let changed = match input {
            Input::Paste(pasted) => self.filter.paste(&pasted.line()),
            Input::Key(key) => match key.action {
                Some(Action::Accept) => {
                    self.typing = false;
                    false
                }
                Some(Action::CancelPrompt) => {
                    self.typing = false;
                    self.filter.clear();
                    true
                }
                Some(Action::ClearLine) => {
                    self.filter.clear();
                    true
                }
                _ => self.filter.key(key.event),
            },
            Input::Scroll { .. } | Input::Click(_) => false,
        };
        if changed { self.filtered(shell) } else { Vec::new() }
    }

    /// The filter was changed: with a mistake in it the last good result stays.
    fn filtered(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.interpret() { self.read(shell, false).into_iter().collect() } else { Vec::new() }
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
                self.rows.clear();
                self.marks.clear();
                self.loaded = false;
                self.place = Place::default();
                true
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                false
            }
        }
    }

    fn show(&mut self, shell: &mut Shell, preset: Preset) -> Vec<Effect> {
        self.filter = TextField::with(&preset.put_into(self.filter.value()));
        self.filtered(shell)
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let preset = Preset::of(&self.good);
        match action {
            Action::Filter => self.typing = true,
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
                if let Some(id) = self.selected().map(|row| row.id)
                    && !self.marks.remove(&id)
                {
                    self.marks.insert(id);
                }
                let shown = view::rows_shown(self, shell);
                self.place.step(1, self.rows.len(), shown);
            }
            Action::MarkAll => {
                self.marks.extend(self.rows.iter().map(|row| row.id));
                if self.more {
                    let words = "only the rows at hand were marked: narrow the filter to mark all of them";
                    shell.toast(Severity::Warning, words);
                }
            }
            Action::Open => {
                if let Some(row) = self.selected() {
                    let (title, parts, jump) = page::of(shell, row);
                    return reader::open_with(shell, title, parts, Some(jump));
                }
            }
            Action::GoToKey => {
                if let Some(row) = self.selected() {
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
            self.selected().into_iter().collect()
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
        confirm::open(shell, question(&fit, wanted.len() - fit.len()))
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
                let Some(settled) = self.pages.settle(shell, id) else { return Vec::new() };
                shell.redraw = true;
                if settled.newest {
                    match outcome {
                        Ok(rows) => self.arrived(shell, rows),
                        Err(failure) => shell.failed(&failure),
                    }
                }
                settled.next.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn arrived(&mut self, shell: &Shell, rows: Vec<Reminder>) {
        // At the top one stays at the top, to see what comes in.
        let selected = self.selected().filter(|_| self.place.at > 0).map(|row| row.id);
        self.loaded = true;
        self.more = rows.len() >= CHUNK as usize;
        if self.going_on {
            // A row that changed while one read on stands at the top now: it is there already.
            let held: BTreeSet<ReminderId> = self.rows.iter().map(|row| row.id).collect();
            self.rows.extend(rows.into_iter().filter(|row| !held.contains(&row.id)));
        } else {
            self.rows = rows;
        }
        // The selection stays with its reminder, wherever that went.
        let at = selected.and_then(|id| self.rows.iter().position(|row| row.id == id));
        let shown = view::rows_shown(self, shell);
        self.place.go_to(at.unwrap_or(self.place.at), self.rows.len(), shown);
        self.marks.retain(|id| self.rows.iter().any(|row| row.id == *id));
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
        many => format!("Send {} again?", sweeping::reminders(many.len() as u64)),
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
