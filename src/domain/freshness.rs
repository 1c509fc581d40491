//! How a gate makes sure that what it answers is current.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text::SafeText;
use super::when::Span;

/// How current a gate's answers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// Each request waits for a proof that began after it asked.
    #[default]
    Proof,
    /// A gate answers from memory for so long after it began to read the database's state.
    Lease(Duration),
}

/// Shorter ones would be used up by the reading that renews them; longer ones have people wait too long for a gate that is gone.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

/// Why a text says nothing of the kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FreshnessError {
    #[error("is \"{0}\": write proof, or a lease with its time, as lease=1s")]
    Form(SafeText),
    #[error("is \"{0}\": a lease lasts from 100 ms to 60 s, as lease=1s")]
    Time(SafeText),
}

impl Freshness {
    /// How long a gate answers from memory; `None`: not at all.
    pub fn lease(self) -> Option<Duration> {
        match self {
            Self::Proof => None,
            Self::Lease(time) => Some(time),
        }
    }

    /// How long others wait until such a lease has run out for certain: clocks don't go at the same pace. One that is a
    /// twentieth slower than another is broken.
    pub fn over_after(self) -> Duration {
        let lease = self.lease().unwrap_or_default();
        lease + (lease / 20).max(Duration::from_millis(50))
    }

    /// As it is kept: the lease in milliseconds, 0 without one.
    pub fn as_millis(self) -> i64 {
        self.lease().map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }

    /// As it was kept.
    pub fn of_millis(millis: i64) -> Self {
        match u64::try_from(millis) {
            Ok(0) | Err(_) => Self::Proof,
            Ok(millis) => Self::Lease(Duration::from_millis(millis)),
        }
    }
}

impl FromStr for Freshness {
    type Err = FreshnessError;

    fn from_str(text: &str) -> Result<Self, FreshnessError> {
        let shown = || SafeText::new(text);
        match text.split_once('=') {
            None if text == "proof" => Ok(Self::Proof),
            Some(("lease", time)) => {
                let time = Span::parse(time).map_err(|_| FreshnessError::Form(shown()))?.longest();
                let is_good = (SHORTEST..=LONGEST).contains(&time);
                if is_good { Ok(Self::Lease(time)) } else { Err(FreshnessError::Time(shown())) }
            }
            _ => Err(FreshnessError::Form(shown())),
        }
    }
}

impl serde::Serialize for Freshness {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// As it is read.
impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proof => f.write_str("proof"),
            Self::Lease(time) => match time.as_millis() {
                millis if millis % 1_000 == 0 => write!(f, "lease={}s", millis / 1_000),
                millis => write!(f, "lease={millis}ms"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freshness_is_read_as_it_is_shown() {
        for text in ["proof", "lease=1s", "lease=100ms", "lease=60s", "lease=1500ms"] {
            let freshness: Freshness = text.parse().unwrap();
            assert_eq!(freshness.to_string(), text);
            assert_eq!(Freshness::of_millis(freshness.as_millis()), freshness);
        }
        assert_eq!("lease=1m".parse::<Freshness>().unwrap().to_string(), "lease=60s");
    }

    #[test]
    fn a_lease_that_makes_no_sense_is_refused_in_words() {
        for text in
            ["", "lease", "lease=", "lease=soon", "lease=1", "never", "Proof", "lease=-1s", "proof=1s"]
        {
            let why = text.parse::<Freshness>().unwrap_err().to_string();
            assert!(why.ends_with("write proof, or a lease with its time, as lease=1s"), "{text}: {why}");
        }
        for text in ["lease=0s", "lease=0", "lease=99ms", "lease=61s", "lease=1d", "lease=1mo"] {
            let why = text.parse::<Freshness>().unwrap_err().to_string();
            assert!(
                why.contains(text) && (why.contains("100 ms to 60 s") || text == "lease=0"),
                "{text}: {why}"
            );
        }
    }

    #[test]
    fn a_lease_is_over_for_others_later_than_for_its_gate() {
        let over = |text: &str| text.parse::<Freshness>().unwrap().over_after().as_millis();
        assert_eq!((over("lease=1s"), over("lease=100ms"), over("lease=60s")), (1_050, 150, 63_000));
    }
}
