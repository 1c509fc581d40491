//! Budgets: so many requests in so much time. What uses them up is in [`super::limit`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spaced::write_spaced;
use super::when::{Span, SpanError};

/// The longest window: 31 days, in seconds.
pub const WINDOW_MAX: u32 = 31 * 24 * 60 * 60;

/// So many requests in any so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Budget {
    /// The window in seconds: 1 to [`WINDOW_MAX`].
    pub seconds: u32,
    /// At least 1.
    pub requests: u32,
}

impl Budget {
    /// What one of `gates` gates may give out by itself while they can't ask each other: its part of the budget, and
    /// never less than one request.
    pub fn share(self, gates: u32) -> Self {
        Self { requests: (self.requests / gates.max(1)).max(1), ..self }
    }
}

/// Budgets agreed for one key, in place of those that its policy gives to every key. Empty: none agreed.
///
/// The text form, as the database and the command line have it, is `5000/1h 100/1m`; the time is a [`Span`] without months.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Budgets(Vec<Budget>);

/// Why a text is no list of budgets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    #[error("{0:?} isn't a valid budget: write requests/time, such as 100/1m or 5000/1h")]
    Form(String),
    #[error("{0:?}: the time of a budget is 1 second to 31 days, and at least 1 request must be possible")]
    Range(String),
    #[error(transparent)]
    Span(#[from] SpanError),
    #[error("two budgets over the same time of {0} seconds: keep one")]
    Twice(u32),
    #[error("there are {0} budgets, at most 4 are possible")]
    Many(usize),
}

impl Budgets {
    /// Reads the text form: budgets separated by white space or commas.
    pub fn parse(text: &str) -> Result<Self, BudgetError> {
        let mut all = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .map(parse_budget)
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_unstable();
        if let Some(pair) = all.windows(2).find(|pair| pair[0].seconds == pair[1].seconds) {
            return Err(BudgetError::Twice(pair[0].seconds));
        }
        if all.len() > 4 {
            return Err(BudgetError::Many(all.len()));
        }
        Ok(Self(all))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The budgets, the shortest window first.
    pub fn as_slice(&self) -> &[Budget] {
        &self.0
    }
}

fn parse_budget(entry: &str) -> Result<Budget, BudgetError> {
    let form = || BudgetError::Form(entry.chars().take(40).collect());
    let (requests, time) = entry.split_once('/').ok_or_else(form)?;
    let range = || BudgetError::Range(entry.to_owned());
    let span = match Span::parse(time) {
        Ok(span) => span.fixed().ok_or_else(form)?,
        Err(SpanError::TooLong) => return Err(range()),
        Err(error @ SpanError::MinutesOrMonths(_)) => return Err(error.into()),
        Err(_) => return Err(form()),
    };
    let plain = !requests.is_empty() && requests.bytes().all(|b| b.is_ascii_digit());
    let requests: u32 = requests.parse().ok().filter(|_| plain).ok_or_else(form)?;
    let whole = span.num_milliseconds() % 1000 == 0;
    match u32::try_from(span.num_seconds()) {
        Ok(seconds) if whole && (1..=WINDOW_MAX).contains(&seconds) && requests > 0 => {
            Ok(Budget { seconds, requests })
        }
        _ => Err(range()),
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.seconds {
            s if s % 86_400 == 0 => (s / 86_400, 'd'),
            s if s % 3_600 == 0 => (s / 3_600, 'h'),
            s if s % 60 == 0 => (s / 60, 'm'),
            s => (s, 's'),
        };
        write!(f, "{}/{number}{unit}", self.requests)
    }
}

impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spaced(f, &self.0)
    }
}

impl From<Budgets> for String {
    fn from(budgets: Budgets) -> Self {
        budgets.to_string()
    }
}

impl TryFrom<String> for Budgets {
    type Error = BudgetError;

    fn try_from(text: String) -> Result<Self, BudgetError> {
        Self::parse(&text)
    }
}
