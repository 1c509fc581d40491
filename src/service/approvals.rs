//! Four eyes: what changes more keys of an issuer at once than its policy lets one person change waits for a second person.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::acknowledge::Acknowledge;
use super::change::Change;
use super::edit::EditKeys;
use super::pause::{PauseOrder, Paused};
use super::permit::permit;
use super::revoke::{Revoke, checked};
use super::{Error, Field, Intent, Result, Service};
use crate::domain::Instant;
use crate::domain::approval::{Approval, Outcome, Wish};
use crate::domain::audit::Action;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::store::{Trust, Tx};

/// So many are listed.
const LISTED: u32 = 1_000;
/// So many are read with their keys.
const PAGES: usize = 20;

/// A request, and the keys that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalPage {
    pub approval: Approval,
    /// In the order of their ids, as they are now.
    pub keys: Vec<Key>,
    /// Those that are not what was asked about any more, and why: they are left alone.
    pub changed: BTreeMap<KeyId, &'static str>,
    pub now: Instant,
}

/// A decision that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub approval: Approval,
    /// The keys that were changed, as they are now.
    pub keys: Vec<Key>,
    /// Those that were left as they are, because they were changed meanwhile.
    pub left: Vec<Key>,
}

/// How somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Decline,
    /// Without a second person, in an emergency, and why.
    Override(String),
}

impl Decision {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Approve => Outcome::Approved,
            Self::Decline => Outcome::Declined,
            Self::Override(_) => Outcome::Overridden,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Override(reason) => Some(reason),
            Self::Approve | Self::Decline => None,
        }
    }
}

impl Service {
    /// Requests, the newest first; without `all` those that wait.
    pub async fn approvals(&self, all: bool) -> Result<Vec<Approval>> {
        let now = self.look().await?;
        let found = self.inner.store.approvals(LISTED).await?;
        Ok(found.into_iter().filter(|approval| all || approval.waits(now)).collect())
    }

    /// What waits, with its keys; of very many the newest.
    pub async fn approval_pages(&self) -> Result<Vec<ApprovalPage>> {
        let mut pages = Vec::new();
        for approval in self.approvals(false).await?.into_iter().take(PAGES) {
            pages.push(self.approval(approval.n).await?);
        }
        Ok(pages)
    }

    /// A request with its keys.
    pub async fn approval(&self, n: i64) -> Result<ApprovalPage> {
        let now = self.look().await?;
        let approval = self.inner.store.approval(n).await?.ok_or_else(|| no_approval(n))?;
        let asked = self.inner.store.keys_of_approval(n).await?;
        let keys = self.inner.store.keys(&asked.iter().map(|one| one.key).collect::<Vec<_>>()).await?;
        let shown = Manifest::of_asked(&asked);
        let since = |key: &Key| {
            let changed = shown.since(key).or_else(|| key.is_revoked(now).then_some("was revoked"));
            changed.map(|how| (key.id, how))
        };
        let changed = keys.iter().filter_map(since).collect();
        Ok(ApprovalPage { approval, changed, keys, now })
    }

    /// Refuses what deciding so would be refused for.
    pub async fn may_decide(&self, approval: &Approval, decision: &Decision) -> Result<()> {
        let who = self.whoami().await?;
        may_decide(&who.identity.name, self.now().await?, approval, decision)
    }

    /// Approves a request and carries it out, declines it, or does without a second person: whole or not at all.
    pub async fn decide(&self, operation: OperationId, n: i64, decision: Decision) -> Result<Decided> {
        let ApprovalPage { approval, keys, changed, now } = self.approval(n).await?;
        if let Decision::Override(reason) = &decision
            && checked(Some(reason))?.is_none_or(|reason| reason.is_empty())
        {
            return Err(Error::invalid(Field::Reason, "say why it can't wait for a second person"));
        }
        let wish = approval.wish.clone();
        let (keys, left): (Vec<Key>, Vec<Key>) =
            keys.into_iter().partition(|key| !changed.contains_key(&key.id));
        let ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
        let asked = self.inner.store.keys_of_approval(n).await?;
        let shown = Some(Arc::new(Manifest::of_asked(&asked)));
        let declined = decision == Decision::Decline;
        if !declined && approval.waits(now) && ids.is_empty() && !matches!(wish, Some(Wish::Rotate)) {
            return Err(Error::Refused(format!(
                "every key of request {n} has changed since the request was made. Decline it, and ask again"
            )));
        }
        let by = &decision;
        match wish {
            _ if declined => self.change(operation, Deciding::of(n, by, Nothing)).await?,
            None => {
                return Err(Error::Refused(format!(
                    "request {n} was made by a newer Keyrack: decide it there"
                )));
            }
            // The secrets are handed on by the one who asked.
            Some(Wish::Rotate) => self.change(operation, Deciding::of(n, by, Nothing)).await?,
            Some(Wish::Revoke { reason, ticket }) => {
                let keys = ids.iter().map(|id| (*id, reason.clone())).collect();
                let mut revoked = self
                    .change(operation, Deciding::of(n, by, Revoke { keys, gone: None, ticket, shown }))
                    .await?;
                if self.intent == Intent::Do {
                    self.read_back(&mut revoked).await?;
                    self.remember().await?;
                }
            }
            Some(Wish::Pause { lasting, message, reason }) => {
                let order = Some(PauseOrder { lasting, message, reason });
                self.change(operation, Deciding::of(n, by, Paused { keys: ids.clone(), order, shown }))
                    .await?;
            }
            Some(Wish::Confirm) => {
                self.change(
                    operation,
                    Deciding::of(n, by, Acknowledge { keys: ids.clone(), one: false, shown }),
                )
                .await?;
            }
            Some(Wish::Edit { edit }) => {
                self.change(
                    operation,
                    Deciding::of(n, by, EditKeys { keys: ids.clone(), edit: *edit, shown }),
                )
                .await?;
            }
        }
        let approval = self.inner.store.approval(n).await?.ok_or_else(|| no_approval(n))?;
        let keys = self.inner.store.keys(&ids).await?;
        Ok(Decided { approval, keys: if declined { Vec::new() } else { keys }, left })
    }
}

fn no_approval(n: i64) -> Error {
    Error::NotFound { kind: "request", name: n.to_string(), hint: "See `keyrack approval list`" }
}

/// A decision, and what it carries out.
struct Deciding<C> {
    n: i64,
    decision: Decision,
    inner: C,
}

impl<C> Deciding<C> {
    fn of(n: i64, decision: &Decision, inner: C) -> Self {
        Self { n, decision: decision.clone(), inner }
    }
}

impl<C: Change> Change for Deciding<C> {
    type Answer = C::Answer;

    const CLOCK: Trust = Trust::Ahead;
    const ALONE: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<C::Answer> {
        permit(tx, Permission::ChangeKeys, "decide about changes of keys").await?;
        let n = self.n;
        let approval = tx.lock_approval(n).await?.ok_or_else(|| no_approval(n))?;
        if !tx.seen().await? {
            may_decide(&tx.who().name, tx.now(), &approval, &self.decision)?;
            asker_may_still(tx, &approval, &self.decision).await?;
            let carries = C::CARRIES && self.decision != Decision::Decline;
            tx.decide_approval(n, self.decision.outcome(), self.decision.reason(), carries).await?;
            let action = match self.decision {
                Decision::Approve => Action::ApprovalApprove,
                Decision::Decline => Action::ApprovalDecline,
                Decision::Override(_) => Action::ApprovalOverride,
            };
            let detail = json!({
                "verb": approval.verb, "keys": approval.keys, "asked_by": approval.asked_by, "asked_at": approval.asked_at,
                "reason": self.decision.reason().map_or(approval.reason.as_deref(), Some),
            });
            tx.record(action, n.to_string().as_str(), detail).await?;
        }
        self.inner.carry_out(tx).await
    }
}

/// Whether `who` may decide this so now.
fn may_decide(who: &str, now: Instant, approval: &Approval, decision: &Decision) -> Result<()> {
    let (n, own) = (approval.n, approval.asked_by.as_str() == who);
    if approval.outcome.is_some() {
        let by = approval.decided_by.as_deref().unwrap_or("somebody");
        return Err(Error::Refused(format!("request {n} was {} by {by} already", approval.state(now))));
    }
    if !approval.waits(now) && *decision != Decision::Decline {
        return Err(Error::Refused(format!("request {n} lapsed: nobody decided within an hour. Ask again")));
    }
    match decision {
        Decision::Approve if own => Err(Error::Refused(format!(
            "you asked for request {n} yourself: another operator approves it with `keyrack approval approve {n}`"
        ))),
        Decision::Override(_) if !own => Err(Error::Refused(format!(
            "{} asked for request {n}: approve it with `keyrack approval approve {n}`",
            approval.asked_by
        ))),
        _ => Ok(()),
    }
}

/// Nobody's wish is carried out who may change keys no more: whoever took their role meant that, too.
async fn asker_may_still(tx: &mut Tx, approval: &Approval, decision: &Decision) -> Result<()> {
    let asker = approval.asked_by.as_str();
    let operators = tx.operators().await?;
    let role = operators.iter().find(|one| one.name.as_str() == asker).map(|one| one.role);
    if *decision != Decision::Approve || role.is_some_and(|role| role.permits(Permission::ChangeKeys)) {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{asker}, who asked for request {}, may no longer change keys: decline it with `keyrack approval decline {}`",
        approval.n, approval.n
    )))
}

/// What is decided without a change of keys.
struct Nothing;

impl Change for Nothing {
    type Answer = ();

    const WIDENS: bool = true;

    const CARRIES: bool = false;

    async fn carry_out(&self, _: &mut Tx) -> Result<()> {
        Ok(())
    }
}
