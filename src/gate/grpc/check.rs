//! Envoy's question as the gate's own, and the gate's answer as Envoy takes it. What is decided, and in which words, is the
//! same as for those who ask over HTTP.

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::messages::{
    self, AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpRequest,
    HttpResponse, HttpStatus, OVERWRITE, OkHttpResponse, Status,
};
use crate::gate::answer::{self, PASSED_ON};
use crate::gate::auth::{self, Question};
use crate::gate::door::Door;
use crate::gate::origin::{Listed, Mistake, Original, Peer, client};
use crate::gate::wire::Note;

/// What the context extensions name the issuer by.
const ISSUER: &str = "issuer";
/// The longest body that an answer has.
const BODY_MAX: usize = 1024 * 1024;
/// Of `google.rpc.Code`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;

/// The headers of a request that the gate looks at; the others are the service's.
const HEADERS: [HeaderName; 5] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-forwarded-for"),
    header::ORIGIN,
    header::ACCESS_CONTROL_REQUEST_METHOD,
];

/// May the request pass that Envoy tells of?
pub async fn check(door: &Door, peer: Peer, request: CheckRequest) -> CheckResponse {
    let answer = match judge(door, peer, &request).await {
        Ok(answer) => answer,
        Err(mistake) => auth::mistaken(door, peer, mistake),
    };
    told(answer).await
}

/// The gate itself can't say anything: nothing passes.
pub async fn unavailable() -> CheckResponse {
    told(answer::unavailable()).await
}

async fn judge(door: &Door, peer: Peer, request: &CheckRequest) -> Result<Response<Body>, Mistake> {
    let trusted = &door.settings.trusted;
    if !trusted.holds(peer) {
        return Err(Mistake::Untrusted);
    }
    let attributes = request.attributes.as_ref().ok_or(Mistake::Missing("attributes"))?;
    let http = attributes.request.as_ref().and_then(|request| request.http.as_ref());
    let http = http.ok_or(Mistake::Missing("attributes.request.http"))?;
    let headers = headers(http)?;
    let host = Some(http.host.as_str()).filter(|host| !host.is_empty());
    let question = Question {
        entrance: "grpc",
        headers: &headers,
        // HTTP/2 keeps no spelling.
        note: Note::DOUBT,
        peer,
        original: Original { method: http.method.as_bytes(), target: http.path.as_bytes(), host },
        named: attributes.context_extensions.get(ISSUER).map(String::as_str),
        address: address(attributes, &headers, trusted),
    };
    Ok(auth::answered(door, &question, answer::plain).await)
}

/// The client: who is connected to the proxy, or, if that is a listed proxy itself, whoever the last of the listed ones names.
fn address(attributes: &AttributeContext, headers: &HeaderMap, trusted: &Listed) -> Option<IpAddr> {
    let connected = attributes.source.as_ref()?.address.as_ref()?;
    let connected = match (&connected.socket_address, &connected.pipe) {
        (Some(socket), _) => Peer::Address(socket.address.parse().ok()?),
        (None, Some(_)) => Peer::Socket,
        (None, None) => return None,
    };
    client(connected, headers, trusted)
}

/// The headers that matter. What tells a thing in two ways is refused: somebody between may have gone by the other one.
fn headers(http: &HttpRequest) -> Result<HeaderMap, Mistake> {
    let mut found = HeaderMap::with_capacity(HEADERS.len());
    let mut add = |name: &str, value: &[u8]| {
        let said = match name {
            ":path" => Some(("the path", &http.path)),
            ":method" => Some(("the method", &http.method)),
            ":authority" | "host" => Some(("the host", &http.host)),
            _ => None,
        };
        if let Some((what, said)) = said {
            return if said.as_bytes() == value { Ok(()) } else { Err(Mistake::Torn(what)) };
        }
        if let Some(name) = HEADERS.iter().find(|own| own.as_str().eq_ignore_ascii_case(name)) {
            let value = HeaderValue::from_bytes(value).map_err(|_| Mistake::Unreadable)?;
            found.append(name, value);
        }
        Ok(())
    };
    let raw = http.header_map.as_ref().map(|map| map.headers.as_slice()).unwrap_or_default();
    if !raw.is_empty() && !http.headers.is_empty() {
        return Err(Mistake::Torn("each header"));
    }
    for messages::HeaderValue { key, value, raw_value } in raw {
        match (value.is_empty(), raw_value.is_empty()) {
            (false, false) => return Err(Mistake::Torn("a header's value")),
            (false, true) => add(key, value.as_bytes())?,
            (true, _) => add(key, raw_value)?,
        }
    }
    for (name, value) in &http.headers {
        add(name, value.as_bytes())?;
    }
    Ok(found)
}

/// The answer as Envoy takes it.
async fn told(answer: Response<Body>) -> CheckResponse {
    let (head, body) = answer.into_parts();
    if head.status == StatusCode::OK {
        let mut ok = OkHttpResponse::default();
        for (name, value) in &head.headers {
            match name.as_str() {
                own if own.starts_with("x-keyrack-") => ok.headers.push(option(name, value)),
                "content-type" | "cache-control" | "content-length" => {}
                _ => ok.response_headers_to_add.push(option(name, value)),
            }
        }
        // What the service takes for the gate's word comes from the gate alone.
        let absent = PASSED_ON.iter().filter(|name| !head.headers.contains_key(**name));
        ok.headers_to_remove = absent.map(|name| name.to_ascii_lowercase()).collect();
        return CheckResponse {
            status: Some(Status { code: OK }),
            http_response: Some(HttpResponse::Ok(ok)),
        };
    }
    let body = to_bytes(body, BODY_MAX).await.unwrap_or_default();
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: i32::from(head.status.as_u16()) }),
        headers: head.headers.iter().map(|(name, value)| option(name, value)).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    CheckResponse {
        status: Some(Status { code: PERMISSION_DENIED }),
        http_response: Some(HttpResponse::Denied(denied)),
    }
}

fn option(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    let header = match value.to_str() {
        Ok(value) => {
            messages::HeaderValue { key: name.to_string(), value: value.into(), raw_value: Vec::new() }
        }
        Err(_) => messages::HeaderValue {
            key: name.to_string(),
            value: String::new(),
            raw_value: value.as_bytes().into(),
        },
    };
    HeaderValueOption { header: Some(header), append: Some(false), append_action: OVERWRITE }
}

#[cfg(test)]
mod tests;
