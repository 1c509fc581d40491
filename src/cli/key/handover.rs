//! Handing a secret over: on standard output alone, or into a private file; and only then is the key acknowledged.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::super::failure::{Exit, Failure, Result};
use super::super::files;
use super::super::output::{Fields, Format, Record};
use super::super::say;
use super::super::session::{Session, insist};
use crate::domain::Instant;
use crate::domain::issuer::Policy;
use crate::domain::key::{CLAIM_TIME, Key};
use crate::domain::secret::PlainKey;
use crate::domain::when::{self, Here};
use crate::service::{Created, Service, new_operation};

/// Where a secret will go. Found before the key is made, so that no key is made whose secret has no place.
pub struct Destination {
    file: File,
    /// The file's path where it is not standard output.
    path: Option<PathBuf>,
    /// Whether the file holds a secret now; if not it is removed when this goes.
    kept: bool,
}

impl Destination {
    /// Makes the file, or looks whether standard output leads somewhere. On a dry run no file is made, and nothing can be
    /// written to the place.
    pub fn find(out: Option<&Path>, session: &Session) -> Result<Self> {
        match out.filter(|_| session.global.dry_run) {
            None => Self::open(out, session.format()),
            Some(path) => {
                no_csv(session.format())?;
                files::can_be_made(path).map_err(|error| not_made(path, &error))?;
                let file = File::open("/dev/null").map_err(|error| not_made(path, &error))?;
                Ok(Self { file, path: None, kept: true })
            }
        }
    }

    fn open(out: Option<&Path>, format: Format) -> Result<Self> {
        no_csv(format)?;
        let Some(path) = out else {
            let file = standard_output().map_err(|error| nowhere(&error.to_string()))?;
            if is_null(&file) {
                return Err(nowhere("it is closed or /dev/null"));
            }
            return Ok(Self { file, path: None, kept: true });
        };
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|error| not_made(path, &error))?;
        Ok(Self { file, path: Some(path.to_owned()), kept: false })
    }

    /// Writes bytes so that they are where they should be when this returns. Nothing is buffered, so no copy stays.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        match self.file.sync_all() {
            // Pipes and terminals have nothing to bring to a disk.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    fn is_terminal(&self) -> bool {
        self.path.is_none() && self.file.is_terminal()
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Some(path) = self.path.as_ref().filter(|_| !self.kept) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Standard output without the buffer that the standard library puts before it.
fn standard_output() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// A program that is started with a closed standard output finds `/dev/null` there.
fn is_null(file: &File) -> bool {
    match (file.metadata(), std::fs::metadata("/dev/null")) {
        (Ok(file), Ok(null)) => file.rdev() == null.rdev() && file.rdev() != 0,
        _ => false,
    }
}

fn no_csv(format: Format) -> Result {
    if format == Format::Csv {
        return Err(Failure::usage("secrets are not printed as CSV: leave out --output csv, or pass --json"));
    }
    Ok(())
}

fn not_made(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::usage(if error.kind() == io::ErrorKind::AlreadyExists {
        format!("{path} exists and is not overwritten: name another file")
    } else {
        format!("{path} can't be created: {error}")
    })
}

fn nowhere(why: &str) -> Failure {
    Failure::new(
        Exit::Failure,
        format!(
            "no key was created: its secret would be lost, because standard output goes nowhere ({why}). Name a file with --out"
        ),
    )
}

/// Gives out the secret of a key just made, then acknowledges the key.
pub async fn hand_over(
    created: Created,
    policy: &Policy,
    mut place: Destination,
    session: &Session,
    service: &Service,
) -> Result {
    let now = service.now().await.unwrap_or(created.key.created_at);
    let Created { key, secret, check } = created;
    let format = session.format();
    if !session.global.quiet {
        introduce(&key, policy, session.here(now));
    }
    let handed = put(&mut place, &key, secret, check.as_deref(), format, now);
    if let Err(error) = handed {
        return Err(lost(&key, policy, &error));
    }
    place.kept = true;
    if !session.global.quiet {
        let noun = &policy.wording.noun;
        if let Some(path) = &place.path {
            say(&format!("The secret is in {} (mode 0600). Keyrack kept no other copy.", path.display()));
        }
        if place.is_terminal() {
            say(&format!(
                "This is the only time it is shown. If you don't copy it, revoke this {noun} and create another one."
            ));
        }
        if let Some(check) = &check {
            say(&format!("To check it: {check}"));
        }
    }
    let operation = new_operation();
    insist(|| service.acknowledge_key(operation, key.id)).await.map_err(|failure| {
        failure.before(&format!(
            "the secret was handed over, but key {} could not be confirmed, so it expires {} minutes after its creation \
             unless it is used; confirm it with `keyrack key acknowledge {}`: ",
            key.id,
            CLAIM_TIME.num_minutes(),
            key.id
        ))
    })?;
    Ok(())
}

fn introduce(key: &Key, policy: &Policy, here: Here) {
    say(&format!("New {} {:?} of account {}", policy.wording.noun, key.name.as_str(), key.account));
    let line = |name: &str, value: &str| say(&format!("  {name:<9}{value}"));
    line("id", &key.id.to_string());
    line("preview", &key.preview);
    if policy.fully_privileged() {
        line("scopes", "none: it is fully privileged on its account");
    } else if key.scopes.is_empty() {
        line("scopes", "none: it can do nothing that needs a scope");
    } else {
        line("scopes", &key.scopes.to_string());
    }
    match key.expires_at {
        None => line("expires", "never"),
        Some(at) => {
            line("expires", &format!("{} ({})", here.zone.exact(at), when::relative(at, here.now)));
        }
    }
    if let Some(at) = key.starts_at(here.now) {
        line("works", &format!("from {} on ({})", here.zone.exact(at), when::relative(at, here.now)));
    }
    if let Some(plan) = key.plan_ahead(here.now) {
        line("revoked", &format!("at {} ({})", here.zone.exact(plan.at), when::relative(plan.at, here.now)));
    }
    if !key.allow.is_empty() {
        line("allow", &key.allow.to_string());
    }
    if let Some(old) = key.predecessor {
        line("replaces", &old.to_string());
    }
}

fn put(
    place: &mut Destination,
    key: &Key,
    secret: PlainKey,
    check: Option<&str>,
    format: Format,
    now: Instant,
) -> io::Result<()> {
    if format.for_people() {
        return place.put(&line(&secret));
    }
    match place.path.clone() {
        None => place.put(&object(key, Some(&secret), None, check, now)?),
        Some(path) => {
            place.put(&line(&secret))?;
            // What remains to be told holds no secret.
            standard_output()?.write_all(&object(key, None, Some(&path), check, now)?)
        }
    }
}

/// The secret and a line end, in a buffer that is wiped.
fn line(secret: &PlainKey) -> Zeroizing<Vec<u8>> {
    let text = secret.expose().as_bytes();
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text);
    bytes.push(b'\n');
    bytes
}

/// What a new key's object tells besides its secret.
const TOLD: [&str; 19] = [
    "id",
    "account",
    "issuer",
    "name",
    "description",
    "preview",
    "scopes",
    "allow",
    "created_at",
    "created_by",
    "expires_at",
    "not_before",
    "revoke_at",
    "status",
    "predecessor",
    "owner",
    "owner_mail",
    "tags",
    "limits",
];

/// The key as one JSON object with the secret in it, in a buffer of the final size that is wiped.
fn object(
    key: &Key,
    secret: Option<&PlainKey>,
    path: Option<&Path>,
    check: Option<&str>,
    now: Instant,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut rest = Vec::new();
    let fields = Fields::of(Key::COLUMNS);
    let told = fields.members(key, now).filter(|(name, _)| TOLD.contains(name));
    let path = path.map(|path| path.display().to_string());
    for (name, value) in told.chain([("check", check.into()), ("secret_file", path.into())]) {
        write!(rest, "\"{name}\":")?;
        serde_json::to_writer(&mut rest, &value)?;
        rest.push(b',');
    }
    let text = secret.map(PlainKey::expose);
    if text.is_some_and(|text| text.bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')) {
        return Err(io::Error::other("the secret has characters that no secret has"));
    }
    let parts: [&[u8]; 5] = match text {
        Some(text) => [b"{", &rest, b"\"secret\":\"", text.as_bytes(), b"\"}\n"],
        None => [b"{", &rest, b"\"secret\":null", b"", b"}\n"],
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

fn lost(key: &Key, policy: &Policy, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failure,
        format!(
            "the secret could not be handed over ({error}), so {} {} was not confirmed: it expires {} minutes after its \
             creation. To end it now: keyrack key revoke {}",
            policy.wording.noun,
            key.preview,
            CLAIM_TIME.num_minutes(),
            key.id
        ),
    )
}

#[cfg(test)]
mod tests;
