//! What a gate does about a key that somebody brings who says that it leaked.
//!
//! A gate writes no audit and revokes nothing by itself. On PostgreSQL one function does both for it, for the one key whose hash
//! it names, and only if an admin gave the gate's login the role of an operator; on SQLite the file's mode decides.

use serde_json::json;

use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::audit::{self, Action};
use crate::domain::key::{KeyId, OperationId, Revocation};
use crate::domain::operator::Identity;
use crate::domain::pause::Pause;
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;
use crate::store::dialect::{Time, rows};
use crate::store::reading::from_row;
use crate::store::{Error, Opening, Pools, Result, Store, Trust};

/// A key that leaked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaked {
    pub hash: HashedKey,
    pub key: KeyId,
    /// Who says so: `leak:github`, `leak:holder`.
    pub source: String,
    /// Where it was found, if that was said.
    pub place: Option<String>,
    pub then: LeakAction,
    pub operation: OperationId,
    pub host: String,
}

/// What is to become of a key that leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeakAction {
    /// The audit alone tells of it.
    Tell,
    /// It is refused until this instant, unless it is refused for longer already.
    Pause(Instant),
    Revoke,
}

struct Ended(bool);

from_row!(Ended, row => Self(row.get("ended")));

impl Store {
    /// Writes into the audit that a key leaked, and revokes or pauses it if that is wanted. Answers whether it was by this: one
    /// that was revoked before stays as it is.
    ///
    /// # Errors
    /// [`Error::Privilege`]: on PostgreSQL, where the gate's login has no role that may do so.
    pub async fn leaked(&self, leaked: &Leaked, clock: &Clock) -> Result<bool> {
        if let Pools::Postgres(_) = &self.pools {
            let mut writer = self.writer().await?;
            let Leaked { hash, source, place, operation, host, .. } = leaked;
            let until = match leaked.then {
                LeakAction::Pause(until) => Some(Time(until)),
                _ => None,
            };
            let (source, revokes) = (source.as_str(), leaked.then == LeakAction::Revoke);
            let row: Ended = rows!(
                fetch_one,
                writer.conn(),
                "SELECT keyrack_leaked($1, $2, $3, $4, $5, $6, $7) AS ended",
                [hash.0.to_vec(), source, place.as_deref(), revokes, until, *operation, host.as_str()]
            );
            return Ok(row.0);
        }
        let who = Identity {
            name: leaked.source.clone(),
            host: leaked.host.clone(),
            client: None,
            person: Default::default(),
        };
        let opening = Opening { clock: Trust::Ahead, ..Opening::new(who, leaked.operation) };
        let leaked = leaked.clone();
        self.transact::<_, Error, _>(clock, opening, move |tx| {
            let leaked = leaked.clone();
            Box::pin(async move {
                let Some(key) = tx.lock_keys(&[leaked.key]).await?.pop() else { return Ok(false) };
                if tx.seen().await? {
                    return Ok(false);
                }
                let reason = reason(&leaked);
                let mut detail = json!({ "name": key.name, "preview": key.preview, "source": leaked.source, "place": leaked.place });
                let paused = key.paused.as_ref().map(|pause| pause.until);
                let (mut done, mut action) = (key.revoked_at.is_none(), Action::LeakReport);
                match leaked.then {
                    LeakAction::Pause(until) if done && until > tx.now() && paused.is_none_or(|end| end < until) => {
                        let (by, reason) = (SafeText::new(leaked.source.as_str()), SafeText::new(reason));
                        detail["reason"] = json!(reason);
                        detail["until"] = json!(until);
                        let pause = Pause { at: tx.now(), until, by, message: None, reason: Some(reason), freeze: None };
                        tx.pause(&[key.id], Some(&pause)).await?;
                        action = Action::KeyPause;
                    }
                    LeakAction::Revoke if done => {
                        tx.cancel_reminders(&[key.id], "revoked").await?;
                        let end = Revocation { at: tx.now(), by: leaked.source.clone(), reason: Some(reason.clone()) };
                        tx.revoke(&[key.id], &end).await?;
                        detail["reason"] = json!(reason);
                        action = Action::KeyRevoke;
                    }
                    _ => done = false,
                }
                tx.record_all(&[audit::Change::new(action, &key, detail)]).await?;
                Ok(done)
            })
        })
        .await
    }
}

/// Why it was revoked or paused.
fn reason(leaked: &Leaked) -> String {
    match &leaked.place {
        Some(place) => format!("{}: {place}", leaked.source),
        None => leaked.source.clone(),
    }
}
