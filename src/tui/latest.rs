//! Requests of which only the newest answer counts.

use super::effect::{Effect, Outcomes, Request, RequestId, To};
use super::shell::Shell;

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
        shell.redraw = true;
        match outcome {
            Ok(value) => *kept = Some(value),
            Err(failure) => shell.failed(&failure),
        }
        settled.next.into_iter().collect()
    }

    /// Whether an answer is awaited.
    pub fn busy(&self) -> bool {
        self.under_way.is_some()
    }
}
