//! Whether GitHub wrote a message: ECDSA on P-256 with SHA-256, over the body as it came.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64ct::{Base64, Encoding};
use parking_lot::Mutex;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

/// The longest file of public keys.
const LONGEST: u64 = 1 << 20;
/// What stands before the point of a public key on P-256 (RFC 5480).
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The answer of GitHub's `/meta/public_keys/secret_scanning`.
#[derive(Deserialize)]
struct File {
    public_keys: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    key_identifier: String,
    /// PEM.
    key: String,
}

/// GitHub's public keys: the file is read again when it changes, so that who renews it restarts nothing.
#[derive(Debug)]
pub struct PublicKeys {
    path: PathBuf,
    read: Mutex<Read>,
}

/// What was read, by identifier, and when the file was changed last before that.
#[derive(Debug)]
struct Read {
    changed: Option<SystemTime>,
    points: HashMap<String, Vec<u8>>,
}

impl PublicKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn open(path: &Path) -> Result<Self, String> {
        let read = Mutex::new(Read { changed: changed(path), points: points(path)? });
        Ok(Self { path: path.to_owned(), read })
    }

    /// Whether the signature, in Base64, is of the body by the key of this identifier.
    pub fn verify(&self, identifier: &str, signature: &str, body: &[u8]) -> bool {
        let Ok(signature) = Base64::decode_vec(signature) else { return false };
        let mut read = self.read.lock();
        let now = changed(&self.path);
        if now != read.changed {
            match points(&self.path) {
                Ok(points) => *read = Read { changed: now, points },
                // The old ones go on: a file in the making is no reason to believe nobody.
                Err(why) => {
                    tracing::warn!(file = %self.path.display(), why, "GitHub's public keys can't be read again")
                }
            }
        }
        let Some(point) = read.points.get(identifier) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(body, &signature).is_ok()
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn points(path: &Path) -> Result<HashMap<String, Vec<u8>>, String> {
    let long = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if long > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: File = serde_json::from_str(&text).map_err(|error| {
        format!("it isn't the JSON of api.github.com/meta/public_keys/secret_scanning: {error}")
    })?;
    let mut points = HashMap::new();
    for entry in file.public_keys {
        let point = point(&entry.key)
            .ok_or_else(|| format!("the key {} isn't a public key on P-256", entry.key_identifier))?;
        points.insert(entry.key_identifier, point);
    }
    if points.is_empty() { Err("it holds no public key".into()) } else { Ok(points) }
}

/// The point of a public key in PEM.
fn point(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = Base64::decode_vec(&body).ok()?;
    let point = der.strip_prefix(&HEAD)?;
    (point.len() == 65 && point[0] == 4).then(|| point.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's own example of a key, a body and a signature.
    #[test]
    fn kr_02_githubs_own_example_is_believed_and_nothing_that_differs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq\nkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==\n-----END PUBLIC KEY-----\n";
        let identifier = "90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a";
        let file = serde_json::json!({ "public_keys": [{ "key_identifier": identifier, "key": pem, "is_current": true }] });
        std::fs::write(&path, file.to_string()).unwrap();
        let keys = PublicKeys::open(&path).unwrap();
        let body = br#"[{"token":"some_token","type":"some_type","url":"some_url"}]"#;
        let signature = "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=";
        assert!(keys.verify(identifier, signature, body));
        assert!(!keys.verify("other", signature, body));
        assert!(!keys.verify(identifier, signature, &body[1..]));
        assert!(!keys.verify(identifier, "", body));
        assert!(!keys.verify(identifier, &signature[4..], body));
        std::fs::write(&path, "{}").unwrap();
        assert!(PublicKeys::open(&path).is_err());
    }
}
