//! What ends soon and what is overdue, most urgent first.

use std::collections::{BTreeSet, HashMap};

use chrono::Duration;

use crate::config::keymap::{Action, Context};
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::query::{Bound, Column, Direction, Point, Query, Sort, Term, Test};
use crate::domain::reminder::Reminder;
use crate::service::{From, Outlook, PageRequest, Row};
use crate::tui::effect::{CopyText, Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::opening::Opening;
use crate::tui::rows::{Order, Rows};
use crate::tui::shell::Shell;
use crate::tui::view::reminders::{Mark, marks};
use crate::tui::widgets::list::Taken;
use crate::tui::words::ScreenId;

#[cfg(test)]
mod tests;
mod view;

const ME: To = To::Screen(ScreenId::Expiring);

/// How far ahead one looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Ended within the last 30 days.
    Overdue,
    #[default]
    Days7,
    Days30,
    Days90,
}

impl Window {
    pub const ALL: [Self; 4] = [Self::Overdue, Self::Days7, Self::Days30, Self::Days90];

    /// The filter that shows the same keys.
    fn query(self) -> Query {
        let within = |days| Test::Expires(Bound::Before(Point::FromNow(Duration::days(days))));
        let tests = match self {
            Self::Overdue => {
                let since = Bound::After(Point::FromNow(Duration::days(-30)));
                [Test::Status(vec![Status::Expired]), Test::Expires(since)]
            }
            Self::Days7 => [Test::Status(vec![Status::Active]), within(7)],
            Self::Days30 => [Test::Status(vec![Status::Active]), within(30)],
            Self::Days90 => [Test::Status(vec![Status::Active]), within(90)],
        };
        Query { terms: tests.map(|test| Term { negated: false, test }).to_vec() }
    }

    /// The same in the words of the filter language.
    fn filter(self) -> &'static str {
        match self {
            Self::Overdue => "status:expired expires:>-30d",
            Self::Days7 => "status:active expires:<7d",
            Self::Days30 => "status:active expires:<30d",
            Self::Days90 => "status:active expires:<90d",
        }
    }

    /// Soonest first; of what is overdue the latest, whose customers are calling now.
    fn sort(self) -> Sort {
        let direction = if self == Self::Overdue { Direction::Descending } else { Direction::Ascending };
        Sort { column: Column::Expires, direction }
    }
}

/// The window, its keys, and how many end each week.
#[derive(Debug, Default)]
pub struct State {
    window: Window,
    rows: Rows<Row>,
    marks: BTreeSet<KeyId>,
    outlook: Option<Outlook>,
    /// The reminders of the keys at hand. `None` until they are read.
    reminders: Option<HashMap<KeyId, Vec<Reminder>>>,
    outlooks: Latest,
    mails: Latest,
}

impl State {
    pub fn context(&self) -> Context {
        Context::Expiring
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell)
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.outlooks.ask(shell, ME, Request::Outlook).into_iter().collect();
        effects.extend(self.read(shell));
        effects
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    fn request(&self) -> impl FnOnce(Option<&Row>, u32) -> Request + use<> {
        let (query, sort) = (self.window.query(), self.window.sort());
        move |last, limit| {
            let from = last.map_or(From::Start, |row| From::After(row.cursor.clone()));
            Request::Page(PageRequest { query, sort, from, limit })
        }
    }

    fn read(&mut self, shell: &mut Shell) -> Option<Effect> {
        let request = self.request();
        self.rows.read(shell, ME, request)
    }

    fn selected(&self) -> Option<&Key> {
        self.rows.selected().map(|row| &row.key)
    }

    fn show(&mut self, shell: &mut Shell, window: Window) -> Vec<Effect> {
        if window == self.window {
            return Vec::new();
        }
        self.window = window;
        self.rows.restart();
        self.marks.clear();
        self.read(shell).into_iter().collect()
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let (count, page) = (self.rows.len(), view::rows_shown(shell));
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

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let at = Window::ALL.iter().position(|window| *window == self.window).unwrap_or(0);
        match action {
            Action::Left => return self.show(shell, Window::ALL[at.saturating_sub(1)]),
            Action::Right => return self.show(shell, Window::ALL[(at + 1).min(Window::ALL.len() - 1)]),
            Action::FocusDetail => return self.show(shell, Window::ALL[(at + 1) % Window::ALL.len()]),
            Action::Open => {
                if let Some(key) = self.selected() {
                    let filter = format!("status:active,expired,abandoned,revoked id:{}", key.id);
                    shell.filter(filter);
                }
            }
            Action::ShowAccountKeys => {
                if let Some(key) = self.selected() {
                    let filter = format!("account:{}", key.account);
                    shell.filter(filter);
                }
            }
            Action::KeyReminders => {
                if let Some(id) = self.selected().map(|key| key.id) {
                    shell.reminders(format!("key:{id}"));
                }
            }
            Action::Mark => {
                if let Some(id) = self.selected().map(|key| key.id)
                    && !self.marks.remove(&id)
                {
                    self.marks.insert(id);
                }
                let count = self.rows.len();
                self.rows.place.step(1, count, view::rows_shown(shell));
            }
            Action::MarkAll => self.marks.extend(self.rows.iter().map(|row| row.key.id)),
            Action::ClearMarks | Action::Back => self.marks.clear(),
            Action::CopyPreview => {
                let Some(text) = self.selected().map(|key| key.preview.clone()) else { return Vec::new() };
                return vec![shell.ask(To::Shell, Request::Copy(CopyText::Plain(text))).1];
            }
            Action::New => shell.open(Opening::Create { account: None }),
            Action::Explain => {
                if let Some(key) = self.selected().cloned() {
                    shell.open(Opening::Explain(Box::new(key)));
                }
            }
            Action::Rotate => {
                if let Some(key) = self.selected().cloned() {
                    shell.open(Opening::Rotate(Box::new(key)));
                }
            }
            Action::Revoke => {
                let marked: Vec<Key> = self
                    .rows
                    .iter()
                    .filter(|row| self.marks.contains(&row.key.id))
                    .map(|row| row.key.clone())
                    .collect();
                let known =
                    if marked.is_empty() { self.selected().cloned().into_iter().collect() } else { marked };
                shell.open(Opening::Revoke { ids: known.iter().map(|key| key.id).collect(), known });
            }
            // The same keys in the table, where the filter can be narrowed.
            Action::Filter => shell.filter(self.window.filter()),
            _ => {}
        }
        Vec::new()
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Outlook(outcome) => {
                let Some(settled) = self.outlooks.settle(shell, id) else { return Vec::new() };
                shell.redraw = true;
                match outcome {
                    Ok(outlook) => self.outlook = Some(outlook),
                    Err(failure) => shell.failed(&failure),
                }
                settled.next.into_iter().collect()
            }
            Reply::Page(outcome) => {
                let Some(answered) = self.rows.answered(shell, id, outcome) else { return Vec::new() };
                let mut effects: Vec<Effect> = answered.next.into_iter().collect();
                if let Some(page) = answered.page {
                    self.arrived(shell, page);
                    effects.extend(self.read_reminders(shell));
                }
                effects
            }
            Reply::RemindersOf(outcome) => {
                let Some(settled) = self.mails.settle(shell, id) else { return Vec::new() };
                shell.redraw = true;
                match outcome {
                    Ok(reminders) => {
                        let mut of: HashMap<KeyId, Vec<Reminder>> = HashMap::new();
                        for reminder in reminders {
                            of.entry(reminder.key).or_default().push(reminder);
                        }
                        self.reminders = Some(of);
                    }
                    Err(failure) => shell.failed(&failure),
                }
                settled.next.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Which reminders of the keys at hand went out.
    fn read_reminders(&mut self, shell: &mut Shell) -> Option<Effect> {
        if self.rows.is_empty() {
            return None;
        }
        let keys = self.rows.iter().map(|row| row.key.id).collect();
        self.mails.ask(shell, ME, Request::RemindersOf(keys))
    }

    /// What became of the thresholds of a key; `None` until that is known.
    fn marks_of(&self, shell: &Shell, key: &Key) -> Option<Vec<(u32, Mark<'_>)>> {
        let reminders = self.reminders.as_ref()?;
        let own = reminders.get(&key.id).map_or(&[][..], Vec::as_slice);
        let days = shell.issuer(&key.issuer).map_or(&[][..], |issuer| &issuer.policy.reminders.days_before);
        Some(marks(key, days, own, shell.now))
    }

    fn arrived(&mut self, shell: &Shell, page: crate::service::Page) {
        // What was replaced is not overdue: its successor does the work.
        let overdue = self.window == Window::Overdue;
        let rows = page.rows.into_iter().filter(|row| !overdue || row.key.successor.is_none());
        self.rows.arrived(rows, page.more_after, Order::Other, view::rows_shown(shell), |row| row.key.id);
        self.marks.retain(|id| self.rows.iter().any(|row| row.key.id == *id));
    }
}
