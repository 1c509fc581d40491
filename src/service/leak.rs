//! The leak sweep: every secret of ours in files, folders, reports of scanners, and what was pasted.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::found::{Found, PREVIEWS, fitting};
use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::leak::{Form, Leak, Place};
use crate::domain::secret::{HashedKey, SentKey};
use crate::domain::text::{SafeText, fold_typed};
use crate::domain::usage::Counts;

mod bytes;
mod gunzip;
mod read;

use read::{Clue, Reader};

/// What may be searched.
#[derive(Debug, PartialEq, Eq)]
pub enum LeakSource {
    /// Standard input.
    Stdin,
    /// A file, or a folder with all that is in it.
    Path(PathBuf),
    /// What was pasted.
    Given(SentKey),
}

/// What shall be searched, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct LeakOrder {
    pub sources: Vec<LeakSource>,
    pub form: Form,
    /// What gates saw is counted from here on.
    pub since: Instant,
}

/// Something that was found. Holds no part of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeakFinding {
    pub place: Place,
    pub leak: Leak,
    /// Ours.
    pub key: Option<Arc<Found>>,
    /// What gates saw of it since the chosen instant.
    pub seen: Counts,
    /// The name of the issuer whose form it has.
    pub issuer: Option<SafeText>,
    /// Whose it is, or the rule of the scanner that found it.
    pub provider: Option<SafeText>,
    /// What it is, in words.
    pub words: SafeText,
    /// The keys that what is left of it fits.
    pub candidates: Vec<Arc<Key>>,
}

impl LeakFinding {
    /// Whether it is a key of ours that works, or works again once its account is reinstated, its policy has
    /// its prefix again or its row is repaired.
    pub fn can_work(&self, now: Instant) -> bool {
        let status = self.key.as_ref().map(|found| found.key.status(now));
        matches!(
            status,
            Some(
                Status::Active
                    | Status::Planned
                    | Status::Paused
                    | Status::Suspended
                    | Status::Refused
                    | Status::Damaged
            )
        )
    }

    /// Whether it is a key of ours that works now.
    pub fn works(&self, now: Instant) -> bool {
        self.key.as_ref().is_some_and(|found| found.key.status(now) == Status::Active)
    }
}

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeakSweep {
    /// In the order of the sources.
    pub findings: Vec<LeakFinding>,
    pub files: u64,
    pub bytes: u64,
    /// Files that could not be read, or not to their ends, and why.
    pub unread: Vec<(SafeText, String)>,
    /// Links and special files in folders, which were not looked at.
    pub skipped: u64,
    /// Why a secret of ours may not have been found, if there is a reason.
    pub trouble: Option<String>,
}

impl LeakSweep {
    /// The keys of ours that can still work, each once, in the order of their first findings.
    pub fn working(&self, now: Instant) -> Vec<KeyId> {
        let mut seen = HashSet::new();
        let keys = self.findings.iter().filter(|one| one.can_work(now)).filter_map(|one| one.key.as_ref());
        keys.map(|found| found.key.id).filter(|id| seen.insert(*id)).collect()
    }

    /// Takes over what these keys are now.
    pub fn renew(&mut self, keys: impl IntoIterator<Item = Key>) {
        let keys: HashMap<KeyId, Key> = keys.into_iter().map(|key| (key.id, key)).collect();
        for finding in &mut self.findings {
            if let Some(found) = &mut finding.key
                && let Some(key) = keys.get(&found.key.id)
            {
                *found = Arc::new(Found { key: key.clone(), admins: found.admins.clone() });
            }
        }
    }
}

/// How far a sweep has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakProgress {
    pub bytes: u64,
    /// Of all files, as far as that is known.
    pub of: u64,
}

/// Findings that are looked up together.
const BATCH: usize = 2000;
/// Candidates that are told of one finding.
const CANDIDATES: u32 = 5;

impl Service {
    /// Searches for secrets, whatever stands around them, and looks up whose they are. Looking needs the role of a viewer.
    pub async fn sweep_leaks(
        &self,
        order: LeakOrder,
        progress: impl Fn(LeakProgress) + Send + 'static,
    ) -> Result<LeakSweep> {
        let now = self.look().await?;
        let issuers = self.inner.store.issuers().await?;
        let (clues, mut coming) = mpsc::channel(4);
        let LeakOrder { sources, form, since } = order;
        let (database, directory) = (self.location(), self.directory(&issuers));
        let reading = tokio::task::spawn_blocking(move || {
            let mut reader = Reader::new(&issuers, directory, form, (database, clues), Box::new(progress));
            for source in sources {
                reader.source(source);
            }
            reader.end()
        });
        let mut sweep = LeakSweep::default();
        let mut keys: HashMap<KeyId, Arc<Key>> = HashMap::new();
        let mut found: Vec<(Clue, Option<Arc<Key>>)> = Vec::new();
        let mut waiting: Vec<Clue> = Vec::new();
        while let Some(some) = coming.recv().await {
            waiting.extend(some);
            if waiting.len() >= BATCH {
                self.look_up(std::mem::take(&mut waiting), &mut keys, &mut found).await?;
            }
        }
        self.look_up(waiting, &mut keys, &mut found).await?;
        let broke = |_| Error::Refused("the text could not be searched: try a part of it".into());
        let told = reading.await.map_err(broke)?;
        (sweep.files, sweep.bytes, sweep.skipped, sweep.unread) =
            (told.files, told.bytes, told.skipped, told.unread);
        sweep.trouble = self.pepper_trouble().await?;
        let candidates = self.candidates(&found, now).await?;
        let mut ids: Vec<KeyId> = keys.keys().copied().collect();
        ids.sort_unstable();
        let seen: HashMap<KeyId, Counts> =
            self.inner.store.usage_sums(&ids, since).await?.into_iter().collect();
        let keys = keys.into_values().map(|key| (*key).clone()).collect();
        let keys: HashMap<KeyId, Arc<Found>> =
            self.with_admins(keys).await?.into_iter().map(|found| (found.key.id, Arc::new(found))).collect();
        sweep.findings = found
            .into_iter()
            .map(|(clue, key)| {
                let key = key.and_then(|key| keys.get(&key.id).cloned());
                LeakFinding {
                    seen: key.as_ref().and_then(|found| seen.get(&found.key.id)).copied().unwrap_or_default(),
                    candidates: clue
                        .hint
                        .as_ref()
                        .and_then(|hint| candidates.get(hint))
                        .cloned()
                        .unwrap_or_default(),
                    leak: if key.is_some() { Leak::Ours } else { clue.leak },
                    words: if key.is_some() { SafeText::default() } else { clue.words },
                    provider: if key.is_some() { None } else { clue.provider },
                    issuer: clue.issuer,
                    place: clue.place,
                    key,
                }
            })
            .collect();
        Ok(sweep)
    }

    /// Finds out which of these are keys of ours. What could be one, but is more likely anything else, is left out.
    async fn look_up(
        &self,
        clues: Vec<Clue>,
        keys: &mut HashMap<KeyId, Arc<Key>>,
        found: &mut Vec<(Clue, Option<Arc<Key>>)>,
    ) -> Result<()> {
        let hashes = clues.iter().flat_map(|clue| &clue.hashes).copied().collect();
        let mut known: HashMap<HashedKey, Arc<Key>> = HashMap::new();
        for (hash, key) in self.of_secrets(hashes).await? {
            known.insert(hash, keys.entry(key.id).or_insert_with(|| Arc::new(key)).clone());
        }
        for clue in clues {
            let key = clue.hashes.iter().find_map(|hash| known.get(hash)).cloned();
            if key.is_some() || !clue.only_if_known {
                found.push((clue, key));
            }
        }
        Ok(())
    }

    /// The keys that fit what is left of secrets: their previews, or their last four characters.
    async fn candidates(
        &self,
        found: &[(Clue, Option<Arc<Key>>)],
        now: Instant,
    ) -> Result<HashMap<String, Vec<Arc<Key>>>> {
        let hints = found.iter().filter(|(_, key)| key.is_none()).filter_map(|(clue, _)| clue.hint.as_ref());
        let mut candidates = HashMap::new();
        for hint in hints {
            if candidates.len() >= PREVIEWS || candidates.contains_key(hint) {
                continue;
            }
            let fit = self.first_of(&fitting(fold_typed(hint)), 4 * CANDIDATES, now).await?;
            let keys = fit.into_iter().filter(|key| key.preview.ends_with(hint.as_str()));
            candidates.insert(hint.clone(), keys.take(CANDIDATES as usize).map(Arc::new).collect());
        }
        Ok(candidates)
    }
}
