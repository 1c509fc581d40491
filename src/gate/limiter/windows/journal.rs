//! The journal of a saving: what windows were used for that were not saved as a whole with it, in one row.
//!
//! Each of its records is a window's name with its length in two bytes, then its requests with their length in four bytes, in
//! the form of [`Log::to_bytes`]. No requests: the window was saved as a whole, and what earlier journals have of it is over.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::{Windows, bucket};
use crate::domain::Instant;
use crate::service::SavedWindow;

/// How journals are called; what follows is a number of sixteen digits.
const NAME: &str = "journal:";

/// The number of a journal; `None` for a window.
pub(super) fn number(subject: &str) -> Option<u64> {
    u64::from_str_radix(subject.strip_prefix(NAME)?, 16).ok()
}

fn name(number: u64) -> String {
    format!("{NAME}{number:016x}")
}

fn push(state: &mut Vec<u8>, subject: &str, requests: &[u8]) {
    let lengths = (u16::try_from(subject.len()), u32::try_from(requests.len()));
    if let (Ok(name), Ok(length)) = lengths {
        state.extend(name.to_le_bytes());
        state.extend(subject.as_bytes());
        state.extend(length.to_le_bytes());
        state.extend(requests);
    }
}

/// The next record, and what follows it.
fn pop(state: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (length, rest) = state.split_first_chunk::<2>()?;
    let (subject, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (requests, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((std::str::from_utf8(subject).ok()?, requests, rest))
}

impl Windows {
    /// The journal of this saving, in which these windows are saved as a whole; and the name before which no journal is needed
    /// any more. The next saving begins.
    pub fn journal(&self, saved: &[SavedWindow]) -> (Option<SavedWindow>, String) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (mut state, mut ends_at, mut needed) = (Vec::new(), Instant::default(), number);
        for one in saved {
            let Some(bucket) = bucket(&one.subject) else { continue };
            let mut shard = self.shards[self.place(&bucket)].lock();
            let Some(kept) = shard.get_mut(&bucket) else { continue };
            if std::mem::take(&mut kept.journaled) {
                push(&mut state, &one.subject, &[]);
                ends_at = ends_at.max(one.ends_at);
            }
        }
        for shard in &self.shards {
            for (bucket, kept) in shard.lock().iter_mut().filter(|(_, kept)| kept.since > 0) {
                needed = needed.min(kept.since);
                let requests = kept.log.last_to_bytes(kept.log.taken() - kept.told);
                if !requests.is_empty() {
                    kept.tell(number);
                    kept.journaled = true;
                    push(&mut state, &bucket.to_string(), &requests);
                    ends_at = ends_at.max(kept.ends_at());
                }
            }
        }
        let journal = SavedWindow { subject: name(number), state, ends_at };
        ((!journal.state.is_empty()).then_some(journal), name(needed))
    }

    /// Says that what was told of with the last saving could not be written after all.
    pub fn unsaved(&self, saved: &[SavedWindow]) {
        let last = self.number.load(Ordering::Relaxed) - 1;
        for bucket in saved.iter().filter_map(|saved| bucket(&saved.subject)) {
            if let Some(kept) = self.shards[self.place(&bucket)].lock().get_mut(&bucket) {
                (kept.since, kept.journaled) = (1, true);
            }
        }
        for shard in &self.shards {
            for kept in shard.lock().values_mut().filter(|kept| kept.told_before.1 == last) {
                kept.told = kept.told_before.0;
            }
        }
    }

    /// Takes over what journals have besides the windows that were saved as a whole. Answers how many can't be read.
    pub(super) fn replay(&self, mut journals: Vec<(u64, Vec<u8>)>) -> usize {
        journals.sort();
        let (mut unread, mut later) = (0, HashMap::<String, Vec<Vec<u8>>>::new());
        for (number, state) in journals {
            self.number.fetch_max(number + 1, Ordering::Relaxed);
            let mut rest = state.as_slice();
            while let Some((subject, requests, after)) = pop(rest) {
                rest = after;
                let of = later.entry(subject.to_owned()).or_default();
                if requests.is_empty() { of.clear() } else { of.push(requests.to_vec()) }
            }
            unread += usize::from(!rest.is_empty());
        }
        for (subject, all) in later {
            let Some(bucket) = bucket(&subject) else {
                unread += 1;
                continue;
            };
            let mut shard = self.shards[self.place(&bucket)].lock();
            let kept = shard.entry(bucket).or_default();
            for requests in all {
                unread += usize::from(kept.log.add_bytes(&requests).is_none());
                // It is in a journal that stays until the window is saved as a whole.
                (kept.told, kept.since, kept.journaled) = (kept.log.taken(), 1, true);
            }
        }
        unread
    }
}
