//! What is known of a sweep that was started in this console.

use std::collections::VecDeque;

use super::effect::{Outcomes, RequestId};
use crate::domain::Instant;
use crate::domain::operator::Permission;
use crate::domain::reminder::{Sweep, Tally};
use crate::domain::text::thousands;
use crate::service::{LetterNews, SweepNews};

/// What starting a sweep, and sending again, asks for.
pub const MAY_SWEEP: Permission = Permission::SendReminders;

/// Letters that are kept to be looked at: the last of all, and the first of those that went wrong.
const LAST: usize = 100;
const TROUBLES: usize = 200;

/// What is known of the sweep.
#[derive(Debug, PartialEq)]
pub struct Sweeping {
    /// What its news and its end come under.
    pub id: RequestId,
    pub began_at: Instant,
    /// How many letters there are to send, once that is known.
    pub letters: Option<u64>,
    pub tally: Tally,
    /// The newest first.
    pub last: VecDeque<LetterNews>,
    /// Those that failed or are ambiguous, in their order.
    pub troubles: Vec<LetterNews>,
    /// Whether it was asked to stop.
    pub stopping: bool,
    /// How it ended.
    pub outcome: Option<Outcomes<Box<Sweep>>>,
}

impl Sweeping {
    pub fn running(&self) -> bool {
        self.outcome.is_none()
    }

    /// `34/1,200`, for where there is little room.
    pub fn count(&self) -> String {
        match self.letters {
            Some(letters) => format!("{}/{}", thousands(self.tally.letters()), thousands(letters)),
            None => "…".into(),
        }
    }

    /// Takes note of a letter, or of how many there are.
    pub fn take(&mut self, news: SweepNews) {
        match news {
            SweepNews::Planned { letters } => self.letters = Some(letters),
            SweepNews::Letter(letter) => {
                self.tally = letter.tally;
                if letter.state.needs_attention() && self.troubles.len() < TROUBLES {
                    self.troubles.push(letter.clone());
                }
                self.last.truncate(LAST - 1);
                self.last.push_front(letter);
            }
        }
    }
}
