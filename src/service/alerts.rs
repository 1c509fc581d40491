//! Alerts: what somebody should look at (VP-09), and keys' use.

use std::collections::HashMap;

use serde_json::json;

use super::change::Change;
use super::permit::permit;
use super::{AlertRequest, Error, Result, Service};
use crate::domain::audit::{self, Action};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::operator::Permission;
use crate::domain::usage::{Late, Minute, RaisedAlert};
use crate::domain::{Instant, shifted};
use crate::store::Tx;

impl Service {
    /// Alerts, the newest first.
    pub async fn alerts(&self, request: &AlertRequest) -> Result<Vec<RaisedAlert>> {
        self.look().await?;
        Ok(self.inner.store.alerts(request).await?)
    }

    /// How many alerts nobody has acknowledged; of a thousand and more, a thousand.
    pub async fn open_alerts(&self) -> Result<u64> {
        self.look().await?;
        Ok(self.inner.store.open_alerts().await?)
    }

    /// Says that somebody has looked at these alerts. Answers how many nobody had acknowledged before.
    pub async fn acknowledge_alerts(&self, operation: OperationId, ids: &[i64]) -> Result<u64> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        self.change(operation, Acknowledge { ids }).await
    }

    /// The use of these keys since `since`, minute by minute; keys that were not used are left out.
    pub async fn usage(&self, keys: &[KeyId], since: Instant) -> Result<HashMap<KeyId, Vec<Minute>>> {
        self.look().await?;
        let mut usage: HashMap<KeyId, Vec<Minute>> = HashMap::new();
        for (key, minute) in self.inner.store.usage(keys, since).await? {
            usage.entry(key).or_default().push(minute);
        }
        Ok(usage)
    }
}

impl Service {
    /// What gates saw of a key after its end, in the last 30 days as far as that is kept; `None` if it works, or nobody tried it.
    pub async fn late(&self, key: &Key) -> Result<Option<Late>> {
        let now = self.look().await?;
        let tries = match key.ended(now) {
            Some(_) => self.inner.store.late(&[key.id], shifted(now, -Late::KEPT)).await?,
            None => return Ok(None),
        };
        let tries: Vec<_> = tries.into_iter().map(|(_, one)| one).collect();
        Ok(Late::of(key, &tries, now))
    }
}

struct Acknowledge {
    ids: Vec<i64>,
}

impl Change for Acknowledge {
    type Answer = u64;

    const WIDENS: bool = true;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<u64> {
        permit(tx, Permission::ChangeKeys, "acknowledge alerts").await?;
        let mut changes = Vec::new();
        for id in &self.ids {
            let found = tx.acknowledge_alert(*id).await?.ok_or_else(|| Error::NotFound {
                kind: "alert",
                name: id.to_string(),
                hint: "See `keyrack alerts list`",
            })?;
            if found.now {
                let subject = audit::Subject { name: id.to_string(), account: found.account, key: found.key };
                changes.push(audit::Change::new(Action::AlertAcknowledge, subject, json!({})));
            }
        }
        // Last, because from here on others wait for the end.
        tx.record_all(&changes).await?;
        Ok(changes.len() as u64)
    }
}
