//! Why something was not done.

use super::Reply;
use crate::domain::text::SafeText;
use crate::service::{Error, Field, StoreError};

/// Why a request was not carried out, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// What happened and what to do, in one sentence.
    pub text: SafeText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    NotPermitted,
    /// A rule forbids it: a cap, a standing, a state.
    Rule,
    /// This part of the request is not acceptable.
    Field(Field),
    NotFound,
    /// The database can't be reached: it may work later.
    Unreachable,
    /// A revocation that the database does not show.
    Unconfirmed,
    /// Keys are not what was shown to the person who decided about them.
    Moved,
    /// Another file is under the database's name: nothing was done in it.
    Replaced,
    Other,
}

impl FailureKind {
    /// Whether it is certain that nothing was done, so that a next try is a wish of its own. Where it is not certain the next
    /// try must carry the same operation id: then it is safe, and what was done is not done twice.
    pub fn refused(self) -> bool {
        match self {
            Self::NotPermitted | Self::Rule | Self::Field(_) => true,
            Self::NotFound | Self::Moved | Self::Replaced => true,
            Self::Unreachable | Self::Unconfirmed | Self::Other => false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::NotPermitted { .. } => FailureKind::NotPermitted,
            Error::Suspended { .. }
            | Error::KeyLimit { .. }
            | Error::TooFast { .. }
            | Error::Refused(_)
            | Error::FourEyes(_)
            | Error::Asked { .. }
            | Error::Ambiguous { .. } => FailureKind::Rule,
            Error::Moved(_) => FailureKind::Moved,
            Error::Unwritten(_) => FailureKind::Field(Field::Place),
            Error::Invalid { field, .. } => FailureKind::Field(*field),
            Error::NotFound { .. } => FailureKind::NotFound,
            Error::Unconfirmed(_) | Error::NotReadBack { .. } | Error::Uncertain { .. } => {
                FailureKind::Unconfirmed
            }
            Error::Store(StoreError::Unreachable(_)) => FailureKind::Unreachable,
            Error::Store(StoreError::Replaced(_)) => FailureKind::Replaced,
            Error::Store(error) if error.changed_nothing() => FailureKind::Rule,
            Error::Store(_) => FailureKind::Other,
        };
        Self { kind, text: SafeText::new(error.to_string()) }
    }
}

impl Reply {
    /// Why a change was not carried out.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Create(Err(failure))
            | Self::Edit(Err(failure))
            | Self::Rotate(Err(failure))
            | Self::RotateMany(Err(failure))
            | Self::Extend(Err(failure))
            | Self::Acknowledge(Err(failure))
            | Self::SetLimits(Err(failure))
            | Self::Revoke(Err(failure))
            | Self::Held(Err(failure))
            | Self::CreateAccount(Err(failure))
            | Self::ChangeAccount(Err(failure))
            | Self::SetStanding(Err(failure))
            | Self::ApplyPolicy(Err(failure))
            | Self::SetOperator(Err(failure))
            | Self::RemoveOperator(Err(failure))
            | Self::Leave(Err(failure))
            | Self::AcknowledgeAlerts(Err(failure))
            | Self::RetryReminders(Err(failure))
            | Self::Tell(Err(failure))
            | Self::Decided(Err(failure))
            | Self::Undone(Err(failure)) => Some(failure),
            _ => None,
        }
    }
}
