//! Anchors: signed notes of how far the audit had come, kept where who can write to the database can't.
//!
//! A chain that was cut or computed anew is whole in itself. Held against an anchor it is not: the row of that number has
//! another hash, or is gone. Each anchor is one line of JSON, signed by Ed25519. In a file they are numbered and each names
//! the one before it, so that none can be taken out of their midst.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Instant;
use super::audit::finding::{Finding, Kind};
use super::history::Head;
use super::text::{hex, thousands};

/// What a file with the secret begins with, and a public key.
const SECRET: &str = "keyrack-anchor-secret:";
const PUBLIC: &str = "ed25519:";
/// What a line begins with, whatever a log puts before it.
const BEGIN: &str = "{\"keyrack-anchor\":1,";

/// Why something is no key or no anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    #[error("it isn't a key that `keyrack audit anchor-key` made")]
    Secret,
    #[error(
        "it isn't a public key: write ed25519: and 64 hexadecimal digits, as `keyrack audit anchor-key` prints them"
    )]
    Public,
}

/// Signs anchors.
pub struct AnchorKey(SigningKey);

impl fmt::Debug for AnchorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnchorKey({})", self.public())
    }
}

impl AnchorKey {
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// Reads what [`Self::text`] wrote.
    pub fn parse(text: &str) -> Result<Self, AnchorError> {
        let digits = text.trim().strip_prefix(SECRET).ok_or(AnchorError::Secret)?;
        let bytes = Zeroizing::new(bytes(digits).ok_or(AnchorError::Secret)?);
        Ok(Self::new(&bytes))
    }

    /// For a file that nobody else can read.
    pub fn text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(self.0.to_bytes());
        let digits = Zeroizing::new(hex(&*bytes));
        Zeroizing::new(format!("{SECRET}{}\n", *digits))
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs that the audit of this database had come so far. `before`: the anchor before it in the same file; none
    /// where a place has no order.
    pub fn sign(&self, checkpoint: &Checkpoint, taken: Instant, place: Order<'_>) -> Anchor {
        let Checkpoint { database, head } = checkpoint;
        let mut anchor = Anchor {
            version: 1,
            number: match place {
                Order::None => 0,
                Order::After(before) => before.map_or(0, |before| before.number) + 1,
            },
            database: database.clone(),
            seq: head.seq,
            hash: head.hash.clone(),
            at: head.at,
            taken,
            previous: match place {
                Order::After(Some(before)) => before.digest(),
                _ => String::new(),
            },
            key: self.public().to_string(),
            signature: String::new(),
        };
        anchor.signature = hex(&self.0.sign(anchor.told().as_bytes()).to_bytes());
        anchor
    }
}

/// Where an anchor stands among others.
#[derive(Clone, Copy, Debug)]
pub enum Order<'a> {
    /// Nobody knows what was before.
    None,
    /// Behind this one; none where it is the first.
    After(Option<&'a Anchor>),
}

/// Tells whether an anchor was signed by the key that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl std::str::FromStr for PublicKey {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let bytes = text.trim().strip_prefix(PUBLIC).and_then(bytes).ok_or(AnchorError::Public)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| AnchorError::Public)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex(self.0.as_bytes()))
    }
}

/// How far the audit of a database has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which database it is, whatever it is called.
    pub database: String,
    pub head: Head,
}

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    #[serde(rename = "keyrack-anchor")]
    version: u8,
    /// Counts from 1 in a file; 0 where there is no order.
    number: u64,
    database: String,
    pub seq: i64,
    hash: String,
    /// When that row was written.
    at: Instant,
    /// When this was signed.
    pub taken: Instant,
    /// The digest of the anchor before it.
    previous: String,
    key: String,
    signature: String,
}

impl Anchor {
    /// One line of JSON.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line, whatever a log put before it; `None` where there is no anchor in it.
    pub fn parse(line: &str) -> Option<Self> {
        let from = line.find(BEGIN).or_else(|| line.find('{'))?;
        let mut values = serde_json::Deserializer::from_str(&line[from..]).into_iter();
        values.next()?.ok()
    }

    /// What is signed.
    fn told(&self) -> String {
        let Self { version, number, database, seq, hash, previous, key, .. } = self;
        let (at, taken) = (self.at.timestamp_micros(), self.taken.timestamp_micros());
        format!(
            "keyrack anchor {version}\n{number}\n{database}\n{seq}\n{hash}\n{at}\n{taken}\n{previous}\n{key}\n"
        )
    }

    fn digest(&self) -> String {
        hex(&Sha256::digest(format!("{}{}", self.told(), self.signature)))
    }

    fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signature = bytes(&self.signature).map(|bytes: [u8; 64]| Signature::from_bytes(&bytes));
        signature.is_some_and(|signature| key.0.verify_strict(self.told().as_bytes(), &signature).is_ok())
    }

    fn name(&self) -> String {
        if self.number == 0 {
            format!("anchor of row {}", self.seq)
        } else {
            format!("anchor {}", self.number)
        }
    }
}

/// Anchors as they were read, those whose signature holds, and what is wrong with the others and their order.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub anchors: Vec<Anchor>,
    pub findings: Vec<Finding>,
}

impl Series {
    /// Reads anchors line by line. Lines without an anchor in them are no matter but at the end, where the last anchor was
    /// cut in two.
    pub fn read(text: &str, keys: &[PublicKey]) -> Self {
        let mut series = Self::default();
        let (mut broken, mut before) = (false, None::<Anchor>);
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let anchor = Anchor::parse(line);
            broken = anchor.is_none();
            let Some(anchor) = anchor else { continue };
            if !keys.iter().any(|key| anchor.is_signed_by(key)) {
                let why = match keys.iter().any(|key| key.to_string() == anchor.key) {
                    true => "its signature is invalid: it was edited or forged",
                    false => "it is signed by a key that was not named",
                };
                let at = format!("line {}: {}", n + 1, anchor.name());
                series.findings.push(Finding::new(Kind::AnchorForged, at, why, ""));
                continue;
            }
            if before.as_ref() == Some(&anchor) {
                continue;
            }
            if anchor.number > 0 {
                series.findings.extend(gap(before.as_ref(), &anchor));
            }
            before = Some(anchor.clone());
            series.anchors.push(anchor);
        }
        if broken {
            let words = "the last line isn't a complete anchor";
            series.findings.push(Finding::new(Kind::AnchorCut, "last line", words, ""));
        }
        series.anchors.sort_by_key(|anchor| anchor.taken);
        for (one, next) in series.anchors.iter().zip(series.anchors.iter().skip(1)) {
            if next.seq < one.seq {
                let audit = format!("row {} was the newest at {}", one.seq, one.taken);
                let table = format!("row {} was the newest at {}, later", next.seq, next.taken);
                series.findings.push(Finding::new(Kind::AnchorHistory, next.name(), audit, table));
            }
        }
        series
    }

    /// Compares the anchors with the rows of their numbers, which are those of this database.
    pub fn compare(&self, database: &str, rows: &[Head]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for anchor in &self.anchors {
            let mut differ = |audit: String, table: String| {
                findings.push(Finding::new(Kind::AnchorHistory, anchor.name(), audit, table));
            };
            if anchor.database != database {
                differ(format!("of database {}", anchor.database), format!("this is database {database}"));
                continue;
            }
            let audit = format!("row {} has the hash {}", anchor.seq, anchor.hash);
            match rows.binary_search_by_key(&anchor.seq, |row| row.seq).ok().map(|place| &rows[place]) {
                None => differ(audit, "the row is gone: the chain was cut off".into()),
                Some(row) if row.hash != anchor.hash => {
                    differ(audit, format!("{}: the chain was recomputed", row.hash));
                }
                Some(_) => {}
            }
        }
        findings
    }

    /// What the anchors cover, in words; `end` is the newest row, `now` the present.
    pub fn words(&self, end: i64, show: impl Fn(Instant) -> String) -> String {
        let (Some(first), Some(last)) = (self.anchors.first(), self.anchors.last()) else {
            return "There is no anchor.".into();
        };
        let count = |n: i64| thousands(n.unsigned_abs());
        let after = match end - last.seq {
            0 => "all rows are covered".to_owned(),
            1 => "1 row after it is not covered yet".to_owned(),
            more => format!("{} rows after it are not covered yet", count(more)),
        };
        format!(
            "{} from {} to {} hold: rows 1 to {} are as they were then; {after}.",
            if self.anchors.len() == 1 {
                "1 anchor".into()
            } else {
                format!("{} anchors", thousands(self.anchors.len() as u64))
            },
            show(first.taken),
            show(last.taken),
            count(last.seq),
        )
    }
}

/// What lies between two anchors of a file that should follow on each other.
fn gap(before: Option<&Anchor>, anchor: &Anchor) -> Option<Finding> {
    let expected = before.map_or(1, |before| before.number + 1);
    let fits =
        anchor.number == expected && before.map_or_else(String::new, Anchor::digest) == anchor.previous;
    let told = |table: String| {
        Finding::new(Kind::AnchorCut, anchor.name(), format!("anchor {expected} comes here"), table)
    };
    match anchor.number {
        _ if fits => None,
        number if number > expected => Some(told(format!("{} missing", missing(number - expected)))),
        _ => Some(told("another one, which follows on an anchor that isn't there".into())),
    }
}

fn missing(count: u64) -> String {
    if count == 1 { "1 anchor is".into() } else { format!("{} anchors are", thousands(count)) }
}

/// Hexadecimal digits of exactly so many bytes.
fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
