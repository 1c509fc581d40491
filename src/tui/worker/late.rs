//! Answers of the database that do not come: somebody may hold them up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::text::SafeText;
use crate::service::{self, Holder, Location, Service};
use crate::tui::effect::Request;
use crate::tui::message::Message;

/// How long nothing is said, and how often it is said again.
const LATE: Duration = Duration::from_secs(4);

/// Tells who holds the database up, for as long as it is not open.
pub async fn opening(place: Option<Location>, messages: UnboundedSender<Message>) {
    let Some(place) = place else { return };
    let mut seconds = 0;
    loop {
        tokio::time::sleep(LATE).await;
        seconds += LATE.as_secs();
        if let Some(holder) = first(Service::holders_at(&place)).await {
            let _ = messages.send(Message::Waits { seconds, holder: Some(holder) });
        }
    }
}

/// Tells who holds the answer to a request up, for as long as it has not come; of what merely reads, also that it is late.
pub async fn answer(service: Service, messages: UnboundedSender<Message>, turn: Arc<Mutex<()>>, reads: bool) {
    let mut seconds = 0;
    loop {
        tokio::time::sleep(LATE).await;
        seconds += LATE.as_secs();
        // Of several who wait, one asks.
        let Ok(_mine) = turn.try_lock() else { continue };
        let holder = first(service.holders()).await;
        if reads || holder.is_some() {
            let _ = messages.send(Message::Waits { seconds, holder });
        }
    }
}

/// Whether the request merely reads what is there.
pub fn reads(request: &Request) -> bool {
    matches!(
        request,
        Request::Whoami | Request::Issuers | Request::Page(_) | Request::Count(_) | Request::Key(_)
    )
}

/// The first of them, in words.
async fn first(holders: impl Future<Output = service::Result<Vec<Holder>>>) -> Option<SafeText> {
    let holders = tokio::time::timeout(LATE, holders).await.ok()?.ok()?;
    holders.first().map(|holder| SafeText::new(holder.blocks()))
}
