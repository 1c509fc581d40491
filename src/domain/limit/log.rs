//! The times of the requests that were allowed, kept in as few bytes as they take.

use std::collections::VecDeque;

use crate::domain::STEP_BACK;
use crate::domain::budget::{Budget, WINDOW_MAX};

const MICROS: i64 = 1_000_000;
/// A buffer of this size or less is not worth giving back in part.
const SMALL: usize = 256;

/// The most bytes that one distance takes.
const WIDEST: usize = 9;

/// One bucket's requests, for as long as its longest window reaches back.
///
/// Each time is stored as its distance in microseconds from the one before, seven bits to a byte: a request a second
/// takes three bytes, a burst one byte each. The log grows with what was used and holds no more requests than the budget
/// of its longest window allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The distances from the oldest request to the newest, one for each but the oldest.
    distances: VecDeque<u8>,
    /// How many bytes were ever taken from the front: places of cursors count from the very first byte.
    dropped: u64,
    oldest: i64,
    newest: i64,
    len: u32,
    /// How many requests were ever counted.
    taken: u64,
    cursors: Vec<Cursor>,
}

/// Where one window begins in the log. Everything behind it lies inside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    seconds: u32,
    /// The time of the oldest request inside; of no meaning if there is none.
    oldest: i64,
    /// The place of the distance from that one to the next.
    place: u64,
    /// How many are inside.
    count: u32,
}

impl Log {
    /// Tells for each budget, in their order: how many requests its window holds at `now`, and the instant at which it
    /// could take one more than it can now. Forgets what no window reaches.
    pub fn peek(&mut self, budgets: &[Budget], now: i64, mut tell: impl FnMut(Budget, u32, i64)) {
        let now = self.settle(now);
        self.follow(budgets);
        for i in 0..self.cursors.len() {
            let mut cursor = self.cursors[i];
            let edge = now - i64::from(cursor.seconds) * MICROS;
            while cursor.count > 0 && cursor.oldest <= edge {
                self.step(&mut cursor);
            }
            self.cursors[i] = cursor;
        }
        self.shed();
        for budget in budgets {
            let Some(cursor) = self.cursors.iter().find(|cursor| cursor.seconds == budget.seconds) else {
                continue;
            };
            tell(*budget, cursor.count, self.next_room(*cursor, *budget, now));
        }
    }

    /// Counts a request at `now`, which every window had room for.
    pub(super) fn take(&mut self, now: i64) {
        if self.len == 0 {
            (self.oldest, self.newest) = (now, now);
        } else {
            let now = self.settle(now);
            let mut distance = now.abs_diff(self.newest);
            // Growing by a quarter rather than by half of the new size: there may be a log for each of many keys.
            if self.distances.capacity() - self.distances.len() < WIDEST {
                self.distances.reserve_exact(self.distances.len() / 4 + 2 * WIDEST);
            }
            while distance >= 0x80 {
                self.distances.push_back(distance as u8 | 0x80);
                distance >>= 7;
            }
            self.distances.push_back(distance as u8);
            self.newest = now;
        }
        self.len += 1;
        self.taken += 1;
        let end = self.dropped + self.distances.len() as u64;
        for cursor in &mut self.cursors {
            if cursor.count == 0 {
                (cursor.oldest, cursor.place) = (self.newest, end);
            }
            cursor.count += 1;
        }
    }

    /// Makes the log fit a clock that was set back, and gives the time to reckon with.
    ///
    /// A small step back stands still at the newest request. After a larger one all requests move back together, so that
    /// the newest was made just now: their distances stay, and nobody waits for longer than the window.
    fn settle(&mut self, now: i64) -> i64 {
        if self.len == 0 {
            return now;
        }
        let back = self.newest.saturating_sub(now);
        if back <= STEP_BACK {
            return now.max(self.newest);
        }
        self.newest -= back;
        self.oldest = self.oldest.saturating_sub(back);
        for cursor in &mut self.cursors {
            cursor.oldest = cursor.oldest.saturating_sub(back);
        }
        now
    }

    /// Whether nothing in it can matter any more at `now`, so that it may be dropped.
    pub fn is_idle(&mut self, now: i64) -> bool {
        self.settle(now);
        self.ends_at().is_none_or(|end| end <= now)
    }

    /// The instant from which on nothing in it can matter any more, in microseconds since the epoch; `None` for an empty log.
    pub fn ends_at(&self) -> Option<i64> {
        let longest = self.cursors.iter().map(|cursor| cursor.seconds).max().unwrap_or(WINDOW_MAX);
        (self.len > 0).then(|| self.newest + i64::from(longest) * MICROS)
    }

    /// The requests in it, the most that any window holds.
    #[cfg(test)]
    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The heap that it takes, in bytes.
    #[cfg(test)]
    pub fn heap(&self) -> usize {
        self.distances.capacity() + self.cursors.capacity() * size_of::<Cursor>()
    }

    /// The form that survives a restart: the oldest time in eight bytes, then the distances. Empty for an empty log.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.len == 0 {
            return Vec::new();
        }
        let mut bytes = Vec::with_capacity(8 + self.distances.len());
        bytes.extend(self.oldest.to_le_bytes());
        bytes.extend(&self.distances);
        bytes
    }

    /// How many requests were ever counted here.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The last so many requests in the same form.
    pub fn last_to_bytes(&self, count: u64) -> Vec<u8> {
        let count = count.min(u64::from(self.len));
        if count == 0 {
            return Vec::new();
        }
        let (mut place, mut first) = (self.distances.len(), self.newest);
        for _ in 1..count {
            // All bytes of a distance but its last one say that it goes on.
            place -= 1;
            while place > 0 && self.distances[place - 1] & 0x80 != 0 {
                place -= 1;
            }
            let distance = read(|i| self.distances.get(place + i).copied());
            first -= distance.map_or(0, |(distance, _)| distance as i64);
        }
        let mut bytes = first.to_le_bytes().to_vec();
        bytes.extend(self.distances.range(place..));
        bytes
    }

    /// Adds requests in that form, which came after those in it. `None` if it is not whole.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let later = Self::from_bytes(bytes)?;
        if later.len == 0 {
            return Some(());
        }
        let (mut at, mut place) = (later.oldest, 0);
        self.take(at);
        while let Some((distance, width)) = read(|i| later.distances.get(place + i).copied()) {
            (at, place) = (at + distance as i64, place + width);
            self.take(at);
        }
        Some(())
    }

    /// Reads that form; `None` if it is not whole.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (oldest, distances) = bytes.split_first_chunk::<8>()?;
        let oldest = i64::from_le_bytes(*oldest);
        let mut log =
            Self { oldest, newest: oldest, len: 1, distances: distances.to_vec().into(), ..Self::default() };
        let mut place = 0;
        while place < distances.len() {
            let (distance, width) = read(|i| distances.get(place + i).copied())?;
            place += width;
            log.newest = log.newest.checked_add(i64::try_from(distance).ok()?)?;
            log.len = log.len.checked_add(1)?;
        }
        Some(log)
    }

    /// Keeps one cursor for each window of the budgets, and no other.
    fn follow(&mut self, budgets: &[Budget]) {
        let asked = |seconds: u32| budgets.iter().any(|budget| budget.seconds == seconds);
        if self.cursors.len() == budgets.len() && self.cursors.iter().all(|cursor| asked(cursor.seconds)) {
            return;
        }
        self.cursors.retain(|cursor| asked(cursor.seconds));
        for budget in budgets {
            if !self.cursors.iter().any(|cursor| cursor.seconds == budget.seconds) {
                self.cursors.push(Cursor {
                    seconds: budget.seconds,
                    oldest: self.oldest,
                    place: self.dropped,
                    count: self.len,
                });
            }
        }
    }

    /// Moves a cursor past its oldest request.
    fn step(&self, cursor: &mut Cursor) {
        cursor.count -= 1;
        if cursor.count == 0 {
            return;
        }
        let at = (cursor.place - self.dropped) as usize;
        if let Some((distance, width)) = read(|i| self.distances.get(at + i).copied()) {
            cursor.oldest += distance as i64;
            cursor.place += width as u64;
        }
    }

    /// Drops what lies before the window that reaches back the furthest.
    fn shed(&mut self) {
        let Some(first) = self.cursors.iter().max_by_key(|cursor| cursor.count).copied() else { return };
        if first.count == self.len {
            return;
        }
        if first.count == 0 {
            self.dropped += self.distances.len() as u64;
            self.distances.clear();
        } else {
            self.distances.drain(..(first.place - self.dropped) as usize);
            self.dropped = first.place;
            self.oldest = first.oldest;
        }
        self.len = first.count;
        let (capacity, used) = (self.distances.capacity(), self.distances.len());
        if capacity > SMALL && used < capacity / 4 {
            self.distances.shrink_to((used * 2).max(SMALL));
        }
    }

    /// When one more fits than at `now`: as soon as the oldest leaves, or, where a budget was lowered below what the
    /// window holds, as soon as enough have left.
    fn next_room(&self, mut cursor: Cursor, budget: Budget, now: i64) -> i64 {
        while cursor.count > budget.requests {
            self.step(&mut cursor);
        }
        if cursor.count == 0 { now } else { cursor.oldest + i64::from(budget.seconds) * MICROS }
    }
}

/// One distance and the number of its bytes.
fn read(byte: impl Fn(usize) -> Option<u8>) -> Option<(u64, usize)> {
    let mut distance = 0u64;
    for i in 0..WIDEST {
        let next = byte(i)?;
        distance |= u64::from(next & 0x7F) << (7 * i);
        if next & 0x80 == 0 {
            return Some((distance, i + 1));
        }
    }
    None
}
