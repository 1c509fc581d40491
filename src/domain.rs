//! The rules of API keys, pure: no I/O, no clock, no randomness of their own.

pub mod account;
pub mod audit;
pub mod credential;
pub mod demo;
pub mod expiry;
pub mod explain;
pub mod issuer;
pub mod key;
pub mod limit;
pub mod network;
pub mod operator;
pub mod query;
pub mod reminder;
pub mod scope;
pub mod secret;
pub mod text;
pub mod usage;
pub mod verdict;

/// An instant in UTC with microsecond precision.
pub type Instant = chrono::DateTime<chrono::Utc>;
