//! A stream that is open for as long as a key works: who holds it hears at once when that ends (VG-17, VI-08).

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use tokio::sync::watch;

use super::answer;
use super::caller::Caller;
use super::direct::own;
use super::door::Door;
use super::metrics::Metrics;
use super::origin::client;
use super::stop::stopped;
use crate::domain::reason::Reason;
use crate::domain::verdict::{Ask, Request, Verdict};
use crate::service::Known;

/// Besides each change of the database the key is looked at this often: it may expire, and the database may go away.
const LOOK: Duration = Duration::from_secs(1);
/// A comment is sent after so much silence, so that a proxy does not take the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Tell me when my key ends.
///
/// Server-sent events: `open` at once; `end` with the refusal's body as its data as soon as the key works no more, or it
/// can't be found out whether it does; then the stream is closed. For services that keep connections of their callers open.
#[utoipa::path(
    get, path = "/api/v1/watch", operation_id = "watch", tag = "direct",
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, description = "Events `open` and `end`", content_type = "text/event-stream", body = String),
        (status = 400, description = "The request carries several keys", body = super::schema::ErrorBody),
        (status = 401, description = "No key, or none that works", body = super::schema::ErrorBody),
        (status = 429, description = "A budget is used up; see Retry-After", body = super::schema::ErrorBody),
        (status = 503, description = "It can't be found out; see Retry-After", body = super::schema::ErrorBody),
    )
)]
pub async fn watch(
    State(door): State<Arc<Door>>,
    Extension(Stop(stop)): Extension<Stop>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    // Changes count from before the key was judged.
    let changes = door.gate.changes();
    let judged = own(&door, "watch", caller, &Method::GET, &uri, &headers).await;
    let told = judged.answer();
    let Some(known) = judged.known.filter(|_| judged.verdict.allowed()) else {
        return answer::plain(told);
    };
    let address = client(caller.peer, &headers, &door.settings.trusted);
    let counted = Counted::new(Arc::clone(&door.metrics));
    let held = Held { door, known, address, changes, stop, told: false, _counted: counted };
    let mut response =
        Sse::new(events(held)).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    for (name, value) in told.headers {
        answer::put(&mut response, name, value);
    }
    // nginx would hold events back.
    answer::put(&mut response, "X-Accel-Buffering", "no");
    response
}

/// Tells streams that the program ends.
#[derive(Clone)]
pub struct Stop(pub watch::Receiver<bool>);

struct Held {
    door: Arc<Door>,
    known: Arc<Known>,
    address: Option<IpAddr>,
    changes: watch::Receiver<i64>,
    stop: watch::Receiver<bool>,
    /// Whether the first event was sent.
    told: bool,
    _counted: Counted,
}

/// One of the open streams.
struct Counted(Arc<Metrics>);

impl Counted {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.streams.inc();
        Self(metrics)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.streams.dec();
    }
}

fn events(held: Held) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(Some(held), |held| async move {
        let mut held = held?;
        if !held.told {
            held.told = true;
            return Some((Ok(Event::default().event("open").data("")), Some(held)));
        }
        let end = held.end().await;
        Some((Ok(end), None))
    })
}

impl Held {
    /// Waits until the key works no more, and words the last event.
    async fn end(&mut self) -> Event {
        loop {
            tokio::select! {
                () = stopped(&mut self.stop) => return self.word(Reason::StoreGone),
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return self.word(Reason::StoreGone);
                    }
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            let request = Request { ask: Ask::Direct { scope: None, endpoint: None }, address: self.address };
            if let Some(reason) = self.door.still(&self.known, &request).await {
                return self.word(reason);
            }
        }
    }

    fn word(&self, reason: Reason) -> Event {
        let now = self.door.gate.now().timestamp_micros();
        let told = Verdict::refuse(reason, None).answer(Some(&self.known.policy), now);
        Event::default().event("end").data(told.body.replace(['\n', '\r'], ""))
    }
}
