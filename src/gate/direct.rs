//! Questions without a proxy: a caller about its own key, a service about a key that it was sent.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Request as HttpRequest, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};

use super::answer;
use super::asker::{self, Matter};
use super::caller::Caller;
use super::door::{Asked, Door, Judged, Sent};
use super::origin::{client, host};
use super::schema::{LimitBody, Me, Secret, VerdictBody, VerifyRequest};
use crate::domain::credential::Home;
use crate::domain::issuer::RequestLine;
use crate::domain::verdict::{Ask, Request};

/// The longest question to `/api/v1/verify`, in bytes, and how long it may take to arrive.
const BODY_MAX: usize = 16 * 1024;
const BODY_TIME: Duration = Duration::from_secs(10);

/// Who am I?
///
/// The cheap call that shows whether a key works. It needs no scope and uses the budget of the endpoint `me`.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "me", tag = "direct",
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, description = "The key works", body = Me),
        (status = 400, description = "The request carries several keys", body = super::schema::ErrorBody),
        (status = 401, description = "No key, or none that works", body = super::schema::ErrorBody),
        (status = 429, description = "A budget is used up; see Retry-After", body = super::schema::ErrorBody),
        (status = 503, description = "It can't be found out; see Retry-After", body = super::schema::ErrorBody),
    )
)]
pub async fn me(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let judged = own(&door, "me", caller, &Method::GET, &uri, &headers).await;
    let told = judged.answer();
    match &judged.known {
        Some(known) if judged.verdict.allowed() => match serde_json::to_string(&Me::of(known)) {
            Ok(body) => {
                let mut response = answer::json(StatusCode::OK, body);
                for (name, value) in told.headers {
                    answer::put(&mut response, name, value);
                }
                response
            }
            Err(_) => answer::unavailable(),
        },
        _ => answer::plain(told),
    }
}

/// Judges a request to the gate itself, by the key that it carries.
pub async fn own(
    door: &Door,
    entrance: &'static str,
    caller: Caller,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Judged {
    let address = client(caller.peer, headers, &door.settings.trusted);
    let asked = Asked {
        entrance,
        sent: Sent::Headers(headers, caller.note),
        home: door.settings.issuers.of(host(uri, headers)),
        request: Request { ask: Ask::Direct { scope: None, endpoint: Some(entrance) }, address },
        peer: caller.peer,
        brakes: address.or(Some(caller.peer.address())),
        method: method.as_str().as_bytes(),
        target: uri.path().as_bytes(),
    };
    door.judge(&asked).await
}

/// May the holder of this key do this?
///
/// For services that were sent a key. They must call from a listed network and bring the gate's token; where it has none,
/// they must come to its listener for operators, or directly from another machine that is listed.
#[utoipa::path(
    post, path = "/api/v1/verify", operation_id = "verify", tag = "direct",
    security((), ("gate_token" = [])),
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "A verdict, be it good or bad", body = VerdictBody),
        (status = 400, description = "The question can't be read", body = super::schema::ErrorBody),
        (status = 403, description = "The asker may not ask", body = super::schema::ErrorBody),
        (status = 411, description = "The question has no Content-Length", body = super::schema::ErrorBody),
        (status = 413, description = "The question is too long", body = super::schema::ErrorBody),
        (status = 503, description = "It can't be found out; see Retry-After", body = super::schema::ErrorBody),
    )
)]
pub async fn verify(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    request: HttpRequest,
) -> Response<Body> {
    let headers = request.headers();
    if let Some(refused) = asker::refusal(&door, caller, Matter::Verdicts, request.uri(), headers) {
        return refused;
    }
    if !headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING) {
        let message = "Send the request with a Content-Length.";
        return answer::error(StatusCode::LENGTH_REQUIRED, "length_required", message);
    }
    let body = match tokio::time::timeout(BODY_TIME, to_bytes(request.into_body(), BODY_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let message = "The request is too long, or did not end.";
            return answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
        }
        Err(_) => {
            return answer::error(StatusCode::REQUEST_TIMEOUT, "timeout", "The request was sent too slowly.");
        }
    };
    let question: VerifyRequest = match serde_json::from_slice(&body) {
        Ok(question) => question,
        // What can't be read is not repeated: there may be a key in it.
        Err(error) => {
            let message = format!(
                "The request isn't valid JSON of the expected form (line {}, column {}).",
                error.line(),
                error.column()
            );
            return bad_request(&message);
        }
    };
    match ask(&door, caller, question).await {
        Ok(answer) | Err(answer) => answer,
    }
}

fn bad_request(message: &str) -> Response<Body> {
    answer::error(StatusCode::BAD_REQUEST, "bad_request", message)
}

async fn ask(door: &Door, caller: Caller, question: VerifyRequest) -> Result<Response<Body>, Response<Body>> {
    let VerifyRequest { key: Secret(key), issuer, method, path, scope, endpoint, address } = question;
    let line = match (&method, &path) {
        (Some(method), Some(path)) if scope.is_none() && endpoint.is_none() => Some((method, path)),
        (None, None) => None,
        _ => return Err(bad_request("Send method and path, or scope and endpoint, not both.")),
    };
    let address: Option<IpAddr> = match address.as_deref().map(str::parse) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => return Err(bad_request("The address isn't an IP address.")),
    };
    let (method, target) = line.map_or(("", ""), |(method, path)| (method.as_str(), path.as_str()));
    let asked = Asked {
        entrance: "verify",
        sent: Sent::Bare(key.as_bytes()),
        home: match &issuer {
            Some(slug) => Home::Only(slug),
            None => door.settings.issuers.of(None),
        },
        request: Request {
            ask: match line {
                Some(_) => Ask::Line(RequestLine::read(method.as_bytes(), target.as_bytes())),
                None => Ask::Direct { scope: scope.as_deref(), endpoint: endpoint.as_deref() },
            },
            address,
        },
        peer: caller.peer,
        brakes: address,
        method: method.as_bytes(),
        target: target.as_bytes(),
    };
    let judged = door.judge(&asked).await;
    let told = judged.answer();
    let refused = judged.verdict.refused.as_ref();
    if told.status == 503 {
        return Ok(answer::plain(told));
    }
    let body = VerdictBody {
        allowed: judged.verdict.allowed(),
        reason: refused.map(|reason| reason.code().to_owned()),
        caller: judged.known.as_deref().filter(|_| refused.is_none()).map(Me::of),
        endpoint: judged.verdict.endpoint.clone(),
        limits: LimitBody::all(judged.verdict.quota.as_ref()),
        answer: told.into(),
    };
    let body = serde_json::to_string(&body).map_err(|_| answer::unavailable())?;
    Ok(answer::json(StatusCode::OK, body))
}
