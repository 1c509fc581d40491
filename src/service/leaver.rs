//! Somebody leaves: the role is taken away, and what was theirs gets another owner, all in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, json};

use super::change::Change;
use super::edit::stay_frozen;
use super::operators::{keep_an_admin, keep_an_admin_with_a_login};
use super::permit::{may, permit};
use super::wished::four_eyes;
use super::{Error, Field, Result, Service};
use crate::domain::Instant;
use crate::domain::audit::{self, Action};
use crate::domain::edit::difference;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::{Permission, Role};
use crate::domain::owner::Owner;
use crate::domain::query::{Query, Test};
use crate::domain::text::{composed, fold};
use crate::store::Tx;

/// At most so many keys are given away together.
const MOST: usize = 100_000;

/// Who leaves, and what is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaver {
    pub name: String,
    /// `None`: they have no role any more.
    pub role: Option<Role>,
    /// On PostgreSQL the statements that shut their login out.
    pub login: Option<String>,
    /// The keys that have not ended, by account and name.
    pub keys: Vec<Theirs>,
    pub now: Instant,
}

/// A key of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theirs {
    pub key: Key,
    pub created: bool,
    pub owned: bool,
}

/// What shall become of it all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leave {
    pub name: String,
    /// All their keys as they were shown, for the audit's account of it.
    pub keys: Vec<KeyId>,
    /// Those of them that get another owner.
    pub give: Vec<KeyId>,
    /// The new owner; empty where nothing is given.
    pub to: String,
    pub to_mail: Option<String>,
    /// What the person was shown who decided: if the keys to give are others since, nothing is done.
    pub shown: Option<Arc<Manifest>>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The keys that have another owner now.
    pub given: Vec<Key>,
    /// Those that stay as they were.
    pub kept: usize,
}

impl Service {
    /// The person's role and keys: those that they made, and those that they own by name or address.
    pub async fn leaver(&self, name: &str) -> Result<Leaver> {
        let now = self.look().await?;
        let name = composed(name);
        let operators = self.inner.store.operators().await?;
        let role = operators.iter().find(|one| *one.name == *name).map(|one| one.role);
        let mut found: BTreeMap<KeyId, Theirs> = BTreeMap::new();
        for test in [Test::CreatedBy(vec![name.clone()]), Test::Owner(vec![fold(&name)])] {
            let owned = matches!(test, Test::Owner(_));
            let query = Query::living().and(Query::of([test]));
            self.each_key(&query, |key| {
                let new = Theirs { key, created: false, owned: false };
                let theirs = found.entry(new.key.id).or_insert(new);
                if owned {
                    theirs.owned = true
                } else {
                    theirs.created = true
                }
                if found.len() <= MOST {
                    return Ok(());
                }
                Err(Error::Refused(format!(
                    "{name} made or owns more than {MOST} keys. Give them away in parts first: \
                     keyrack key edit --filter 'owner:{name}' --owner …"
                )))
            })
            .await?;
        }
        // A name is looked for in any spelling, and an address too: what another operator owns is not theirs to lose.
        let others = |key: &Key| -> Option<String> {
            let owner = &key.owner.as_ref()?.name;
            let exact = operators.iter().find(|one| *one.name == **owner);
            let alike = || operators.iter().find(|one| fold(&one.name) == fold(owner));
            let one = exact.or_else(alike).filter(|one| *one.name != *name)?;
            Some(one.name.to_string())
        };
        if role.is_none()
            && let Some(other) = found.values().filter(|one| one.owned).find_map(|one| others(&one.key))
        {
            return Err(Error::Refused(format!(
                "no operator is called {name}, and the keys of that owner belong to the operator {other}: \
                 keyrack operator leave {other}"
            )));
        }
        for one in found.values_mut() {
            one.owned &= others(&one.key).is_none();
        }
        found.retain(|_, one| one.owned || one.created);
        if role.is_none() && found.is_empty() {
            return Err(Error::no_operator(&name));
        }
        let mut keys: Vec<Theirs> = found.into_values().collect();
        let place = |one: &Theirs| (one.key.account.clone(), fold(&one.key.name), one.key.id);
        keys.sort_by_cached_key(place);
        let login = self.inner.store.farewell(&name).await?;
        Ok(Leaver { name, role, login, keys, now })
    }

    /// Takes the role from somebody and gives keys to another owner: all of it or nothing, with one row of the audit that
    /// tells the whole and one for each key that was given. The last admin can't leave.
    pub async fn leave(&self, operation: OperationId, leave: Leave) -> Result<Left> {
        let mail = leave.to_mail.as_deref().filter(|mail| !mail.is_empty());
        let to = Owner::checked(&leave.to, mail).map_err(|error| Error::invalid(Field::Owner, error))?;
        if !leave.give.is_empty() {
            let Some(to) = &to else {
                return Err(Error::invalid(Field::Owner, "name who gets the keys: --give-to NAME"));
            };
            if fold(&to.name) == fold(&leave.name) {
                return Err(Error::invalid(
                    Field::Owner,
                    format!("{} leaves: name somebody else", leave.name),
                ));
            }
        }
        let give: BTreeSet<KeyId> = leave.give.iter().copied().collect();
        let keys = leave.keys.iter().chain(&leave.give).copied().collect::<BTreeSet<_>>();
        let name = composed(&leave.name);
        self.change(operation, Goes { name, keys: keys.into_iter().collect(), give, to, shown: leave.shown })
            .await
    }
}

struct Goes {
    name: String,
    /// In the order of their ids.
    keys: Vec<KeyId>,
    give: BTreeSet<KeyId>,
    to: Option<Owner>,
    shown: Option<Arc<Manifest>>,
}

impl Change for Goes {
    type Answer = Left;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Left> {
        may(tx, Permission::ChangeOperators, "let operators leave")?;
        tx.lock_operators().await?;
        permit(tx, Permission::ChangeOperators, "let operators leave").await?;
        let keys = tx.lock_keys(&self.keys).await?;
        let now = tx.now();
        if tx.seen().await? {
            let given: Vec<Key> = keys.into_iter().filter(|key| self.give.contains(&key.id)).collect();
            return Ok(Left { kept: self.keys.len() - given.len(), given });
        }
        // What was revoked meanwhile needs no owner.
        let keys: Vec<Key> =
            keys.into_iter().filter(|key| !key.has_ended(now) && key.odd.is_empty()).collect();
        let given: Vec<&Key> = keys.iter().filter(|key| self.give.contains(&key.id)).collect();
        if let Some(shown) = &self.shown {
            shown.check(given.iter().copied()).map_err(Error::Moved)?;
        }
        let before = keep_an_admin(tx, &self.name, None).await?;
        keep_an_admin_with_a_login(tx, &self.name).await?;
        if before.is_none() && keys.is_empty() {
            return Err(Error::no_operator(&self.name));
        }
        let moved = |key: &&Key| ((*key).clone(), Key { owner: self.to.clone(), ..(*key).clone() });
        let pairs: Vec<(Key, Key)> =
            given.iter().map(moved).filter(|(old, new)| old.owner != new.owner).collect();
        stay_frozen(tx, &pairs).await?;
        tx.edit(&pairs).await?;
        let mut changes: Vec<audit::Change> = pairs
            .iter()
            .map(|(old, new)| {
                let detail =
                    json!({ "name": new.name, "preview": new.preview, "changed": difference(old, new) });
                audit::Change::new(Action::KeyEdit, new, detail)
            })
            .collect();
        changes.push(audit::Change::new(
            Action::OperatorRemove,
            self.name.as_str(),
            self.told(before, &keys),
        ));
        tx.record_all(&changes).await?;
        // Who leaves may write the audit until then.
        if before.is_some() {
            four_eyes(tx).await?;
            tx.lock_operator(&self.name).await?;
            tx.write_owed().await?;
            tx.delete_operator(&self.name).await?;
        }
        let kept = keys.len() - given.len();
        Ok(Left { given: pairs.into_iter().map(|(_, new)| new).collect(), kept })
    }
}

impl Goes {
    /// The whole: the role, to whom how many keys went and how many stay, account by account.
    fn told(&self, before: Option<Role>, keys: &[Key]) -> serde_json::Value {
        let mut accounts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for key in keys {
            let (given, kept) = accounts.entry(&key.account).or_default();
            *if self.give.contains(&key.id) { given } else { kept } += 1;
        }
        let total = |part: fn(&(usize, usize)) -> usize| accounts.values().map(part).sum::<usize>();
        let (given, kept) = (total(|both| both.0), total(|both| both.1));
        let accounts: Map<String, serde_json::Value> = accounts
            .into_iter()
            .map(|(slug, (given, kept))| (slug.to_owned(), json!({ "given": given, "kept": kept })))
            .collect();
        let to = self.to.as_ref().filter(|_| given > 0).map(Owner::words);
        json!({ "before": before, "left": true, "given": given, "given_to": to, "kept": kept, "accounts": accounts })
    }
}
