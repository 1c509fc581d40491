//! A key's planned revocation, and how a key was revoked.

use super::Key;
use crate::domain::Instant;
use crate::domain::text::SafeText;

/// A revocation that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedEnd {
    /// From this instant on the key is revoked.
    pub at: Instant,
    /// Who planned it.
    pub by: SafeText,
    pub reason: Option<SafeText>,
}

/// How a key was revoked: by somebody's hand, or by a plan whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked<'k> {
    pub at: Instant,
    pub by: Option<&'k SafeText>,
    pub reason: Option<&'k SafeText>,
    pub planned: bool,
}

impl Revoked<'_> {
    /// ` by ada`, ` by a plan of ada`; empty where nobody is known.
    pub fn by_whom(&self) -> String {
        let how = if self.planned { " by a plan of" } else { " by" };
        self.by.map(|by| format!("{how} {by}")).unwrap_or_default()
    }
}

impl Key {
    /// When it stops working unless somebody revokes it before: the earlier of its expiry and its planned revocation.
    pub fn stops_at(&self) -> Option<Instant> {
        let planned = self.planned.as_ref().map(|plan| plan.at);
        [self.expires_at, planned].into_iter().flatten().min()
    }

    /// Its planned revocation, where it is revoked before it expires.
    pub fn plan(&self) -> Option<&PlannedEnd> {
        self.planned.as_ref().filter(|plan| self.expires_at.is_none_or(|end| plan.at <= end))
    }

    /// The same while it lies ahead and the key has not ended.
    pub fn plan_ahead(&self, now: Instant) -> Option<&PlannedEnd> {
        self.plan().filter(|plan| plan.at > now && !self.has_ended(now))
    }

    /// From when on it works, while that lies ahead.
    pub fn starts_at(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|at| *at > now)
    }

    /// How it was revoked by `now`, by hand or by plan; `None` while it is not.
    pub fn revoked(&self, now: Instant) -> Option<Revoked<'_>> {
        if let Some(at) = self.revoked_at {
            let (by, reason) = (self.revoked_by.as_ref(), self.revoke_reason.as_ref());
            return Some(Revoked { at, by, reason, planned: false });
        }
        let plan = self.plan().filter(|plan| plan.at <= now)?;
        Some(Revoked { at: plan.at, by: Some(&plan.by), reason: plan.reason.as_ref(), planned: true })
    }

    /// Whether it was revoked by `now`, by hand or by plan.
    pub fn is_revoked(&self, now: Instant) -> bool {
        self.revoked(now).is_some()
    }
}
