//! Realistic keys by the million, made one at a time from a seed: for `keyrack --demo`, `keyrack demo` and the benches.
//!
//! No secret exists of any of them: their hashes are of nothing, so that nobody can use a demo's keys.

use std::sync::Arc;

use chrono::Duration;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::Instant;
use super::account::{Account, Standing};
use super::expiry::{Expiry, Overlap};
use super::issuer::Policy;
use super::key::{NewKey, Revocation};
use super::network::{Networks, parse_network};
use super::scope::Scopes;
use super::secret::{Body, HashedKey, preview};
use super::usage::Counts;

mod usage;
mod words;

/// How far back the oldest key goes.
const PAST: Duration = Duration::days(730);
/// The share of all keys that the biggest account has, in percent.
const BIGGEST: u64 = 12;
/// The names of the newest and the oldest key, and of one in the middle that shares its name with no other.
pub const NEWEST: &str = "release-canary";
pub const OLDEST: &str = "legacy-pbx-bridge";
pub const RARE: &str = "quokka-ingest";

/// Makes accounts, then keys from the oldest to the newest.
pub struct Demo {
    rng: StdRng,
    now: Instant,
    keys: u64,
    made: u64,
    policies: Vec<Arc<Policy>>,
    accounts: Vec<Account>,
    /// How many keys of each account still work, to stay within the policy's cap.
    active: Vec<u32>,
    /// The key just made, when the next one replaces it.
    replacing: Option<(usize, NewKey, Overlap)>,
}

/// A key, with the key that it retires: that one's end and successor are to be set.
#[derive(Clone, Debug)]
pub struct DemoKey {
    pub key: NewKey,
    /// The old key's id and its end, where this key is its successor.
    pub retires: Option<(uuid::Uuid, Instant)>,
    /// How often it was used lately, by the minute since the epoch.
    pub usage: Vec<(i64, Counts)>,
}

impl Demo {
    /// `keys` keys as of `now`, the same for the same arguments. `policies` must not be empty.
    pub fn new(keys: u64, seed: u64, now: Instant, policies: Vec<Policy>) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let count = usize::try_from((keys / 40).clamp(12, 5000)).unwrap_or(12);
        let accounts: Vec<Account> = (0..count).map(|n| account(&mut rng, n, now, &policies)).collect();
        let active = vec![0; accounts.len()];
        let policies = policies.into_iter().map(Arc::new).collect();
        Self { rng, now, keys, made: 0, policies, accounts, active, replacing: None }
    }

    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The account of the next key: one big one, some of middle size, many small ones.
    fn choose_account(&mut self) -> usize {
        if self.rng.random_range(0..100) < BIGGEST {
            // The second account is of an issuer without a cap.
            return 1 % self.accounts.len();
        }
        let mut index = 0;
        // An account at its cap gets a key now and then all the same, one that has ended since.
        for _ in 0..4 {
            let spread: f64 = self.rng.random();
            index = ((spread * spread * self.accounts.len() as f64) as usize).min(self.accounts.len() - 1);
            if self.policy(index).caps.active_keys.is_none_or(|cap| self.active[index] + 1 < cap) {
                break;
            }
        }
        index
    }

    /// Whether a rotation, during which two keys work, stays within the account's cap.
    fn may_hold_two(&self, account: usize) -> bool {
        self.policy(account).caps.active_keys.is_none_or(|cap| self.active[account] + 2 < cap)
    }

    fn policy(&self, account: usize) -> &Arc<Policy> {
        let slug = &self.accounts[account].issuer;
        self.policies.iter().find(|policy| policy.slug == *slug).unwrap_or(&self.policies[0])
    }

    /// Creation times rise from the far past to now, denser towards now.
    fn created_at(&mut self) -> Instant {
        let place = (self.made as f64 + self.rng.random::<f64>()) / self.keys as f64;
        let age = PAST.num_microseconds().unwrap_or(0) as f64 * (1.0 - place).powi(2);
        let newest = self.now - Duration::minutes(3);
        (self.now - Duration::microseconds(age as i64)).min(newest)
    }

    fn fresh(&mut self, created_at: Instant) -> (usize, NewKey) {
        let account = self.choose_account();
        let policy = Arc::clone(self.policy(account));
        let rng = &mut self.rng;
        let tail = tail(rng, policy.format.body);
        let allow = if rng.random_range(0..10) == 0 { networks(rng) } else { Networks::default() };
        let key = NewKey {
            id: id(rng, created_at),
            account: self.accounts[account].slug.clone(),
            issuer: policy.slug.clone(),
            name: words::key_name(rng),
            description: if rng.random_bool(0.5) { words::description(rng) } else { String::new() },
            owner: rng.random_bool(0.8).then(|| words::owner(rng)),
            tags: words::tags(rng),
            preview: preview(&policy.format.prefix, &tail),
            tail,
            hash: HashedKey(rng.random()),
            scheme: Default::default(),
            imported_from: None,
            scopes: scopes(rng, &policy),
            allow,
            created_at,
            created_by: words::pick(rng, words::OPERATORS).to_owned(),
            expires_at: expiry(rng, &policy, created_at, self.now),
            not_before: None,
            planned: None,
            acknowledged_at: Some((created_at + Duration::seconds(rng.random_range(15..200))).min(self.now)),
            last_used_at: None,
            last_used_from: None,
            last_used_endpoint: None,
            limits: Default::default(),
            revocation: None,
            replaces: None,
        };
        (account, key)
    }

    /// The successor of the key before, made some time after it.
    fn successor(&mut self, old: &NewKey, overlap: Overlap, created_at: Instant) -> NewKey {
        let body = self.policies.iter().find(|p| p.slug == old.issuer).map_or(Body::Hex, |p| p.format.body);
        let prefix = old.preview.trim_end_matches(old.tail.as_str()).trim_end_matches('•').to_owned();
        let tail = tail(&mut self.rng, body);
        NewKey {
            id: id(&mut self.rng, created_at),
            preview: preview(&prefix, &tail),
            tail,
            hash: HashedKey(self.rng.random()),
            created_at,
            expires_at: old.expires_at.map(|end| created_at + (end - old.created_at)),
            acknowledged_at: Some(created_at + Duration::seconds(40)),
            last_used_at: None,
            last_used_from: None,
            last_used_endpoint: None,
            limits: Default::default(),
            replaces: Some((old.id, overlap)),
            ..old.clone()
        }
    }

    /// Lets the key live: used or dormant, revoked, abandoned.
    fn live(&mut self, account: usize, key: &mut NewKey) {
        let cap = self.policy(account).caps.active_keys;
        let rng = &mut self.rng;
        if rng.random_range(0..100) == 0 && key.replaces.is_none() {
            key.acknowledged_at = None;
            return;
        }
        let over_cap = cap.is_some_and(|cap| self.active[account] >= cap);
        let ended = key.expires_at.is_some_and(|end| end <= self.now);
        if !ended && (over_cap || rng.random_range(0..100) < 14) {
            let at = key.created_at + (self.now - key.created_at).mul_f64(rng.random_range(0.2..0.98));
            key.revocation = Some(Revocation {
                at: at.max(key.created_at + Duration::minutes(4)).min(self.now),
                by: words::pick(rng, words::OPERATORS).to_owned(),
                reason: rng.random_bool(0.8).then(|| words::pick(rng, words::REASONS).to_owned()),
            });
        } else if !ended {
            self.active[account] += 1;
        }
        let end =
            key.revocation.as_ref().map(|end| end.at).or(key.expires_at).unwrap_or(self.now).min(self.now);
        let life = end - key.created_at;
        if life < Duration::minutes(5) || rng.random_range(0..100) < 22 {
            return;
        }
        let at = if rng.random_range(0..100) < 20 {
            // Dormant: used for a while after its creation, then no more.
            key.created_at + life.mul_f64(rng.random_range(0.02..0.3))
        } else {
            let seconds = 20.0 * 30_000_f64.powf(rng.random());
            (end - Duration::seconds(seconds as i64)).max(key.created_at + Duration::minutes(4))
        };
        key.last_used_at = Some(at);
        key.last_used_from = Some(address(rng));
    }
}

/// Fractions of a duration, which chrono has only for whole numbers.
trait Fraction {
    fn mul_f64(self, by: f64) -> Self;
}

impl Fraction for Duration {
    fn mul_f64(self, by: f64) -> Self {
        Duration::microseconds((self.num_microseconds().unwrap_or(0) as f64 * by) as i64)
    }
}

impl Iterator for Demo {
    type Item = DemoKey;

    fn next(&mut self) -> Option<DemoKey> {
        if self.made == self.keys {
            return None;
        }
        let created_at = self.created_at();
        self.made += 1;
        if let Some((account, old, overlap)) = self.replacing.take()
            && created_at > old.created_at + Duration::hours(1)
        {
            let mut key = self.successor(&old, overlap, created_at);
            self.live(account, &mut key);
            let end = key.acknowledged_at.unwrap_or(created_at) + overlap.duration();
            let end = old.expires_at.map_or(end, |own| own.min(end));
            if end <= self.now {
                self.active[account] -= 1;
            }
            return Some(DemoKey { retires: Some((old.id, end)), usage: self.usage(&key), key });
        }
        let (account, mut key) = self.fresh(created_at);
        let special = [(1, OLDEST), (self.keys / 2, RARE), (self.keys, NEWEST)];
        match special.iter().find(|(place, _)| *place == self.made) {
            Some((_, name)) => {
                key.name = (*name).to_owned();
                // The newest one waits to be taken over.
                if self.made == self.keys {
                    key.acknowledged_at = None;
                    key.expires_at = None;
                }
            }
            None if self.rng.random_range(0..100) < 4 && self.may_hold_two(account) => {
                let overlap = *Overlap::ALL.choose(&mut self.rng).unwrap_or(&Overlap::Hours24);
                key.last_used_at = Some((created_at + Duration::minutes(5)).min(self.now));
                key.last_used_from = Some(address(&mut self.rng));
                self.active[account] += 1;
                self.replacing = Some((account, key.clone(), overlap));
            }
            None => self.live(account, &mut key),
        }
        Some(DemoKey { usage: self.usage(&key), key, retires: None })
    }
}

fn account(rng: &mut StdRng, n: usize, now: Instant, policies: &[Policy]) -> Account {
    let policy = &policies[n % policies.len()];
    let (name, slug) = words::company(n);
    let people: Vec<&str> = words::PEOPLE.sample(rng, 2).copied().collect();
    Account {
        issuer: policy.slug.clone(),
        admins: people.iter().map(|person| format!("{person}@{slug}.example").into()).collect(),
        plan: policy.plans.choose(rng).map(|plan| plan.name.as_str().into()),
        standing: if n % 17 == 9 { Standing::Suspended } else { Standing::Good },
        created_at: now - PAST - Duration::days(rng.random_range(1..200)),
        name: name.into(),
        slug,
        odd: Default::default(),
    }
}

/// An expiry as the policy offers it. Every tenth key ends within a few weeks of now, before or after, so that there is
/// always something urgent.
fn expiry(rng: &mut StdRng, policy: &Policy, created_at: Instant, now: Instant) -> Option<Instant> {
    if policy.expiry.custom && rng.random_range(0..10) == 0 {
        let at = now + Duration::minutes(rng.random_range(-8 * 1440..40 * 1440));
        if at > created_at + Duration::days(1) {
            return Some(at);
        }
    }
    if rng.random_bool(0.45) && policy.expiry.choices.contains(&Expiry::Never) {
        return None;
    }
    policy.expiry.choices.choose(rng).copied().unwrap_or(Expiry::Never).instant(created_at)
}

/// A few scopes, reading more often than writing.
fn scopes(rng: &mut StdRng, policy: &Policy) -> Scopes {
    let wanted = rng.random_range(1..5);
    policy
        .scopes
        .sample(rng, wanted)
        .map(|rule| rule.name.clone())
        .filter(|scope| !scope.ends_with(":write") || scope.len() % 2 == 0)
        .chain(policy.scopes.first().map(|rule| rule.name.clone()))
        .collect()
}

fn networks(rng: &mut StdRng) -> Networks {
    let third: u8 = rng.random();
    let texts =
        [format!("203.0.113.{third}"), format!("10.{third}.0.0/16"), format!("2001:db8:{third:x}::/48")];
    let wanted = rng.random_range(1..3);
    Networks::new(texts.sample(rng, wanted).filter_map(|text| parse_network(text).ok()))
}

/// An address from the blocks that are set aside for documentation (RFC 5737, RFC 3849).
fn address(rng: &mut StdRng) -> String {
    let host: u8 = rng.random();
    match rng.random_range(0..5) {
        0 => format!("2001:db8::{host:x}"),
        1 | 2 => format!("198.51.100.{host}"),
        _ => format!("203.0.113.{host}"),
    }
}

fn tail(rng: &mut StdRng, body: Body) -> String {
    let letters: &[u8] = match body {
        Body::Hex => b"0123456789abcdef",
        Body::Base62Checksum => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    };
    (0..super::secret::TAIL).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect()
}

fn id(rng: &mut StdRng, at: Instant) -> uuid::Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &rng.random()).into_uuid()
}

#[cfg(test)]
mod tests;
