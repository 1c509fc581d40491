//! The door for Envoy's `ext_authz` over gRPC: HTTP/2 without TLS, for the listed proxies alone.
//!
//! Whoever else connects is let go at once. What is asked goes the way of every question about a request
//! ([`super::auth`]); here is only how it is asked and answered.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::watch;
use tonic::body::Body as Answer;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::door::Door;
use super::limits::HEAD_MAX;
use super::listener::Stream;
use super::origin::Peer;
use super::stop::until_stopped;
use super::wire::{Patience, Wire};

mod check;
mod messages;

use messages::{CheckRequest, CheckResponse, HealthCheckRequest, HealthCheckResponse, NOT_SERVING, SERVING};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// The service whose health is asked about, if one is named.
const SERVICE: &str = "envoy.service.auth.v3.Authorization";

/// The longest question in bytes: a whole head, told with all that Envoy adds.
const QUESTION_MAX: usize = 2 * HEAD_MAX;
/// How long a question may take, from its head to its answer.
const TIME: Duration = Duration::from_secs(20);
/// Questions at once on one connection.
const STREAMS_MAX: u32 = 1_024;
/// How many of them may be taken back before they were looked at.
const RESETS_MAX: usize = 8 * STREAMS_MAX as usize;
/// The head of a question is small: its request stands in its body.
const QUESTION_HEAD_MAX: u32 = 16 * 1024;
/// A connection that says nothing for so long is asked whether it is still there, and has as long for an answer.
const ALIVE: Duration = Duration::from_secs(30);

/// Answers what comes by one connection, until it ends or `stop` says so.
pub async fn connection(
    door: Arc<Door>,
    stream: Stream,
    peer: Peer,
    patience: Patience,
    stop: watch::Receiver<bool>,
) {
    let wire = TokioIo::new(Wire::http2(stream, patience));
    let service = service_fn(move |request: Request<Incoming>| answer(Arc::clone(&door), peer, request));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        // Questions that the proxy takes back, because its own clients went away. Beyond so many at once the connection would end,
        // with every other client's question in it.
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_header_list_size(QUESTION_HEAD_MAX)
        .initial_stream_window_size(QUESTION_MAX as u32)
        .initial_connection_window_size(4 * QUESTION_MAX as u32)
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE);
    until_stopped(builder.serve_connection(wire, service), peer, stop).await;
}

/// Hands a question to whoever answers it. None takes longer than its time.
async fn answer(
    door: Arc<Door>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let answering = async {
        match request.uri().path() {
            CHECK => grpc().unary(Check { door, peer }, request).await,
            HEALTH => grpc().unary(Health { door }, request).await,
            _ => Status::unimplemented("the gate answers Authorization/Check and Health/Check").into_http(),
        }
    };
    let answer = tokio::time::timeout(TIME, Box::pin(answering)).await;
    Ok(answer.unwrap_or_else(|_| {
        Status::new(Code::DeadlineExceeded, "the request was sent too slowly").into_http()
    }))
}

fn grpc<Told, Asked>() -> Grpc<ProstCodec<Told, Asked>>
where
    Told: prost::Message + Send + 'static,
    Asked: prost::Message + Default + Send + 'static,
{
    Grpc::new(ProstCodec::default()).max_decoding_message_size(QUESTION_MAX)
}

type Answering<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

struct Check {
    door: Arc<Door>,
    peer: Peer,
}

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = Answering<CheckResponse>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let (door, peer) = (Arc::clone(&self.door), self.peer);
        Box::pin(async move {
            let checking = AssertUnwindSafe(check::check(&door, peer, request.into_inner()));
            // One that breaks lets nothing pass.
            let told = match checking.catch_unwind().await {
                Ok(told) => told,
                Err(_) => {
                    door.metrics.panics.inc();
                    tracing::error!("a handler broke; the request was refused");
                    check::unavailable().await
                }
            };
            Ok(tonic::Response::new(told))
        })
    }
}

struct Health {
    door: Arc<Door>,
}

impl UnaryService<HealthCheckRequest> for Health {
    type Response = HealthCheckResponse;
    type Future = Answering<HealthCheckResponse>;

    fn call(&mut self, request: tonic::Request<HealthCheckRequest>) -> Self::Future {
        let door = Arc::clone(&self.door);
        Box::pin(async move {
            if !matches!(request.into_inner().service.as_str(), "" | SERVICE) {
                return Err(Status::not_found("this gate does not have that service"));
            }
            let status = if door.is_ready().await { SERVING } else { NOT_SERVING };
            Ok(tonic::Response::new(HealthCheckResponse { status }))
        })
    }
}
