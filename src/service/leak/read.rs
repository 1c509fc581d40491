//! Reading files, folders and reports for the sweep. What is read is wiped as soon as it was searched.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

use super::bytes::{Counted, Held, Lenient};
use super::gunzip::{Gunzip, MAGIC};
use super::{LeakProgress, LeakSource};
use crate::domain::credential::Directory;
use crate::domain::issuer::Issuer;
use crate::domain::leak::report::{self, Item};
use crate::domain::leak::{Form, Leak, Place, shown};
use crate::domain::secret::{Finder, Finding, HashedKey, Kind, Stream, wipe_stack};
use crate::domain::text::SafeText;

/// Something that was found, before anybody knows whose it is.
pub struct Clue {
    pub place: Place,
    pub leak: Leak,
    pub hashes: Vec<HashedKey>,
    /// Whether it is of interest only as a key of ours.
    pub only_if_known: bool,
    pub issuer: Option<SafeText>,
    pub provider: Option<SafeText>,
    pub words: SafeText,
    /// The preview or the last characters of it.
    pub hint: Option<String>,
}

/// Bytes by which the form of a text is told.
const HEAD: usize = 64 << 10;
/// No report is longer than this many bytes; what is longer is searched as a text.
const REPORT: usize = 256 << 20;
/// Layers of gzip that are taken off.
const LAYERS: usize = 3;
/// Clues that are handed over together.
const HANDED: usize = 500;

/// What was read.
#[derive(Default)]
pub struct Done {
    pub files: u64,
    pub bytes: u64,
    pub skipped: u64,
    pub unread: Vec<(SafeText, String)>,
}

pub struct Reader<'i> {
    finder: Arc<Finder>,
    stream: Stream,
    form: Form,
    sink: Sink<'i>,
    progress: Box<dyn Fn(LeakProgress)>,
    /// Bytes of all the files that are known of.
    of: u64,
    /// Bytes that were read from files, of what is compressed as it stands there.
    passed: Rc<Cell<u64>>,
    done: Done,
}

impl<'i> Reader<'i> {
    pub fn new(
        issuers: &'i [Issuer],
        directory: Directory,
        form: Form,
        (database, clues): (String, Sender<Vec<Clue>>),
        progress: Box<dyn Fn(LeakProgress)>,
    ) -> Self {
        let finder = Arc::new(Finder::new(issuers.iter().map(|issuer| &issuer.policy)));
        Self {
            stream: Stream::new(finder.clone()),
            finder,
            form,
            sink: Sink { issuers, directory, database, clues, waiting: Vec::new() },
            progress,
            of: 0,
            passed: Rc::default(),
            done: Done::default(),
        }
    }

    /// Whether nobody waits for more.
    pub fn is_unwanted(&self) -> bool {
        self.sink.clues.is_closed()
    }

    pub fn source(&mut self, source: LeakSource) {
        match source {
            LeakSource::Given(text) => self.search("-", Box::new(Cursor::new(Held(text)))),
            LeakSource::Stdin => {
                // Not through the buffer of the standard library, which nobody wipes.
                let opened = io::stdin().as_fd().try_clone_to_owned().map(File::from);
                self.opened("-", opened);
            }
            LeakSource::Path(path) => match fs::metadata(&path) {
                Ok(there) if there.is_dir() => self.folder(&path),
                there => {
                    self.of += there.map_or(0, |there| there.len());
                    self.opened(&path.to_string_lossy(), File::open(&path));
                }
            },
        }
    }

    /// Hands over the last clues.
    pub fn end(mut self) -> Done {
        self.sink.hand_over();
        self.done.bytes = self.passed.get();
        self.done
    }

    fn folder(&mut self, folder: &Path) {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            if let Err(error) = self.list(&folder, &mut files, &mut folders) {
                self.unread(&folder.to_string_lossy(), &error);
            }
        }
        files.sort_unstable();
        for file in files {
            if self.is_unwanted() {
                return;
            }
            self.opened(&file.to_string_lossy(), File::open(&file));
        }
    }

    fn list(
        &mut self,
        folder: &Path,
        files: &mut Vec<PathBuf>,
        folders: &mut Vec<PathBuf>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                self.of += entry.metadata().map_or(0, |there| there.len());
                files.push(entry.path());
            } else {
                self.done.skipped += 1;
            }
        }
        Ok(())
    }

    fn opened(&mut self, name: &str, file: io::Result<File>) {
        match file {
            Ok(file) => self.search(name, Box::new(file)),
            Err(error) => self.unread(name, &error),
        }
    }

    fn unread(&mut self, name: &str, error: &io::Error) {
        self.done.unread.push((shown(name), error.to_string()));
    }

    fn search(&mut self, name: &str, read: Box<dyn Read>) {
        self.done.files += 1;
        let mut read =
            Lenient { read: Box::new(Counted { read, passed: self.passed.clone() }), trouble: None };
        let mut head = read.some(HEAD);
        for _ in 0..LAYERS {
            if !head.starts_with(&MAGIC) {
                break;
            }
            let inner = Box::new(Gunzip::new(Cursor::new(head).chain(read)));
            read = Lenient { read: inner, trouble: None };
            head = read.some(HEAD);
        }
        if report::may_be(&head, self.form) {
            while head.len() < REPORT {
                let more = read.some((head.len().max(HEAD)).min(REPORT - head.len()));
                if more.is_empty() {
                    break;
                }
                let mut longer = Zeroizing::new(Vec::with_capacity(head.len() + more.len()));
                longer.extend_from_slice(&head);
                longer.extend_from_slice(&more);
                head = longer;
            }
            if head.len() < REPORT
                && let Some(items) = report::read(&head, self.form)
            {
                items.into_iter().for_each(|item| self.item(name, &head, item));
                head = Zeroizing::default();
            }
        }
        let source = shown(name);
        let mut known = Cursor::new(head);
        loop {
            let space = self.stream.space();
            let mut length = known.read(space).unwrap_or(0);
            if length == 0 {
                length = read.fill(space);
            }
            let last = length == 0;
            if self.stream.took(length) || last {
                let Self { stream, sink, .. } = self;
                stream.look(last, |finding| {
                    let place = Place {
                        source: source.clone(),
                        line: Some(finding.line),
                        column: Some(finding.column),
                        commit: None,
                    };
                    sink.take(&finding, place);
                });
                (self.progress)(LeakProgress { bytes: self.passed.get(), of: self.of });
            }
            if last || self.is_unwanted() {
                break;
            }
        }
        if let Some(error) = read.trouble.take() {
            self.unread(name, &error);
        }
        wipe_stack();
    }

    /// Looks at one finding of a report: it is where the report says.
    fn item(&mut self, name: &str, report: &[u8], item: Item<'_>) {
        let mut place = item.place.clone().unwrap_or_else(|| {
            let before = &report[..item.at.min(report.len())];
            Place { line: Some(memchr::memchr_iter(b'\n', before).count() + 1), ..Place::default() }
        });
        if place.source.is_empty() {
            place.source = shown(name);
        }
        let mut clues: Vec<Clue> = Vec::new();
        let mut foreign = None;
        let mut whole = false;
        for finding in self.finder.search(item.text.as_bytes()) {
            whole |= finding.kind == Kind::Whole;
            let Some(mut clue) = self.sink.clue(&finding, place.clone()) else { continue };
            if clue.leak == Leak::Foreign && clue.hashes.is_empty() {
                foreign = foreign.or(Some(clue));
                continue;
            }
            // Of a secret that was taken out, what is left is not what leaked.
            clue.only_if_known |= item.remains.is_some() && !whole;
            let same = |other: &Clue| {
                other.leak == clue.leak && other.hashes == clue.hashes && other.words == clue.words
            };
            if !clues.iter().any(same) {
                clues.push(clue);
            }
        }
        if item.place.is_some() && !whole && clues.iter().all(|clue| clue.only_if_known) {
            let clue = |leak, words: &str| Clue {
                leak,
                provider: item.detector.clone(),
                words: words.into(),
                ..Clue::at(place.clone())
            };
            clues.push(match item.remains {
                Some(remains) => Clue {
                    hashes: remains.hashes,
                    hint: remains.tail,
                    ..clue(Leak::Redacted, "taken out by the scanner: the report doesn't show it")
                },
                None => {
                    foreign.unwrap_or_else(|| clue(Leak::Foreign, "not one of ours, says the scanner's rule"))
                }
            });
        } else if clues.is_empty() {
            clues.extend(foreign);
        }
        clues.into_iter().for_each(|clue| self.sink.push(clue));
    }
}

/// Where clues go.
struct Sink<'i> {
    issuers: &'i [Issuer],
    directory: Directory,
    database: String,
    clues: Sender<Vec<Clue>>,
    waiting: Vec<Clue>,
}

impl Clue {
    fn at(place: Place) -> Self {
        Self {
            place,
            leak: Leak::Damaged,
            hashes: Vec::new(),
            only_if_known: false,
            issuer: None,
            provider: None,
            words: SafeText::default(),
            hint: None,
        }
    }
}

impl Sink<'_> {
    fn take(&mut self, finding: &Finding, place: Place) {
        if let Some(clue) = self.clue(finding, place) {
            self.push(clue);
        }
    }

    fn push(&mut self, clue: Clue) {
        self.waiting.push(clue);
        if self.waiting.len() >= HANDED {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        // Whoever went away wants no more.
        let _ = self.clues.blocking_send(std::mem::take(&mut self.waiting));
    }

    /// What a finding may come to; `None` for what is nobody's.
    fn clue(&self, finding: &Finding, place: Place) -> Option<Clue> {
        let policy = finding.issuer.and_then(|place| self.issuers.get(place)).map(|issuer| &issuer.policy);
        let (leak, only_if_known) = match finding.kind {
            Kind::Whole => (Leak::Unknown, false),
            Kind::Foreign(_) => (Leak::Foreign, false),
            Kind::Preview(_) if finding.issuer.is_none() => return None,
            // Among others it is a checksum of something, most likely, or anybody's name of something.
            Kind::Headless { sure: false } | Kind::Unknown if finding.readings.is_empty() => return None,
            Kind::Headless { sure: false } | Kind::Unknown | Kind::Former => (Leak::Damaged, true),
            _ => (Leak::Damaged, false),
        };
        Some(Clue {
            leak,
            only_if_known,
            hashes: finding
                .readings
                .iter()
                .flat_map(|reading| self.directory.hashes(reading.expose().as_bytes()))
                .collect(),
            issuer: policy.map(|policy| SafeText::new(policy.name.as_str())),
            provider: match finding.kind {
                Kind::Foreign(provider) => Some(provider.into()),
                _ => None,
            },
            words: if only_if_known {
                SafeText::default()
            } else {
                finding.sentence(policy, &self.database).into()
            },
            hint: match &finding.kind {
                Kind::Preview(shown) => shown.clone(),
                _ => None,
            },
            ..Clue::at(place)
        })
    }
}
