//! The rules of API keys, pure: no I/O, no clock, no randomness of their own.

pub mod account;
pub mod audit;
pub mod budget;
pub(crate) mod carrier;
pub(crate) mod credential;
pub(crate) mod demo;
#[cfg(test)]
pub(crate) mod examples;
pub mod expiry;
pub(crate) mod explain;
pub mod history;
pub mod issuer;
pub mod key;
pub mod limit;
pub mod network;
pub mod operator;
pub mod query;
pub(crate) mod reason;
pub mod reminder;
pub mod scope;
pub mod secret;
mod spaced;
pub mod subjects;
pub mod text;
pub mod usage;
pub(crate) mod verdict;
pub mod when;

/// An instant in UTC with microsecond precision.
pub type Instant = chrono::DateTime<chrono::Utc>;

/// A clock that steps back by no more than this, in microseconds, is taken to stand still until it has caught up: clocks
/// are trimmed, and readings overtake each other. One that steps back further was set back, and is followed.
pub const STEP_BACK: i64 = 2_000_000;
