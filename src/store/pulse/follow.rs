//! Waiting for the audit to grow: for who tells of each change soon after it.

use std::time::Duration;

use tokio::time::timeout;

use super::Ear;
use crate::store::live::told::Told;
use crate::store::{Location, Store};

/// A notification may be lost with its connection (H10), so that it is looked this often in any case.
const POLL: Duration = Duration::from_secs(2);
/// However much is written, this is the least time between two looks.
const LEAST: Duration = Duration::from_millis(20);

/// Says when to look again.
pub struct Follow {
    ear: Ear,
    /// Of a SQLite file.
    told: Option<Told>,
}

impl Store {
    /// Begins to listen. What is written from now on wakes [`Follow::next`].
    pub fn follow(&self) -> Follow {
        let told = match &self.location {
            Location::Sqlite(path) => Some(Told::every(path, LEAST)),
            Location::Postgres(_) => None,
        };
        Follow { ear: self.ear(), told }
    }
}

impl Follow {
    /// Waits until something may have been written, or for two seconds.
    pub async fn next(&mut self) {
        match &mut self.told {
            Some(told) => {
                let _ = timeout(POLL, told.next(false)).await;
            }
            None => {
                let _ = timeout(POLL, self.ear.hear()).await;
                tokio::time::sleep(LEAST).await;
            }
        }
    }
}
