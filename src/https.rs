//! How HTTP requests are sent to receivers of alerts, events and anchors: certificates are the system's, redirections are not
//! followed.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use zeroize::Zeroizing;

use crate::domain::Instant;
use crate::domain::endpoint::{UrlError, check_url, is_on_this_machine};
use crate::domain::text::hex;

/// Gives a request at most this long. An answer of any status is an answer.
pub fn agent(patience: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls)
        .user_agent(concat!("keyrack/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// A program elsewhere that is told something by signed JSON.
///
/// Each delivery is one `POST` with `Content-Type: application/json` and the headers
/// * one that names what is delivered, such as `Keyrack-Alert`: the same with each try, so that a repetition can be told;
/// * `Keyrack-Timestamp`: seconds since the epoch, of this try;
/// * `Keyrack-Signature`: `v1=` and the HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body, under the
///   shared secret. Without a secret there is no signature.
///
/// Any 2xx takes it.
#[derive(Clone, derive_more::Debug)]
// Some have a token in the path.
#[debug("Receiver(…)")]
pub struct Receiver {
    url: String,
    secret: Option<Zeroizing<String>>,
}

impl Receiver {
    /// Takes the address and the secret that bodies are signed with.
    ///
    /// # Errors
    /// When the address can't be used.
    pub fn new(url: &str, secret: Option<Zeroizing<String>>) -> Result<Self, UrlError> {
        check_url(url)?;
        // Read as the client reads it that sends.
        let parsed: Uri = url.parse().map_err(|_| UrlError::Form)?;
        if parsed.host().is_none_or(str::is_empty) {
            return Err(UrlError::Form);
        }
        Ok(Self { url: url.to_owned(), secret })
    }

    /// Sends this once, and waits for the answer. Answers the status that took it.
    ///
    /// # Errors
    /// Why it was not taken, in words.
    pub fn post(
        &self,
        agent: &Agent,
        (header, id): (&str, &str),
        body: &str,
        now: Instant,
    ) -> Result<u16, String> {
        let timestamp = now.timestamp();
        let mut request = agent.post(&self.url);
        if is_on_this_machine(&self.url) {
            // The environment's proxy would look for it on its own machine.
            request = request.config().proxy(None).build();
        }
        let mut request = request
            .header("Content-Type", "application/json")
            .header(header, id)
            .header("Keyrack-Timestamp", timestamp.to_string());
        if let Some(secret) = &self.secret {
            request = request.header("Keyrack-Signature", signature(secret, timestamp, body));
        }
        // The address is left out: it may hold a token.
        let response = request.send(body).map_err(|error| match error {
            ureq::Error::BadUri(_) => "its address can't be used".to_owned(),
            error => error.to_string(),
        })?;
        let status = response.status();
        if status.is_success() {
            Ok(status.as_u16())
        } else {
            Err(format!("it answered {}", status.as_u16()))
        }
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

#[cfg(test)]
mod tests;
