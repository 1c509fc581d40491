//! Accounts: the customers of an issuer.

use std::borrow::Cow;

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use super::Instant;
use super::text::SafeText;

/// A customer of one issuer. Keys act for exactly one account (VG-01).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Short, unique, immutable: lower-case letters, digits, `-`; 1 to 63 characters.
    pub slug: String,
    /// The issuer's slug.
    pub issuer: String,
    pub name: SafeText,
    /// Mail addresses of the account's admins; at least one.
    pub admins: Vec<SafeText>,
    /// The plan's name, one of the policy's plans.
    pub plan: Option<SafeText>,
    pub standing: Standing,
    pub created_at: Instant,
    /// What of its row can't be read, and why; empty: all of it can.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub odd: SafeText,
}

impl Account {
    /// The name as lists show it: behind what of the account can't be read.
    pub fn label(&self) -> Cow<'_, str> {
        self.odd.before(&self.name)
    }
}

/// Whether the account may create keys, and its keys pass the gates. Suspension is reversible, unlike a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Standing {
    Good,
    Suspended,
}

impl Standing {
    /// The word that the database and the output use.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An account with what its keys amount to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountSummary {
    #[serde(flatten)]
    pub account: Account,
    /// Keys that work at this moment: none of a suspended account.
    pub active_keys: u64,
    /// Keys that will work again once the account is reinstated.
    pub suspended_keys: u64,
    /// Keys of either kind that end within 30 days.
    pub expiring_keys: u64,
}

/// Why a slug was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    #[error("a slug must not be empty")]
    Empty,
    #[error("a slug holds at most 63 characters, this one has {0}")]
    TooLong(usize),
    #[error("a slug holds lower-case letters, digits and inner hyphens; found {0:?}")]
    Character(char),
}

/// Checks a slug of an account or an issuer: `^[a-z0-9](-?[a-z0-9])*$`, at most 63 characters.
pub fn check_slug(slug: &str) -> Result<(), SlugError> {
    if slug.is_empty() {
        return Err(SlugError::Empty);
    }
    if slug.chars().count() > 63 {
        return Err(SlugError::TooLong(slug.chars().count()));
    }
    if let Some(c) = slug.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return Err(SlugError::Character(c));
    }
    if slug.starts_with('-') || slug.ends_with('-') || slug.contains("--") {
        return Err(SlugError::Character('-'));
    }
    Ok(())
}
