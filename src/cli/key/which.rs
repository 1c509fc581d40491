//! Which keys a command is about: named one by one, by a filter, or in a file. Every verb on keys has it from here.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::super::failure::{Exit, Failure, Result};
use super::super::filter;
use super::super::session::{Session, whole_id};
use super::the_key;
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::secret::find_secret;
use crate::domain::text::thousands;
use crate::service::Service;

/// At most so many keys are decided about together.
const MOST: usize = 100_000;
/// No list of keys is longer than this many bytes.
const LONGEST: u64 = 32 << 20;
/// Nothing that names one key is longer than this many bytes.
const LINE: usize = 200;
/// Bad lines that are told; more are counted.
const TOLD: usize = 10;

/// Flattened into the arguments of a verb, whose command has [`needed`] or [`at_most_one`] for its group.
#[derive(Debug, Default, Args)]
#[group(skip)]
pub struct Which {
    /// Key IDs, or parts of an ID or preview that match only one key
    #[arg(value_name = "ID", value_parser = name)]
    pub ids: Vec<String>,
    /// Conditions that must all hold: status:active account:acme issuer:voxpria expires:<30d used:never
    /// idle:30d created:<7d revoked:<7d scope:calls:write by:ada owner:ada tag:prod rotation:due
    /// violates:policy network:any creator:gone acknowledged:no replaced:yes replaces:yes overlap:old
    /// name:"node-1" (exact; without quotes, a part of the name). A - before a condition negates it. Other
    /// words are looked for in name, description, owner, tags, preview and ID
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// A file of keys, one per line, written as for ID; - for standard input. Blank lines and text after # are
    /// ignored
    #[arg(long, value_name = "FILE")]
    pub ids_from: Option<PathBuf>,
}

/// What can name a key: no key has anything else in its id or preview.
fn name(text: &str) -> std::result::Result<String, String> {
    if text.contains(char::is_control) {
        return Err("an ID or preview has no control characters".to_owned());
    }
    Ok(text.to_owned())
}

const NAMES: [&str; 3] = ["ids", "filter", "ids_from"];

/// One of the ways to name keys has to be taken; `more` are the verb's own.
pub fn needed(more: &[&'static str]) -> ArgGroup {
    at_most_one().required(true).args(more)
}

/// One of the ways to name keys may be taken.
pub fn at_most_one() -> ArgGroup {
    ArgGroup::new("which").args(NAMES)
}

/// The keys that were named, each once: in the order of the arguments or lines, or in the list's.
#[derive(Debug, Default)]
pub struct Chosen {
    pub keys: Vec<Key>,
    /// Whether a filter or a file named them, so that a person may not know all of them.
    pub unseen: bool,
    /// The texts of the filter that had to be only a part of what they fit.
    parts: Vec<String>,
}

impl Chosen {
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys.iter().map(|key| key.id).collect()
    }

    pub fn working(&self, now: Instant) -> usize {
        self.keys.iter().filter(|key| key.status(now) == Status::Active).count()
    }

    /// `this key`, `271 keys whose name or text contains "node"`
    pub fn words(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(|part| format!("\"{part}\"")).collect();
        let containing = match parts.as_slice() {
            [] => String::new(),
            parts => format!(" whose name or text contains {}", parts.join(" and ")),
        };
        match self.keys.len() {
            1 => format!("this key{containing}"),
            many => format!("{} keys{containing}", thousands(many as u64)),
        }
    }

    /// Before something is done: a word of a filter is met by more than the one who typed it may think.
    pub fn remark_parts(&self, session: &Session) {
        for part in &self.parts {
            session.remark(&format!(
                "{part:?} matches every name that contains it. For one exact name: --filter 'name:\"{part}\"'"
            ));
        }
    }

    fn add(&mut self, key: Key, seen: &mut HashSet<KeyId>) -> Result {
        if seen.insert(key.id) {
            self.keys.push(key);
        }
        if self.keys.len() > MOST {
            let most = thousands(MOST as u64);
            return Err(Failure::usage(format!(
                "at most {most} keys can be named at once: narrow the filter, or give a part of the list"
            )));
        }
        Ok(())
    }
}

impl Which {
    pub fn is_given(&self) -> bool {
        !self.ids.is_empty() || self.filter.is_some() || self.ids_from.is_some()
    }

    /// Leaves out what a filter found that is no matter of what is to be done. Who names keys means each of them.
    pub fn narrow(&self, chosen: &mut Chosen, concerns: impl Fn(&Key) -> bool) {
        if self.filter.is_some() {
            chosen.keys.retain(concerns);
        }
    }

    /// Reads the keys that are named, as they are now.
    ///
    /// # Errors
    /// Also if anything leads to no key, or to more than one: nothing is passed over.
    pub async fn choose(&self, service: &Service, session: &Session) -> Result<Chosen> {
        let (mut chosen, mut seen) = (Chosen::default(), HashSet::new());
        if let Some(text) = &self.filter {
            let query = filter::narrowing(text, session)?;
            chosen.unseen = true;
            chosen.parts = query.parts().into_iter().map(str::to_owned).collect();
            service.each_key(&query, |key| chosen.add(key, &mut seen)).await?;
            return Ok(chosen);
        }
        if let Some(file) = &self.ids_from {
            chosen.unseen = true;
            for key in listed(file, service).await? {
                chosen.add(key, &mut seen)?;
            }
        }
        for id in &self.ids {
            chosen.add(the_key(service, id).await?, &mut seen)?;
        }
        Ok(chosen)
    }
}

/// The keys that a file names, in its order. All of its bad lines are told at once.
async fn listed(file: &Path, service: &Service) -> Result<Vec<Key>> {
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&path));
    let bytes = match read.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::not_found(format!("there is no file {}", file.display())));
        }
        Ok(Err(error)) => return Err(Failure::usage(format!("{} can't be read: {error}", file.display()))),
        Err(error) => return Err(Failure::new(Exit::Failure, format!("reading broke: {error}"))),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let lines: Vec<(usize, &[u8])> = (1..).zip(bytes.split(|byte| *byte == b'\n')).collect();
    let named: Vec<(usize, &[u8])> = lines
        .into_iter()
        .map(|(number, line)| (number, named(line)))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let whole = |line: &[u8]| std::str::from_utf8(line).ok().and_then(whole_id);
    let ids: Vec<KeyId> = named.iter().filter_map(|(_, line)| whole(line)).collect();
    let by_id: HashMap<KeyId, Key> = service.keys(&ids).await?.into_iter().map(|key| (key.id, key)).collect();
    let (mut keys, mut bad) = (Vec::new(), Vec::new());
    for (number, line) in named {
        match the_line(line, &by_id, service).await {
            Ok(key) => keys.push(key),
            // Nobody named a wrong key.
            Err(failure) if !failure.unchanged || failure.exit == Exit::NotPermitted => return Err(failure),
            Err(failure) => bad.push((number, failure)),
        }
    }
    let Some((_, first)) = bad.first() else { return Ok(keys) };
    let exit = first.exit;
    let mut told: Vec<String> =
        bad.iter().take(TOLD).map(|(number, failure)| format!("line {number}: {failure}")).collect();
    if let Some(more) = bad.len().checked_sub(TOLD).filter(|more| *more > 0) {
        told.push(format!("and {} more lines", thousands(more as u64)));
    }
    let what = if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    Err(Failure::new(
        exit,
        format!("not every line of {what} names one key. Nothing was changed\n{}", told.join("\n")),
    ))
}

async fn the_line(line: &[u8], by_id: &HashMap<KeyId, Key>, service: &Service) -> Result<Key> {
    let text = match std::str::from_utf8(line) {
        Ok(text) if line.len() <= LINE => text,
        Ok(_) => return Err(Failure::usage(format!("it is longer than {LINE} bytes"))),
        Err(_) => return Err(Failure::usage("it is not UTF-8")),
    };
    if let Some(key) = whole_id(text).and_then(|id| by_id.get(&id)) {
        return Ok(key.clone());
    }
    if find_secret(text).is_some() {
        return Err(Failure::usage(
            "it looks like a whole secret: `keyrack key revoke --secret-stdin` and `keyrack leak sweep` take those",
        ));
    }
    the_key(service, text).await
}

/// What a line names, without its comment; empty where it names nothing.
fn named(line: &[u8]) -> &[u8] {
    let comment = (0..line.len()).find(|at| {
        line[*at] == b'#' && at.checked_sub(1).is_none_or(|before| line[before].is_ascii_whitespace())
    });
    line[..comment.unwrap_or(line.len())].trim_ascii()
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = match file {
        file if file == Path::new("-") => {
            std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)?
        }
        file => std::fs::File::open(file)?.take(LONGEST + 1).read_to_end(&mut bytes)?,
    };
    if length as u64 > LONGEST {
        return Err(std::io::Error::other(format!(
            "it is longer than {} MB: give it in parts",
            LONGEST >> 20
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_stands_before_its_comment() {
        for (line, name) in [
            ("", ""),
            ("  \r", ""),
            ("# all of them", ""),
            ("  # all of them", ""),
            ("0192\r", "0192"),
            (" vxp_…3f9a ", "vxp_…3f9a"),
            ("0192 # node 1, acme", "0192"),
            ("0192\t#", "0192"),
            ("a#b", "a#b"),
        ] {
            assert_eq!(named(line.as_bytes()), name.as_bytes(), "{line:?}");
        }
    }
}
