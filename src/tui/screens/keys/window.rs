//! The part of the table that is held: some hundred rows round the selection, read by keyset.

use chrono::Duration;

use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::service::{Page, Row};

/// Rows of one reading.
pub const CHUNK: u32 = 200;
/// At most so many rows are held.
pub const KEEP: usize = 600;
/// Fewer rows than this between the selection and an end of the window: time to read on.
const NEAR: usize = 100;

/// Rows in the table's order, without a gap.
#[derive(Debug, Default)]
pub struct Window {
    pub rows: Vec<Row>,
    pub more_before: bool,
    pub more_after: bool,
    /// What the database's clock is ahead of ours.
    pub ahead: Duration,
}

impl Window {
    /// `now` is our clock's time of the arrival.
    pub fn replace(&mut self, page: Page, now: Instant) {
        *self = Self {
            rows: page.rows,
            more_before: page.more_before,
            more_after: page.more_after,
            ahead: page.now - now,
        };
    }

    /// Adds the rows that follow; forgets the first ones if there are too many. Answers how many were forgotten.
    pub fn append(&mut self, page: Page) -> usize {
        let known =
            |row: &Row| self.rows.iter().rev().take(CHUNK as usize).any(|old| old.key.id == row.key.id);
        let fresh: Vec<Row> = page.rows.into_iter().filter(|row| !known(row)).collect();
        self.rows.extend(fresh);
        self.more_after = page.more_after;
        let surplus = self.rows.len().saturating_sub(KEEP);
        self.rows.drain(..surplus);
        self.more_before |= surplus > 0;
        surplus
    }

    /// Adds the rows that come before; forgets the last ones if there are too many. Answers how many were added.
    pub fn prepend(&mut self, page: Page) -> usize {
        let known = |row: &Row| self.rows.iter().take(CHUNK as usize).any(|old| old.key.id == row.key.id);
        let mut fresh: Vec<Row> = page.rows.into_iter().filter(|row| !known(row)).collect();
        let added = fresh.len();
        fresh.append(&mut self.rows);
        self.rows = fresh;
        self.more_before = page.more_before;
        if self.rows.len() > KEEP {
            self.rows.truncate(KEEP);
            self.more_after = true;
        }
        added
    }

    pub fn position(&self, id: KeyId) -> Option<usize> {
        self.rows.iter().position(|row| row.key.id == id)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn wants_after(&self, selected: usize) -> bool {
        self.more_after && self.rows.len().saturating_sub(selected) < NEAR
    }

    pub fn wants_before(&self, selected: usize) -> bool {
        self.more_before && selected < NEAR
    }
}
