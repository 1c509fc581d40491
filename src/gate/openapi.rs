//! The description of every endpoint, request and response (VG-14).

use axum::body::Body;
use axum::http::{Response, StatusCode};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{answer, auth, direct, health, leaks, schema, watch};

/// The gate.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyrack gate",
        description = "Answers whether a request with an API key may pass.",
        license(name = "MIT", identifier = "MIT")
    ),
    paths(
        auth::forwarded, auth::nginx, auth::ingress, auth::below, direct::me, direct::verify, watch::watch, leaks::github, leaks::revoke,
        health::healthz, health::readyz, health::metrics, document
    ),
    components(schemas(schema::ErrorBody)),
    tags(
        (name = "forward authentication", description = "For proxies that ask about each request"),
        (name = "direct", description = "For holders of keys, and for services that are sent keys"),
        (name = "leaks", description = "For those who found keys where they must not be. Shut unless the gate is told to open them"),
        (name = "operation", description = "For those who watch over the gate"),
    ),
    modifiers(&Keys)
)]
pub struct Document;

/// How a key or the gate's token is sent.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |text: &str| {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build();
            SecurityScheme::Http(scheme)
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", bearer("A key, where its issuer takes it in this header"));
        components.add_security_scheme(
            "api_key",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-API-Key",
                "A key, where its issuer takes it in this header. Some issuers insist on this very spelling",
            ))),
        );
        components.add_security_scheme("gate_token", bearer("The token of --verify-token-file"));
    }
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object))
)]
pub async fn document() -> Response<Body> {
    match text() {
        Ok(text) => answer::json(StatusCode::OK, text),
        Err(_) => answer::unavailable(),
    }
}

/// The document as JSON.
pub fn text() -> serde_json::Result<String> {
    Document::openapi().to_pretty_json()
}
