//! Rows as the statements return them, and how they become the domain's records.

use std::str::FromStr;

use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::dialect::{Allow, Time};
use super::{Error, Result};
use crate::domain::account::{Account, Standing};
use crate::domain::budget::Budgets;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::Key;
use crate::domain::operator::Operator;
use crate::domain::scope::Scopes;
use crate::domain::text::SafeText;

/// Reads one of the words that this program writes.
pub(super) fn word<T: FromStr>(what: &str, word: &str) -> Result<T> {
    word.parse().map_err(|_| Error::Corrupt(format!("{what} {:?}", SafeText::new(word))))
}

/// The columns of a [`KeyRow`], from `keys k`.
pub(super) const KEY_COLUMNS: &str = "k.id, k.account, k.issuer, k.name, k.description, k.preview, k.scopes, k.allow, \
     k.created_at, k.created_by, k.expires_at, k.acknowledged_at, k.last_used_at, k.last_used_from, k.last_used_endpoint, \
     k.limits, k.revoked_at, k.revoked_by, k.revoke_reason, k.predecessor, k.successor, \
     (SELECT s.ends_at FROM keys s WHERE s.id = k.successor) AS successor_ends_at, \
     (SELECT i.rotation_days FROM issuers i WHERE i.slug = k.issuer) AS rotation_days, \
     (SELECT a.standing = 'suspended' FROM accounts a WHERE a.slug = k.account) AS suspended";

#[derive(FromRow)]
pub(super) struct KeyRow {
    pub id: Uuid,
    account: String,
    issuer: String,
    name: String,
    description: String,
    preview: String,
    scopes: String,
    allow: Allow,
    created_at: Time,
    created_by: String,
    expires_at: Option<Time>,
    acknowledged_at: Option<Time>,
    last_used_at: Option<Time>,
    last_used_from: Option<String>,
    last_used_endpoint: Option<String>,
    limits: Option<String>,
    revoked_at: Option<Time>,
    revoked_by: Option<String>,
    revoke_reason: Option<String>,
    predecessor: Option<Uuid>,
    successor: Option<Uuid>,
    successor_ends_at: Option<Time>,
    rotation_days: Option<i64>,
    suspended: bool,
}

impl From<KeyRow> for Key {
    fn from(row: KeyRow) -> Self {
        let Time(created_at) = row.created_at;
        Self {
            id: row.id,
            account: SafeText::new(row.account).to_string(),
            standing: if row.suspended { Standing::Suspended } else { Standing::Good },
            issuer: SafeText::new(row.issuer).to_string(),
            name: row.name.into(),
            description: row.description.into(),
            preview: row.preview.into(),
            scopes: Scopes::parse(&SafeText::new(row.scopes)),
            allow: row.allow.0,
            created_at,
            created_by: row.created_by.into(),
            expires_at: row.expires_at.map(|t| t.0),
            acknowledged_at: row.acknowledged_at.map(|t| t.0),
            last_used_at: row.last_used_at.map(|t| t.0),
            last_used_from: row.last_used_from.map(SafeText::new),
            last_used_endpoint: row.last_used_endpoint.map(SafeText::new),
            // What nobody can read is no agreement: the policy's budgets hold.
            limits: row.limits.and_then(|text| Budgets::parse(&text).ok()).unwrap_or_default(),
            revoked_at: row.revoked_at.map(|t| t.0),
            revoked_by: row.revoked_by.map(SafeText::new),
            revoke_reason: row.revoke_reason.map(SafeText::new),
            predecessor: row.predecessor,
            successor: row.successor,
            successor_ends_at: row.successor_ends_at.map(|t| t.0),
            rotation_due_at: row.rotation_days.map(|days| created_at + chrono::Duration::days(days)),
        }
    }
}

#[derive(FromRow)]
pub(super) struct IssuerRow {
    slug: String,
    policy: Json<Policy>,
    version: i64,
    updated_at: Time,
}

impl From<IssuerRow> for Issuer {
    fn from(row: IssuerRow) -> Self {
        Self { slug: row.slug, policy: row.policy.0, version: row.version, updated_at: row.updated_at.0 }
    }
}

#[derive(FromRow)]
pub(super) struct AccountRow {
    pub slug: String,
    pub issuer: String,
    pub name: String,
    pub admins: Json<Vec<String>>,
    pub plan: Option<String>,
    pub standing: String,
    pub created_at: Time,
}

impl AccountRow {
    /// The slug of the account's issuer.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn into_account(self) -> Result<Account> {
        Ok(Account {
            standing: word("standing", &self.standing)?,
            slug: SafeText::new(self.slug).to_string(),
            issuer: SafeText::new(self.issuer).to_string(),
            name: self.name.into(),
            admins: self.admins.0.into_iter().map(SafeText::new).collect(),
            plan: self.plan.map(SafeText::new),
            created_at: self.created_at.0,
        })
    }
}

#[derive(FromRow)]
pub(super) struct OperatorRow {
    name: String,
    role: String,
    created_at: Time,
    created_by: String,
    login: bool,
}

impl OperatorRow {
    pub(super) fn into_operator(self) -> Result<Operator> {
        Ok(Operator {
            role: word("role", &self.role)?,
            name: self.name.into(),
            created_at: self.created_at.0,
            created_by: self.created_by.into(),
            login: self.login,
        })
    }
}
