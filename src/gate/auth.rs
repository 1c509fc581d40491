//! Forward authentication: a proxy asks whether the request that it holds may pass.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request as HttpRequest, Response, StatusCode};

use super::answer::{self, PASSED_ON};
use super::caller::Caller;
use super::door::{Asked, Door, Judged, Sent};
use super::origin::{self, Dialect, Mistake, Original, Peer, client, issuer, original};
use super::wire::Note;
use crate::domain::issuer::RequestLine;
use crate::domain::verdict::{Answer, Ask, Request};

/// May the request pass that `X-Forwarded-Method` and `X-Forwarded-Uri` tell of?
///
/// For Caddy, Traefik and others that hand a refusal to their client as it is. Only listed proxies may ask.
#[utoipa::path(
    get, path = "/auth", operation_id = "auth", tag = "forward authentication",
    params(
        ("issuer" = Option<String>, Query, description = "Take only this one's keys, by its slug, of the issuers that the gate takes keys of"),
        ("X-Forwarded-Method" = String, Header, description = "The request's method"),
        ("X-Forwarded-Uri" = String, Header, description = "The request's path and query"),
        ("X-Forwarded-For" = Option<String>, Header, description = "The client's address, last of the list"),
        ("X-Forwarded-Host" = Option<String>, Header, description = "The request's host, where hosts have issuers"),
    ),
    responses(
        (status = 200, description = "It may pass. The headers tell whose key it is", headers(
            ("X-Keyrack-Key" = String, description = "The key's id"),
            ("X-Keyrack-Account" = String, description = "The account's slug"),
            ("X-Keyrack-Issuer" = String, description = "The issuer's slug"),
            ("X-Keyrack-Scopes" = String, description = "The key's scopes, separated by blanks; `count=300` where they have more than 2,000 characters"),
            ("X-Keyrack-Endpoint" = String, description = "The endpoint, by the name of its route"),
            ("X-RateLimit-Limit" = Option<u32>, description = "Requests that the tightest budget allows"),
            ("X-RateLimit-Remaining" = Option<u32>, description = "What is left of it"),
            ("X-RateLimit-Reset" = Option<i64>, description = "When one more is left, in seconds since the epoch"),
            ("RateLimit-Policy" = Option<String>, description = "All budgets"),
            ("RateLimit" = Option<String>, description = "What is left of each"),
        )),
        (status = 400, description = "The request contradicts itself", body = super::schema::ErrorBody),
        (status = 401, description = "No key, or none that works", body = super::schema::ErrorBody),
        (status = 403, description = "The key can't make this request, or no listed proxy asks", body = super::schema::ErrorBody),
        (status = 429, description = "A budget is used up; see Retry-After", body = super::schema::ErrorBody),
        (status = 503, description = "It can't be found out; see Retry-After", body = super::schema::ErrorBody),
    )
)]
pub async fn forwarded(door: &Door, request: HttpRequest<Body>) -> Response<Body> {
    asked(door, Told::By(Dialect::Forwarded), request, answer::plain).await
}

/// May the request pass that `X-Original-Method` and `X-Original-URI` tell of? For nginx.
///
/// nginx knows 200 and 403 here: the answer for the client stands in headers, which our recipe for nginx brings there.
#[utoipa::path(
    get, path = "/auth/nginx", operation_id = "auth_nginx", tag = "forward authentication",
    params(
        ("issuer" = Option<String>, Query, description = "Take only this one's keys, by its slug, of the issuers that the gate takes keys of"),
        ("X-Original-Method" = String, Header, description = "The request's method"),
        ("X-Original-URI" = String, Header, description = "The request's path and query"),
        ("X-Original-Host" = Option<String>, Header, description = "The request's host, where hosts have issuers"),
        ("X-Forwarded-For" = Option<String>, Header, description = "The client's address, last of the list"),
    ),
    responses(
        (status = 200, description = "It may pass; headers as for /auth", headers(
            ("X-Keyrack-Key" = String, description = "The key's id"),
        )),
        (status = 403, description = "It can't, for whatever reason", headers(
            ("X-Keyrack-Status" = u16, description = "The status for the client: 400, 401, 403, 429 or 503"),
            ("X-Keyrack-Body" = String, description = "The body for the client, JSON"),
            ("X-Keyrack-Challenge" = Option<String>, description = "WWW-Authenticate for the client"),
            ("Retry-After" = Option<u32>, description = "Seconds, with 429 and 503"),
        )),
    )
)]
pub async fn nginx(door: &Door, request: HttpRequest<Body>) -> Response<Body> {
    asked(door, Told::By(Dialect::Nginx), request, answer::nginx).await
}

/// May the request pass that `X-Original-Method` and `X-Original-URL` tell of? For ingress-nginx, which sends them by itself.
///
/// To it a request passes, lacks a key that works (401), or is forbidden: every other refusal is 403. Its client gets the status
/// alone.
#[utoipa::path(
    get, path = "/auth/ingress-nginx", operation_id = "auth_ingress_nginx", tag = "forward authentication",
    params(
        ("issuer" = Option<String>, Query, description = "Take only this one's keys, by its slug, of the issuers that the gate takes keys of"),
        ("X-Original-Method" = String, Header, description = "The request's method"),
        ("X-Original-URL" = String, Header, description = "The request's whole address"),
        ("X-Forwarded-For" = Option<String>, Header, description = "The client's address, last of the list"),
    ),
    responses(
        (status = 200, description = "It may pass; headers as for /auth", headers(
            ("X-Keyrack-Key" = String, description = "The key's id"),
        )),
        (status = 401, description = "No key, or none that works"),
        (status = 403, description = "It can't, for whatever other reason", headers(
            ("X-Keyrack-Status" = u16, description = "The status that a client of /auth would get"),
        )),
    )
)]
pub async fn ingress(door: &Door, request: HttpRequest<Body>) -> Response<Body> {
    asked(door, Told::By(Dialect::Ingress), request, answer::ingress).await
}

/// May this request pass, with its path behind `/auth`?
///
/// For Envoy's `ext_authz` over HTTP and others that ask with the request itself, whatever its method, and hand a refusal to
/// their client as it is. The paths `/nginx` and `/ingress-nginx` of an API can't be asked about here.
#[utoipa::path(
    get, path = "/auth/{path}", operation_id = "auth_path", tag = "forward authentication",
    params(
        ("path" = String, Path, description = "The request's path, with its query behind it"),
        ("Host" = Option<String>, Header, description = "The request's host, where hosts have issuers"),
        ("X-Forwarded-For" = Option<String>, Header, description = "The client's address, last of the list"),
    ),
    responses(
        (status = 200, description = "It may pass; headers as for /auth", headers(
            ("X-Keyrack-Key" = String, description = "The key's id"),
        )),
        (status = 400, description = "The request contradicts itself", body = super::schema::ErrorBody),
        (status = 401, description = "No key, or none that works", body = super::schema::ErrorBody),
        (status = 403, description = "The key can't make this request, or no listed proxy asks", body = super::schema::ErrorBody),
        (status = 429, description = "A budget is used up; see Retry-After", body = super::schema::ErrorBody),
        (status = 503, description = "It can't be found out; see Retry-After", body = super::schema::ErrorBody),
    )
)]
pub async fn below(door: &Door, request: HttpRequest<Body>) -> Response<Body> {
    asked(door, Told::ByItself, request, answer::plain).await
}

/// How a proxy tells which request it asks about.
#[derive(Clone, Copy)]
enum Told {
    By(Dialect),
    /// It asks with the request itself, whose query is no question's.
    ByItself,
}

/// A request that a listed proxy asks about, however it does.
pub(super) struct Question<'q> {
    pub entrance: &'static str,
    pub headers: &'q HeaderMap,
    pub note: Note,
    pub peer: Peer,
    pub original: Original<'q>,
    /// The issuer that the proxy names.
    pub named: Option<&'q str>,
    /// The client's.
    pub address: Option<IpAddr>,
}

/// Judges the request that a proxy asks about over HTTP, and says what came of it in the words of the asker's kind.
async fn asked(
    door: &Door,
    told: Told,
    question: HttpRequest<Body>,
    worded: fn(Answer) -> Response<Body>,
) -> Response<Body> {
    let (head, _) = question.into_parts();
    let Some(caller) = head.extensions.get::<Caller>().copied() else {
        return answer::unavailable();
    };
    match read(door, caller, told, &head) {
        Ok(question) => answered(door, &question, worded).await,
        Err(mistake) => mistaken(door, caller.peer, mistake),
    }
}

fn read<'h>(door: &Door, caller: Caller, told: Told, head: &'h Parts) -> Result<Question<'h>, Mistake> {
    let (peer, headers, trusted) = (caller.peer, &head.headers, &door.settings.trusted);
    let (original, named) = match told {
        Told::By(dialect) => (original(dialect, peer, headers, trusted)?, issuer(head.uri.query())?),
        Told::ByItself => {
            let asked = origin::below(&head.method, &head.uri, peer, headers, trusted)?;
            // The library drops a # and what stands behind it, which the service may get: it is refused for the #.
            let target = if caller.note.is_cut() { b"#" } else { asked.target };
            (Original { target, ..asked }, None)
        }
    };
    let address = client(peer, headers, trusted);
    Ok(Question { entrance: "auth", headers, note: caller.note, peer, original, named, address })
}

/// Judges a request, and says what came of it.
pub(super) async fn answered(
    door: &Door,
    question: &Question<'_>,
    worded: fn(Answer) -> Response<Body>,
) -> Response<Body> {
    let Original { method, target, host } = question.original;
    let address = question.address;
    let asked = Asked {
        entrance: question.entrance,
        sent: Sent::Headers(question.headers, question.note),
        home: door.settings.issuers.within(host, question.named),
        request: Request { ask: Ask::Line(RequestLine::read(method, target)), address },
        peer: question.peer,
        brakes: address.or(Some(question.peer.address())),
        method,
        target,
    };
    let judged = door.judge(&asked).await;
    passing(&judged, worded(judged.answer()))
}

/// The answer to a question that can't be used; the log says why.
pub(super) fn mistaken(door: &Door, peer: Peer, mistake: Mistake) -> Response<Body> {
    door.log(|| tracing::warn!(%peer, "a question to /auth was refused: {mistake}"));
    let message = "This address can't ask here, or asks in the wrong way. The gate's log says more.";
    answer::error(StatusCode::FORBIDDEN, "bad_proxy", message)
}

/// Tells the service behind the proxy whose request it gets.
fn passing(judged: &Judged, mut answer: Response<Body>) -> Response<Body> {
    let [id, account, issuer, scopes, endpoint] = PASSED_ON;
    if let (true, Some(known)) = (judged.verdict.allowed(), &judged.known) {
        let key = &known.key;
        answer::put(&mut answer, id, key.id.as_hyphenated().encode_lower(&mut [0; 36]));
        answer::put(&mut answer, account, &key.account);
        answer::put(&mut answer, issuer, &key.issuer);
        answer::put(&mut answer, scopes, &*known.scopes());
        if let Some(name) = &judged.verdict.endpoint {
            answer::put(&mut answer, endpoint, name);
        }
    }
    answer
}
