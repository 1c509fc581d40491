//! What a new key like another one would be.

use chrono::{Duration, SubsecRound as _};

use super::{CreateKey, From, PageRequest, Result, Service};
use crate::domain::expiry::Expiry;
use crate::domain::issuer::Policy;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::query::{Query, Term, Test};
use crate::domain::scope::Scopes;
use crate::domain::text::NAME_MAX;
use crate::domain::{Instant, days, shifted};

/// Names that are tried until one is free.
const TRIED: u32 = 50;

/// What a new key like another one would be, and what of that one it can't take over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    pub of: Key,
    /// Under no operation's id yet, and under a name that no key of the account has.
    pub request: CreateKey,
    /// In sentences.
    pub notes: Vec<String>,
}

impl Service {
    /// Fills in a new key from another: all that a person chose for that one but its secret. Its expiry is as far away as
    /// that one's was from its creation. What today's policy refuses is left out, and said to be.
    pub async fn alike(&self, id: KeyId) -> Result<Alike> {
        let key = self.key(id).await?;
        let policy = self.issuer(&key.issuer).await?.policy;
        // A rotated key's expiry is only the end of an overlap: the last of its line has the one that was chosen.
        let mut last = key.clone();
        while let Some(next) = last.successor {
            last = self.key(next).await?;
        }
        let life = last.expires_at.map(|end| end.signed_duration_since(last.created_at));
        let (mut request, notes) = wish(&key, life, &policy, self.now().await?);
        for number in 2..2 + TRIED {
            request.name = numbered(&key.name, number);
            if !self.has_name(&key.account, &request.name).await? {
                break;
            }
        }
        Ok(Alike { of: key, request, notes })
    }

    async fn has_name(&self, account: &str, name: &str) -> Result<bool> {
        let tests = [Test::Account(vec![account.to_owned()]), Test::Name(vec![name.to_owned()])];
        let query = Query { terms: tests.map(|test| Term { negated: false, test }).to_vec() };
        let request = PageRequest { query, sort: Default::default(), from: From::Start, limit: 1 };
        Ok(!self.page(&request).await?.rows.is_empty())
    }
}

fn wish(key: &Key, life: Option<Duration>, policy: &Policy, now: Instant) -> (CreateKey, Vec<String>) {
    let mut notes = Vec::new();
    let unknown = policy.unknown_scopes(&key.scopes);
    if !unknown.is_empty() {
        notes.push(format!("{} no longer has the scope {}: it is left out", policy.name, unknown.join(", ")));
    }
    let scopes: Scopes = key.scopes.iter().filter(|scope| !unknown.iter().any(|one| one == scope)).collect();
    let expiry = lasting(policy.expiry.renewed(life), now);
    if policy.expiry.renewed(life) != life {
        notes.push(format!("{} allows no expiry of {}: it is {expiry}", policy.name, lasting(life, now)));
    }
    let request = CreateKey {
        operation: OperationId::nil(),
        account: key.account.clone(),
        name: String::new(),
        description: key.description.to_string(),
        scopes,
        expiry,
        // When that one began and was to be revoked is its own.
        plan: Default::default(),
        allow: key.allow.clone(),
        owner: key.owner.clone(),
        tags: key.tags.clone(),
        limits: key.limits.clone(),
    };
    (request, notes)
}

/// An expiry so far from now: in whole days from the second day on, and to the second before.
fn lasting(life: Option<Duration>, now: Instant) -> Expiry {
    let Some(life) = life else { return Expiry::Never };
    let whole = u32::try_from(life.num_days()).ok();
    let whole = whole.filter(|number| *number > 1 || days(*number) == life);
    whole.map_or_else(|| Expiry::At(shifted(now, life).trunc_subsecs(0)), Expiry::Days)
}

/// `CI` becomes `CI (2)`, and `CI (2)` becomes `CI (3)`: the name without its number, and this number.
fn numbered(name: &str, number: u32) -> String {
    let (base, first) = name
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("))
        .and_then(|(base, digits)| Some((base, digits.parse::<u32>().ok()?)))
        .unwrap_or((name, 1));
    let suffix = format!(" ({})", first.saturating_add(number - 1));
    let base: String = base.chars().take(NAME_MAX - suffix.chars().count()).collect();
    base.trim_end().to_owned() + &suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_as_far_away_as_the_first_ones_was() {
        let now = crate::domain::examples::noon();
        let hours = |hours| lasting(Some(Duration::hours(hours)), now);
        assert_eq!(
            (hours(24 * 30), hours(24 * 30 + 5), hours(24)),
            (Expiry::Days(30), Expiry::Days(30), Expiry::Days(1))
        );
        assert_eq!(hours(12), Expiry::At(now + Duration::hours(12)));
        assert_eq!(lasting(None, now), Expiry::Never);
    }

    #[test]
    fn the_next_name_counts_on() {
        assert_eq!(numbered("CI", 2), "CI (2)");
        assert_eq!(numbered("CI (2)", 2), "CI (3)");
        assert_eq!(numbered("CI (2)", 3), "CI (4)");
        assert_eq!(numbered("CI (old)", 2), "CI (old) (2)");
        let long = numbered(&"ü".repeat(100), 2);
        assert_eq!((long.chars().count(), long.ends_with("ü (2)")), (100, true));
    }
}
