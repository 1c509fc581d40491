//! What is said of a change whose answer was not waited for.

use super::{Reply, Request, RotationRequest};
use crate::domain::text::SafeText;
use crate::service::HoldTarget;
use crate::tui::words::count;

/// A change that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// `revoking 3 keys`
    pub what: String,
    /// What holds if it was or was not carried out, and how to look.
    look: String,
}

impl Unanswered {
    /// What a person should know who leaves without the answer.
    pub fn sentence(&self) -> String {
        format!("{} wasn't answered and may not have been carried out: {}", self.what, self.look)
    }
}

impl Request {
    /// What it changes in the database; `None` if it only reads.
    pub fn changes(&self) -> Option<Unanswered> {
        const MADE: &str =
            "if a key was created, it is not confirmed and stops working 10 minutes after its creation";
        let safe = |text: &str| SafeText::new(text).as_str().to_owned();
        let look = |command: &str| format!("look with `keyrack {command}`");
        let (what, look) = match self {
            Self::Create(_) => ("creating a key".to_owned(), MADE.to_owned()),
            Self::Rotate { key, .. } => (format!("rotating the key {key}"), MADE.to_owned()),
            Self::Edit { keys, .. } => match keys.as_slice() {
                [key] => (format!("editing the key {key}"), look(&format!("key show {key}"))),
                keys => (format!("editing {} keys", keys.len()), look("audit list --filter action:key.edit")),
            },
            Self::Acknowledge { key, .. } => {
                (format!("confirming the secret of {key}"), look(&format!("key show {key}")))
            }
            Self::Revoke { request, .. } => match request.keys.as_slice() {
                [key] => (
                    format!("revoking the key {key}"),
                    format!("it may still work; look with `keyrack key show {key}`, or revoke it again"),
                ),
                keys => (
                    format!("revoking {} keys", keys.len()),
                    "they may still work; look with `keyrack key list`, or revoke them again".to_owned(),
                ),
            },
            Self::Rotation(request) => return request.changes(),
            Self::Pause(request) => {
                let verb = if request.order.is_some() { "pausing" } else { "resuming" };
                match request.keys.as_slice() {
                    [key] => (format!("{verb} the key {key}"), look(&format!("key show {key}"))),
                    keys => {
                        let keys = count(keys.len() as u64, "key");
                        (format!("{verb} {keys}"), look("key list --filter status:paused"))
                    }
                }
            }
            Self::Hold(request) => match &request.target {
                HoldTarget::Keys(_) => ("freezing keys".to_owned(), look("freeze list")),
                HoldTarget::Creation { .. } => {
                    ("stopping the creation of keys".to_owned(), look("creation list"))
                }
            },
            Self::Lift { n, .. } => (format!("lifting {n}"), look("freeze list")),
            Self::SetLimits { key, .. } => {
                (format!("setting the limits of {key}"), look(&format!("key show {key}")))
            }
            Self::CreateAccount { .. } => ("creating an account".to_owned(), look("account list")),
            Self::ChangeAccount { account, .. } | Self::SetStanding { account, .. } => {
                let account = safe(account);
                (format!("changing the account {account}"), look(&format!("account show {account}")))
            }
            Self::ApplyPolicy { policy, .. } => {
                let slug = safe(&policy.slug);
                (format!("applying the policy of {slug}"), look(&format!("issuer show {slug}")))
            }
            Self::AcknowledgeAlerts { .. } => ("acknowledging alerts".to_owned(), look("alerts list")),
            Self::SetOperator { name, .. } | Self::RemoveOperator { name, .. } => {
                (format!("changing the role of {}", safe(name)), look("operator list"))
            }
            Self::Leave { leave, .. } => {
                (format!("removing the role of {}", safe(&leave.name)), look("operator list"))
            }
            Self::RetryReminders { .. } => ("resending reminders".to_owned(), look("reminders list")),
            Self::Tell(_) => ("telling admins".to_owned(), look("audit list --filter action:key.tell")),
            Self::RevokeAgain { .. } => (
                "revoking keys".to_owned(),
                "they may still work; look with `keyrack doctor`, or revoke them again".to_owned(),
            ),
            Self::Decide(_, n, _) => (format!("deciding request {n}"), look("approval list --all")),
            Self::AcceptHistory(_) => ("accepting the history".to_owned(), look("doctor")),
            Self::Try(_)
            | Self::Undone
            | Self::Whoami
            | Self::Issuers
            | Self::Holds
            | Self::Approvals
            | Self::Page(_)
            | Self::Count(_)
            | Self::Rank(_)
            | Self::Key(_)
            | Self::Alike(_)
            | Self::Reach(_)
            | Self::Export { .. }
            | Self::Incident(_)
            | Self::Trail(_)
            | Self::Late(_)
            | Self::Find(_)
            | Self::FindInFile(_)
            | Self::Read(..)
            | Self::Outlook
            | Self::Hygiene
            | Self::Overview(_)
            | Self::Receipt { .. }
            | Self::Accounts { .. }
            | Self::Account(_)
            | Self::AccountPage(_)
            | Self::Usage { .. }
            | Self::Alerts(_)
            | Self::OpenAlerts
            | Self::Gates
            | Self::Operators
            | Self::Known { .. }
            | Self::Leaver(_)
            | Self::Audit(_)
            | Self::VerifyAudit
            | Self::Outbox
            | Self::Post
            | Self::Reminders(_)
            | Self::RemindersOf(_)
            | Self::Sweeps(_)
            | Self::PreviewSweep(_)
            | Self::Themes(_)
            | Self::Copy(_)
            | Self::SaveChoices(..)
            | Self::WriteSecret { .. } => return None,
        };
        Some(Unanswered { what, look })
    }
}

impl RotationRequest {
    fn changes(&self) -> Option<Unanswered> {
        let look = || "look with `keyrack rotation list`".to_owned();
        let (what, look) = match self {
            Self::Page(_) => return None,
            Self::Close { order, .. } => (
                format!("closing {}", count(order.keys.len() as u64, "overlap")),
                "the old keys may still work; look with `keyrack rotation list`, or close them again"
                    .to_owned(),
            ),
            Self::Extend { order, .. } => {
                (format!("extending {}", count(order.keys.len() as u64, "overlap")), look())
            }
            Self::Rotate { order, place, .. } => (
                format!("rotating {}", count(order.keys.len() as u64, "key")),
                format!(
                    "if they were rotated, their new secrets are in {}; {}",
                    place.path().display(),
                    look()
                ),
            ),
        };
        Some(Unanswered { what, look })
    }
}

impl Reply {
    /// Whether somebody who leaves misses nothing: it was done, and shows no secret.
    pub fn lets_leave(&self) -> bool {
        !matches!(self, Self::Create(_) | Self::Rotate(_)) && self.failure().is_none()
    }
}
