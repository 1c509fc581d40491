//! For those who watch over a gate: is it alive, may it be sent requests, what has it done.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};

use super::answer;
use super::asker::{self, Matter};
use super::caller::Caller;
use super::door::Door;
use super::metrics::CONTENT_TYPE;
use super::schema::Readiness;

/// Is the program alive?
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "operation",
    responses(
        (status = 200, description = "It is", body = String, content_type = "text/plain"),
        (status = 503, description = "A part of it broke; it ends", body = String, content_type = "text/plain"),
    )
)]
pub async fn healthz(State(door): State<Arc<Door>>) -> (StatusCode, String) {
    match door.gate.broken() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(what) => (StatusCode::SERVICE_UNAVAILABLE, format!("{what} broke\n")),
    }
}

/// Can it answer requests? Whether the database answered within the lease (or, with `--freshness lease=…`, what is remembered
/// may still be answered), and the shared limiter too if there is one.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operation",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It refuses everything, or counts by itself for now", body = Readiness),
    )
)]
pub async fn readyz(State(door): State<Arc<Door>>) -> Response<Body> {
    let present = door.present().await;
    let ready = door.gate.is_ready() && present.limiter;
    let body = Readiness {
        ready,
        database: present.database,
        limiter: present.limiter,
        shared: present.shared,
        gates: present.gates,
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_string(&body) {
        Ok(body) => answer::json(status, body),
        Err(_) => answer::unavailable(),
    }
}

/// What has it done? Counters and times in OpenMetrics' text form, for Prometheus.
///
/// At the listener for operators; elsewhere for those who may ask `/api/v1/verify`.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operation",
    security((), ("gate_token" = [])),
    responses(
        (
            status = 200, description = "Metrics",
            content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8", body = String
        ),
        (status = 403, description = "The asker may not ask", body = super::schema::ErrorBody),
    )
)]
pub async fn metrics(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if let Some(refused) = asker::refusal(&door, caller, Matter::Metrics, &uri, &headers) {
        return refused;
    }
    let present = door.present().await;
    let mut response = Response::new(Body::from(door.metrics.text(present)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}
