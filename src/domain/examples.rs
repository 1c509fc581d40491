//! Records for unit tests: each test takes one and changes what it is about.

use chrono::Duration;
use uuid::Uuid;

use super::Instant;
use super::account::{Account, Standing};
use super::issuer::{Issuer, Policy, policy_file};
use super::key::Key;
use super::network::Networks;
use super::scope::Scopes;
use super::secret::preview;

/// The instant of most tests: 2026-11-21 12:00:00 UTC.
pub fn noon() -> Instant {
    chrono::DateTime::from_timestamp(1_795_262_400, 0).unwrap()
}

impl Key {
    /// A key of VoxPria's, made at [`noon`], whose secret was confirmed; it never expires and was never used.
    pub fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
            account: "acme".into(),
            issuer: "voxpria".into(),
            name: "Production".into(),
            description: "".into(),
            owner: None,
            tags: Default::default(),
            preview: preview("vx_", "abcd").into(),
            scopes: Scopes::default(),
            allow: Networks::default(),
            created_at: noon(),
            created_by: "ada".into(),
            expires_at: None,
            not_before: None,
            planned: None,
            acknowledged_at: Some(noon() + Duration::minutes(1)),
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
            successor_confirmed: false,
            predecessor_ends_at: None,
            standing: Standing::Good,
            rotation_due_at: None,
            paused: None,
            frozen: None,
            refused: false,
            odd: Default::default(),
        }
    }

    /// The same of another issuer, in the form of its keys.
    pub fn of(self, issuer: &str) -> Self {
        let prefix = policy_file::preset(issuer).map_or("xx_".to_owned(), |policy| policy.format.prefix);
        Self { issuer: issuer.into(), preview: preview(&prefix, "abcd").into(), ..self }
    }

    /// The same, made at another instant and confirmed a minute later.
    pub fn made(self, at: Instant) -> Self {
        Self { created_at: at, acknowledged_at: Some(at + Duration::minutes(1)), ..self }
    }
}

impl Account {
    /// The account of [`Key::example`].
    pub fn example() -> Self {
        Self {
            slug: "acme".into(),
            issuer: "voxpria".into(),
            name: "Acme Telephony".into(),
            admins: vec!["ada@example.com".into()],
            plan: None,
            standing: Standing::Good,
            created_at: noon(),
            odd: Default::default(),
        }
    }

    /// The same of another issuer.
    pub fn of(self, issuer: &str) -> Self {
        Self { issuer: issuer.into(), ..self }
    }
}

impl Issuer {
    /// An issuer with this policy, as it was first applied.
    pub fn with(policy: Policy) -> Self {
        Self { slug: policy.slug.clone(), policy, version: 1, updated_at: noon() }
    }

    /// An issuer with one of the program's own policies.
    pub fn example(preset: &str) -> Self {
        Self::with(policy_file::preset(preset).unwrap())
    }
}

/// A small, fast generator of our own (SplitMix64): the same in each run.
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 on.
    pub fn roll<N: TryInto<u64> + TryFrom<u64>>(&mut self, below: N) -> N {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let below = below.try_into().ok().unwrap();
        N::try_from((z ^ (z >> 31)) % below).ok().unwrap()
    }
}
