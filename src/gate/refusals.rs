//! The log of refusals: one line each with the exact reason, as many as a person can read.

use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use super::metrics::Metrics;
use crate::domain::issuer::Policy;
use crate::domain::reason::Reason;
use crate::domain::secret::find_secret;
use crate::domain::text::SafeText;
use crate::service::Known;

/// So many lines at once, and so many a second after that. The rest is counted.
const BURST: f64 = 200.0;
const PER_SECOND: f64 = 50.0;
/// The longest path that is shown, in characters.
const SHOWN: usize = 200;

/// A request that was refused, as the log tells of it.
pub struct Refusal<'a> {
    pub entrance: &'static str,
    pub reason: &'a Reason,
    pub policy: Option<&'a Policy>,
    pub known: Option<&'a Known>,
    pub address: Option<IpAddr>,
    pub method: &'a [u8],
    /// Path and query, as they came.
    pub target: &'a [u8],
    pub endpoint: Option<&'a str>,
}

/// Keeps count of what may be written.
pub struct Refusals {
    state: Mutex<State>,
}

struct State {
    tokens: f64,
    at: Duration,
    left_out: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { state: Mutex::new(State { tokens: BURST, at: Duration::ZERO, left_out: 0 }) }
    }
}

impl Refusals {
    /// Lets a line be written, unless there were too many. `now` is any clock that only goes forward.
    pub fn tell(&self, now: Duration, metrics: &Metrics, write: impl FnOnce()) {
        match self.admit(now) {
            None => {
                metrics.unlogged.inc();
            }
            Some(left_out) => {
                if left_out > 0 {
                    tracing::warn!(left_out, "refusals were left out of the log");
                }
                write();
            }
        }
    }

    /// Whether a line may be written, and how many were left out since the one before.
    fn admit(&self, now: Duration) -> Option<u64> {
        let mut state = self.state.lock();
        let passed = now.saturating_sub(state.at).as_secs_f64();
        state.tokens = (state.tokens + passed * PER_SECOND).min(BURST);
        state.at = state.at.max(now);
        if state.tokens < 1.0 {
            state.left_out += 1;
            return None;
        }
        state.tokens -= 1.0;
        Some(std::mem::take(&mut state.left_out))
    }
}

impl Refusal<'_> {
    /// Writes the line.
    pub fn write(&self) {
        let key = self.known.map(|known| &known.key);
        let address = self.address.map(|address| address.to_string());
        tracing::info!(
            target: "keyrack::refused",
            reason = self.reason.code(),
            entrance = self.entrance,
            issuer = self.policy.map(|policy| policy.slug.as_str()),
            account = self.known.map(|known| known.account.slug.as_str()),
            key = key.map(|key| key.id.to_string()),
            preview = key.map(|key| key.preview.as_str()),
            address = address.as_deref(),
            method = %shown(self.method, 32),
            path = %path(self.target),
            endpoint = self.endpoint,
            "{}",
            self.reason.sentence(self.policy)
        );
    }
}

/// Bytes of a stranger as text that harms nobody, shortened.
fn shown(bytes: &[u8], most: usize) -> SafeText {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * most)]);
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() || bytes.len() > 4 * most {
        short.push('…');
    }
    SafeText::new(short)
}

/// The path alone: a query may hold anything, and somebody may have put a key into the path too.
fn path(target: &[u8]) -> SafeText {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    if find_secret(&String::from_utf8_lossy(&target[..end])).is_some() {
        return SafeText::new("(a path with a key in it)");
    }
    shown(&target[..end], SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_not_written() {
        let refusals = Refusals::default();
        let at = Duration::from_secs;
        let written = (0..10_000).filter(|_| refusals.admit(at(10)).is_some()).count();
        assert_eq!(written, 200);
        assert_eq!(refusals.admit(at(11)), Some(9_800), "the next line tells how many are missing");
        assert_eq!(refusals.admit(at(11)), Some(0));
    }

    #[test]
    fn a_path_is_shown_without_its_query_and_without_harm() {
        assert_eq!(path(b"/a/b?token=1").as_str(), "/a/b");
        assert_eq!(path(b"/a\x1b[2J\xff").as_str(), "/a\u{fffd}[2J\u{fffd}");
        let long = path(&[b'a'; 10_000]);
        assert_eq!(long.as_str().chars().count(), SHOWN + 1);
        let key = format!("/keys/vg_pat_{}", "a1".repeat(32));
        assert_eq!(path(key.as_bytes()).as_str(), "(a path with a key in it)");
        assert_eq!(shown("\u{202e}GET".as_bytes(), 32).as_str(), "\u{fffd}GET");
    }
}
