//! After a restore: the revocations that it undid are made again, or a person decides to leave it at that.

use std::path::Path;

use serde_json::json;

use super::change::Change;
use super::permit::permit;
use super::revoke::{Revoke, Revoked, checked};
use super::{Error, Intent, Result, Service};
use crate::domain::audit::Action;
use crate::domain::history::{Head, Undone, subject};
use crate::domain::key::{KeyId, OperationId};
use crate::domain::operator::Permission;
use crate::store::Tx;

/// What a revocation says that was made again.
const AGAIN: &str = "made again after a restore";
/// Characters of a reason that are kept when more stands before it.
const REASON: usize = 200;
/// Keys that a decision names.
const NAMED: usize = 100;

/// The revocations that are remembered and that the database does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoneList {
    /// Newest first.
    pub undone: Vec<Undone>,
    /// The newest row of the audit that is gone.
    pub gone: Option<Head>,
    /// Which lines of what is remembered can't be read.
    pub unread: Vec<String>,
}

impl UndoneList {
    /// The keys that are there and not revoked.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> {
        self.undone.iter().filter_map(|undone| undone.key.as_ref().map(|key| key.id))
    }
}

impl Service {
    /// The revocations that this machine remembers, and those in a memory's file if one is named, which the database does
    /// not hold.
    pub async fn undone(&self, from: Option<&Path>) -> Result<UndoneList> {
        self.look().await?;
        // What is gone is noticed here at the latest.
        let history = self.history().await?;
        Box::pin(self.undone_in(from, history.gaps)).await
    }

    /// Makes undone revocations again, in one transaction, each with its old reason behind this one. That settles what
    /// the restore took away.
    pub async fn revoke_again(
        &self,
        operation: OperationId,
        list: &UndoneList,
        reason: Option<&str>,
    ) -> Result<Vec<Revoked>> {
        let first = checked(reason)?.filter(|text| !text.is_empty()).unwrap_or_else(|| AGAIN.to_owned());
        let again = list.undone.iter().filter_map(|undone| {
            let was: Option<String> =
                undone.was.reason.as_ref().map(|was| was.chars().take(REASON).collect());
            let reason = was.map_or_else(|| first.clone(), |was| format!("{first}: {was}"));
            Some((undone.key.as_ref()?.id, Some(reason)))
        });
        let keys = again.collect();
        self.revoke(operation, Revoke { keys, gone: list.gone.clone(), ticket: None, shown: None }).await
    }

    /// Decides that the database goes on as it is, whatever is undone. Answers what was decided about.
    ///
    /// # Errors
    /// Also if nothing that this machine remembers is gone.
    pub async fn accept_history(&self, operation: OperationId, reason: Option<&str>) -> Result<UndoneList> {
        let reason = checked(reason)?;
        let list = Box::pin(self.undone(None)).await?;
        let nothing =
            "nothing that this machine remembers of this database is missing: there is nothing to accept";
        let gone = list.gone.clone().ok_or_else(|| Error::Refused(nothing.into()))?;
        let left = list.keys().take(NAMED).collect();
        let undone = list.keys().count();
        self.change(operation, Accept { gone, left, undone, reason }).await?;
        if self.intent == Intent::Do {
            self.remember().await?;
        }
        Ok(list)
    }
}

struct Accept {
    gone: Head,
    left: Vec<KeyId>,
    undone: usize,
    reason: Option<String>,
}

impl Change for Accept {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        permit(tx, Permission::ChangeOperators, "accept that a database went back").await?;
        if tx.seen().await? {
            return Ok(());
        }
        let Self { gone, left, undone, reason } = self;
        let detail = json!({ "leaves": true, "undone": undone, "left": left, "reason": reason });
        Ok(tx.record(Action::AuditAccept, subject(gone).as_str(), detail).await?)
    }
}
