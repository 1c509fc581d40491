//! `keyrack audit anchor`, `anchor-key`, and `verify --anchors`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::Duration;
use clap::Args;
use zeroize::Zeroizing;

use super::super::failure::{Failure, Result};
use super::super::session::Session;
use crate::anchor::{Anchoring, Place};
use crate::config::settings::Source;
use crate::domain::anchor::{AnchorKey, PublicKey, Series};
use crate::domain::audit::finding::{Finding, Findings, Kind};
use crate::secret_file::SecretFiles;
use crate::service::Service;

/// The newest anchor should not be older than this, where the settings don't say how often there is one.
const OLD: Duration = Duration::days(2);

#[derive(Debug, Args)]
pub struct Anchor {
    /// The signing key that `audit anchor-key` created: a file of mode 0600 or a systemd credential. Default:
    /// the setting `anchor-key-file`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The destination: a file, syslog:, syslog://host:514, syslog+tcp://host:601 or https://host/path.
    /// Default: the setting `anchor-to`
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
}

#[derive(Debug, Args)]
pub struct MakeKey {
    /// The file to create, with mode 0600. If it exists, its public key is printed
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Anchors {
    /// Also check the audit against the anchors in this file (- for standard input): shows whether rows up to
    /// the newest anchor were edited, cut off or recomputed
    #[arg(long, value_name = "FILE")]
    anchors: Option<String>,
    /// A public key that anchors may be signed with; may be repeated. Default: the setting `anchor-public-key`
    #[arg(long, value_name = "KEY", requires = "anchors")]
    public_key: Vec<String>,
}

pub async fn anchor(arguments: &Anchor, service: &Service, session: &Session) -> Result {
    let table = &session.settings.audit;
    let key = arguments.key.as_ref().or(table.anchor_key_file.value.as_ref());
    let to = arguments.to.as_ref().or(table.anchor_to.value.as_ref());
    let missing = |what| Failure::usage(format!("name {what}, or set it below [audit] in the settings"));
    let key = key.ok_or_else(|| missing("the key to sign with: --key FILE"))?;
    let to = to.ok_or_else(|| missing("where the anchor goes: --to PLACE"))?;
    let anchoring = Anchoring::new(key, to, table.anchor_every.value).map_err(Failure::usage)?;
    let nothing = || Failure::check("the audit has no row yet: there is nothing to anchor");
    let checkpoint = service.checkpoint().await?.ok_or_else(nothing)?;
    if session.would(|| format!("anchor row {} at {}", checkpoint.head.seq, anchoring.place)) {
        return Ok(());
    }
    let anchor = anchoring.anchor(checkpoint, &session.clock).await.map_err(Failure::check)?;
    let place = anchoring.place.to_string();
    session.remark(&format!("Row {} of the audit is anchored at {place}.", anchor.seq));
    session.printer().facts(&[
        ("row", anchor.seq.into()),
        ("at", anchor.taken.to_rfc3339().into()),
        ("place", place.into()),
    ])
}

pub fn make_key(arguments: &MakeKey, session: &Session) -> Result {
    let path = &arguments.file;
    if path.exists() {
        let secret = SecretFiles::of_this_process()
            .file(path, 1)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let key = AnchorKey::parse(&secret);
        let key = key.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        session.remark(&format!("{} exists and was not changed; this is its public key:", path.display()));
        return told(&key.public(), session);
    }
    if session.would(|| format!("create a key in {}", path.display())) {
        return Ok(());
    }
    let secret = Zeroizing::new(rand::random::<[u8; 32]>());
    let key = AnchorKey::new(&secret);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
            file.write_all(key.text().as_bytes())?;
            file.sync_all()
        });
    written.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    session.remark(&format!(
        "{} holds the key: who has it can sign. Keep its public key elsewhere; `audit verify --anchors FILE --public-key KEY` \
         checks by it:",
        path.display()
    ));
    told(&key.public(), session)
}

fn told(key: &PublicKey, session: &Session) -> Result {
    match session.format().for_people() {
        true => super::print(&key.to_string()),
        false => session.printer().facts(&[("public_key", key.to_string().into())]),
    }
}

impl Anchors {
    /// Holds the audit against the anchors, if some were named; what differs is added to `findings`.
    pub async fn check(
        &self,
        service: &Service,
        session: &Session,
        findings: &mut Findings,
    ) -> Result<Option<Series>> {
        let Some(place) = &self.anchors else { return Ok(None) };
        let table = &session.settings.audit;
        let keys = if self.public_key.is_empty() { &table.anchor_public_key.value } else { &self.public_key };
        if keys.is_empty() {
            return Err(Failure::usage(
                "name the public key that the anchors are signed with: --public-key KEY",
            ));
        }
        let key = |text: &String| {
            text.parse().map_err(|error| Failure::usage(format!("--public-key {text}: {error}")))
        };
        let keys = keys.iter().map(key).collect::<Result<Vec<PublicKey>>>()?;
        let place: Place = place.parse().map_err(Failure::usage)?;
        let text = place.read().map_err(Failure::usage)?;
        let mut series = Series::read(&text, &keys);
        findings.add(std::mem::take(&mut series.findings));
        if series.anchors.is_empty() {
            let (audit, table) = ("anchors of this audit", "no anchor that one of these keys signed");
            findings.add([Finding::new(Kind::AnchorCut, place.to_string(), audit, table)]);
        }
        if let Some(here) = service.checkpoint().await? {
            let mut numbers: Vec<i64> = series.anchors.iter().map(|anchor| anchor.seq).collect();
            numbers.sort_unstable();
            numbers.dedup();
            findings.add(series.compare(&here.database, &service.heads(&numbers).await?));
        }
        Ok(Some(series))
    }

    /// Says what the anchors cover, and that the newest is old where it is.
    pub fn tell(&self, series: &Series, rows: i64, session: &Session) {
        let zone = session.zone();
        session.remark(&series.words(rows, |at| zone.to_the_minute(at)));
        let every = &session.settings.audit.anchor_every;
        let old = match every.source {
            Source::Default => OLD,
            _ => Duration::from_std(every.value * 2).unwrap_or(OLD),
        };
        let now = session.clock.now();
        if let Some(last) = series.anchors.last().filter(|last| now - last.taken > old) {
            super::super::say(&format!(
                "warning: the newest anchor is of {}: see whether what anchors still runs, and whether its newest anchors were \
                 taken away",
                zone.to_the_minute(last.taken)
            ));
        }
    }
}
