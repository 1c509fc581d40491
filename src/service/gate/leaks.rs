//! Keys that somebody brings to a gate who says that they leaked.

use super::Gate;
use crate::domain::issuer::WhenLeaked;
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;
use crate::domain::usage::{Alert, What};
use crate::domain::when::in_a_sentence;
use crate::domain::{days, shifted};
use crate::service::error::Result;
use crate::service::ids::new_operation;
use crate::service::leases::run_out;
use crate::store::{Error, LeakAction, Leaked};

/// The longest place that is kept, in characters.
const PLACE: usize = 300;

impl Gate {
    /// Does what the key's policy wants of a leaked key. Answers whether the secret is, or was, one of ours. Told again of the
    /// same key, it changes nothing.
    ///
    /// # Errors
    /// The database gave no answer: whoever told of it must do so again.
    pub async fn leaked(&self, hash: HashedKey, source: &'static str, place: Option<&str>) -> Result<bool> {
        let Some(known) = self.read(hash).await? else { return Ok(false) };
        let now = self.now();
        let place = place.map(|place| SafeText::new(place.chars().take(PLACE).collect::<String>()));
        let works = !known.has_ended(now);
        let policy = &known.policy;
        // Told again while it is paused for that, nothing changes: the pause would never end.
        let held = known.key.paused.as_ref().is_some_and(|pause| {
            pause.holds(now) && pause.reason.as_ref().is_some_and(|why| why.starts_with("leak:"))
        });
        let then = match policy.gate.when_leaked {
            _ if !works || held => LeakAction::Tell,
            WhenLeaked::Notify => LeakAction::Tell,
            WhenLeaked::Pause => LeakAction::Pause(shifted(now, days(policy.pause.max_days))),
            WhenLeaked::Revoke => LeakAction::Revoke,
        };
        let inner = &self.inner;
        let leaked = Leaked {
            hash,
            key: known.key.id,
            source: format!("leak:{source}"),
            place: place.as_ref().map(SafeText::to_string),
            then,
            operation: new_operation(),
            host: inner.row.host.clone(),
        };
        let alert = |done: &str, works: bool| Alert {
            at: now,
            what: What::Leaked {
                key: known.key.id,
                source: source.into(),
                place: place.clone(),
                works,
                done: done.into(),
            },
        };
        let outcomes = match then {
            LeakAction::Tell => None,
            LeakAction::Pause(until) => {
                let (until, key) = (in_a_sentence(until), known.key.id);
                let done = format!(
                    "paused until {until}, unless somebody revokes it with keyrack key revoke {key} or resumes it"
                );
                Some((done, "not paused"))
            }
            LeakAction::Revoke => Some(("revoked".to_owned(), "not revoked")),
        };
        if let Some((done, undone)) = outcomes {
            let told = match inner.store.leaked(&leaked, &inner.clock).await {
                Ok(_) => {
                    // Nor may another gate take it from memory when it is said to be done.
                    run_out(&inner.store).await?;
                    alert(&done, false)
                }
                Err(error @ (Error::Refused(_) | Error::Privilege(_))) => {
                    tracing::error!(key = %known.key.id, %error, "a leaked key goes on working: {undone}");
                    let why = match error {
                        Error::Refused(_) => "see the gate's log",
                        _ => "the gate's login may not: see docs/team-postgresql.md",
                    };
                    alert(&format!("{undone}: {why}"), true)
                }
                Err(error) => return Err(error.into()),
            };
            self.raise(&told).await?;
            return Ok(true);
        }
        if !works || held {
            // Whoever told it first may have had no answer, and been told nothing of gates that answer from memory.
            run_out(&inner.store).await?;
        }
        let done = match (works, held) {
            (_, true) => "it is paused since it was told the first time",
            (true, _) => "left working, as its policy has it",
            (false, _) => "it had ended before",
        };
        if self.raise(&alert(done, works && !held)).await?
            && let Err(error) = inner.store.leaked(&leaked, &inner.clock).await
        {
            tracing::warn!(key = %known.key.id, %error, "a leaked key is told by an alert alone");
        }
        Ok(true)
    }

    /// Writes an alert at once. Answers whether it is a new one.
    async fn raise(&self, alert: &Alert) -> Result<bool> {
        let new = self.inner.store.raise_alert(&self.inner.settings.name, alert).await?;
        if new {
            tracing::warn!(kind = alert.kind(), "alert: {}", alert.sentence());
            self.inner.watchman.raised.notify_one();
        }
        Ok(new)
    }
}
