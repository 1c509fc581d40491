//! What a change was about, so that only what shows it is read again.

use std::ops::BitOr;

use super::audit::Action;

/// A set of kinds of things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subjects(u8);

impl Subjects {
    pub const NONE: Self = Self(0);
    pub const KEYS: Self = Self(1);
    pub const ACCOUNTS: Self = Self(1 << 1);
    pub const ISSUERS: Self = Self(1 << 2);
    pub const OPERATORS: Self = Self(1 << 3);
    /// Reminders and sweeps.
    pub const REMINDERS: Self = Self(1 << 4);
    pub const ALERTS: Self = Self(1 << 5);
    /// Every recorded change is about the audit too.
    pub const AUDIT: Self = Self(1 << 6);
    /// Freezes, stops of the creation of keys, and what waits for approval.
    pub const HOLDS: Self = Self(1 << 7);
    /// It is not known what was touched.
    pub const ALL: Self = Self(u8::MAX);

    /// What a recorded change is about, with what is counted from it.
    pub fn of(action: Action) -> Self {
        let about = match action {
            // A policy says how keys, accounts and reminders are read.
            Action::IssuerApply | Action::DemoLoad => Self::ALL,
            Action::FreezeAdd | Action::FreezeLift => Self::ALL,
            Action::CreationStop | Action::CreationAllow => Self::HOLDS,
            Action::ApprovalAsk | Action::ApprovalApprove | Action::ApprovalDecline => Self::HOLDS,
            // It raises an alert.
            Action::ApprovalOverride => Self::HOLDS | Self::ALERTS,
            Action::AccountCreate | Action::AccountChange => Self::ACCOUNTS,
            // Its keys stop or start to work.
            Action::AccountSuspend | Action::AccountReinstate => Self::ACCOUNTS | Self::KEYS,
            Action::OperatorSet | Action::OperatorRemove => Self::OPERATORS,
            // An account counts its keys; a key that ended needs no reminder.
            Action::KeyCreate
            | Action::KeyImport
            | Action::KeyAcknowledge
            | Action::KeyRotate
            | Action::KeyRetire
            | Action::KeyRevoke
            | Action::KeyPause
            | Action::KeyResume
            | Action::KeyEdit
            | Action::KeyLimit => Self::KEYS | Self::ACCOUNTS | Self::REMINDERS,
            Action::AlertAcknowledge => Self::ALERTS,
            Action::SweepBegin
            | Action::SweepPlan
            | Action::SweepEnd
            | Action::ReminderSend
            | Action::ReminderWrite
            | Action::ReminderFail
            | Action::ReminderDefer
            | Action::ReminderAmbiguous
            | Action::ReminderCancel
            | Action::ReminderRetry => Self::REMINDERS,
            // A letter is no reminder, and changes no key.
            Action::AuditAccept | Action::ExportWrite | Action::KeyTell | Action::LeakReport => Self::NONE,
            // No screen shows endpoints or lanes.
            Action::EndpointAdd | Action::EndpointRemove | Action::AuditLanes => Self::NONE,
            // What has expired may be active again, or the other way round.
            Action::ClockAccept => return Self::ALL,
        };
        about | Self::AUDIT
    }

    /// Both together.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have anything in common.
    pub fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Subjects {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
