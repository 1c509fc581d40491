//! Operators: the people (and scripts) that use Keyrack, and what their role permits.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::Instant;
use super::person::Person;
use super::text::SafeText;

/// What an operator may do. Each role includes those before it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// Looks, changes nothing.
    Viewer,
    /// Also creates, rotates and revokes keys, keeps accounts, and sends reminders.
    Operator,
    /// Also keeps issuers and operators.
    Admin,
}

impl Role {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word that the database and the output use.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether this role permits `action`.
    pub fn permits(self, action: Permission) -> bool {
        self >= action.needs()
    }
}

/// What an operation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Look,
    /// Create, acknowledge, rotate and revoke keys.
    ChangeKeys,
    /// Create, suspend and reinstate accounts.
    ChangeAccounts,
    /// Sweep, and send a reminder again.
    SendReminders,
    ChangeIssuers,
    ChangeOperators,
    /// Freeze keys, stop their creation, and lift both.
    ChangeHolds,
    /// Take over keys that another product made, and write out all that is there.
    MoveKeys,
    /// Say which programs are told of what happens.
    ChangeEndpoints,
    /// Say how many changes may commit at the same time.
    ChangeLanes,
}

impl Permission {
    /// The least role that has it.
    pub fn needs(self) -> Role {
        match self {
            Self::Look => Role::Viewer,
            Self::ChangeKeys | Self::ChangeAccounts | Self::SendReminders => Role::Operator,
            Self::ChangeIssuers
            | Self::ChangeOperators
            | Self::ChangeHolds
            | Self::MoveKeys
            | Self::ChangeEndpoints
            | Self::ChangeLanes => Role::Admin,
        }
    }
}

/// An operator as the database knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operator {
    pub name: SafeText,
    pub role: Role,
    pub created_at: Instant,
    pub created_by: SafeText,
    /// Whether anybody can be this operator: on PostgreSQL a login of that name, on SQLite a user of this machine.
    pub login: bool,
}

/// Who is acting, as the audit records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// PostgreSQL: the session user. SQLite: the operating system's user.
    pub name: String,
    /// The machine that Keyrack runs on.
    pub host: String,
    /// The address that the operator's SSH session came from, as the process's environment claims it. No access rests on it.
    pub client: Option<String>,
    /// The person behind the name, where several share it. No access rests on it either.
    pub person: Person,
}
