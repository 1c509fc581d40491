//! Alerts, sent to another program as signed JSON. Nothing waits for it.
//!
//! Each alert is one `POST` with `Content-Type: application/json` and the headers
//! * `Keyrack-Alert`: the alert's number, the same with each try, so that the receiver can tell a repetition;
//! * `Keyrack-Timestamp`: seconds since the epoch, of this try;
//! * `Keyrack-Signature`: `v1=` and the HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body, under the
//!   shared secret. Without a secret there is no signature.
//!
//! Any 2xx takes it. Anything else is tried again with growing pauses, for a day, over restarts too.

use std::time::Duration;

use axum::http::Uri;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tokio::sync::watch as channel;
use zeroize::Zeroizing;

use super::stop::stopped;
use crate::domain::Instant;
use crate::domain::text::hex;
use crate::https;
use crate::service::{Gate, RaisedAlert};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// And how long when the program ends meanwhile.
const GRACE: Duration = Duration::from_secs(2);
/// The first pause after a failure; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// How often alerts of an earlier run are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// Alerts read at a time.
const SOME: u32 = 20;

/// Where alerts are sent.
#[derive(Clone, derive_more::Debug)]
// Some receivers have a token in the path.
#[debug("WebhookSettings(…)")]
pub struct WebhookSettings {
    url: String,
    secret: Option<Zeroizing<String>>,
}

/// Why a webhook was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error(
        "the webhook's address is no URL: write https://host/path, with what is no plain character as %20"
    )]
    Form,
    #[error("a webhook's address begins with https://, or with http:// where it is on this machine")]
    Scheme,
    #[error("a webhook's address holds no name and no password: others see it")]
    Credentials,
}

impl WebhookSettings {
    /// Takes the address and the secret that bodies are signed with.
    pub fn new(url: &str, secret: Option<Zeroizing<String>>) -> Result<Self, UrlError> {
        // Read as the client reads it that sends the alerts.
        let parsed: Uri = url.parse().map_err(|_| UrlError::Form)?;
        let (Some(scheme), Some(authority), true) = (parsed.scheme_str(), parsed.authority(), url.is_ascii())
        else {
            return Err(UrlError::Form);
        };
        // A password in the address would stand in the list of processes.
        if authority.as_str().contains('@') {
            return Err(UrlError::Credentials);
        }
        let host = authority.host();
        let port_is_none = authority.port_u16().is_none_or(|port| port == 0);
        if host.is_empty() || (authority.as_str() != host && port_is_none) {
            return Err(UrlError::Form);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match scheme {
            "https" => {}
            "http" if here => {}
            _ => return Err(UrlError::Scheme),
        }
        Ok(Self { url: url.to_owned(), secret })
    }
}

/// What stands in `Keyrack-Signature`.
pub fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    // A key of any length will do for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return "v1=".into() };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

/// The body that is sent.
pub fn body(alert: &RaisedAlert) -> String {
    json!({
        "id": alert.id,
        "at": alert.alert.at,
        "kind": alert.alert.kind(),
        "severity": alert.alert.severity(),
        "words": alert.sentence(),
        "account": alert.account,
        "key": alert.alert.key(),
        "name": alert.name,
        "preview": alert.preview,
        "gate": alert.gate,
        "alert": alert.alert,
    })
    .to_string()
}

/// Sends this gate's alerts until `stop` says so. What was not taken by then is sent after the next start.
pub async fn run(gate: Gate, settings: WebhookSettings, mut stop: channel::Receiver<bool>) {
    let agent = https::agent(PATIENCE);
    let mut pause = PAUSE;
    loop {
        let wait = match send_all(&gate, &agent, &settings, &mut stop).await {
            Ok(()) => {
                pause = PAUSE;
                LOOK
            }
            Err(why) => {
                tracing::warn!("the webhook did not take an alert: {why}; it is tried again");
                let longer = (pause * 2).min(LONGEST);
                std::mem::replace(&mut pause, longer)
            }
        };
        let failing = wait != LOOK;
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            // What is new does not make a receiver well.
            () = gate.raised(), if !failing => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends everything that waits; stops at the first that is not taken, and when the program ends.
async fn send_all(
    gate: &Gate,
    agent: &ureq::Agent,
    settings: &WebhookSettings,
    stop: &mut channel::Receiver<bool>,
) -> Result<(), String> {
    loop {
        let waiting = gate.untold_alerts(SOME).await.map_err(|error| error.to_string())?;
        if waiting.is_empty() {
            return Ok(());
        }
        for alert in waiting {
            if *stop.borrow() {
                return Ok(());
            }
            let (agent, settings, body, now) = (agent.clone(), settings.clone(), body(&alert), gate.now());
            let id = alert.id;
            let sending = tokio::task::spawn_blocking(move || send(&agent, &settings, id, &body, now));
            tokio::select! {
                sent = sending => sent.map_err(|error| error.to_string())??,
                () = ended(stop) => return Ok(()),
            }
            gate.told_alert(id).await.map_err(|error| error.to_string())?;
        }
    }
}

/// Waits until the program has been ending for so long that nothing more is waited for.
async fn ended(stop: &mut channel::Receiver<bool>) {
    stopped(stop).await;
    tokio::time::sleep(GRACE).await;
    tracing::warn!("the webhook did not take an alert in time; it is sent after the next start");
}

fn send(
    agent: &ureq::Agent,
    settings: &WebhookSettings,
    id: i64,
    body: &str,
    now: Instant,
) -> Result<(), String> {
    let timestamp = now.timestamp();
    let mut request = agent
        .post(&settings.url)
        .header("Content-Type", "application/json")
        .header("Keyrack-Alert", id.to_string())
        .header("Keyrack-Timestamp", timestamp.to_string());
    if let Some(secret) = &settings.secret {
        request = request.header("Keyrack-Signature", signature(secret, timestamp, body));
    }
    // The address is left out: it may hold a token.
    let response = request.send(body).map_err(|error| match error {
        ureq::Error::BadUri(_) => "its address can't be used".to_owned(),
        error => error.to_string(),
    })?;
    if response.status().is_success() {
        Ok(())
    } else {
        Err(format!("it answered {}", response.status().as_u16()))
    }
}

#[cfg(test)]
mod tests;
