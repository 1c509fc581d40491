//! Keys and accounts, made up for tests.

use chrono::Duration;

use super::noon;
use crate::domain::account::{Account, AccountSummary};
use crate::domain::issuer::policy_file::preset;
use crate::domain::key::{Key, KeyId};
use crate::domain::operator::{Identity, Role};
use crate::domain::scope::Scopes;
use crate::domain::secret::{self, PlainKey};
use crate::service::{Created, Whoami};

pub fn whoami(role: Option<Role>) -> Whoami {
    Whoami {
        identity: Identity {
            name: "ada".into(),
            host: "desk".into(),
            client: None,
            person: Default::default(),
        },
        role,
        read_only: false,
    }
}

/// A key of the issuer `issuer`, made an hour before [`noon`] and acknowledged. Its id follows from its name.
pub fn key(issuer: &str, name: &str) -> Key {
    let made = noon() - Duration::hours(1);
    let digits = name.bytes().fold(0u128, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    Key {
        id: KeyId::from_u128(0x0192_d4e0_7b6a_7c3e_8f00_0000_0000_0000 + digits),
        name: name.into(),
        preview: secret::preview(&preset(issuer).unwrap().format.prefix, "a1B2").into(),
        acknowledged_at: Some(made),
        ..Key::example().of(issuer).made(made)
    }
}

/// A key just made, with its secret.
pub fn created(issuer: &str, name: &str) -> Created {
    let policy = preset(issuer).unwrap();
    let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &[0xa5; 32]);
    let key = Key { created_at: noon(), acknowledged_at: None, ..key(issuer, name) };
    Created { key, secret, check: policy.check_command() }
}

pub fn account(issuer: &str, slug: &str) -> AccountSummary {
    let account = Account { slug: slug.into(), ..Account::example().of(issuer) };
    AccountSummary { account, active_keys: 3, suspended_keys: 0, expiring_keys: 1 }
}

/// The key number `n`: the higher, the older.
pub fn numbered(n: u32) -> Key {
    let created = noon() - Duration::hours(i64::from(n) + 1);
    Key {
        id: key_id(n),
        account: ["acme", "globex", "initech"][n as usize % 3].into(),
        name: format!("Key {n}").into(),
        description: format!("What key {n} is for").into(),
        preview: secret::preview("vx_", &format!("{n:04}")).into(),
        scopes: Scopes::parse("calls:read calls:write contacts:read"),
        created_by: "grace".into(),
        expires_at: (!n.is_multiple_of(4)).then(|| noon() + Duration::days(i64::from(n) * 3 + 2)),
        last_used_at: n.is_multiple_of(2).then(|| noon() - Duration::minutes(i64::from(n) * 7 + 3)),
        rotation_due_at: Some(created + Duration::days(90)),
        refused: false,
        acknowledged_at: Some(created),
        ..Key::example().made(created)
    }
}

pub fn key_id(n: u32) -> KeyId {
    KeyId::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
}

/// The keys `0..n`, newest first.
pub fn keys(n: u32) -> Vec<Key> {
    (0..n).map(numbered).collect()
}
