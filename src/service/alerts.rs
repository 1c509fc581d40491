//! Alerts: what somebody should look at (VP-09), and keys' use.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::Permission;
use crate::domain::text::SafeText;
use crate::domain::usage::{Alert, Minute};
use crate::store::{self, AlertRow};

/// An alert that was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlert {
    /// Counts up; its name on the command line.
    pub id: i64,
    pub alert: Alert,
    /// The gate that raised it.
    pub gate: SafeText,
    /// The account's slug, where it is about a key.
    pub account: Option<SafeText>,
    /// The key's name and preview, where it is about a key.
    pub name: Option<SafeText>,
    pub preview: Option<SafeText>,
    pub acknowledged_at: Option<Instant>,
    pub acknowledged_by: Option<SafeText>,
}

impl RaisedAlert {
    pub(super) fn read(row: AlertRow) -> Result<Self> {
        let alert = serde_json::from_str(&row.detail).map_err(|e| {
            store::Error::Corrupt(format!("alert {}: {}", row.id, SafeText::new(e.to_string())))
        })?;
        Ok(Self {
            id: row.id,
            alert,
            gate: row.gate,
            account: row.account,
            name: row.name,
            preview: row.preview,
            acknowledged_at: row.acknowledged_at,
            acknowledged_by: row.acknowledged_by,
        })
    }

    /// What happened and what to do, with the key's name before it.
    pub fn sentence(&self) -> SafeText {
        let sentence = self.alert.sentence();
        SafeText::new(match &self.name {
            Some(name) => format!("{:?}: {sentence}", name.as_str()),
            None => sentence,
        })
    }
}

impl Service {
    /// Alerts, the newest first.
    pub async fn alerts(&self, request: &AlertRequest) -> Result<Vec<RaisedAlert>> {
        self.may_look()?;
        self.inner.store.alerts(request).await?.into_iter().map(RaisedAlert::read).collect()
    }

    /// How many alerts nobody has acknowledged; of a thousand and more, a thousand.
    pub async fn open_alerts(&self) -> Result<u64> {
        self.may_look()?;
        Ok(self.inner.store.open_alerts().await?)
    }

    /// Says that somebody has looked at these alerts. Answers how many nobody had acknowledged before.
    pub async fn acknowledge_alerts(&self, operation: OperationId, ids: &[i64]) -> Result<u64> {
        let identity = self.inner.identity.clone();
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, ids) = (identity.clone(), ids.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeKeys, "acknowledge alerts").await?;
                    let mut done = 0;
                    let mut changes = Vec::new();
                    for id in ids {
                        let found = tx.acknowledge_alert(id, &identity.name).await?.ok_or_else(|| {
                            Error::NotFound {
                                kind: "alert",
                                name: id.to_string(),
                                hint: "See `keyrack alerts list`",
                            }
                        })?;
                        if !found.now {
                            continue;
                        }
                        done += 1;
                        changes.push(Change {
                            operation,
                            action: Action::AlertAcknowledge,
                            subject: id.to_string(),
                            account: found.account,
                            key: found.key,
                            detail: json!({}),
                        });
                    }
                    // Last, because from here on others wait for the end.
                    for change in &changes {
                        tx.record(&identity, change).await?;
                    }
                    Ok(done)
                })
            })
            .await
    }

    /// The use of these keys since `since`, minute by minute; keys that were not used are left out.
    pub async fn usage(
        &self,
        keys: &[KeyId],
        since: Instant,
    ) -> Result<std::collections::HashMap<KeyId, Vec<Minute>>> {
        self.may_look()?;
        let mut usage: std::collections::HashMap<KeyId, Vec<Minute>> = std::collections::HashMap::new();
        for (key, minute) in self.inner.store.usage(keys, since).await? {
            usage.entry(key).or_default().push(minute);
        }
        Ok(usage)
    }
}
