//! What was seen of a database's history, and what a later look at the database makes of it.
//!
//! The audit only ever grows. Whoever remembers its newest row can tell a database that goes on from one that a restored
//! backup, a standby that lagged behind or somebody's hand has set back.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Instant;
use super::key::{Key, KeyId};
use super::text::{SafeText, thousands};
use super::when::Zone;

/// A row of the audit that was the newest when it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: i64,
    /// When it was written, by the database's clock.
    pub at: Instant,
    /// In hexadecimal; empty where the login can't read it.
    pub hash: String,
}

impl Head {
    /// Whether this and what stands at the same number are one row. Two histories have no rows in common after the moment
    /// in which they part, so that the time tells where a hash is not known.
    pub fn is(&self, other: &Self) -> bool {
        let hashes_agree = self.hash.is_empty() || other.hash.is_empty() || self.hash == other.hash;
        self.seq == other.seq && self.at == other.at && hashes_agree
    }
}

/// A revocation, as far as it can be told to people. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The audit's number.
    pub seq: i64,
    pub key: KeyId,
    pub preview: SafeText,
    pub name: SafeText,
    pub account: SafeText,
    pub at: Instant,
    pub by: SafeText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SafeText>,
}

/// Something that was seen at an address and is not there any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The newest row that was seen.
    pub seen: Head,
    pub seen_at: Instant,
    /// The number of the newest row when the gap was noticed.
    pub found: i64,
}

impl Gap {
    /// Whether a person has decided that the database goes on without what is gone: about as much of it as was seen here,
    /// or more, and after all of that.
    pub fn is_covered_by(&self, accepted: &Accepted) -> bool {
        accepted.at > self.seen.at && accepted.seen >= self.seen.seq
    }
}

/// A decision that the database goes on as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub at: Instant,
    /// The number of the newest row that is gone.
    pub seen: i64,
    /// Whether revocations that are undone were left so on purpose.
    pub leaves: bool,
}

/// How the audit names the row that is gone: number and hash.
pub fn subject(seen: &Head) -> String {
    format!("{}:{}", seen.seq, seen.hash)
}

/// The number in [`subject`].
pub fn number_in(subject: &str) -> Option<i64> {
    subject.split(':').next()?.parse().ok()
}

/// A revocation that the database does not hold any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    pub was: Remembered,
    /// The key as it is now; none where it was made after the backup, so that nothing knows it and no request passes.
    pub key: Option<Key>,
}

/// What a look at the database found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The number of the newest row.
    pub here: i64,
    /// What was seen at this address and is gone.
    pub gaps: Vec<Gap>,
    /// Undone revocations of keys that are there, and of keys that are not.
    pub undone: usize,
    pub unknown: usize,
    /// A standby that has not come as far as was seen: up to this number.
    pub behind: Option<i64>,
    /// The last look at this address, at this time, found another database.
    pub other: Option<Instant>,
    /// The number of the newest row that is remembered, when it was seen, and where that is kept.
    pub kept: Option<(i64, Instant, String)>,
    /// Why nothing can be remembered, or not all of it.
    pub fault: Option<String>,
}

impl History {
    /// What is gone, in one sentence; none where nothing is.
    pub fn alarm(&self, zone: Zone) -> Option<String> {
        let gap = self.gaps.iter().max_by_key(|gap| gap.seen.seq)?;
        let (here, seen) = (count(self.here), count(gap.seen.seq));
        let when = zone.to_the_minute(gap.seen_at);
        let what = if gap.found < gap.seen.seq {
            format!(
                "This database is older than before: its newest change is {here}, but {seen} was seen {when}"
            )
        } else {
            format!("This database has a different history: change {seen} isn't the one seen {when}")
        };
        Some(format!("{what}; {}", Undoing(self.undone)))
    }

    /// What is worth knowing and no alarm: a standby that lags, another database than last time.
    pub fn asides(&self, zone: Zone) -> Vec<String> {
        let lag = self.behind.map(|seen| {
            let (here, seen) = (count(self.here), count(seen));
            format!("This server is a standby and lags behind: it has change {here}, but {seen} was seen elsewhere")
        });
        let other = self.other.map(|at| {
            let when = zone.to_the_minute(at);
            format!("This is not the database that was last seen at this address, {when}")
        });
        [lag, other].into_iter().flatten().collect()
    }
}

/// How many revocations are undone, in words.
pub struct Undoing(pub usize);

impl fmt::Display for Undoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("no revocation known here is undone"),
            1 => f.write_str("1 revocation is undone"),
            many => write!(f, "{} revocations are undone", thousands(many as u64)),
        }
    }
}

fn count(seq: i64) -> String {
    thousands(seq.unsigned_abs())
}

#[cfg(test)]
mod tests;
