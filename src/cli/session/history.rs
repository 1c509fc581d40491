//! Before a command does anything: whether the database went back.

use std::time::Duration;

use crate::cli::say;
use crate::domain::history::History;
use crate::domain::when::Zone;
use crate::service::Service;

/// What helps.
pub const CURE: &str = "see what is undone with `keyrack audit undone` and make it again with `keyrack key revoke --undone`; \
                        or decide with `keyrack audit accept` that it stays as it is";
/// How long a command waits to hear of it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says what is amiss with the history of a database that was just opened, and answers it. It stops nothing.
pub async fn warn(service: &Service, zone: Zone) -> Option<History> {
    match tokio::time::timeout(PATIENCE, service.history()).await {
        Ok(Ok(history)) => {
            if let Some(alarm) = history.alarm(zone) {
                say(&format!("keyrack: warning: {alarm}: {CURE}"));
            }
            for word in history.asides(zone) {
                say(&format!("keyrack: {word}"));
            }
            return Some(history);
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "whether the database was restored to an older state is unknown")
        }
        Err(_) => {
            tracing::warn!("whether the database was restored to an older state is unknown: it took too long")
        }
    }
    None
}
