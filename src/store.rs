//! The token database: SQLite or PostgreSQL, with the same behaviour. The only room that speaks SQL.

mod error;
mod location;

pub use error::{Error, Result};
pub use location::Location;

/// An open database.
#[derive(Clone)]
pub enum Store {}

/// News of the database, for consoles that show it live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveEvent {
    /// Something changed, here or on another machine. What was read before may be out of date.
    Changed,
    /// The database can't be reached; the reason in words.
    Lost(String),
    /// The database answers again. Everything must be read anew.
    Back,
}

/// A stream of [`LiveEvent`]s. Dropping it stops the watching.
pub struct LiveEvents {
    pub(crate) events: tokio::sync::mpsc::Receiver<LiveEvent>,
}

impl LiveEvents {
    /// The next event; `None` when the watching has stopped.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        self.events.recv().await
    }
}
