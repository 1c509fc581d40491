//! Requests of which only the newest answer counts.

use super::effect::{Effect, Outcomes, Request, RequestId, Timer, To};
use super::shell::Shell;
use crate::domain::Instant;

/// At most one request under way and the newest one waiting, so that fast typing never queues up work.
#[derive(Debug, Default)]
pub struct Latest {
    under_way: Option<RequestId>,
    waiting: Option<Request>,
}

/// What an answer means to who asked.
#[derive(Debug, PartialEq)]
pub struct Settled {
    /// Whether this is the answer to the newest request. If not, it is out of date.
    pub newest: bool,
    /// The request that waited, now to be sent.
    pub next: Option<Effect>,
}

impl Latest {
    /// Asks now, or as soon as the request under way is answered. A request that was waiting is forgotten.
    pub fn ask(&mut self, shell: &mut Shell, to: To, request: Request) -> Option<Effect> {
        if self.under_way.is_some() {
            self.waiting = Some(request);
            return None;
        }
        Some(self.send(shell, to, request))
    }

    fn send(&mut self, shell: &mut Shell, to: To, request: Request) -> Effect {
        let id = shell.request_id(to);
        self.under_way = Some(id);
        Effect::Ask { to: id, request }
    }

    /// Takes note of an answer; `None` if it answers something else.
    pub fn settle(&mut self, shell: &mut Shell, id: RequestId) -> Option<Settled> {
        if self.under_way != Some(id) {
            return None;
        }
        self.under_way = None;
        let newest = self.waiting.is_none();
        let next = self.waiting.take().map(|request| self.send(shell, id.to, request));
        Some(Settled { newest, next })
    }

    /// Takes in an answer and keeps what it brings. Of a failure the last line tells, and what was kept stays.
    pub fn keep<T>(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: Outcomes<T>,
        kept: &mut Option<T>,
    ) -> Vec<Effect> {
        let Some(settled) = self.settle(shell, id) else { return Vec::new() };
        keep(shell, outcome, kept);
        settled.next.into_iter().collect()
    }

    /// Whether an answer is awaited.
    pub fn busy(&self) -> bool {
        self.under_way.is_some()
    }
}

/// Keeps what an answer brings. Of a failure the last line tells, and what was kept stays.
pub fn keep<T>(shell: &mut Shell, outcome: Outcomes<T>, kept: &mut Option<T>) {
    shell.redraw = true;
    match outcome {
        Ok(value) => *kept = Some(value),
        Err(failure) => shell.failed(&failure),
    }
}

/// A request that changes by anyone make out of date. Of those that take long, the answers take a twentieth of the time at
/// most, however many changes there are: unless the person asks, the next one waits for twenty times as long as the last two
/// took, the quicker of them: one that took long by itself waited for a server, or this machine slept.
#[derive(Debug, Default)]
pub struct Paced {
    latest: Latest,
    asked: Instant,
    /// How long the last answer took.
    took: chrono::Duration,
    /// Until then a change waits.
    rests: Instant,
    /// Whether the last answer makes the next one wait.
    slow: bool,
    /// Whether a change waits.
    due: bool,
    /// Whether what is shown is out of date because a change waited, and its reading has not come yet.
    late: bool,
}

/// How long a count may be out of date in any case.
pub const COUNTS: chrono::Duration = chrono::Duration::seconds(5);
/// Rows are read again at once, unless reading them takes longer than this.
const QUICK: chrono::Duration = chrono::Duration::milliseconds(100);
/// However long an answer takes, no change waits for longer.
const OLDEST: chrono::Duration = chrono::Duration::seconds(60);
/// What could not be read because the database was out of reach is tried again after this.
const RETRY: chrono::Duration = chrono::Duration::seconds(5);

impl Paced {
    /// See [`Latest::ask`].
    pub fn ask(&mut self, shell: &mut Shell, to: To, request: Request) -> Option<Effect> {
        self.due = false;
        if shell.at_once {
            self.took = chrono::Duration::zero();
        }
        if !self.busy() {
            self.asked = shell.now;
        }
        self.latest.ask(shell, to, request)
    }

    /// Asks because of a change: at once where the person made it, else once it has rested, when that timer rings.
    pub fn again(&mut self, shell: &mut Shell, to: To, timer: Timer, request: Request) -> Option<Effect> {
        if self.waits(shell) { self.later(shell, timer) } else { self.ask(shell, to, request) }
    }

    /// Whether a change has to wait.
    pub fn waits(&self, shell: &Shell) -> bool {
        // A clock that was set back makes nobody wait.
        let rests = self.busy() || (self.asked..self.rests).contains(&shell.now);
        !shell.at_once && self.slow && rests
    }

    /// Takes note of a change that has to wait, and sets the timer for it.
    pub fn later(&mut self, shell: &Shell, timer: Timer) -> Option<Effect> {
        let waited = std::mem::replace(&mut self.due, true);
        self.late = true;
        (!waited && !self.busy()).then(|| self.wake(shell, timer))
    }

    /// The answer was that the database is out of reach: sets the timer for the next try.
    pub fn retry(&mut self, shell: &Shell, timer: Timer) -> Option<Effect> {
        self.rests = shell.now + RETRY;
        self.slow = true;
        self.later(shell, timer)
    }

    /// Whether what is shown is out of date, and rested or rests.
    pub fn is_late(&self) -> bool {
        self.late
    }

    fn wake(&self, shell: &Shell, timer: Timer) -> Effect {
        Effect::SetTimer { timer, after: (self.rests - shell.now).to_std().unwrap_or_default() }
    }

    /// The timer has rung: whether a change waited for it. It need not wait any more, whatever the clock says by now.
    pub fn rung(&mut self) -> bool {
        self.rests = self.asked;
        std::mem::take(&mut self.due)
    }

    /// See [`Latest::settle`]. `least`: how long it rests in any case; `None` for rows, where only slow ones do.
    pub fn settle(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        timer: Timer,
        least: Option<chrono::Duration>,
    ) -> Option<Settled> {
        let mut settled = self.latest.settle(shell, id)?;
        self.late = self.due || settled.next.is_some() && self.late;
        let took = shell.now - self.asked;
        let usual = std::mem::replace(&mut self.took, took).min(took);
        self.slow = least.is_some() || usual > QUICK;
        self.rests = shell.now + least.unwrap_or_default().max(usual * 20).min(OLDEST);
        match settled.next {
            Some(_) => self.asked = shell.now,
            None if self.due => settled.next = Some(self.wake(shell, timer)),
            None => {}
        }
        Some(settled)
    }

    /// See [`Latest::busy`].
    pub fn busy(&self) -> bool {
        self.latest.busy()
    }
}
