//! Keys and certificates as SSH writes them: <https://www.rfc-editor.org/rfc/rfc4253#section-6.6> and OpenSSH's
//! `PROTOCOL.certkeys`.

use base64ct::{Base64, Base64Unpadded, Encoding};
use sha2::{Digest, Sha256};

use super::{Mark, Person, Proof};

/// What a certificate's kind of key has at its end.
const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Reads what sshd writes with `ExposeAuthInfo`: a way in which somebody proved to be who they are in each line.
pub fn from_ssh(text: &str, proof: Proof) -> Person {
    let mut person = Person::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some("publickey"), Some(kind), Some(coded)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        if let Some(blob) = Base64::decode_vec(coded).ok().filter(|blob| begins_with(blob, kind)) {
            match kind.strip_suffix(CERTIFICATE) {
                None => person.add(Mark::SshKey, &fingerprint(&blob), proof),
                Some(plain) => {
                    if let Some(certificate) = Certificate::read(plain, &blob) {
                        person.add(Mark::SshKey, &certificate.key, proof);
                        person.add(Mark::Certificate, &certificate.words(), proof);
                    }
                }
            }
        }
    }
    person
}

fn begins_with(mut blob: &[u8], kind: &str) -> bool {
    text(&mut blob) == Some(kind.as_bytes())
}

/// As `ssh-keygen -l` tells it.
fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(blob)))
}

struct Certificate {
    /// The fingerprint of the key that it is for.
    key: String,
    id: String,
    principals: Vec<String>,
    /// The fingerprint of the authority's key.
    authority: String,
}

impl Certificate {
    fn read(plain: &str, mut rest: &[u8]) -> Option<Self> {
        text(&mut rest)?;
        let _nonce = text(&mut rest)?;
        let parts = match plain {
            "ssh-ed25519" => 1,
            "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" | "sk-ssh-ed25519" => 2,
            "ssh-dss" => 4,
            curve if curve.starts_with("ecdsa-sha2-") => 2,
            curve if curve.starts_with("sk-ecdsa-sha2-") => 3,
            _ => return None,
        };
        // Keys on a token have the vendor's mark at their kind's end, which the certificate's kind leaves out.
        let kind = match plain {
            token if token.starts_with("sk-") => format!("{token}@openssh.com"),
            "rsa-sha2-256" | "rsa-sha2-512" => "ssh-rsa".to_owned(),
            other => other.to_owned(),
        };
        let mut key = Vec::new();
        put(&mut key, kind.as_bytes());
        for _ in 0..parts {
            put(&mut key, text(&mut rest)?);
        }
        let _serial = rest.split_off(..8)?;
        let _user_or_host = rest.split_off(..4)?;
        let id = String::from_utf8_lossy(text(&mut rest)?).into_owned();
        let mut names = text(&mut rest)?;
        let mut principals = Vec::new();
        while let Some(name) = text(&mut names) {
            principals.push(String::from_utf8_lossy(name).into_owned());
        }
        let _valid = rest.split_off(..16)?;
        for _critical_extensions_reserved in 0..3 {
            text(&mut rest)?;
        }
        let authority = fingerprint(text(&mut rest)?);
        Some(Self { key: fingerprint(&key), id, principals, authority })
    }

    fn words(&self) -> String {
        let principals = match self.principals.as_slice() {
            [] => "any login".to_owned(),
            some => some.join(", "),
        };
        format!("{} for {principals}, signed by {}", self.id, self.authority)
    }
}

/// A text with its length before it.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(rest.split_off(..4)?.try_into().ok()?);
    rest.split_off(..usize::try_from(length).ok()?)
}

fn put(to: &mut Vec<u8>, text: &[u8]) {
    to.extend_from_slice(&u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
    to.extend_from_slice(text);
}
