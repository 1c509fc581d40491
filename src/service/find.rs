//! Finding keys by what a person holds in hand: any text with secrets in it, or the little that they know of one key.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::found::{Found, PREVIEWS, fitting};
use super::list::Count;
use super::{Error, LeakOrder, LeakSource, LeakSweep, Result, Service};
use crate::domain::credential::Directory;
use crate::domain::issuer::Issuer;
use crate::domain::key::{Key, KeyId};
use crate::domain::leak::Form;
use crate::domain::secret::{Finding, HashedKey, Kind, SentKey, search, wipe_stack};
use crate::domain::text::{DESCRIPTION_MAX, NAME_MAX, SafeText, fold_typed};
use crate::domain::{Instant, days, shifted};

/// How many keys an answer holds at most that was found by words.
const FOUND: u32 = 20;
/// Ids of one text that are looked up.
const IDS: usize = 1000;

/// What looking for keys came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Those of whole secrets in the order of the text, each once; else what fits, those that work first.
    pub found: Vec<Found>,
    /// Whether they were found by whole secrets, and so for certain.
    pub certain: bool,
    /// How many fit, of which `found` has the first.
    pub fit: Option<Count>,
    /// What looks like a secret and led to no key, in the order of the text.
    pub clues: Vec<Clue>,
    /// How many previews and ids of the text were too many to be looked up.
    pub left_out: usize,
    /// Why a secret of ours may not have been found, if there is a reason.
    pub trouble: Option<String>,
    /// All that was found, where that is more than one key.
    pub sweep: Option<LeakSweep>,
}

/// Something that looks like a secret and led to no key. Holds no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clue {
    /// Counted from 1, as the column.
    pub line: usize,
    pub column: usize,
    /// What it is.
    pub words: SafeText,
    /// Whether it may be a secret of ours.
    pub ours: bool,
}

/// Clues that are told; more are counted.
const TOLD: usize = 5;

impl Search {
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.found.iter().map(|found| &found.key)
    }

    /// What was seen that led to no key, in sentences; empty where nothing was.
    pub fn told(&self) -> Vec<String> {
        let place = |clue: &Clue| match self.clues.as_slice() {
            [one] if (one.line, one.column) == (1, 1) => String::new(),
            _ => format!("Line {}, column {}: ", clue.line, clue.column),
        };
        let mut told: Vec<String> = self
            .clues
            .iter()
            .take(TOLD)
            .map(|clue| {
                let words = format!("{}{}", place(clue), clue.words);
                let first = words.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
                format!("{first}{}.", words.chars().skip(1).collect::<String>())
            })
            .collect();
        if let Some(more) = self.clues.len().checked_sub(TOLD).filter(|more| *more > 0) {
            told.push(format!("{more} more matched no key."));
        }
        if self.left_out > 0 {
            told.push(format!(
                "{} more previews and IDs were not looked up: give fewer at a time.",
                self.left_out
            ));
        }
        if let Some(trouble) = &self.trouble {
            let first = trouble.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            told.push(format!("{first}{}.", trouble.chars().skip(1).collect::<String>()));
        }
        told
    }

    /// Why no key was found: what the text holds instead, or what to try. `database` is named where it isn't on the screen.
    pub fn nothing(&self, database: Option<&str>) -> String {
        const TRY: &str = "Paste the whole key, or try its last four characters, its ID or its name.";
        let told = self.told();
        let named = database.filter(|_| told.is_empty()).map(|name| format!(" ({name})")).unwrap_or_default();
        let words = if told.is_empty() { TRY.to_owned() } else { told.join(" ") };
        format!("No key in this database matches{named}. {words}")
    }
}

impl Service {
    /// Finds keys by whatever was given: all the whole secrets in a text, however long and whatever stands around them;
    /// else previews and ids in it, a part of an id, the last four characters, or a name (VA-14). Of what is found by
    /// words at most 20. Hidden keys are found too. Looking needs the role of a viewer.
    pub async fn find_keys(&self, given: SentKey) -> Result<Search> {
        let now = self.look().await?;
        let issuers = self.inner.store.issuers().await?;
        let (given, issuers, findings) = searched(given, issuers).await?;
        let directory = self.directory(&issuers);
        let (mut keys, unknown) = self.by_secrets(findings, &directory).await?;
        if keys.is_empty() {
            keys = self.by_former(&given, &directory).await?;
        }
        let mut search = Search { certain: !keys.is_empty(), ..Search::default() };
        if keys.is_empty() {
            keys = self.by_words(&given, &unknown, now, &mut search).await?;
        }
        let previews: HashSet<&str> = keys.iter().map(|key| key.preview.as_str()).collect();
        // The preview of a key that was found tells nothing more.
        let news = unknown.iter().filter(|finding| match &finding.kind {
            Kind::Preview(Some(shown)) => !previews.contains(shown.as_str()),
            // Among others it is a checksum of something, most likely.
            Kind::Headless { sure: false } => unknown.len() == 1,
            // Anything may have the form.
            Kind::Former => false,
            _ => true,
        });
        let database = self.location();
        search.clues = news
            .map(|finding| {
                let policy = finding.issuer.and_then(|place| issuers.get(place)).map(|issuer| &issuer.policy);
                Clue {
                    line: finding.line,
                    column: finding.column,
                    words: SafeText::new(finding.sentence(policy, &database)),
                    ours: finding.is_ours(),
                }
            })
            .collect();
        search.found = self.with_admins(keys).await?;
        search.trouble = if search.certain { None } else { self.pepper_trouble().await? };
        if search.certain && search.found.len() > 1 {
            search.sweep = Some(self.sweep_given(LeakSource::Given(given), now).await?);
        }
        Ok(search)
    }

    /// As [`Self::find_keys`], in a file or a folder.
    pub async fn find_in_file(&self, path: PathBuf) -> Result<Search> {
        let now = self.look().await?;
        let sweep = self.sweep_given(LeakSource::Path(at_home(path)), now).await?;
        if let (0, [(name, why), ..]) = (sweep.findings.len(), sweep.unread.as_slice()) {
            return Err(Error::Refused(format!("{name} can't be read: {why}")));
        }
        let mut seen = HashSet::new();
        let keys = sweep.findings.iter().filter_map(|one| one.key.as_ref());
        let found: Vec<Found> =
            keys.filter(|found| seen.insert(found.key.id)).map(|found| (**found).clone()).collect();
        let sweep = (found.len() != 1).then_some(sweep).filter(|sweep| !sweep.findings.is_empty());
        Ok(Search { certain: true, found, sweep, ..Search::default() })
    }

    /// What gates saw in the last 24 hours is told.
    async fn sweep_given(&self, source: LeakSource, now: Instant) -> Result<LeakSweep> {
        let since = shifted(now, -days(1));
        let order = LeakOrder { sources: vec![source], form: Form::Auto, since };
        Box::pin(self.sweep_leaks(order, |_| {})).await
    }

    /// The keys of whole secrets, each once, and the findings that led to none.
    async fn by_secrets(
        &self,
        findings: Vec<Finding>,
        directory: &Directory,
    ) -> Result<(Vec<Key>, Vec<Finding>)> {
        let hashed: Vec<(Finding, Vec<HashedKey>)> = findings
            .into_iter()
            .map(|finding| {
                let readings = finding.readings.iter().map(|secret| secret.expose().as_bytes());
                let hashes = readings.flat_map(|secret| directory.hashes(secret)).collect();
                (finding, hashes)
            })
            .collect();
        wipe_stack();
        let hashes = hashed.iter().flat_map(|(_, hashes)| hashes).copied().collect();
        let known: HashMap<HashedKey, Key> = self.of_secrets(hashes).await?.into_iter().collect();
        let (mut keys, mut unknown) = (Vec::new(), Vec::new());
        let (mut seen, mut told) = (HashSet::new(), HashSet::new());
        for (finding, hashes) in hashed {
            match hashes.iter().find_map(|hash| known.get(hash)) {
                Some(key) if seen.insert(key.id) => keys.push(key.clone()),
                Some(_) => {}
                // The same one twice is one.
                None if hashes.first().is_none_or(|hash| told.insert(*hash)) => unknown.push(finding),
                None => {}
            }
        }
        Ok((keys, unknown))
    }

    /// The key of a secret that another product made, if it was given and nothing else.
    async fn by_former(&self, given: &SentKey, directory: &Directory) -> Result<Vec<Key>> {
        let text = std::str::from_utf8(given.expose().trim_ascii()).unwrap_or_default();
        if !directory.is_former(text) {
            return Ok(Vec::new());
        }
        let found = self.of_secrets(directory.hashes(text.as_bytes())).await?;
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// The keys that fit the previews in a text, or the text itself where there is nothing else in it.
    async fn by_words(
        &self,
        given: &SentKey,
        unknown: &[Finding],
        now: Instant,
        search: &mut Search,
    ) -> Result<Vec<Key>> {
        let mut previews: Vec<&str> = unknown
            .iter()
            .filter_map(|finding| match &finding.kind {
                Kind::Preview(Some(shown)) => Some(shown.as_str()),
                _ => None,
            })
            .collect();
        let mut seen = HashSet::new();
        previews.retain(|shown| seen.insert(*shown));
        let mut keys: Vec<Key> = Vec::new();
        if let [one] = previews.as_slice() {
            keys = self.by_text(fold_typed(one), now, search).await?;
            previews.clear();
        }
        search.left_out += previews.len().saturating_sub(PREVIEWS);
        for shown in previews.into_iter().take(PREVIEWS) {
            for key in self.by_text(fold_typed(shown), now, &mut Search::default()).await? {
                if !keys.iter().any(|other| other.id == key.id) {
                    keys.push(key);
                }
            }
        }
        let text = std::str::from_utf8(given.expose()).unwrap_or_default();
        let text = text.trim_start_matches('\u{feff}').trim();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let ids = words.filter(|word| matches!(word.len(), 32 | 36)).filter_map(|word| word.parse().ok());
        let ids: BTreeSet<KeyId> = ids.collect();
        search.left_out += ids.len().saturating_sub(IDS);
        for key in self.inner.store.keys(&Vec::from_iter(ids.into_iter().take(IDS))).await? {
            if !keys.iter().any(|other| other.id == key.id) {
                keys.push(key);
            }
        }
        // Nothing that a key is known by is longer than its name and description together.
        let short = text.chars().take(NAME_MAX + DESCRIPTION_MAX + 1).count() <= NAME_MAX + DESCRIPTION_MAX;
        if !keys.is_empty() || !unknown.is_empty() || text.is_empty() || !short {
            return Ok(keys);
        }
        let bare = text.trim_matches(|c: char| c.is_whitespace() || "\"'`,;.:()[]<>".contains(c));
        let keys = self.by_text(fold_typed(text), now, search).await?;
        if keys.is_empty() && !bare.is_empty() && bare != text {
            return self.by_text(fold_typed(bare), now, search).await;
        }
        Ok(keys)
    }

    async fn by_text(&self, text: String, now: Instant, search: &mut Search) -> Result<Vec<Key>> {
        let query = fitting(text);
        let found = self.first_of(&query, FOUND, now).await?;
        if found.len() == FOUND as usize {
            search.fit = Some(self.count(&query).await?);
        }
        Ok(found)
    }

    /// Who may be told of each key.
    pub(super) async fn with_admins(&self, keys: Vec<Key>) -> Result<Vec<Found>> {
        let mut slugs: Vec<&str> = keys.iter().map(|key| key.account.as_str()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        let admins: HashMap<String, Vec<SafeText>> = if slugs.is_empty() {
            HashMap::new()
        } else {
            self.inner.store.admins(&slugs).await?.into_iter().collect()
        };
        let of = |key: &Key| admins.get(&key.account).cloned().unwrap_or_default();
        Ok(keys.into_iter().map(|key| Found { admins: of(&key), key }).collect())
    }
}

/// `~/keys.csv` as a shell would have it.
pub fn at_home(path: PathBuf) -> PathBuf {
    let home = path
        .strip_prefix("~")
        .ok()
        .and_then(|rest| Some(PathBuf::from(std::env::var_os("HOME")?).join(rest)));
    home.unwrap_or(path)
}

/// Searches a text off the threads that do the work: it may be long.
pub(super) async fn searched(
    given: SentKey,
    issuers: Vec<Issuer>,
) -> Result<(SentKey, Arc<[Issuer]>, Vec<Finding>)> {
    let searching = tokio::task::spawn_blocking(move || {
        let findings = search(given.expose(), issuers.iter().map(|issuer| &issuer.policy));
        wipe_stack();
        (given, issuers.into(), findings)
    });
    searching.await.map_err(|_| Error::Refused("the text could not be searched: try a part of it".into()))
}
