//! Keys that are edited.

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::domain::key::{Key, KeyId};
use crate::domain::text::fold;
use crate::store::dialect::{Allow, Time, both, rows};
use crate::store::filter::{Driver as _, push_ids};
use crate::store::refold::search_of;
use crate::store::{Result, Tx};

/// Rows of one statement.
const ROWS: usize = 500;

impl Tx {
    /// Makes keys what they shall be: of each pair the second.
    pub async fn edit(&mut self, pairs: &[(Key, Key)]) -> Result<()> {
        let auth = |key: &Key| {
            (key.scopes.clone(), key.allow.clone(), key.expires_at, key.not_before, key.planned.clone())
        };
        let hard: Vec<&Key> =
            pairs.iter().filter(|(old, new)| auth(old) != auth(new)).map(|(_, new)| new).collect();
        for some in hard.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "WITH u(id, scopes, allow, ends, begins, plan, planner, reason, own) AS (",
                );
                sql.push_values(some, |mut row, key| {
                    let plan = key.planned.as_ref();
                    row.push_bind(key.id)
                        .push_bind(key.scopes.to_string())
                        .push_bind(Allow(key.allow.clone()))
                        .push_bind(super::stops(key.expires_at, plan.map(|plan| plan.at)))
                        .push_bind(key.not_before.map(Time))
                        .push_bind(plan.map(|plan| Time(plan.at)))
                        .push_bind(plan.map(|plan| plan.by.to_string()))
                        .push_bind(plan.and_then(|plan| plan.reason.as_ref()).map(ToString::to_string))
                        .push_bind(plan.and(key.expires_at).map(Time));
                });
                sql.push(
                    ") UPDATE key_auth SET scopes = u.scopes, allow = u.allow, expires_at = u.ends, not_before = u.begins, \
                     revoke_at = u.plan, planned_by = u.planner, plan_reason = u.reason, own_expiry = u.own \
                     FROM u WHERE key_auth.id = u.id",
                );
                sql.build().persistent(false).execute(c).await?;
            });
        }
        let soft =
            |key: &Key| (key.name.clone(), key.description.clone(), key.owner.clone(), key.tags.clone());
        let soft: Vec<&Key> =
            pairs.iter().filter(|(old, new)| soft(old) != soft(new)).map(|(_, new)| new).collect();
        for some in soft.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "WITH u(id, name, name_key, description, owner, owner_key, owner_mail, tags, search) AS (",
                );
                sql.push_values(some, |mut row, key| {
                    let owner = key.owner.as_ref();
                    row.push_bind(key.id)
                        .push_bind(key.name.to_string())
                        .push_bind(fold(&key.name))
                        .push_bind(key.description.to_string())
                        .push_bind(owner.map(|owner| owner.name.to_string()))
                        .push_bind(owner.map(|owner| fold(&owner.name)))
                        .push_bind(owner.and_then(|owner| owner.mail.as_deref()).map(str::to_owned))
                        .push_bind(key.tags.to_string())
                        .push_bind(search_of(&key.name, &key.description, owner, &key.tags));
                });
                sql.push(
                    ") UPDATE keys SET name = u.name, name_key = u.name_key, description = u.description, owner = u.owner, \
                     owner_key = u.owner_key, owner_mail = u.owner_mail, tags = u.tags, search = u.search \
                     FROM u JOIN key_auth k ON k.id = u.id WHERE keys.",
                );
                sql.push(Db::ROW).push(" = k.").push(Db::ROW);
                sql.build().persistent(false).execute(c).await?;
            });
        }
        Ok(())
    }

    /// What the audit tells of the expiries of these keys: actions and details, the oldest first. What can't be read is left
    /// out.
    pub async fn lives_told(&mut self, keys: &[KeyId]) -> Result<HashMap<KeyId, Vec<(String, Value)>>> {
        let mut lives: HashMap<KeyId, Vec<(String, Value)>> = HashMap::new();
        let told_in = self.told();
        for some in keys.chunks(ROWS) {
            let told: Vec<(Uuid, String, String)> = both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(format!("SELECT key, action, detail FROM {told_in} WHERE key IN "));
                push_ids::<Db>(&mut sql, some);
                sql.push(" AND action IN ('key.create', 'key.rotate', 'key.import', 'key.retire', 'key.edit') ORDER BY seq");
                sql.build_query_as().persistent(some.len() == 1).fetch_all(c).await?
            });
            for (key, action, detail) in told {
                if let Ok(detail) = serde_json::from_str(&detail) {
                    lives.entry(key).or_default().push((action, detail));
                }
            }
        }
        Ok(lives)
    }

    /// What the audit tells that this very operation edited.
    pub async fn edits_told(&mut self) -> Result<Vec<(KeyId, Map<String, Value>)>> {
        let operation = self.operation();
        let sql = format!(
            "SELECT key, detail FROM {} WHERE operation = $1 AND action = 'key.edit' AND key IS NOT NULL",
            self.told()
        );
        let told: Vec<(Uuid, String)> = rows!(fetch_all, self.conn(), sqlx::AssertSqlSafe(sql), [operation]);
        let changed = |detail: &str| {
            let detail: Option<Value> = serde_json::from_str(detail).ok();
            detail
                .and_then(|mut detail| detail["changed"].as_object_mut().map(std::mem::take))
                .unwrap_or_default()
        };
        Ok(told.into_iter().map(|(key, detail)| (key, changed(&detail))).collect())
    }
}
