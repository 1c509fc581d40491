//! What the gates would have counted of a demo's keys, so that the last use and the counts tell the same.

use chrono::Duration;

use super::Demo;
use crate::domain::key::NewKey;
use crate::domain::usage::{Counts, minute};

/// Counts are made for uses of this past.
const COUNTED: Duration = Duration::days(1);
/// Of a demo with more keys than this only the last minute of each key's use is counted.
const MANY: u64 = 5000;

impl Demo {
    /// By minute since the epoch: the last use, and some of the hours before it. The same for the same key.
    pub(super) fn usage(&self, key: &NewKey) -> Vec<(i64, Counts)> {
        let since = key.created_at.max(self.now - COUNTED);
        let Some(last) = key.last_used_at.filter(|at| *at >= since) else { return Vec::new() };
        // The end of the id is as good as chance, and leaves what is drawn for the other keys as it is.
        let [.., more, step, requests] = *key.id.as_bytes();
        let minutes = if self.keys > MANY { 1 } else { 1 + i64::from(more % 24) };
        let counted = (0..minutes).map(|n| {
            let at = last - Duration::minutes(n * (9 + i64::from(step % 50)));
            let allowed = 1 + (u64::from(requests) + n.unsigned_abs() * 7) % 60;
            (at, Counts { allowed, ..Counts::default() })
        });
        counted.filter(|(at, _)| *at >= since).map(|(at, counts)| (minute(at), counts)).collect()
    }
}
