//! What a gate has counted and not yet added to its keys' own rows.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::Instant;
use crate::domain::key::KeyId;

use super::LateTries;

/// What is pending of some keys at one writing of a gate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Keys whose rows have all that came before: what earlier journals have of them is over.
    pub over: Vec<KeyId>,
    /// All that is pending of each of these, in the place of what earlier journals have of them.
    pub used: Vec<Pending>,
    /// Grows from one to the next.
    #[serde(skip)]
    pub number: i64,
    /// The journal that was written last; where it is gone, somebody else has added what was in it.
    #[serde(skip)]
    pub after: Option<i64>,
    /// Journals before this number are not needed any more.
    #[serde(skip)]
    pub needed: i64,
}

/// What is pending of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub key: KeyId,
    /// The minute, and how many requests were allowed, refused, limited.
    pub minutes: Vec<(i64, u64, u64, u64)>,
    /// When it was used last, where from and for what.
    pub last: Option<(Instant, Option<IpAddr>, Option<String>)>,
    /// Tries after its end. Gates before the one that counts them don't tell of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<LateTries>,
}
