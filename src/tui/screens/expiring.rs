//! What ends soon and what is overdue, most urgent first.

use std::any::Any;
use std::collections::HashMap;

use ratatui::Frame;
use ratatui::layout::Rect;
use strum::{IntoStaticStr, VariantArray};

use crate::config::keymap::Action;
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::query::{Bound, Column, Direction, Point, Query, QueryError, Sort, Term, Test};
use crate::domain::reminder::Reminder;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::domain::when::Span;
use crate::service::{Mailing, Outlook, PageRequest, Row};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, Timer, To};
use crate::tui::latest::{COUNTS, Latest, Paced, keep};
use crate::tui::listing::{Chunk, Listing, Part, Rows, Source};
use crate::tui::opening::{Made, Opening};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::screens::of_keys;
use crate::tui::shell::Shell;
use crate::tui::view::reminders::{Mark, marks};
use crate::tui::views::View;
use crate::tui::words::ScreenId;

#[cfg(test)]
mod tests;
mod view;

const ME: To = To::Screen(ScreenId::Expiring);

/// How far ahead one looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Window {
    /// Ended within the last 30 days.
    Overdue,
    #[default]
    #[strum(serialize = "7 days")]
    Days7,
    #[strum(serialize = "30 days")]
    Days30,
    #[strum(serialize = "90 days")]
    Days90,
}

impl Window {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The filter that shows the same keys.
    fn query(self) -> Query {
        let within = |days| Test::Expires(Bound::Before(Point::FromNow(Span::days(days))));
        // A reinstated account needs its keys renewed too.
        let tests = match self {
            Self::Overdue => return Query::overdue(),
            Self::Days7 => [Test::Status(Status::LIVING.to_vec()), within(7)],
            Self::Days30 => [Test::Status(Status::LIVING.to_vec()), within(30)],
            Self::Days90 => [Test::Status(Status::LIVING.to_vec()), within(90)],
        };
        Query { terms: tests.map(|test| Term { negated: false, test }).to_vec() }
    }

    /// The same in the words of the filter language.
    fn filter(self) -> &'static str {
        match self {
            Self::Overdue => "status:expired expires:>-30d replaced:no",
            Self::Days7 => "status:active,planned,paused,suspended,refused expires:<7d",
            Self::Days30 => "status:active,planned,paused,suspended,refused expires:<30d",
            Self::Days90 => "status:active,planned,paused,suspended,refused expires:<90d",
        }
    }

    /// Soonest first; of what is overdue the latest, whose customers are calling now.
    fn sort(self) -> Sort {
        let direction = if self == Self::Overdue { Direction::Descending } else { Direction::Ascending };
        Sort { column: Column::Expires, direction }
    }
}

/// The keys that end within the window.
#[derive(Debug, Default)]
struct Ending {
    window: Window,
}

impl Source for Ending {
    type Row = Row;
    type Id = KeyId;
    type Filter = ();

    const SCREEN: ScreenId = ScreenId::Expiring;
    /// The table of keys has one: `/` goes there.
    const ABOUT: Subjects = Subjects::KEYS.and(Subjects::ACCOUNTS).and(Subjects::ISSUERS);
    const FILTER: Option<&'static str> = None;
    const MARKS: bool = true;
    const BOTH_WAYS: bool = true;

    fn id(row: &Row) -> KeyId {
        row.key.id
    }

    fn parse(_: &str, _: Here) -> Result<(), QueryError> {
        Ok(())
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Row>>> {
        Some(reply.try_as_page()?.map(of_keys::chunk))
    }

    fn keys<'i>(ids: impl Iterator<Item = &'i KeyId>) -> Option<Vec<KeyId>> {
        Some(ids.copied().collect())
    }

    fn made(made: &Made) -> Option<KeyId> {
        if let Made::Key(key) = made { Some(*key) } else { None }
    }

    fn state(shell: &Shell, row: &Row) -> &'static str {
        row.key.status(shell.now).as_str()
    }

    fn over(row: &Row) -> bool {
        row.key.revoked_at.is_some()
    }

    fn fate(shell: &Shell, row: &Row) -> String {
        of_keys::fate(shell, &row.key)
    }

    fn one(&self, shell: &Shell, id: &KeyId) -> Option<Request> {
        of_keys::one(shell, *id, self.window.sort())
    }

    fn request(&self, (): &(), part: Part<'_, Row>, limit: u32) -> Request {
        let (query, sort) = (self.window.query(), self.window.sort());
        Request::Page(PageRequest { query, sort, from: of_keys::from(part), limit })
    }
}

/// The keys of the window, their reminders, and how many end each week.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Ending>,
    outlook: Option<Outlook>,
    /// What was mailed about the keys that were asked about, and which of them are due.
    mailing: Option<HashMap<KeyId, (Vec<Reminder>, bool)>>,
    outlooks: Paced,
    mails: Latest,
}

impl Screen for State {
    its_rows!();

    fn place(&self, shell: &Shell) -> Rect {
        view::list_of(shell)
    }

    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        let mut effects = Vec::new();
        if touched.meet(Ending::ABOUT) {
            effects.extend(self.outlooks.again(shell, ME, Timer::Of(ME), Request::Outlook));
            let page = self.page(shell);
            effects.extend(self.rows.refresh(shell, page));
        } else if touched.meet(Subjects::REMINDERS) {
            effects.extend(self.read_reminders(shell));
        }
        effects
    }

    fn view(&self, view: &mut View) {
        view.tab = self.rows.source.window as usize;
    }

    fn show(&mut self, _: &mut Shell, view: &View, row: Option<&dyn Any>) {
        let window = Window::ALL.get(view.tab).copied().unwrap_or_default();
        if window != self.rows.source.window {
            self.rows.turn_to(|source| source.window = window);
            self.mailing = None;
        }
        self.rows.stand(row);
    }

    fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        let due = timer == Timer::Of(ME) && self.outlooks.rung() && shell.screen == ScreenId::Expiring;
        if due {
            return self.outlooks.ask(shell, ME, Request::Outlook).into_iter().collect();
        }
        Vec::new()
    }

    fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect> {
        if shell.screen == ScreenId::Expiring { self.rows.made(shell, made) } else { Vec::new() }
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let (page, window) = (self.page(shell), self.rows.source.window);
        let at = Window::ALL.iter().position(|one| *one == window).unwrap_or(0);
        match action {
            Action::Left => self.show(shell, Window::ALL[at.saturating_sub(1)], page),
            Action::Right => self.show(shell, Window::ALL[(at + 1).min(Window::ALL.len() - 1)], page),
            Action::FocusDetail => self.show(shell, Window::ALL[(at + 1) % Window::ALL.len()], page),
            Action::Open => {
                if let Some(key) = self.selected() {
                    shell.filter(of_keys::filter(key.id));
                }
                Vec::new()
            }
            Action::New => {
                shell.open(Opening::Create { account: None });
                Vec::new()
            }
            // The same keys in the table, where the next word of the filter is typed.
            Action::Filter => {
                shell.filter(format!("{} ", window.filter()));
                shell.act(Action::Filter);
                Vec::new()
            }
            action => of_keys::act(&self.rows, shell, action),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Outlook(outcome) => {
                let settled = self.outlooks.settle(shell, id, Timer::Of(ME), Some(COUNTS));
                let Some(settled) = settled else { return Vec::new() };
                keep(shell, outcome, &mut self.outlook);
                settled.next.into_iter().collect()
            }
            Reply::RemindersOf { keys, outcome } => {
                let by_key = outcome.map(|Mailing { reminders, due }| {
                    let mut of: HashMap<KeyId, (Vec<Reminder>, bool)> =
                        keys.into_iter().map(|key| (key, Default::default())).collect();
                    for reminder in reminders {
                        of.entry(reminder.key).or_default().0.push(reminder);
                    }
                    for key in due {
                        of.entry(key).or_default().1 = true;
                    }
                    of
                });
                self.mails.keep(shell, id, by_key, &mut self.mailing)
            }
            reply => {
                let page = self.page(shell);
                let Some(came) = self.rows.reply(shell, id, reply, page) else { return Vec::new() };
                let mut effects = came.effects;
                if came.load.is_some() {
                    effects.extend(self.read_reminders(shell));
                }
                effects
            }
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.draw_all(shell, frame, area);
    }
}

impl State {
    fn selected(&self) -> Option<&Key> {
        self.rows.selected().map(|row| &row.key)
    }

    fn show(&mut self, shell: &mut Shell, window: Window, page: usize) -> Vec<Effect> {
        if window == self.rows.source.window {
            return Vec::new();
        }
        self.rows.source.window = window;
        self.mailing = None;
        self.rows.restart(shell, page)
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
        let mailing = self.mailing.as_ref()?;
        let (own, due) = mailing.get(&key.id)?;
        let days = shell.issuer(&key.issuer).map_or(&[][..], |issuer| &issuer.policy.reminders.days_before);
        Some(marks(key, days, own, *due, shell.now))
    }
}
