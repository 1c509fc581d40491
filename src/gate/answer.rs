//! Answers as HTTP has them.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::domain::verdict::Answer;

/// What the service behind a proxy is told of a request that passes.
pub const PASSED_ON: [&str; 5] =
    ["X-Keyrack-Key", "X-Keyrack-Account", "X-Keyrack-Issuer", "X-Keyrack-Scopes", "X-Keyrack-Endpoint"];

/// A refusal of the gate's own, that no policy has words for.
pub fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": { "code": code, "message": message } });
    json(status, body.to_string())
}

/// A JSON text.
pub fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The gate itself can't say anything: nothing passes.
pub fn unavailable() -> Response<Body> {
    let mut answer = error(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "API keys can't be checked right now. Try again shortly.",
    );
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// Adds a header; a value that HTTP can't carry is left out.
pub fn put(answer: &mut Response<Body>, name: &'static str, value: impl AsRef<[u8]>) {
    // A copy of exactly its size costs less than the text that was made for it, whose room is larger.
    if let (Some(name), Ok(value)) = (header_name(name), HeaderValue::from_bytes(value.as_ref())) {
        answer.headers_mut().insert(name, value);
    }
}

/// The names that answers have, ready for use: nothing of a name is to be read again for each of ten headers.
fn header_name(name: &'static str) -> Option<HeaderName> {
    Some(match name {
        "X-Keyrack-Key" => HeaderName::from_static("x-keyrack-key"),
        "X-Keyrack-Account" => HeaderName::from_static("x-keyrack-account"),
        "X-Keyrack-Issuer" => HeaderName::from_static("x-keyrack-issuer"),
        "X-Keyrack-Scopes" => HeaderName::from_static("x-keyrack-scopes"),
        "X-Keyrack-Endpoint" => HeaderName::from_static("x-keyrack-endpoint"),
        "X-RateLimit-Limit" => HeaderName::from_static("x-ratelimit-limit"),
        "X-RateLimit-Remaining" => HeaderName::from_static("x-ratelimit-remaining"),
        "X-RateLimit-Reset" => HeaderName::from_static("x-ratelimit-reset"),
        "RateLimit" => HeaderName::from_static("ratelimit"),
        "RateLimit-Policy" => HeaderName::from_static("ratelimit-policy"),
        _ => return HeaderName::from_bytes(name.as_bytes()).ok(),
    })
}

/// Headers that others add to an answer: the caller's key, and the library's own.
const ROOM: usize = 8;

/// What the caller is told, as it is.
pub fn plain(answer: Answer) -> Response<Body> {
    let body = if answer.body.is_empty() { Body::empty() } else { Body::from(answer.body) };
    let mut response = Response::new(body);
    response.headers_mut().reserve(answer.headers.len() + ROOM);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        put(&mut response, name, value);
    }
    response
}

/// What the caller is told, in the form that our recipe for nginx brings to the client.
///
/// To nginx a request passes or is forbidden; every other status becomes a 500 (H17). So a refusal is always 403, and what
/// the client shall get stands in headers: `X-Keyrack-Status`, `X-Keyrack-Body`, `X-Keyrack-Challenge`, and those of the
/// limits by their own names.
pub fn nginx(answer: Answer) -> Response<Body> {
    if answer.status == 200 {
        return plain(answer);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FORBIDDEN;
    put(&mut response, "X-Keyrack-Status", answer.status.to_string());
    // In JSON a line break can only stand between tokens, where it means nothing.
    put(&mut response, "X-Keyrack-Body", answer.body.replace(['\n', '\r', '\t'], ""));
    for (name, value) in answer.headers {
        let name = match name {
            "Content-Type" => continue,
            "WWW-Authenticate" => "X-Keyrack-Challenge",
            other => other,
        };
        put(&mut response, name, value);
    }
    response
}

/// What the caller is told, as far as ingress-nginx brings it there: its status, which is 401 or 403 to that.
pub fn ingress(answer: Answer) -> Response<Body> {
    let unauthorized = answer.status == 401;
    let challenge =
        answer.headers.iter().find(|(name, _)| *name == "WWW-Authenticate").map(|(_, value)| value.clone());
    let mut response = nginx(answer);
    if unauthorized {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        if let Some(challenge) = challenge {
            put(&mut response, "WWW-Authenticate", challenge);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Answer {
        Answer {
            status: 429,
            headers: vec![
                ("Content-Type", "application/json".into()),
                ("Retry-After", "7".into()),
                ("WWW-Authenticate", "Bearer".into()),
            ],
            body: "{\n\t\"a\": \"ü b\"\r\n}".into(),
        }
    }

    #[test]
    fn to_nginx_a_refusal_is_403_and_the_rest_stands_in_headers() {
        let answer = nginx(refused());
        let header = |name: &str| answer.headers().get(name).map(HeaderValue::as_bytes);
        assert_eq!(answer.status(), 403);
        assert_eq!(header("x-keyrack-status"), Some(b"429".as_slice()));
        assert_eq!(header("retry-after"), Some(b"7".as_slice()));
        assert_eq!(header("x-keyrack-challenge"), Some(b"Bearer".as_slice()));
        assert_eq!(header("x-keyrack-body"), Some("{\"a\": \"ü b\"}".as_bytes()));
        assert_eq!(header("content-type"), None);
        assert_eq!(header("www-authenticate"), None);
    }

    #[test]
    fn to_ingress_nginx_a_refusal_is_401_with_its_challenge_or_403() {
        let unauthorized = ingress(Answer { status: 401, ..refused() });
        assert_eq!(
            (unauthorized.status().as_u16(), &unauthorized.headers()["www-authenticate"]),
            (401, &HeaderValue::from_static("Bearer"))
        );
        let limited = ingress(refused());
        assert_eq!(limited.status(), 403);
        assert!(
            limited.headers()["x-keyrack-status"] == "429"
                && !limited.headers().contains_key("www-authenticate")
        );
        assert_eq!(ingress(Answer { status: 200, headers: Vec::new(), body: String::new() }).status(), 200);
    }

    #[test]
    fn to_others_a_refusal_is_what_it_is() {
        let answer = plain(refused());
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }

    #[test]
    fn what_http_can_not_carry_is_left_out() {
        let mut answer = unavailable();
        put(&mut answer, "X-Keyrack-Body", "a\nb");
        assert!(!answer.headers().contains_key("x-keyrack-body"));
        assert_eq!(answer.headers()["retry-after"], "1");
    }
}
