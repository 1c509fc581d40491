//! Making a key.

use serde_json::json;
use zeroize::Zeroizing;

use super::accounts::lock_account;
use super::change::{Change, locked};
use super::ids::{new_id, random};
use super::peppers::may_seal;
use super::permit::permit;
use super::{Error, Field, Intent, Result, Service};
use crate::domain::account::{Account, Standing};
use crate::domain::audit::replay::fingerprint;
use crate::domain::audit::{self, Action};
use crate::domain::budget::Budgets;
use crate::domain::expiry::{Expiry, check_expiry};
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::{Key, KeyId, NewKey, OperationId, Revocation};
use crate::domain::network::Networks;
use crate::domain::operator::Permission;
use crate::domain::owner::{Owner, Tags};
use crate::domain::plan::{Part, Plan};
use crate::domain::scope::Scopes;
use crate::domain::secret::{Peppers, PlainKey, Scheme, TAIL};
use crate::domain::text::{check_description, check_name};
use crate::domain::when::Here;
use crate::domain::{Instant, shifted};
use crate::store::{Counted, Tx};

/// The window in which creations are counted (VG-22).
const MINUTE: chrono::Duration = chrono::Duration::seconds(60);

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKey {
    pub operation: OperationId,
    pub account: String,
    pub name: String,
    pub description: String,
    pub scopes: Scopes,
    pub expiry: Expiry,
    pub plan: Plan,
    pub allow: Networks,
    pub owner: Option<Owner>,
    pub tags: Tags,
    /// Budgets of its own; empty: its policy's hold.
    pub limits: Budgets,
}

/// A key just made, with its secret: the only time that the two are together.
#[derive(Debug, PartialEq, Eq)]
pub struct Created {
    pub key: Key,
    /// Of a dry run: the one that belongs to no key and never will.
    pub secret: PlainKey,
    /// A command that checks the key, without the secret in it.
    pub check: Option<String>,
}

impl Service {
    /// Makes a key: checks the right, the account's standing, the policy and its caps, and records it, in one transaction.
    pub async fn create_key(&self, request: CreateKey) -> Result<Created> {
        let draft = Draft {
            name: check_name(&request.name).map_err(|e| Error::invalid(Field::Name, e))?,
            description: check_description(&request.description)
                .map_err(|e| Error::invalid(Field::Description, e))?,
            scopes: request.scopes,
            allow: request.allow,
            expiry: request.expiry,
            plan: request.plan,
            owner: request.owner,
            tags: request.tags,
            limits: request.limits,
        };
        let (entropy, peppers) = (self.draw(), self.readable()?.clone());
        let (account, intent) = (request.account, self.intent);
        let create = Create { account, draft, entropy: entropy.clone(), peppers, intent };
        let made = self.change(request.operation, create).await?;
        self.hand_over(made, &entropy).await
    }

    /// What a secret is made of; drawn once, so that a second try of the transaction makes the same secret. Nothing is
    /// drawn for a dry run: what does not exist has no secret.
    pub(super) fn draw(&self) -> Entropy {
        Zeroizing::new(match self.intent {
            Intent::Do => random(),
            Intent::Try => [0; 32],
        })
    }

    /// Puts a new key together with its secret; unless it was only tried, it is read back by that secret.
    pub(super) async fn hand_over(&self, made: Made, entropy: &Entropy) -> Result<Created> {
        let Made { id, tried, issuer } = made;
        let policy = &issuer.policy;
        let check = policy.check_command();
        let secret = PlainKey::make(&policy.format.prefix, policy.format.body, entropy);
        if let Some(key) = tried {
            return Ok(Created { key, secret, check });
        }
        match self.inner.store.key_by_hash(self.peppers().seal(&secret)).await? {
            Some(key) if key.id == id => Ok(Created { key, secret, check }),
            // The operation was carried out by an earlier call, whose secret went with its connection.
            _ => Err(Error::Refused(format!(
                "this was done already and created key {id}, but its secret did not arrive and can't be had again. \
                 Unless somebody uses it, it expires within ten minutes; create another one"
            ))),
        }
    }
}

/// Random bytes that become a secret.
pub(super) type Entropy = Zeroizing<[u8; 32]>;

/// A key that a transaction made.
pub(super) struct Made {
    pub id: KeyId,
    pub issuer: Issuer,
    /// Of a dry run: the key, which nobody can read any more.
    pub tried: Option<Key>,
}

impl Made {
    pub async fn new(tx: &mut Tx, id: KeyId, issuer: Issuer, intent: Intent) -> Result<Self> {
        let tried = match intent {
            Intent::Try => Some(locked(tx, id).await?),
            Intent::Do => None,
        };
        Ok(Self { id, issuer, tried })
    }
}

struct Create {
    account: String,
    draft: Draft,
    entropy: Entropy,
    peppers: Peppers,
    intent: Intent,
}

impl Change for Create {
    type Answer = Made;

    const WIDENS: bool = true;

    const GATHERS: bool = true;

    fn account(&self) -> Option<&str> {
        Some(&self.account)
    }

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Made> {
        permit(tx, Permission::ChangeKeys, "create keys").await?;
        let (account, issuer) = lock_account(tx, &self.account).await?;
        let policy = &issuer.policy;
        let counted = count(tx, &account, policy, Batch::ONE).await?;
        if counted.seen {
            return made_before(tx, issuer).await;
        }
        let expires_at = self.draft.check(policy, tx.now())?;
        if counted.peppered {
            may_seal(&self.peppers, &tx.peppered().await?)?;
        }
        allow_more(tx, &account, policy, counted, Batch::ONE).await?;
        let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &self.entropy);
        let key = self.draft.key(tx, expires_at, &account, policy, (&secret, &self.peppers));
        let id = key.id;
        tx.record_all(&[creation(Action::KeyCreate, &key)]).await?;
        tx.owe_key(key);
        if self.intent == Intent::Try {
            tx.write_owed_keys().await?;
        }
        Made::new(tx, id, issuer, self.intent).await
    }
}

/// What a person wishes a key to be, checked as far as it can be without the policy.
pub(super) struct Draft {
    pub name: String,
    pub description: String,
    pub scopes: Scopes,
    pub allow: Networks,
    pub expiry: Expiry,
    pub plan: Plan,
    pub owner: Option<Owner>,
    pub tags: Tags,
    pub limits: Budgets,
}

impl Draft {
    /// Checks the draft against the policy and answers with the instant of its end.
    pub(super) fn check(&self, policy: &Policy, now: Instant) -> Result<Option<Instant>> {
        check_scopes(policy, &self.scopes)?;
        check_expiry(&policy.expiry, self.expiry, Here::utc(now))
            .map_err(|e| Error::invalid(Field::Expiry, e))?;
        let expires_at = self.expiry.instant(now);
        self.plan.check(expires_at, now).map_err(|(part, why)| Error::invalid(field_of_plan(part), why))?;
        Ok(expires_at)
    }

    pub(super) fn key(
        &self,
        tx: &Tx,
        expires_at: Option<Instant>,
        account: &Account,
        policy: &Policy,
        (secret, peppers): (&PlainKey, &Peppers),
    ) -> NewKey {
        let preview = secret.preview(&policy.format.prefix);
        let tail: Vec<char> = preview.chars().rev().take(TAIL).collect();
        NewKey {
            id: new_id(tx.now()),
            account: account.slug.clone(),
            issuer: policy.slug.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            owner: self.owner.clone(),
            tags: self.tags.clone(),
            tail: tail.into_iter().rev().collect(),
            preview,
            hash: peppers.seal(secret),
            scheme: peppers.scheme(),
            imported_from: None,
            scopes: self.scopes.clone(),
            allow: self.allow.clone(),
            created_at: tx.now(),
            created_by: tx.who().name.clone(),
            expires_at,
            not_before: self.plan.not_before,
            planned: self.plan.revoke_at.map(|at| Revocation { at, by: tx.who().name.clone(), reason: None }),
            acknowledged_at: None,
            last_used_at: None,
            last_used_from: None,
            last_used_endpoint: None,
            limits: self.limits.clone(),
            revocation: None,
            replaces: None,
        }
    }
}

/// The field in which a part of a plan is told.
pub(super) fn field_of_plan(part: Part) -> Field {
    match part {
        Part::NotBefore => Field::NotBefore,
        Part::RevokeAt => Field::RevokeAt,
    }
}

/// Refuses scopes that the policy does not have.
pub(super) fn check_scopes(policy: &Policy, scopes: &Scopes) -> Result<()> {
    let unknown = policy.unknown_scopes(scopes);
    if unknown.is_empty() {
        return Ok(());
    }
    let why = if policy.fully_privileged() {
        format!("keys of {} have no scopes: they are fully privileged on their account", policy.name)
    } else {
        let unknown = unknown.join(", ");
        format!("{} has no scope {unknown}; see `keyrack issuer show {}`", policy.name, policy.slug)
    };
    Err(Error::Invalid { field: Field::Scopes, why })
}

/// The audit's record of a new key: all that `audit verify` compares with its row.
pub(super) fn creation(action: Action, key: &NewKey) -> audit::Change {
    let mut detail = json!({
        "name": key.name,
        "preview": key.preview,
        "scopes": key.scopes,
        "allow": key.allow,
        "expires_at": key.expires_at,
        "not_before": key.not_before,
        "revoke_at": key.planned.as_ref().map(|plan| plan.at),
        "replaces": key.replaces.map(|(id, _)| id),
        "issuer": key.issuer,
        "description": key.description,
        "owner": key.owner.as_ref().map(|owner| &owner.name),
        "owner_mail": key.owner.as_ref().and_then(|owner| owner.mail.as_ref()),
        "tags": key.tags,
        "limits": (!key.limits.is_empty()).then(|| key.limits.to_string()),
        "overlap_seconds": key.replaces.map(|(_, overlap)| overlap.duration().num_seconds()),
        "fingerprint": fingerprint(key.id, &key.hash.0),
    });
    let told = key.imported_from.is_some() || key.scheme != Scheme::default();
    if let Some(members) = detail.as_object_mut().filter(|_| told) {
        members.insert("scheme".into(), json!(key.scheme.to_string()));
        if let Some(from) = &key.imported_from {
            members.insert("imported_from".into(), json!(from));
            members.insert("last_used_at".into(), json!(key.last_used_at));
        }
    }
    audit::Change::new(action, key, detail)
}

/// Keys that are made together for one account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    pub made: u32,
    /// Those in whose place no other key ends as soon as they are taken over: so many more the account has then.
    pub added: u32,
}

impl Batch {
    pub const ONE: Self = Self { made: 1, added: 1 };
}

/// What the caps are compared with. The account is locked, so that what is counted here still holds at the end.
pub(super) async fn count(tx: &mut Tx, account: &Account, policy: &Policy, batch: Batch) -> Result<Counted> {
    let active = policy.caps.active_keys.filter(|_| batch.added > 0).unwrap_or(0);
    let (now, made) = (tx.now(), policy.caps.creations_per_minute);
    // Without a cap, none.
    let since = made.map_or(now, |_| shifted(now, -MINUTE));
    let enough = made.map_or(1, |cap| (cap + 1).saturating_sub(batch.made).max(1));
    Ok(tx.count_keys(&account.slug, active, (since, enough)).await?)
}

/// The three refusals to create, each with its own words: permission was asked before, then standing, then the limits
/// (VP-28, VG-19, VG-22).
pub(super) async fn allow_more(
    tx: &mut Tx,
    account: &Account,
    policy: &Policy,
    counted: Counted,
    batch: Batch,
) -> Result<()> {
    if !policy.odd.is_empty() {
        let (slug, why) = (&policy.slug, &policy.odd);
        return Err(Error::Refused(format!(
            "the policy of issuer {slug} can't be read ({why}). Apply a valid one first: keyrack issuer apply FILE"
        )));
    }
    if account.standing == Standing::Suspended {
        return Err(Error::Suspended { account: account.slug.clone() });
    }
    if counted.stopped {
        super::holds::allow_creation(tx, account, policy).await?;
    }
    if let Some(cap) = policy.caps.active_keys.filter(|_| batch.added > 0)
        && counted.active.saturating_add(batch.added.into()) > u64::from(cap)
    {
        let active = tx.count_active(&account.slug, u32::MAX).await?;
        return Err(Error::KeyLimit { account: account.slug.clone(), active, cap });
    }
    if let Some(cap) = policy.caps.creations_per_minute.filter(|cap| batch.made > *cap) {
        let (slug, made) = (&account.slug, batch.made);
        return Err(Error::Refused(format!(
            "account {slug} can have at most {cap} keys created per minute, and these are {made}: take {cap} at a time"
        )));
    }
    if let (Some(cap), Some(oldest)) = (policy.caps.creations_per_minute, counted.oldest) {
        let wait = (shifted(oldest, MINUTE) - tx.now()).num_seconds().saturating_add(1);
        if batch.made > 1 {
            let (slug, made) = (&account.slug, batch.made);
            return Err(Error::Refused(format!(
                "account {slug} can have at most {cap} keys made within a minute, and {made} more are too many now: \
                 wait {wait} s, or take fewer"
            )));
        }
        return Err(Error::TooFast {
            account: account.slug.clone(),
            made: cap.into(),
            cap,
            wait: wait.unsigned_abs(),
        });
    }
    Ok(())
}

/// The key that this operation made when it was carried out before.
pub(super) async fn made_before(tx: &mut Tx, issuer: Issuer) -> Result<Made> {
    let id =
        tx.keys_made_by(tx.operation()).await?.pop().ok_or_else(|| {
            Error::Refused("this operation was already carried out and created no key".into())
        })?;
    Ok(Made { id, issuer, tried: None })
}
