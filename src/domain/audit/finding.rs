//! Where the tables and the audit disagree.

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::domain::text::SafeText;

/// What kind of a disagreement it is. The word before the dot says what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr, VariantArray)]
pub enum Kind {
    /// The chain of the audit itself.
    #[strum(serialize = "audit.broken")]
    Broken,
    /// A key that no row tells of.
    #[strum(serialize = "key.planted")]
    Planted,
    /// A key that rows tell of and that isn't there.
    #[strum(serialize = "key.missing")]
    KeyMissing,
    /// It was revoked, and the table says that it isn't.
    #[strum(serialize = "key.unrevoked")]
    Unrevoked,
    /// A revocation that no row tells of, or tells otherwise.
    #[strum(serialize = "key.revocation")]
    Revocation,
    #[strum(serialize = "key.expiry")]
    Expiry,
    #[strum(serialize = "key.scopes")]
    Scopes,
    #[strum(serialize = "key.networks")]
    Networks,
    #[strum(serialize = "key.limits")]
    Limits,
    /// A pause that no row tells of, or none where one is told of.
    #[strum(serialize = "key.pause")]
    Pause,
    /// From when on it works or when it is to be revoked, which no row tells of, or tells otherwise.
    #[strum(serialize = "key.plan")]
    Plan,
    /// Another secret opens it.
    #[strum(serialize = "key.secret")]
    Secret,
    /// A confirmation that no row tells of, or tells otherwise.
    #[strum(serialize = "key.confirmation")]
    Confirmation,
    /// A use that can't have been.
    #[strum(serialize = "key.use")]
    Use,
    /// Whose it is, its name, who made it when, what it replaces.
    #[strum(serialize = "key.identity")]
    Identity,
    /// Keys of a demo that are more, fewer or others than were loaded.
    #[strum(serialize = "key.demo")]
    Demo,
    #[strum(serialize = "account.unexplained")]
    Account,
    #[strum(serialize = "operator.unexplained")]
    Operator,
    #[strum(serialize = "issuer.unexplained")]
    Issuer,
    /// An endpoint of events that no row tells of, or tells otherwise.
    #[strum(serialize = "endpoint.unexplained")]
    Endpoint,
    /// A trigger that is missing, altered, switched off or not ours.
    #[strum(serialize = "schema.trigger")]
    Trigger,
    /// A table, column, constraint, index or function that is missing, altered or not ours.
    #[strum(serialize = "schema.altered")]
    Schema,
    /// A right that the schema doesn't give.
    #[strum(serialize = "schema.right")]
    Right,
    /// An anchor that its key did not sign.
    #[strum(serialize = "anchor.forged")]
    AnchorForged,
    /// Anchors that are missing.
    #[strum(serialize = "anchor.cut")]
    AnchorCut,
    /// What an anchor tells is not in the audit.
    #[strum(serialize = "anchor.history")]
    AnchorHistory,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What helps.
    pub fn cure(self) -> &'static str {
        match self {
            Self::Broken => "Compare with a backup, and look at who has access to the database",
            Self::Planted | Self::Secret | Self::Identity => {
                "Revoke the key now with `keyrack key revoke`, then find out who can write to the database"
            }
            Self::KeyMissing => {
                "No request passes with it; compare with a backup, and find out who deleted the row"
            }
            Self::Unrevoked => {
                "Revoke the key again with `keyrack key revoke`, then find out who can write to the database"
            }
            Self::Expiry
            | Self::Scopes
            | Self::Networks
            | Self::Limits
            | Self::Pause
            | Self::Plan
            | Self::Confirmation
            | Self::Use => {
                "Revoke the key unless somebody vouches for the change, then find out who can write to the database"
            }
            Self::Revocation => {
                "The key stays revoked. Find out who wrote to the database outside Keyrack, and why"
            }
            Self::Demo => {
                "Demo data was changed outside Keyrack: don't rely on this database; load a new demo into a new one"
            }
            Self::Account | Self::Operator | Self::Issuer => {
                "Set it as it shall be with `keyrack account`, `keyrack operator` or `keyrack issuer apply`, then find out \
                 who can write to the database"
            }
            Self::Endpoint => {
                "Remove it with `keyrack events endpoints remove`, and find out who can write to the database, and what went there"
            }
            Self::Trigger | Self::Schema => {
                "Have the tables' owner put back what the audit expects, word by word; if changes may have slipped past \
                 it, compare with a backup"
            }
            Self::Right => "Have the tables' owner revoke that right",
            Self::AnchorForged | Self::AnchorCut => {
                "Find out who can write to the place of the anchors, and compare with a copy of them"
            }
            Self::AnchorHistory => {
                "The audit was cut off or rewritten: find out who can write to the database, and compare with a backup. \
                 After a restore that was accepted, begin a new file of anchors"
            }
        }
    }
}

/// One disagreement: what the audit (or the program's own schema) says, and what stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// A key's id, an account's or issuer's slug, an operator's name, `trigger x on y`.
    pub subject: SafeText,
    pub audit: SafeText,
    pub table: SafeText,
}

impl Finding {
    pub fn new(
        kind: Kind,
        subject: impl Into<String>,
        audit: impl Into<String>,
        table: impl Into<String>,
    ) -> Self {
        let text = |text: String| SafeText::new(text);
        Self { kind, subject: text(subject.into()), audit: text(audit.into()), table: text(table.into()) }
    }
}

/// Findings, of which only so many are kept however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub kept: Vec<Finding>,
    /// All of them, kept or not.
    pub count: u64,
}

/// More than this are only counted.
const MOST: usize = 1_000;

impl Findings {
    pub fn add(&mut self, some: impl IntoIterator<Item = Finding>) {
        for one in some {
            self.count += 1;
            if self.kept.len() < MOST {
                self.kept.push(one);
            }
        }
    }
}

#[cfg(test)]
mod tests;
