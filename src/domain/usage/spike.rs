//! Whether a key is used far more than it ever was.

use super::Minute;

/// The span that is compared, in minutes.
pub const SPIKE_MINUTES: i64 = 5;
/// How far back a key's past is looked at: seven days.
pub const SPIKE_PAST_MINUTES: i64 = 7 * 24 * 60;

/// Fewer requests than this in the span are no spike, whatever the past.
const LEAST: u64 = 100;
/// A key younger than this has no past to compare with.
const YOUNGEST_MINUTES: i64 = 60;
/// So many times the usual amount is a spike.
const TIMES_USUAL: u64 = 5;

/// A spike, in requests per [`SPIKE_MINUTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spike {
    pub requests: u64,
    /// The mean of the spans in which the key was used at all.
    pub usual: u64,
    /// The busiest span before.
    pub busiest: u64,
}

/// Compares the five whole minutes before `minute` with the same key's past.
///
/// It is a spike if there are at least 100 requests, five times as many as is usual for this key, and half as many again
/// as in its busiest span. The usual is the mean over spans in which the key was used, so that nights do not make days
/// look like spikes; the busiest span keeps a nightly batch from being reported every night. `past` holds the key's
/// minutes in any order, of at most [`SPIKE_PAST_MINUTES`].
pub fn spike(past: &[Minute], minute: i64) -> Option<Spike> {
    let first = past.iter().map(|one| one.minute).min()?;
    if minute - first < YOUNGEST_MINUTES {
        return None;
    }
    // Span 0 is the present one; the spans before it count back from there.
    let mut spans = std::collections::BTreeMap::<i64, u64>::new();
    for one in past {
        let age = minute - one.minute;
        if (1..=SPIKE_PAST_MINUTES).contains(&age) {
            let span = spans.entry((age - 1) / SPIKE_MINUTES).or_default();
            *span = span.saturating_add(one.counts.total());
        }
    }
    let requests = spans.remove(&0).filter(|requests| *requests >= LEAST)?;
    spans.retain(|_, count| *count > 0);
    let busiest = spans.values().copied().max()?;
    let usual =
        (spans.values().fold(0, |sum: u64, one| sum.saturating_add(*one)) / spans.len() as u64).max(1);
    let spike = requests >= usual.saturating_mul(TIMES_USUAL)
        && requests.saturating_mul(2) > busiest.saturating_mul(3);
    spike.then_some(Spike { requests, usual, busiest })
}
