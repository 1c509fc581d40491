//! Keys: the record of a secret that was given out.

use std::borrow::Cow;

use chrono::Duration;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr};
use uuid::Uuid;

use super::account::Standing;
use super::budget::Budgets;
use super::expiry::Overlap;
use super::network::Networks;
use super::owner::{Owner, Tags};
use super::pause::Pause;
use super::scope::Scopes;
use super::secret::{HashedKey, Scheme};
use super::text::SafeText;
use super::{Instant, shifted};

mod planned;

pub use planned::{PlannedEnd, Revoked};

/// A key nobody acknowledged and nobody used is dead this long after its creation (VP-27).
pub const CLAIM_TIME: Duration = Duration::minutes(10);

/// The identity of a key: UUID version 7.
pub type KeyId = Uuid;

/// The identity of one wish to change something. A retry carries the same one and changes nothing twice.
pub type OperationId = Uuid;

/// A key as the database knows it. The secret is not in it and can't be had from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    /// The account's slug.
    pub account: String,
    /// The account's standing: its keys pass only while it is good.
    pub standing: Standing,
    /// The issuer's slug.
    pub issuer: String,
    pub name: SafeText,
    /// Empty where none was given.
    pub description: SafeText,
    pub owner: Option<Owner>,
    pub tags: Tags,
    /// Prefix, dots, last four characters: stored at creation, never derived later.
    pub preview: SafeText,
    /// Empty: fully privileged, where the policy has no scopes.
    pub scopes: Scopes,
    /// Empty: any address.
    pub allow: Networks,
    pub created_at: Instant,
    pub created_by: SafeText,
    pub expires_at: Option<Instant>,
    /// It is refused before this instant; perhaps it is past.
    pub not_before: Option<Instant>,
    /// The revocation that is planned; see [`Key::revoked`] for whether its time has come.
    pub planned: Option<PlannedEnd>,
    /// When somebody confirmed that the secret was taken over.
    pub acknowledged_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
    /// The address that the last use came from.
    pub last_used_from: Option<SafeText>,
    /// The endpoint that it asked for, as the policy's routes name it.
    pub last_used_endpoint: Option<SafeText>,
    /// Budgets agreed for this key; empty: its policy's hold.
    pub limits: Budgets,
    /// When somebody revoked it: [`Key::revoked`] knows of a plan too.
    pub revoked_at: Option<Instant>,
    pub revoked_by: Option<SafeText>,
    pub revoke_reason: Option<SafeText>,
    /// The key that this one replaces.
    pub predecessor: Option<KeyId>,
    /// The key that replaces this one.
    pub successor: Option<KeyId>,
    /// When that key ends or ended, however; `None` where there is none.
    pub successor_ends_at: Option<Instant>,
    /// Whether that key's secret was confirmed: from then on this one has its overlap.
    pub successor_confirmed: bool,
    /// When the key that this one replaces ends or ended; `None` where there is none, or another replaces that one by now.
    pub predecessor_ends_at: Option<Instant>,
    /// When the policy's rotation period ends; `None` where the policy has none.
    pub rotation_due_at: Option<Instant>,
    /// Its own pause, the last one there was, over or not.
    pub paused: Option<Pause>,
    /// The freeze that holds it the longest.
    pub frozen: Option<Pause>,
    /// Whether gates don't take its form any more: its issuer's policy has no such prefix, or can't be read.
    pub refused: bool,
    /// What of its row can't be read, and why; empty: all of it can. Such a key is shown and can be revoked, and passes nowhere.
    pub odd: SafeText,
}

/// A key as it is written.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub id: KeyId,
    pub account: String,
    pub issuer: String,
    pub name: String,
    pub description: String,
    pub owner: Option<Owner>,
    pub tags: Tags,
    pub preview: String,
    /// The secret's last four characters.
    pub tail: String,
    pub hash: HashedKey,
    /// How the hash comes from the secret.
    pub scheme: Scheme,
    /// The product in whose table it stood before; `None`: it was made here.
    pub imported_from: Option<String>,
    pub scopes: Scopes,
    pub allow: Networks,
    pub created_at: Instant,
    pub created_by: String,
    pub expires_at: Option<Instant>,
    pub not_before: Option<Instant>,
    /// Its planned revocation.
    pub planned: Option<Revocation>,
    pub acknowledged_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
    pub last_used_from: Option<String>,
    pub last_used_endpoint: Option<String>,
    pub limits: Budgets,
    pub revocation: Option<Revocation>,
    /// The key that this one replaces, and how long that one outlives the acknowledgement.
    pub replaces: Option<(KeyId, Overlap)>,
}

/// The end of a key.
#[derive(Clone, Debug)]
pub struct Revocation {
    pub at: Instant,
    pub by: String,
    pub reason: Option<String>,
}

/// What a key is at a given instant: what a request with it would meet. Only `Active` works.
///
/// Derived from the row and the time, so that no process needs to be alive for a key to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    Active,
    /// It does not work yet: it begins by itself.
    Planned,
    /// It would work, but somebody paused it, or a freeze fits it: it works again by itself.
    Paused,
    /// It would work, but its account is suspended: it works again once the account is reinstated.
    Suspended,
    /// It would work, but its issuer's policy has no such prefix any more: it works again once the policy has.
    Refused,
    /// Past its expiry.
    Expired,
    /// Neither acknowledged nor used within [`CLAIM_TIME`] of its creation.
    Abandoned,
    /// By somebody's hand, or by a plan whose time has come.
    Revoked,
    /// A part of its row can't be read, so nothing may pass with it. No filter knows: who filters can't read it either.
    Damaged,
}

impl Status {
    /// What a filter may ask for.
    pub const ALL: &[Self] = &[
        Self::Active,
        Self::Planned,
        Self::Paused,
        Self::Suspended,
        Self::Refused,
        Self::Expired,
        Self::Abandoned,
        Self::Revoked,
    ];
    /// Of a key that works, or will work by itself or once something else is as it was.
    pub const LIVING: &[Self] = &[Self::Active, Self::Planned, Self::Paused, Self::Suspended, Self::Refused];
    /// Of a key that never works again.
    pub const ENDED: &[Self] = &[Self::Expired, Self::Abandoned, Self::Revoked];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Key {
    /// What this key is at `now`. Revocation outranks the rest, then expiry; what ended is no account's matter any more.
    pub fn status(&self, now: Instant) -> Status {
        if self.is_revoked(now) {
            Status::Revoked
        } else if !self.odd.is_empty() {
            Status::Damaged
        } else if self.expires_at.is_some_and(|at| at <= now) {
            Status::Expired
        } else if self.claim_by().is_some_and(|at| at <= now) {
            Status::Abandoned
        } else if self.starts_at(now).is_some() {
            Status::Planned
        } else if self.held(now).is_some() {
            Status::Paused
        } else if self.standing != Standing::Good {
            Status::Suspended
        } else if self.refused {
            Status::Refused
        } else {
            Status::Active
        }
    }

    /// What holds it at `now`, the longest of several: the other can be lifted and this one still holds.
    pub fn held(&self, now: Instant) -> Option<&Pause> {
        let holds = [&self.paused, &self.frozen].into_iter().flatten().filter(|pause| pause.holds(now));
        holds.max_by_key(|pause| pause.until)
    }

    /// The name as lists show it: behind what of the key can't be read.
    pub fn label(&self) -> Cow<'_, str> {
        self.odd.before(&self.name)
    }

    /// Whether this key is over for good at `now`. A key that is paused, or of a suspended account, is not.
    pub fn has_ended(&self, now: Instant) -> bool {
        self.ends_at().is_some_and(|end| end <= now) || self.revoked_at.is_some()
    }

    /// How this key ended by `now`, and when; `None` while it has not.
    pub fn ended(&self, now: Instant) -> Option<(&'static str, Instant)> {
        let at = self.ends_at().filter(|end| *end <= now).or(self.revoked_at)?;
        let how = match self.revoked(now) {
            Some(_) => "revoked",
            None if self.expires_at.is_none_or(|end| end > now) => "not confirmed",
            None if self.successor.is_some() => "replaced",
            None => "expired",
        };
        Some((how, at))
    }

    /// The instant at which this key dies unless somebody acknowledges or uses it; `None` once that has happened.
    pub fn claim_by(&self) -> Option<Instant> {
        (self.acknowledged_at.is_none() && self.last_used_at.is_none())
            .then(|| shifted(self.created_at, CLAIM_TIME))
    }

    /// The instant at which this key ends or ended, by whichever cause comes first; `None` for never.
    pub fn ends_at(&self) -> Option<Instant> {
        [self.revoked_at, self.stops_at(), self.claim_by()].into_iter().flatten().min()
    }

    /// Whether it goes on beside its replacement, whose secret was confirmed: whether its overlap is open.
    pub fn is_being_replaced(&self, now: Instant) -> bool {
        self.successor.is_some() && self.successor_confirmed && !self.has_ended(now)
    }

    /// Whether it is the replacement in an open overlap.
    pub fn is_replacement(&self, now: Instant) -> bool {
        self.acknowledged_at.is_some() && self.predecessor_ends_at.is_some_and(|end| end > now)
    }

    /// On which side of an open overlap it is, in a word: `old`, `new`, or `both` where it is a replacement that is replaced itself.
    pub fn overlap_side(&self, now: Instant) -> Option<&'static str> {
        match (self.is_being_replaced(now), self.is_replacement(now)) {
            (true, true) => Some("both"),
            (true, false) => Some("old"),
            (false, true) => Some("new"),
            (false, false) => None,
        }
    }

    /// Whether the key has not ended but should have been replaced by now (VP-06). A successor that died, because nobody took its
    /// secret over or because it was revoked, replaces nothing.
    pub fn rotation_due(&self, now: Instant) -> bool {
        !self.has_ended(now)
            && self.successor_ends_at.is_none_or(|end| end <= now)
            && self.rotation_due_at.is_some_and(|at| at <= now)
    }
}
