//! Making a key.

use serde_json::json;
use zeroize::Zeroizing;

use super::open::{new_id, random};
use super::permit::permit;
use super::*;
use crate::domain::account::Account;
use crate::domain::audit::{Action, Change};
use crate::domain::expiry::check_expiry;
use crate::domain::key::NewKey;
use crate::domain::operator::Permission;
use crate::domain::secret::TAIL;
use crate::domain::text::{check_description, check_name};
use crate::store::Tx;

/// The window in which creations are counted (VG-22).
const MINUTE: chrono::Duration = chrono::Duration::seconds(60);

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
        };
        let identity = self.inner.identity.clone();
        let (operation, account) = (request.operation, request.account);
        // Drawn once, so that a second try of the transaction makes the same secret.
        let entropy = Arc::new(Zeroizing::new(random::<32>()));
        let drawn = entropy.clone();
        let (id, issuer) = self
            .inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, account, draft, drawn) =
                    (identity.clone(), account.clone(), draft.clone(), drawn.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeKeys, "create keys").await?;
                    let (account, issuer) = lock_account(tx, &account).await?;
                    if tx.seen().await? {
                        return Ok((made_before(tx, operation).await?, issuer));
                    }
                    let expires_at = draft.check(&issuer.policy, tx.now())?;
                    allow_one_more(tx, &account, &issuer.policy).await?;
                    let secret =
                        PlainKey::make(&issuer.policy.format.prefix, issuer.policy.format.body, &drawn);
                    let key =
                        draft.into_key(tx.now(), expires_at, &account, &issuer.policy, &secret, &identity);
                    tx.add_keys(std::slice::from_ref(&key)).await?;
                    tx.record(&identity, &creation(operation, Action::KeyCreate, &key)).await?;
                    Ok((key.id, issuer))
                })
            })
            .await?;
        self.hand_over(id, &issuer.policy, &entropy).await
    }

    /// Reads a new key back and puts it together with its secret.
    pub(super) async fn hand_over(&self, id: KeyId, policy: &Policy, entropy: &[u8; 32]) -> Result<Created> {
        let secret = PlainKey::make(&policy.format.prefix, policy.format.body, entropy);
        match self.inner.store.key_by_hash(secret.hash()).await? {
            Some(key) if key.id == id => Ok(Created { key, secret, check: policy.check_command() }),
            // The operation was carried out by an earlier call, whose secret went with its connection.
            _ => Err(Error::Refused(format!(
                "this was done already and made key {id}, but its secret did not arrive and can't be had again. \
                 Unless somebody uses it, it ends by itself within ten minutes; create another one"
            ))),
        }
    }
}

/// What a person wishes a key to be, checked as far as it can be without the policy.
#[derive(Clone)]
pub(super) struct Draft {
    pub name: String,
    pub description: String,
    pub scopes: Scopes,
    pub allow: Networks,
    pub expiry: Expiry,
}

impl Draft {
    /// Checks the draft against the policy and answers with the instant of its end.
    pub(super) fn check(&self, policy: &Policy, now: Instant) -> Result<Option<Instant>> {
        let unknown = policy.unknown_scopes(&self.scopes);
        if !unknown.is_empty() {
            let why = if policy.fully_privileged() {
                format!("keys of {} have no scopes: they are fully privileged on their account", policy.name)
            } else {
                format!(
                    "{} knows no scope {}; see `keyrack issuer show {}`",
                    policy.name,
                    unknown.join(", "),
                    policy.slug
                )
            };
            return Err(Error::Invalid { field: Field::Scopes, why });
        }
        check_expiry(&policy.expiry, self.expiry, now).map_err(|e| Error::invalid(Field::Expiry, e))?;
        Ok(self.expiry.instant(now))
    }

    pub(super) fn into_key(
        self,
        now: Instant,
        expires_at: Option<Instant>,
        account: &Account,
        policy: &Policy,
        secret: &PlainKey,
        who: &Identity,
    ) -> NewKey {
        let preview = secret.preview(&policy.format.prefix);
        let tail: Vec<char> = preview.chars().rev().take(TAIL).collect();
        NewKey {
            id: new_id(now),
            account: account.slug.clone(),
            issuer: policy.slug.clone(),
            name: self.name,
            description: self.description,
            tail: tail.into_iter().rev().collect(),
            preview,
            hash: secret.hash(),
            scopes: self.scopes,
            allow: self.allow,
            created_at: now,
            created_by: who.name.clone(),
            expires_at,
            acknowledged_at: None,
            last_used_at: None,
            last_used_from: None,
            last_used_endpoint: None,
            limits: Default::default(),
            revocation: None,
            replaces: None,
        }
    }
}

/// The audit's record of a new key.
pub(super) fn creation(operation: OperationId, action: Action, key: &NewKey) -> Change {
    Change {
        operation,
        action,
        subject: key.id.to_string(),
        account: Some(key.account.clone()),
        key: Some(key.id),
        detail: json!({
            "name": key.name,
            "preview": key.preview,
            "scopes": key.scopes,
            "allow": key.allow,
            "expires_at": key.expires_at,
            "replaces": key.replaces.map(|(id, _)| id),
        }),
    }
}

/// Locks the account and reads its issuer.
pub(super) async fn lock_account(tx: &mut Tx, slug: &str) -> Result<(Account, Issuer)> {
    tx.lock_account(slug).await?.ok_or_else(|| Error::no_account(slug))
}

/// The three refusals to create, each with its own words: permission was asked before, then standing, then the limits
/// (VP-28, VG-19, VG-22). The account is locked, so that what is counted here still holds at the end.
pub(super) async fn allow_one_more(tx: &mut Tx, account: &Account, policy: &Policy) -> Result<()> {
    if account.standing == Standing::Suspended {
        return Err(Error::Suspended { account: account.slug.clone() });
    }
    if let Some(cap) = policy.caps.active_keys {
        let active = tx.count_active(&account.slug, cap).await?;
        if active >= u64::from(cap) {
            return Err(Error::KeyLimit { account: account.slug.clone(), active, cap });
        }
    }
    if let Some(cap) = policy.caps.creations_per_minute {
        let made = tx.creations_since(&account.slug, tx.now() - MINUTE, cap).await?;
        if let (true, Some(oldest)) = (made.len() >= cap as usize, made.last()) {
            let wait = (*oldest + MINUTE - tx.now()).num_seconds() + 1;
            return Err(Error::TooFast {
                account: account.slug.clone(),
                made: made.len() as u64,
                cap,
                wait: wait.unsigned_abs(),
            });
        }
    }
    Ok(())
}

/// The key that this operation made when it was carried out before.
pub(super) async fn made_before(tx: &mut Tx, operation: OperationId) -> Result<KeyId> {
    tx.key_made_by(operation)
        .await?
        .ok_or_else(|| Error::Refused("this operation was carried out before, and it made no key".into()))
}
