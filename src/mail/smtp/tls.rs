//! TLS: which certificates are trusted, and what went wrong in words.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore, crypto};

use crate::mail::MailError;

/// A connector that trusts the certificates in `ca_file`, or else the system's. TLS 1.2 and 1.3 only.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, MailError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let refuse = |why: String| {
                MailError::Settings(format!("the mail server's CA file {}: {why}", path.display()))
            };
            // Read first: the parser's own error for a missing file does not say that it is missing.
            let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
                roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(refuse("it holds no certificate in PEM form".into()));
            }
        }
        None => {
            let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if added == 0 {
                return Err(MailError::Settings(
                    "this machine trusts no certificates: install ca-certificates, or name a CA file for the mail server"
                        .into(),
                ));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| MailError::Settings(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Checks that a certificate can be made out to `host`.
pub(super) fn check_name(host: &str) -> Result<(), MailError> {
    name(host).map(|_| ()).map_err(MailError::Settings)
}

/// The name that the certificate must be made out to.
pub(super) fn name(host: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| format!("{:?} isn't a valid name of a mail server", crate::mail::clean::words(host)))
}

/// What kept TLS from coming about, and what may help.
pub(super) fn words(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(_)) => {
            format!("its certificate is not trusted ({error}); nothing was sent")
        }
        Some(Error::InvalidMessage(_)) => {
            "it does not speak TLS here: see whether this port wants STARTTLS or TLS from the start".into()
        }
        _ => error.to_string(),
    }
}
