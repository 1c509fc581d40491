//! The tabs above the reminders: filters that are needed often.

use strum::{IntoStaticStr, VariantArray};

use crate::domain::reminder::{ReminderFilter, State};

/// A filter by state that has a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Preset {
    All,
    /// Somebody must look.
    #[strum(serialize = "Failed and ambiguous")]
    Attention,
    #[strum(serialize = "Waiting")]
    Due,
    Sent,
    /// The letter is a file.
    Written,
}

impl Preset {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub fn title(self) -> &'static str {
        self.into()
    }

    /// The condition in the filter language.
    fn condition(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Attention => "state:failed,ambiguous",
            Self::Due => "state:due",
            Self::Sent => "state:sent",
            Self::Written => "state:written",
        }
    }

    /// The tab that a filter belongs to, if it is one of these by its states.
    pub fn of(filter: &ReminderFilter) -> Option<Self> {
        match filter.states.as_slice() {
            [] => Some(Self::All),
            [State::Failed, State::Ambiguous] => Some(Self::Attention),
            [State::Pending, State::Sending] => Some(Self::Due),
            [State::Sent] => Some(Self::Sent),
            [State::Written] => Some(Self::Written),
            _ => None,
        }
    }

    /// The tab beside this one, at the ends this one or, going round, the other end.
    pub fn step(from: Option<Self>, by: isize, round: bool) -> Self {
        let count = Self::ALL.len() as isize;
        let at = from.and_then(|from| Self::ALL.iter().position(|preset| *preset == from));
        let next = at.map_or(0, |at| at as isize + by);
        let place = if round { next.rem_euclid(count) } else { next.clamp(0, count - 1) };
        Self::ALL[place as usize]
    }

    /// The filter's text with its condition on states replaced by this tab's. Everything else in it stays.
    pub fn put_into(self, text: &str) -> String {
        let mut quoted = false;
        let rest: Vec<&str> = text
            .split(|c: char| {
                quoted ^= c == '"';
                c.is_whitespace() && !quoted
            })
            .filter(|word| !word.is_empty() && !word.to_ascii_lowercase().starts_with("state:"))
            .collect();
        let parts = [self.condition()].into_iter().chain(rest);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
