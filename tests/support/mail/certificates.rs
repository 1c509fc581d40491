//! Certificates, made afresh by openssl: one that is right, one for another host, one that nobody vouches for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of certificates; gone with it.
pub struct Certificates {
    dir: tempfile::TempDir,
}

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// For `localhost` and 127.0.0.1, signed by [`Certificates::ca`].
    Right,
    /// Signed by the same, but for `other.example`.
    OtherHost,
    /// For `localhost`, signed by itself.
    SelfSigned,
}

impl Shown {
    fn stem(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::OtherHost => "other",
            Self::SelfSigned => "self",
        }
    }
}

impl Certificates {
    pub fn make() -> Self {
        let certificates = Self { dir: tempfile::tempdir().unwrap() };
        certificates.sign_itself("ca", "/CN=keyrack test CA", &[]);
        certificates.sign_itself("self", "/CN=localhost", &["-addext", "subjectAltName=DNS:localhost"]);
        certificates.sign("right", "DNS:localhost,IP:127.0.0.1");
        certificates.sign("other", "DNS:other.example");
        certificates
    }

    /// What a client trusts.
    pub fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub fn certificate(&self, shown: Shown) -> PathBuf {
        self.path(&format!("{}.pem", shown.stem()))
    }

    pub fn key(&self, shown: Shown) -> PathBuf {
        self.path(&format!("{}.key", shown.stem()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn sign_itself(&self, stem: &str, subject: &str, more: &[&str]) {
        let (key, pem) = (format!("{stem}.key"), format!("{stem}.pem"));
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let rest = ["-days", "30", "-subj", subject, "-keyout", &key, "-out", &pem];
        openssl(self.dir.path(), &[&new[..], &rest, more].concat());
    }

    fn sign(&self, stem: &str, names: &str) {
        let (key, csr, pem) = (format!("{stem}.key"), format!("{stem}.csr"), format!("{stem}.pem"));
        std::fs::write(self.path("names"), format!("subjectAltName={names}\n")).unwrap();
        let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        openssl(
            self.dir.path(),
            &[&new[..], &["-subj", "/CN=keyrack test", "-keyout", &key, "-out", &csr]].concat(),
        );
        let sign = ["x509", "-req", "-in", &csr, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        openssl(self.dir.path(), &[&sign[..], &["-days", "30", "-extfile", "names", "-out", &pem]].concat());
    }
}

fn openssl(dir: &Path, args: &[&str]) {
    let output = Command::new("openssl").args(args).current_dir(dir).stdin(Stdio::null()).output();
    let output = output.expect("openssl is needed to make certificates: tests/run --install");
    assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
