//! A request for approval that waits.

use chrono::Duration;

use super::noon;
use crate::domain::approval::{Approval, Wish};

/// Somebody asks to revoke twelve keys.
pub fn approval(n: i64, by: &str) -> Approval {
    Approval {
        n,
        verb: "revoke".into(),
        wish: Some(Wish::Revoke { reason: Some("leaked".into()), ticket: None }),
        keys: 12,
        reason: Some("leaked".into()),
        asked_at: noon(),
        asked_by: by.into(),
        ends_at: noon() + Duration::hours(1),
        decided_at: None,
        decided_by: None,
        outcome: None,
        override_reason: None,
    }
}
