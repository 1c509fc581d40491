//! Refusing keys for a while, and letting them work again.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::change::{Change, in_order, locked_as_shown};
use super::permit::permit;
use super::wished::Wished;
use super::{Error, Field, Intent, Result, Service};
use crate::domain::Instant;
use crate::domain::approval::Wish;
use crate::domain::audit::{self, Action};
use crate::domain::key::{Key, KeyId, OperationId, Status};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::pause::{Lasting, Pause};
use crate::domain::text::{SafeText, check_reason};
use crate::store::{Trust, Tx};

/// More keys than these have a transaction of their own, as revocations have.
const FEW: usize = 20;

/// How long keys are to be refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseOrder {
    pub lasting: Lasting,
    /// For those who are refused, where the policy lets them see it.
    pub message: Option<String>,
    pub reason: Option<String>,
}

/// A key that was to be paused or resumed, read back from the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub key: Key,
    /// Whether anything was done to it. A key that has ended can't be paused, and one that isn't paused not resumed.
    pub changed: bool,
}

impl PauseOrder {
    /// The same with its texts as they are kept.
    pub(super) fn checked(self) -> Result<Self> {
        let text = |text: Option<String>, field| {
            let text = text.as_deref().map(check_reason).transpose();
            text.map(|text| text.filter(|text| !text.is_empty()))
                .map_err(|error| Error::invalid(field, error))
        };
        Ok(Self {
            message: text(self.message, Field::Message)?,
            reason: text(self.reason, Field::Reason)?,
            ..self
        })
    }

    /// What it comes to that begins now, where the policies of these issuers, or of all, allow it.
    pub(super) async fn begun(&self, tx: &mut Tx, issuers: Option<&BTreeSet<&str>>) -> Result<Pause> {
        let all = tx.issuers().await?;
        let limits = all.iter().filter(|issuer| issuers.is_none_or(|these| these.contains(&*issuer.slug)));
        let limits = limits.map(|issuer| (issuer.policy.name.as_str(), issuer.policy.pause.max_days));
        let until =
            self.lasting.end(tx.now(), limits).map_err(|error| Error::invalid(Field::Until, error))?;
        let text = |text: &Option<String>| text.as_deref().map(SafeText::new);
        Ok(Pause {
            at: tx.now(),
            until,
            by: SafeText::new(tx.who().name.as_str()),
            message: text(&self.message),
            reason: text(&self.reason),
            freeze: None,
        })
    }
}

impl Service {
    /// Refuses keys until an instant, in one transaction. `shown`: what the person was shown who decided; if the keys are
    /// others since, nothing is done. One that is paused already gets this pause in place of that one.
    pub async fn pause_keys(
        &self,
        operation: OperationId,
        keys: &[KeyId],
        order: PauseOrder,
        shown: Option<Arc<Manifest>>,
    ) -> Result<Vec<Held>> {
        let order = Some(order.checked()?);
        let held = self.change(operation, Paused { keys: in_order(keys), order, shown }).await?;
        self.read_again(held).await
    }

    /// Ends the pauses of keys. Freezes that fit them still hold.
    pub async fn resume_keys(
        &self,
        operation: OperationId,
        keys: &[KeyId],
        shown: Option<Arc<Manifest>>,
    ) -> Result<Vec<Held>> {
        let held = self.change(operation, Paused { keys: in_order(keys), order: None, shown }).await?;
        self.read_again(held).await
    }

    /// What is said of the keys is what the database says by now.
    async fn read_again(&self, mut held: Vec<Held>) -> Result<Vec<Held>> {
        if self.intent == Intent::Do {
            let ids: Vec<KeyId> = held.iter().map(|one| one.key.id).collect();
            // Both are in the order of their ids.
            let mut read = self.inner.store.keys(&ids).await?.into_iter().peekable();
            for one in &mut held {
                one.key =
                    read.next_if(|key| key.id == one.key.id).ok_or_else(|| Error::no_key(one.key.id))?;
            }
        }
        Ok(held)
    }
}

pub(super) struct Paused {
    pub(super) keys: Vec<KeyId>,
    /// `None`: they are resumed.
    pub(super) order: Option<PauseOrder>,
    pub(super) shown: Option<Arc<Manifest>>,
}

impl Paused {
    fn touches(&self, key: &Key, now: Instant) -> bool {
        match self.order {
            Some(_) => !key.has_ended(now),
            // A pause that is over by itself is no matter any more.
            None => !key.is_revoked(now) && key.paused.as_ref().is_some_and(|pause| pause.holds(now)),
        }
    }
}

impl Change for Paused {
    type Answer = Vec<Held>;

    /// Neither can wait.
    const CLOCK: Trust = Trust::Ahead;

    fn shares(&self) -> bool {
        self.keys.len() <= FEW
    }

    fn wished(&self) -> Option<Wished> {
        // Resuming never waits.
        let order = self.order.as_ref()?;
        let wish = Wish::Pause {
            lasting: order.lasting,
            message: order.message.clone(),
            reason: order.reason.clone(),
        };
        Some(Wished { wish, keys: self.keys.clone(), shown: self.shown.clone() })
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Held>> {
        let what = if self.order.is_some() { "pause keys" } else { "resume keys" };
        permit(tx, Permission::ChangeKeys, what).await?;
        let (keys, done_before) = locked_as_shown(tx, &self.keys, self.shown.as_deref()).await?;
        if done_before {
            return Ok(keys.into_iter().map(|key| Held { key, changed: true }).collect());
        }
        let now = tx.now();
        let touched: Vec<KeyId> =
            keys.iter().filter(|key| self.touches(key, now)).map(|key| key.id).collect();
        if let ([key], true, []) = (keys.as_slice(), self.order.is_some(), touched.as_slice()) {
            let status = match key.status(now) {
                Status::Damaged => "damaged".into(),
                status => status.as_str().to_owned(),
            };
            return Err(Error::Refused(format!("key {} is {status}, so it can't be paused", key.id)));
        }
        let pause = match &self.order {
            Some(order) => Some(order.begun(tx, Some(&keys.iter().map(|key| &*key.issuer).collect())).await?),
            None => None,
        };
        tx.pause(&touched, pause.as_ref()).await?;
        let mut changes = Vec::with_capacity(touched.len());
        let mut held = Vec::with_capacity(keys.len());
        for mut key in keys {
            let changed = touched.binary_search(&key.id).is_ok();
            if changed {
                let before = key.paused.take().filter(|pause| pause.holds(now)).map(|pause| pause.until);
                let mut detail = json!({ "name": key.name, "preview": key.preview, "was_until": before });
                let mut action = Action::KeyResume;
                if let Some(pause) = &pause {
                    action = Action::KeyPause;
                    detail["until"] = json!(pause.until);
                    detail["message"] = json!(pause.message);
                    detail["reason"] = json!(pause.reason);
                }
                changes.push(audit::Change::new(action, &key, detail));
                key.paused.clone_from(&pause);
            }
            held.push(Held { key, changed });
        }
        tx.record_all(&changes).await?;
        Ok(held)
    }
}
