//! How HTTP requests are sent to receivers of alerts and anchors: certificates are the system's, redirections are not followed.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

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
