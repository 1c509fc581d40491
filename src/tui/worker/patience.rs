//! How long an answer of the database is waited for.

use std::time::Duration;

use crate::domain::text::SafeText;
use crate::tui::effect::{Failure, FailureKind, Outcomes};

/// How long an answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(30);
/// The longest that a change waits for a gate that answers from memory.
const LEASE: Duration = Duration::from_secs(63);

/// Waits for an answer of the database, but not for ever: a connection that swallows everything never fails by itself.
pub(super) fn plain<T>(
    work: impl Future<Output = crate::service::Result<T>>,
) -> impl Future<Output = Outcomes<T>> {
    within(ANSWER, work)
}

async fn within<T>(patience: Duration, work: impl Future<Output = crate::service::Result<T>>) -> Outcomes<T> {
    match tokio::time::timeout(patience, work).await {
        Ok(result) => result.map_err(Failure::from),
        Err(_) => {
            let words = format!("the database has not answered for {} s: try again", patience.as_secs());
            Err(Failure { kind: FailureKind::Unreachable, text: SafeText::new(words) })
        }
    }
}

/// The same of a change, which may have to wait for gates that answer from memory for a while.
pub(super) fn settled<T>(
    work: impl Future<Output = crate::service::Result<T>>,
) -> impl Future<Output = Outcomes<T>> {
    within(ANSWER + LEASE, work)
}
