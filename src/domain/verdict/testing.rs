//! Records for tests.

use chrono::Duration;
use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::account::{Account, Standing};
use crate::domain::key::Key;
use crate::domain::network::Networks;
use crate::domain::scope::Scopes;

/// A key of this issuer that was made at `at`, taken over a minute later, and works for ever.
pub fn key(issuer: &str, at: Instant) -> Key {
    Key {
        id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        account: "acme".into(),
        issuer: issuer.into(),
        name: "Production".into(),
        description: "".into(),
        preview: "xx_••••••••abcd".into(),
        scopes: Scopes::default(),
        allow: Networks::default(),
        created_at: at,
        created_by: "ada".into(),
        expires_at: None,
        acknowledged_at: Some(at + Duration::minutes(1)),
        last_used_at: None,
        last_used_from: None,
        last_used_endpoint: None,
        limits: Default::default(),
        revoked_at: None,
        revoked_by: None,
        revoke_reason: None,
        predecessor: None,
        successor: None,
        successor_ends_at: None,
        rotation_due_at: None,
    }
}

/// The account of that key.
pub fn account(issuer: &str, at: Instant) -> Account {
    Account {
        slug: "acme".into(),
        issuer: issuer.into(),
        name: "Acme".into(),
        admins: vec!["admin@acme.example".into()],
        plan: None,
        standing: Standing::Good,
        created_at: at,
    }
}
