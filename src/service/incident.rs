//! The story of an incident: which keys, what was decided by whom, what passed meanwhile, which gates know, who was told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{AlertRequest, AuditFilter, Error, GateReceipt, Result, Service};
use crate::domain::audit::Entry;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::person::Person;
use crate::domain::query::Query;
use crate::domain::text::SafeText;
use crate::domain::usage::{Counts, Late, LateTries};
use crate::domain::{Instant, shifted};

mod markdown;

/// How far back a report looks where nobody says since when.
const SINCE: chrono::Duration = chrono::Duration::hours(24);
/// So many keys are told one by one; what happened is counted for these.
const KEYS: usize = 1_000;
/// Rows of the audit that are read at a time, and altogether.
const ROWS: u32 = 1_000;
const ALL_ROWS: usize = 200_000;
/// Alerts that are told.
const ALERTS: u32 = 100;
/// So many letters are told one by one.
const LETTERS: usize = 500;

/// What a report is to be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentOrder {
    /// The exposure. `None`: 24 hours ago, or as long before the operation.
    pub since: Option<Instant>,
    /// The keys that it fits, whatever became of them. Without it all that something was decided about since then.
    pub filter: Option<Query>,
    /// These keys.
    pub keys: Option<Vec<KeyId>>,
    /// The keys of one operation.
    pub operation: Option<OperationId>,
}

/// An incident, as the database and its audit tell it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    pub database: SafeText,
    pub since: Instant,
    /// When it was told.
    pub until: Instant,
    /// Who asked for it.
    pub told_by: SafeText,
    pub keys: Vec<IncidentKey>,
    /// Keys that are too many to be told.
    pub left_out: usize,
    /// The oldest first.
    pub decisions: Vec<Decision>,
    /// What the gates say to the newest of the revocations; nothing where none was revoked.
    pub gates: Vec<GateReceipt>,
    /// The oldest first.
    pub letters: Vec<IncidentLetter>,
    pub alerts: Vec<IncidentAlert>,
    /// Whether the audit was too long to be read to the beginning.
    pub cut: bool,
}

/// A key of an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncidentKey {
    pub id: KeyId,
    pub name: SafeText,
    pub preview: SafeText,
    pub account: SafeText,
    pub status: &'static str,
    pub ended_at: Option<Instant>,
    pub revoked_by: Option<SafeText>,
    pub reason: Option<SafeText>,
    /// Since the exposure, as gates counted: those that passed did so before its end.
    pub requests: Counts,
    pub last_used_at: Option<Instant>,
    pub last_used_from: Option<SafeText>,
    pub after_end: Option<Late>,
}

/// What somebody did, to one or many keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub at: Instant,
    pub who: SafeText,
    /// Who was behind that login, where it is known.
    pub person: Person,
    pub host: SafeText,
    pub action: SafeText,
    pub keys: usize,
    /// The first of them by name, or what else it was done to.
    pub first: SafeText,
    pub reason: Option<SafeText>,
    pub ticket: Option<SafeText>,
    pub operation: OperationId,
}

/// A letter that told somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentLetter {
    pub at: Instant,
    pub to: SafeText,
    pub about: SafeText,
    pub state: SafeText,
    pub keys: usize,
}

/// What gates raised about these keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentAlert {
    pub at: Instant,
    pub kind: &'static str,
    pub words: SafeText,
    pub acknowledged_by: Option<SafeText>,
}

impl Service {
    /// Tells an incident. Looking needs the role of a viewer.
    ///
    /// # Errors
    /// When the operation is not in the audit.
    pub async fn incident(&self, order: &IncidentOrder) -> Result<Incident> {
        let now = self.look().await?;
        let mut since = order.since;
        let mut wanted: Option<BTreeSet<KeyId>> = None;
        if let Some(operation) = order.operation {
            let filter = AuditFilter { operation: Some(operation), ..AuditFilter::default() };
            let rows = self.inner.store.audit(&filter, None, ROWS, now).await?;
            let Some(first) = rows.iter().map(|row| row.at).min() else {
                let hint = "See `keyrack audit list`";
                return Err(Error::NotFound { kind: "operation", name: operation.to_string(), hint });
            };
            since = since.or(Some(shifted(first, -SINCE)));
            wanted = Some(rows.iter().filter_map(|row| row.key).collect());
        } else if let Some(keys) = &order.keys {
            wanted = Some(keys.iter().copied().collect());
        } else if let Some(query) = &order.filter {
            wanted = Some(self.ids_of(query).await?);
        }
        let since = since.unwrap_or_else(|| shifted(now, -SINCE));
        let (rows, cut) = self.rows_since(since, now).await?;
        let is_wanted = |row: &Entry| match (&wanted, row.key) {
            (Some(wanted), Some(key)) => wanted.contains(&key),
            (Some(_), None) => false,
            (None, _) => is_decision(&row.action),
        };
        let rows: Vec<Entry> = rows.into_iter().filter(is_wanted).collect();
        let mut ids = wanted.unwrap_or_else(|| rows.iter().filter_map(|row| row.key).collect());
        let left_out = ids.len().saturating_sub(KEYS);
        ids = ids.into_iter().take(KEYS).collect();
        let ids: Vec<KeyId> = ids.into_iter().collect();
        let keys = self.inner.store.keys(&ids).await?;
        let revoked: Vec<KeyId> = keys.iter().filter(|key| key.is_revoked(now)).map(|key| key.id).collect();
        let gates = match revoked.as_slice() {
            [] => Vec::new(),
            revoked => self.receipt(revoked, Duration::ZERO).await?.gates,
        };
        let request = AlertRequest { limit: ROWS, ..AlertRequest::default() };
        let alerts = self.alerts(&request).await?.into_iter();
        let alerts = alerts.filter(|raised| raised.alert.at >= since);
        let alerts =
            alerts.filter(|raised| raised.alert.key().is_some_and(|key| ids.binary_search(&key).is_ok()));
        let alerts = alerts.take(ALERTS as usize).map(|raised| IncidentAlert {
            at: raised.alert.at,
            kind: raised.alert.kind(),
            words: raised.sentence(),
            acknowledged_by: raised.acknowledged_by.clone(),
        });
        Ok(Incident {
            database: SafeText::new(self.location().to_string()),
            since,
            until: now,
            told_by: SafeText::new(self.inner.identity.name.as_str()),
            left_out,
            decisions: decisions(&rows),
            gates,
            letters: letters(&rows),
            alerts: alerts.collect(),
            cut,
            keys: self.told_of(keys, &ids, since, now).await?,
        })
    }

    /// The rows of the audit since then, the oldest first, and whether there were too many.
    async fn rows_since(&self, since: Instant, now: Instant) -> Result<(Vec<Entry>, bool)> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = self.inner.store.audit(&AuditFilter::default(), before, ROWS, now).await?;
            let many = page.len();
            before = page.last().map(|row| row.seq);
            let fresh = page.into_iter().take_while(|row| row.at >= since);
            let had = all.len();
            all.extend(fresh);
            let cut = all.len() >= ALL_ROWS;
            if all.len() - had < ROWS as usize || many < ROWS as usize || cut {
                all.reverse();
                return Ok((all, cut));
            }
        }
    }

    async fn ids_of(&self, query: &Query) -> Result<BTreeSet<KeyId>> {
        let mut ids = BTreeSet::new();
        self.each_key::<Error>(query, |key| {
            ids.insert(key.id);
            Ok(())
        })
        .await?;
        Ok(ids)
    }

    async fn told_of(
        &self,
        keys: Vec<Key>,
        ids: &[KeyId],
        since: Instant,
        now: Instant,
    ) -> Result<Vec<IncidentKey>> {
        let store = &self.inner.store;
        let requests: HashMap<KeyId, Counts> = store.usage_sums(ids, since).await?.into_iter().collect();
        let mut tries: BTreeMap<KeyId, Vec<LateTries>> = BTreeMap::new();
        for (key, one) in store.late(ids, shifted(now, -Late::KEPT)).await? {
            tries.entry(key).or_default().push(one);
        }
        let told = keys.into_iter().map(|key| IncidentKey {
            after_end: Late::of(&key, tries.get(&key.id).map_or(&[], Vec::as_slice), now),
            requests: requests.get(&key.id).copied().unwrap_or_default(),
            status: key.status(now).as_str(),
            ended_at: key.ended(now).map(|(_, at)| at),
            revoked_by: key.revoked(now).and_then(|revoked| revoked.by.cloned()),
            reason: key.revoked(now).and_then(|revoked| revoked.reason.cloned()),
            id: key.id,
            name: key.name,
            preview: key.preview,
            account: SafeText::new(key.account),
            last_used_at: key.last_used_at,
            last_used_from: key.last_used_from,
        });
        Ok(told.collect())
    }
}

/// Whether a row tells that somebody did something about an exposed key: keys that are made and confirmed are the daily
/// work, and letters of reminders too.
fn is_decision(action: &str) -> bool {
    let daily = ["key.create", "key.acknowledge", "key.rotate", "key.retire", "key.edit", "key.limit"];
    (action.starts_with("key.") && !daily.contains(&action)) || action.starts_with("leak.")
}

/// What was done in one operation for one reason is one decision.
fn decisions(rows: &[Entry]) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    let mut places: HashMap<(OperationId, String, Option<SafeText>), usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.action.as_str() != "key.tell") {
        let detail: Value = serde_json::from_str(&row.detail).unwrap_or_default();
        let text = |name: &str| detail[name].as_str().filter(|text| !text.is_empty()).map(SafeText::new);
        let reason = text("reason");
        let place =
            *places.entry((row.operation, row.action.to_string(), reason.clone())).or_insert(decisions.len());
        match decisions.get_mut(place) {
            Some(decision) => decision.keys += usize::from(row.key.is_some()),
            None => decisions.push(Decision {
                at: row.at,
                who: row.actor.clone(),
                person: row.person.clone(),
                host: row.host.clone(),
                action: row.action.clone(),
                keys: usize::from(row.key.is_some()),
                first: text("name").unwrap_or_else(|| row.subject.clone()),
                ticket: text("ticket"),
                reason,
                operation: row.operation,
            }),
        }
    }
    decisions
}

fn letters(rows: &[Entry]) -> Vec<IncidentLetter> {
    let mut letters: Vec<IncidentLetter> = Vec::new();
    let mut places: HashMap<(OperationId, String), usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.action.as_str() == "key.tell") {
        let detail: Value = serde_json::from_str(&row.detail).unwrap_or_default();
        for letter in detail["letters"].as_array().into_iter().flatten() {
            let text = |value: &Value| SafeText::new(value.as_str().unwrap_or_default());
            let to = text(&letter["to"]);
            let place = *places.entry((row.operation, to.to_string())).or_insert(letters.len());
            if let Some(letter) = letters.get_mut(place) {
                letter.keys += 1;
            } else if letters.len() < LETTERS {
                letters.push(IncidentLetter {
                    at: row.at,
                    to,
                    about: text(&detail["about"]),
                    state: text(&letter["state"]),
                    keys: 1,
                });
            }
        }
    }
    letters
}
