//! The doors for leaked keys: GitHub's secret scanning tells of what it found, and whoever holds a key can have it ended.
//!
//! What happens to a key is its issuer's policy: see [`crate::domain::issuer::WhenLeaked`]. Both doors are shut unless they are
//! switched on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::answer;
use super::caller::Caller;
use super::door::Door;
use super::origin::client;
use super::schema::Secret;
use super::settings::LeakDoors;
use crate::domain::credential::Directory;
use crate::domain::secret::HashedKey;
use crate::domain::text::hex;

mod signature;

pub use signature::PublicKeys;

/// Messages of holders that are worked on at once.
const TURNS: usize = 8;

impl LeakDoors {
    /// Turns for holders of keys.
    pub fn turns() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(TURNS))
    }
}

/// The longest message, in bytes, and how long it may take to arrive.
const BODY_MAX: usize = 1 << 20;
const BODY_TIME: Duration = Duration::from_secs(10);
/// At most so many keys in one message.
const KEYS: usize = 1_000;
/// The longest text that is looked up as a key.
const LONGEST: usize = 4096;
/// What holds a key is answered after this time, whatever it brought.
const ANSWER: Duration = Duration::from_millis(250);

/// One finding of GitHub's.
#[derive(Deserialize)]
struct Found {
    token: Secret,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    url: Option<String>,
}

/// What GitHub is told of a finding. The secret is named by its hash.
#[derive(Serialize)]
struct Label {
    token_hash: String,
    token_type: String,
    label: &'static str,
}

/// What somebody brings who holds keys: `{"keys": [...]}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    keys: Vec<Secret>,
}

/// GitHub tells of secrets that it found (secret scanning partner programme).
#[utoipa::path(
    post, path = "/leaks/github", operation_id = "leaks_github", tag = "leaks",
    params(
        ("Github-Public-Key-Identifier" = String, Header, description = "Which of GitHub's public keys signed the message"),
        ("Github-Public-Key-Signature" = String, Header, description = "ECDSA on P-256 with SHA-256 over the body, in Base64"),
    ),
    request_body(content = Object, description = "An array of {token, type, url}", content_type = "application/json"),
    responses(
        (status = 200, description = "An array of {token_hash, token_type, label}", content_type = "application/json", body = Object),
        (status = 400, description = "It is no array", body = super::schema::ErrorBody),
        (status = 401, description = "It isn't signed", body = super::schema::ErrorBody),
        (status = 404, description = "The door is shut", body = super::schema::ErrorBody),
        (status = 413, description = "It is too long, or tells of more than 1,000 keys", body = super::schema::ErrorBody),
        (status = 429, description = "Too many messages; see Retry-After", body = super::schema::ErrorBody),
        (status = 503, description = "Not all of it could be looked up: send it again", body = super::schema::ErrorBody),
    )
)]
pub async fn github(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    let Some(keys) = door.settings.leaks.github.as_ref() else { return nothing() };
    let (head, body) = request.into_parts();
    let address = client(caller.peer, &head.headers, &door.settings.trusted).unwrap_or(caller.peer.address());
    if let Some(wait) = braked(&door, address) {
        return wait;
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    if !is_signed(keys, &head.headers, &body) {
        door.brake.failed(address, door.begun.elapsed());
        let message = "The message isn't signed by a known key.";
        return answer::error(StatusCode::UNAUTHORIZED, "bad_signature", message);
    }
    // One that can't be read stops no other.
    let Ok(entries) = serde_json::from_slice::<Vec<Box<serde_json::value::RawValue>>>(&body) else {
        return answer::error(StatusCode::BAD_REQUEST, "bad_request", "The message isn't a JSON array.");
    };
    if entries.len() > KEYS {
        return too_many();
    }
    let Ok(policies) = door.gate.policies().await else { return answer::unavailable() };
    let (mut labels, mut failed) = (Vec::new(), false);
    for entry in entries {
        let Ok(found) = serde_json::from_str::<Found>(entry.get()) else { continue };
        let hashes = hashes(&found.token, &policies.directory);
        let Some(first) = hashes.first() else { continue };
        let mut ours = Ok(false);
        for hash in &hashes {
            let told = door.gate.leaked(*hash, "github", found.url.as_deref()).await;
            ours = told.and_then(|told| ours.map(|ours| ours || told));
        }
        match ours {
            Ok(ours) => labels.push(Label {
                token_hash: hex(&first.0),
                token_type: found.kind.chars().take(200).collect(),
                label: if ours { "true_positive" } else { "false_positive" },
            }),
            Err(error) => {
                tracing::warn!(%error, "a leaked key could not be looked up");
                failed = true;
            }
        }
    }
    // GitHub sends it again; what was done already is not done twice.
    if failed {
        return answer::unavailable();
    }
    serde_json::to_string(&labels)
        .map_or_else(|_| answer::unavailable(), |body| answer::json(StatusCode::OK, body))
}

/// Whoever holds keys has them ended. The answer and its time say nothing about them.
#[utoipa::path(
    post, path = "/leaks/revoke", operation_id = "leaks_revoke", tag = "leaks",
    request_body(content = Object, description = "{\"keys\": [\"…\"]}, at most 1,000", content_type = "application/json"),
    responses(
        (status = 202, description = "Always the same, whatever the keys are", content_type = "application/json", body = Object),
        (status = 400, description = "It can't be read", body = super::schema::ErrorBody),
        (status = 404, description = "The door is shut", body = super::schema::ErrorBody),
        (status = 413, description = "It is too long, or brings more than 1,000 keys", body = super::schema::ErrorBody),
        (status = 429, description = "Too many messages; see Retry-After", body = super::schema::ErrorBody),
        (status = 503, description = "Too much at once: send it again", body = super::schema::ErrorBody),
    )
)]
pub async fn revoke(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    let Some(turns) = &door.settings.leaks.holders else { return nothing() };
    let turns = Arc::clone(turns);
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let address = client(caller.peer, &head.headers, &door.settings.trusted).unwrap_or(caller.peer.address());
    if let Some(wait) = braked(&door, address) {
        return wait;
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    // Each message counts, whatever is in it.
    door.brake.failed(address, door.begun.elapsed());
    let Ok(held) = serde_json::from_slice::<Held>(&body) else {
        let message = "Send {\"keys\": [\"…\"]}.";
        return answer::error(StatusCode::BAD_REQUEST, "bad_request", message);
    };
    drop(body);
    if held.keys.len() > KEYS {
        return too_many();
    }
    let Ok(place) = turns.try_acquire_owned() else { return answer::unavailable() };
    let Ok(policies) = door.gate.policies().await else { return answer::unavailable() };
    let hashes: Vec<HashedKey> =
        held.keys.iter().flat_map(|secret| hashes(secret, &policies.directory)).collect();
    let own = Arc::clone(&door);
    // It goes on behind the answer, which so tells nothing of how long it takes.
    tokio::spawn(async move {
        for hash in hashes {
            if let Err(error) = own.gate.leaked(hash, "holder", None).await {
                tracing::warn!(%error, "a key that its holder wants ended could not be looked up");
            }
        }
        drop(place);
    });
    tokio::time::sleep_until((begun + ANSWER).into()).await;
    answer::json(StatusCode::ACCEPTED, r#"{"status":"accepted"}"#.to_owned())
}

/// The hashes of what may be a key: as one of ours, and by the forms of other products.
fn hashes(secret: &Secret, directory: &Directory) -> Vec<HashedKey> {
    let text = secret.0.trim().as_bytes();
    if text.is_empty() || text.len() > LONGEST {
        return Vec::new();
    }
    directory.hashes(text)
}

fn is_signed(keys: &PublicKeys, headers: &HeaderMap, body: &[u8]) -> bool {
    let one = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().filter(|_| all.next().is_none())?;
        first.to_str().ok()
    };
    let (identifier, signature) = (one("github-public-key-identifier"), one("github-public-key-signature"));
    matches!((identifier, signature), (Some(identifier), Some(signature)) if keys.verify(identifier, signature, body))
}

async fn read(body: Body) -> Result<Bytes, Response<Body>> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let message = "The message is too long, or did not end.";
            Err(answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
        }
        Err(_) => {
            Err(answer::error(StatusCode::REQUEST_TIMEOUT, "timeout", "The message took too long to arrive."))
        }
    }
}

fn braked(door: &Door, address: IpAddr) -> Option<Response<Body>> {
    let seconds = door.brake.slows(address, door.begun.elapsed())?;
    let mut refused =
        answer::error(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many messages. Try again later.");
    answer::put(&mut refused, "Retry-After", seconds.to_string());
    Some(refused)
}

fn too_many() -> Response<Body> {
    let message = "A message can have at most 1,000 keys.";
    answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too_many", message)
}

fn nothing() -> Response<Body> {
    answer::error(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path.")
}
