//! What is due, what was mailed and what went wrong: the outbox, the last sweeps, the reminders.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Action;
use crate::domain::query::QueryError;
use crate::domain::reminder::{self, Delivery, Reminder, ReminderFilter, ReminderId, Sweep};
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::domain::when::Here;
use crate::service::ReminderRequest;
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, To};
use crate::tui::latest::Latest;
use crate::tui::listing::{Chunk, Listing, Mark, Part, Rows, Source};
use crate::tui::opening::{About, Change, Opening, Question};
use crate::tui::screen::{self, Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::sweep_state::MAY_SWEEP;
use crate::tui::words::{ScreenId, Severity, count};

mod page;
mod preset;
#[cfg(test)]
mod tests;
mod view;

use preset::Preset;

const ME: To = To::Screen(ScreenId::Reminders);
/// Sweeps that are read: as many as the largest screen shows.
const SWEEPS: u32 = 8;

#[derive(Debug, Default)]
struct Reminders;

impl Source for Reminders {
    type Row = Reminder;
    type Id = ReminderId;
    type Filter = ReminderFilter;

    const SCREEN: ScreenId = ScreenId::Reminders;
    const ABOUT: Subjects = Subjects::REMINDERS.and(Subjects::KEYS);
    const FILTER: Option<&'static str> =
        Some("words, or state:failed,ambiguous account:acme to:ada@example.com key:ID");
    const MARKS: bool = true;

    fn id(row: &Reminder) -> ReminderId {
        row.id
    }

    fn parse(text: &str, _: Here) -> Result<ReminderFilter, QueryError> {
        ReminderFilter::parse(text)
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Reminder>>> {
        Some(reply.try_as_reminders()?.map(Chunk::forward))
    }

    fn state(_: &Shell, row: &Reminder) -> &'static str {
        row.state.as_str()
    }

    fn over(row: &Reminder) -> bool {
        !can_retry(row)
    }

    fn request(&self, filter: &ReminderFilter, part: Part<'_, Reminder>, limit: u32) -> Request {
        let after = part.after().map(Self::id);
        Request::Reminders(ReminderRequest { filter: filter.clone(), after, limit })
    }
}

/// The reminders that the filter fits, and the last sweeps.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Reminders>,
    sweeps: Option<Vec<Sweep>>,
    histories: Latest,
}

impl Screen for State {
    its_rows!();

    fn place(&self, shell: &Shell) -> Rect {
        self.list_of(shell)
    }

    fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects = self.changed(shell, Subjects::ALL);
        effects.push(shell.ask(To::Shell, Request::Post).1);
        effects
    }

    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        let mut effects = Vec::new();
        if touched.meet(Subjects::REMINDERS) {
            effects.extend(self.histories.ask(shell, ME, Request::Sweeps(SWEEPS)));
        }
        let page = self.page(shell);
        effects.extend(self.rows.changed(shell, touched, page));
        effects
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let preset = Preset::of(&self.rows.filter.meaning);
        match action {
            Action::Left => return self.show(shell, Preset::step(preset, -1, false)),
            Action::Right => return self.show(shell, Preset::step(preset, 1, false)),
            Action::FocusDetail => return self.show(shell, Preset::step(preset, 1, true)),
            Action::Open => {
                if let Some(row) = self.rows.selected() {
                    let (title, parts, about) = page::of(shell, row);
                    shell.open(Opening::Reader { title, parts, about: Some(about) });
                }
            }
            Action::GoToKey => {
                if let Some(row) = self.rows.selected() {
                    shell.filter(About::key(row.key).filter);
                }
            }
            Action::Retry => self.retry(shell),
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Sweeps(outcome) => self.histories.keep(shell, id, outcome, &mut self.sweeps),
            reply => {
                let page = self.page(shell);
                self.rows.reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects)
            }
        }
    }

    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        let may = action != Action::Retry || shell.who.is_none() || shell.may(MAY_SWEEP);
        (may && screen::allowed(shell, action)).then(|| label.into())
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.draw_all(shell, frame, area);
    }
}

impl State {
    /// Shows a tab: its condition in the filter, and all else in it as it was.
    fn show(&mut self, shell: &mut Shell, preset: Preset) -> Vec<Effect> {
        let text = preset.put_into(self.rows.filter.value());
        if !self.rows.set_filter(&text, shell.here()) {
            return Vec::new();
        }
        let page = self.page(shell);
        self.rows.restart(shell, page)
    }

    /// Asks whether the marked reminders, or the selected one, shall be sent again.
    fn retry(&self, shell: &mut Shell) {
        let Some(selected) = self.rows.selected() else { return };
        let marks = self.rows.marks();
        let one = BTreeMap::from([(selected.id, Reminders::mark(shell, selected))]);
        let wanted = if marks.is_empty() { &one } else { marks };
        let fit: Vec<(ReminderId, Mark)> =
            wanted.iter().filter(|(_, mark)| !mark.over).map(|(id, mark)| (*id, *mark)).collect();
        if fit.is_empty() {
            let words = match wanted.len() {
                1 => format!(
                    "only what failed, is ambiguous, was deferred or only written is sent again; this is {}",
                    wanted.values().map(|mark| mark.state).collect::<String>()
                ),
                _ => "only what failed, is ambiguous, was deferred or only written is sent again: none of the marked ones"
                    .to_owned(),
            };
            shell.toast(Severity::Info, words);
            return;
        }
        if !shell.refuse_unless(MAY_SWEEP, "send reminders again") {
            return;
        }
        let name = self.rows.iter().find(|row| fit.len() == 1 && row.id == fit[0].0).map(|row| &row.key_name);
        let question = question(name, &fit, wanted.len() - fit.len());
        shell.open(Opening::Confirm(question));
    }
}

/// What failed, what is ambiguous, what was only written, and what waits for another try after a passing fault.
fn can_retry(row: &Reminder) -> bool {
    let waits = |delivery: &Delivery| delivery.state == reminder::State::Pending && delivery.attempts > 0;
    row.needs_attention() || row.was_written() || row.deliveries.iter().any(waits)
}

/// The question before reminders are sent again. `name`: the key's, where there is one; `others`: marked ones that can't be.
fn question(name: Option<&SafeText>, fit: &[(ReminderId, Mark)], others: usize) -> Question {
    let ambiguous = fit.iter().any(|(_, mark)| mark.state == reminder::State::Ambiguous.as_str());
    let title = match name {
        Some(name) => format!("Send the reminder about {name} again?"),
        None => format!("Send {} again?", count(fit.len() as u64, "reminder")),
    };
    let mut words = match fit.len() {
        1 => "The next sweep sends it again to everybody whom it did not reach before.".to_owned(),
        _ => "The next sweep sends them again to everybody whom they did not reach before.".to_owned(),
    };
    if ambiguous {
        words.push_str(
            " An ambiguous letter may have arrived: then a second one follows, with the same Message-ID.",
        );
    }
    if others > 0 {
        words.push_str(&format!(" {others} of the marked ones did not fail, and stay as they are."));
    }
    let change = Change::RetryReminders(fit.iter().map(|(id, _)| *id).collect());
    Question { title, words, verb: "Send again", change, done: String::new(), undo: None }
}
