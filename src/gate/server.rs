//! Connections: accepted up to a limit, read with patience that ends, closed in order when the program ends.

use std::convert::Infallible;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::caller::Caller;
use super::crowd::{Crowd, Seat};
use super::door::Door;
use super::grpc;
use super::limits::{HEAD_MAX, Limits};
use super::listener::{Listener, Stream};
use super::metrics::Metrics;
use super::origin::{Mistake, Peer};
use super::routes::Routes;
use super::stop::{stopped, until_stopped};
use super::wire::{Notes, Patience, Wire};

/// And so many headers.
const HEADERS_MAX: usize = 100;
/// What the library reads ahead: a whole head and a piece of what follows.
const BUFFER_MAX: usize = HEAD_MAX + 16 * 1024;

/// What is spoken at a listener.
#[derive(Clone)]
pub enum Way {
    Http(Routes),
    /// gRPC, with the listed proxies alone.
    Grpc(Arc<Door>),
}

/// Serves until `stop` says so, strangers with as many connections as `crowd` has for them; then until the open requests are
/// answered or the farewell ends.
pub async fn serve(
    listener: Listener,
    way: Way,
    limits: Limits,
    crowd: Option<Arc<Crowd>>,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let builder = builder(limits);
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                // Mostly: too many open files. Others may close some meanwhile.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let place = crowd.as_ref().map(|crowd| crowd.enter(peer));
        if matches!(place, Some(None)) {
            metrics.turned_away.inc();
            continue;
        }
        let place = place.flatten();
        if let Way::Grpc(door) = &way
            && !door.settings.trusted.holds(peer)
        {
            metrics.turned_away.inc();
            door.log(|| tracing::warn!(%peer, "a connection for gRPC was closed: {}", Mistake::Untrusted));
            continue;
        }
        let mut patience = limits.patience;
        if place.as_ref().is_some_and(Seat::is_trusted) {
            // Proxies may open connections before they need them.
            patience.first = limits.idle;
        }
        metrics.connections.inc();
        let (way, metrics, stop) = (way.clone(), Arc::clone(&metrics), stop.clone());
        let builder = builder.clone();
        connections.spawn(async move {
            match way {
                Way::Http(routes) => {
                    connection(stream, peer, routes, patience, builder, &metrics, stop).await
                }
                // In a box: most connections are none of these, and would carry the room for it about.
                Way::Grpc(door) => Box::pin(grpc::connection(door, stream, peer, patience, stop)).await,
            }
            metrics.connections.dec();
            drop((place, permit));
        });
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.farewell, all).await.is_err() {
        tracing::warn!(left = connections.len(), "connections did not end in time and are cut off");
    }
}

async fn accept(
    listener: &Listener,
    room: &Arc<Semaphore>,
) -> io::Result<(Stream, Peer, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

fn builder(limits: Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        // An answer is small: one copy of it costs less than a list of its parts.
        .writev(false)
        .max_buf_size(BUFFER_MAX)
        .max_header_size(HEAD_MAX)
        .half_close(false);
    if HEADERS_MAX != 100 {
        // The library's own default is faster than the same number set.
        builder.max_headers(HEADERS_MAX);
    }
    builder
}

async fn connection(
    stream: Stream,
    peer: Peer,
    routes: Routes,
    patience: Patience,
    builder: http1::Builder,
    metrics: &Arc<Metrics>,
    stop: watch::Receiver<bool>,
) {
    let notes = Notes::default();
    let wire = TokioIo::new(Wire::new(stream, notes.clone(), patience));
    let (apart, routes) = (routes.are_apart(), Arc::new(routes));
    let service = service_fn(move |request: Request<Incoming>| {
        let note = notes.next();
        answer(Arc::clone(&routes), request, Caller { peer, apart, note }, Arc::clone(metrics))
    });
    until_stopped(builder.serve_connection(wire, service), peer, stop).await;
}

/// Hands a request to its handler. One that breaks lets nothing pass: the caller gets 503.
async fn answer(
    routes: Arc<Routes>,
    request: Request<Incoming>,
    caller: Caller,
    metrics: Arc<Metrics>,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(caller);
    // Whoever stands between may have gone by the one, and the gate by the other.
    let is_torn = request.headers().get_all(header::HOST).iter().nth(1).is_some();
    let mut answer = if is_torn {
        super::answer::error(StatusCode::BAD_REQUEST, "bad_request", "The request has several Host headers.")
    } else {
        let answering = AssertUnwindSafe(routes.answer(request));
        answering.catch_unwind().await.unwrap_or_else(|_| {
            metrics.panics.inc();
            tracing::error!("a handler broke; the request was refused");
            super::answer::unavailable().into_response()
        })
    };
    if caller.note.is_doubt() {
        // What follows on this connection can't be told apart any more.
        answer.headers_mut().insert("connection", axum::http::HeaderValue::from_static("close"));
    }
    Ok(answer)
}
