//! What a person was shown who decides about several keys: the decision holds for these, as they were, and for no others.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Instant;
use super::approval::Asked;
use super::key::{Key, KeyId};
use super::reach::TODAY;

/// Keys that are named of those that are others now.
const NAMED: usize = 3;

/// The keys that were shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// In the order of their ids.
    seen: Vec<Seen>,
}

/// A key as it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    key: KeyId,
    version: u64,
    /// Its last use, where it had rested for a day or was never used: to use it then is news.
    rested: Option<Option<Instant>>,
}

/// Keys that are not what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub keys: Vec<KeyId>,
    /// `"CI" of acme was used, "Main" of globex was changed and 2 more`
    pub words: String,
}

impl Manifest {
    /// These keys, as they were read at `now`.
    pub fn of<'k>(keys: impl IntoIterator<Item = &'k Key>, now: Instant) -> Self {
        let seen = |key: &Key| {
            let rests = key.last_used_at.is_none_or(|at| now - at > TODAY);
            Seen { key: key.id, version: version(key), rested: rests.then_some(key.last_used_at) }
        };
        let mut seen: Vec<Seen> = keys.into_iter().map(seen).collect();
        seen.sort_unstable_by_key(|one| one.key);
        seen.dedup_by_key(|one| one.key);
        Self { seen }
    }

    /// These keys, as somebody else was shown them.
    pub fn of_asked(asked: &[Asked]) -> Self {
        let mut seen: Vec<Seen> =
            asked.iter().map(|one| Seen { key: one.key, version: one.version, rested: None }).collect();
        seen.sort_unstable_by_key(|one| one.key);
        Self { seen }
    }

    /// For somebody else, who decides later.
    pub fn asked(&self) -> Vec<Asked> {
        self.seen.iter().map(|one| Asked { key: one.key, version: one.version }).collect()
    }

    /// What became of a key since, in words; `None`: it is as it was shown, or revoked.
    pub fn since(&self, key: &Key) -> Option<&'static str> {
        self.moved(key)
    }

    pub fn ids(&self) -> impl ExactSizeIterator<Item = KeyId> {
        self.seen.iter().map(|one| one.key)
    }

    /// Compares keys that are about to be changed with what was shown. What is revoked meanwhile is no matter: that is for
    /// good.
    ///
    /// # Errors
    /// Those that were not shown, were changed since, or were used since although they had rested.
    pub fn check<'k>(&self, keys: impl IntoIterator<Item = &'k Key>) -> Result<(), Moved> {
        let moved: Vec<(&Key, &str)> =
            keys.into_iter().filter_map(|key| self.moved(key).map(|how| (key, how))).collect();
        if moved.is_empty() {
            return Ok(());
        }
        let named = moved.iter().take(NAMED);
        let named: Vec<String> =
            named.map(|(key, how)| format!("{:?} of {} {how}", key.name.as_str(), key.account)).collect();
        let mut words = named.join(", ");
        if let Some(more) = moved.len().checked_sub(NAMED).filter(|more| *more > 0) {
            words.push_str(&format!(" and {more} more"));
        }
        Err(Moved { keys: moved.iter().map(|(key, _)| key.id).collect(), words })
    }

    fn moved(&self, key: &Key) -> Option<&'static str> {
        if key.revoked_at.is_some() {
            return None;
        }
        let place = self.seen.binary_search_by_key(&key.id, |one| one.key).ok();
        let Some(seen) = place.and_then(|place| self.seen.get(place)) else { return Some("was not in it") };
        if seen.version != version(key) {
            return Some("was changed");
        }
        seen.rested.filter(|last| *last != key.last_used_at).map(|_| "was used")
    }
}

/// Another number once anything of a key is changed that a person decides by. Uses and revocations are apart.
fn version(key: &Key) -> u64 {
    // All fields by name: who adds one decides whether it counts.
    let Key {
        id,
        account,
        standing,
        issuer,
        name,
        description,
        owner,
        tags,
        preview,
        scopes,
        allow,
        created_at,
        created_by,
        expires_at,
        not_before,
        planned,
        acknowledged_at,
        last_used_at: _,
        last_used_from: _,
        last_used_endpoint: _,
        limits,
        revoked_at: _,
        revoked_by: _,
        revoke_reason: _,
        predecessor,
        successor,
        successor_ends_at: _,
        successor_confirmed: _,
        predecessor_ends_at: _,
        rotation_due_at: _,
        paused,
        // Made and lifted for many at once.
        frozen: _,
        refused,
        odd,
    } = key;
    let mut hasher = DefaultHasher::new();
    (id, account, *standing as u8, issuer, name.as_str(), description.as_str(), preview.as_str())
        .hash(&mut hasher);
    owner.as_ref().map(|owner| owner.words()).hash(&mut hasher);
    tags.hash(&mut hasher);
    scopes.to_string().hash(&mut hasher);
    for network in allow.as_slice() {
        network.to_string().hash(&mut hasher);
    }
    (created_at, created_by.as_str(), expires_at, acknowledged_at, limits.to_string()).hash(&mut hasher);
    (not_before, planned.as_ref().map(|plan| (plan.at, plan.by.as_str()))).hash(&mut hasher);
    paused.as_ref().map(|pause| (pause.until, pause.by.as_str())).hash(&mut hasher);
    (predecessor, successor, refused, odd.as_str()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
