//! Keys that somebody brings to a gate who says that they leaked.

use super::Gate;
use crate::domain::issuer::WhenLeaked;
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;
use crate::domain::usage::{Alert, What};
use crate::service::error::Result;
use crate::service::ids::new_operation;
use crate::store::{Error, Leaked};

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
        let revoke = works && known.policy.gate.when_leaked == WhenLeaked::Revoke;
        let inner = &self.inner;
        let leaked = Leaked {
            hash,
            key: known.key.id,
            source: format!("leak:{source}"),
            place: place.as_ref().map(SafeText::to_string),
            revoke,
            operation: new_operation(),
            host: inner.row.host.clone(),
        };
        let alert = |done: &str| Alert {
            at: now,
            what: What::Leaked {
                key: known.key.id,
                source: source.into(),
                place: place.clone(),
                works: works && done != REVOKED,
                done: done.into(),
            },
        };
        if revoke {
            let told = match inner.store.leaked(&leaked, &inner.clock).await {
                Ok(_) => alert(REVOKED),
                Err(error @ (Error::Refused(_) | Error::Privilege(_))) => {
                    tracing::error!(key = %known.key.id, %error, "a leaked key could not be revoked");
                    let may = matches!(error, Error::Refused(_));
                    alert(if may {
                        "not revoked: see the gate's log"
                    } else {
                        "not revoked: the gate's login may not, see the README"
                    })
                }
                Err(error) => return Err(error.into()),
            };
            self.raise(&told).await?;
            return Ok(true);
        }
        let done = if works { "left working, as its policy has it" } else { "it had ended before" };
        if self.raise(&alert(done)).await?
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

const REVOKED: &str = "revoked";
