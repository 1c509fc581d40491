//! The rules of API keys, pure: no I/O, no clock, no randomness of their own.

pub mod account;
pub mod address;
pub mod anchor;
pub mod approval;
pub mod audit;
pub mod budget;
pub mod calendar;
pub(crate) mod carrier;
pub mod counting;
pub(crate) mod credential;
pub(crate) mod demo;
pub mod edit;
pub mod endpoint;
pub mod event;
#[cfg(test)]
pub(crate) mod examples;
pub mod expiry;
pub(crate) mod explain;
pub mod freshness;
pub mod history;
pub mod hold;
pub mod hygiene;
pub mod import;
pub mod issuer;
pub mod key;
pub mod leak;
pub mod limit;
pub mod listening;
pub mod manifest;
pub mod network;
pub mod notice;
pub mod operator;
pub mod owner;
pub mod pause;
pub mod person;
pub mod plan;
pub mod query;
pub mod reach;
pub(crate) mod reason;
pub mod reminder;
pub mod rotation;
pub mod scope;
pub mod secret;
mod spaced;
pub mod steady;
pub mod subjects;
pub mod text;
pub mod usage;
pub(crate) mod verdict;
pub mod when;

/// An instant in UTC with microsecond precision.
pub type Instant = chrono::DateTime<chrono::Utc>;

/// The first and the last instant that a record can hold: the years 1 to 9999. What a database holds beyond them is read as
/// one of these, so that adding days to what was read can't overflow.
pub const EARLIEST: Instant = bound(-62_135_596_800, 0);
pub const LATEST: Instant = bound(253_402_300_799, 999_999_000);

const fn bound(seconds: i64, nanoseconds: u32) -> Instant {
    match chrono::DateTime::from_timestamp(seconds, nanoseconds) {
        Some(at) => at,
        None => Instant::UNIX_EPOCH,
    }
}

/// The instant so long after `at`, or before it where `span` is negative; at most [`LATEST`], at least [`EARLIEST`].
pub fn shifted(at: Instant, span: chrono::TimeDelta) -> Instant {
    let beyond = if span < chrono::TimeDelta::zero() { EARLIEST } else { LATEST };
    at.checked_add_signed(span).unwrap_or(beyond).clamp(EARLIEST, LATEST)
}

/// So many days; of more than fit, as many as do.
pub(crate) fn days(number: impl TryInto<i64>) -> chrono::TimeDelta {
    number.try_into().ok().and_then(chrono::TimeDelta::try_days).unwrap_or(chrono::TimeDelta::MAX)
}

/// A clock that steps back by no more than this, in microseconds, is taken to stand still until it has caught up: clocks
/// are trimmed, and readings overtake each other. One that steps back further was set back, and is followed.
pub const STEP_BACK: i64 = 2_000_000;
