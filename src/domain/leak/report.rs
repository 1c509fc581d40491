//! Reports of scanners: gitleaks, trufflehog, GitHub's secret scanning, and SARIF.
//!
//! Of a report only the places are read out; what may be a secret is left where it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Form, Place, Remains, shown};
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;

#[cfg(test)]
mod tests;

/// One finding of a report.
#[derive(Debug)]
pub struct Item<'t> {
    /// The whole of it, as JSON.
    pub text: &'t str,
    /// Where it is in the report, in bytes.
    pub at: usize,
    /// Where the report says that the secret is; `None` for what is no finding of a scanner.
    pub place: Option<Place>,
    /// The scanner's rule.
    pub detector: Option<SafeText>,
    /// What is left of the secret, where the report doesn't show it.
    pub remains: Option<Remains>,
}

/// Words that no report is without.
const WORDS: [&[u8]; 4] = [b"\"RuleID\"", b"\"SourceMetadata\"", b"\"secret_type\"", b"\"runs\""];

/// Whether a text that begins like this may be a report of that form.
pub fn may_be(head: &[u8], form: Form) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let named = || WORDS.iter().any(|word| memchr::memmem::find(head, word).is_some());
    form != Form::Text && matches!(head.first(), Some(b'[' | b'{')) && (named() || head.len() < 8)
}

/// The findings of a report; `None` if it is none of this form.
pub fn read(text: &[u8], form: Form) -> Option<Vec<Item<'_>>> {
    let text = std::str::from_utf8(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)).ok()?;
    let mut items = Vec::new();
    let place = |raw: &RawValue| raw.get().as_ptr() as usize - text.as_ptr() as usize;
    for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw = raw.ok()?;
        if raw.get().starts_with('[') {
            let list: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
            items.extend(list.into_iter().map(|one| entry(one, place(one))));
        } else if let Some(results) = sarif(raw) {
            items.extend(results.into_iter().map(|(one, tool)| result(one, place(one), tool.as_deref())));
        } else {
            items.push(entry(raw, place(raw)));
        }
    }
    let empty = matches!(text.trim(), "[]") && form != Form::Auto;
    (empty || items.iter().any(|item| item.place.is_some())).then_some(items)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'t> {
    // gitleaks
    #[serde(borrow, rename = "RuleID")]
    rule: Option<Cow<'t, str>>,
    #[serde(borrow, rename = "Secret")]
    secret: Option<&'t RawValue>,
    #[serde(borrow, rename = "Match")]
    matched: Option<&'t RawValue>,
    #[serde(borrow, rename = "File")]
    file: Option<Cow<'t, str>>,
    #[serde(rename = "StartLine")]
    line: Option<usize>,
    #[serde(rename = "StartColumn")]
    column: Option<usize>,
    #[serde(borrow, rename = "Commit")]
    commit: Option<Cow<'t, str>>,
    // trufflehog
    #[serde(borrow, rename = "SourceMetadata")]
    metadata: Option<Metadata<'t>>,
    #[serde(borrow, rename = "DetectorName")]
    detector: Option<Cow<'t, str>>,
    #[serde(borrow, rename = "Raw")]
    raw: Option<&'t RawValue>,
    #[serde(borrow, rename = "RawV2")]
    raw_v2: Option<&'t RawValue>,
    #[serde(borrow, rename = "Redacted")]
    redacted: Option<&'t RawValue>,
    // GitHub
    #[serde(borrow)]
    secret_type: Option<Cow<'t, str>>,
    #[serde(borrow)]
    secret_type_display_name: Option<Cow<'t, str>>,
    #[serde(borrow, rename = "secret")]
    github: Option<&'t RawValue>,
    #[serde(borrow)]
    html_url: Option<Cow<'t, str>>,
    #[serde(borrow)]
    first_location_detected: Option<Location<'t>>,
}

#[derive(Deserialize)]
struct Metadata<'t> {
    #[serde(borrow, rename = "Data")]
    data: Option<BTreeMap<Cow<'t, str>, &'t RawValue>>,
}

/// Where trufflehog found it: each source says it in its own way.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source<'t> {
    #[serde(borrow)]
    file: Option<Cow<'t, str>>,
    #[serde(borrow, alias = "path", alias = "key", alias = "url", alias = "image")]
    link: Option<Cow<'t, str>>,
    #[serde(borrow)]
    commit: Option<Cow<'t, str>>,
    line: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Location<'t> {
    #[serde(borrow)]
    path: Option<Cow<'t, str>>,
    start_line: Option<usize>,
    start_column: Option<usize>,
    #[serde(borrow)]
    commit_sha: Option<Cow<'t, str>>,
}

fn place(
    source: Option<Cow<'_, str>>,
    line: Option<usize>,
    column: Option<usize>,
    commit: Option<Cow<'_, str>>,
) -> Place {
    Place {
        source: source.map(|source| shown(&source)).unwrap_or_default(),
        line: line.filter(|line| *line > 0),
        column: column.filter(|column| *column > 0),
        commit: commit.filter(|commit| !commit.is_empty()).map(|commit| shown(&commit)),
    }
}

fn entry(raw: &RawValue, at: usize) -> Item<'_> {
    let none = Item { text: raw.get(), at, place: None, detector: None, remains: None };
    let Ok(one) = serde_json::from_str::<Entry<'_>>(raw.get()) else { return none };
    let named = |name: Option<Cow<'_, str>>| name.filter(|name| !name.is_empty()).map(|name| shown(&name));
    if one.rule.is_some() && (one.secret.is_some() || one.matched.is_some()) {
        return Item {
            place: Some(place(one.file, one.line, one.column, one.commit)),
            detector: named(one.rule),
            remains: remains(raw, &[one.secret, one.matched]),
            ..none
        };
    }
    if let (Some(metadata), Some(_)) = (&one.metadata, &one.detector) {
        let sources = metadata.data.iter().flat_map(BTreeMap::values);
        let source =
            sources.map(|source| serde_json::from_str::<Source<'_>>(source.get()).unwrap_or_default()).next();
        let Source { file, link, commit, line } = source.unwrap_or_default();
        let file = file.filter(|file| !file.is_empty()).or(link);
        return Item {
            place: Some(place(file, line, None, commit)),
            detector: named(one.detector),
            remains: remains(raw, &[one.raw, one.raw_v2, one.redacted]),
            ..none
        };
    }
    if one.secret_type.is_some() {
        let Location { path, start_line, start_column, commit_sha } =
            one.first_location_detected.unwrap_or_default();
        return Item {
            place: Some(place(path.or(one.html_url), start_line, start_column, commit_sha)),
            detector: named(one.secret_type_display_name).or(named(one.secret_type)),
            remains: remains(raw, &[one.github]),
            ..none
        };
    }
    none
}

/// What is left of a secret of which the first of these parts shows nothing or not all; `None` if it shows all.
fn remains(raw: &RawValue, parts: &[Option<&RawValue>]) -> Option<Remains> {
    let content = |part: &RawValue| part.get().trim_matches('"').trim().to_owned().into();
    let parts: Vec<zeroize::Zeroizing<String>> = parts.iter().flatten().map(|part| content(part)).collect();
    if parts.first().is_some_and(|first| !is_masked(first)) {
        return None;
    }
    let tail = parts.iter().find_map(|part| tail(part));
    let words = raw.get().split(|c: char| !c.is_ascii_alphanumeric());
    let hashes = words.filter_map(hash).take(HASHES).collect();
    Some(Remains { hashes, tail })
}

/// Fingerprints of one finding that are looked up.
const HASHES: usize = 16;

fn hash(word: &str) -> Option<HashedKey> {
    let mut hash = [0; 32];
    let bytes = word.as_bytes();
    if bytes.len() != 2 * hash.len() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(bytes.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(HashedKey(hash))
}

fn is_dot(c: char) -> bool {
    matches!(c, '*' | '•' | '·' | '●' | '…' | '█')
}

/// Whether a scanner has taken out the secret or a part of it.
fn is_masked(text: &str) -> bool {
    text.is_empty()
        || text == "null"
        || text.contains("REDACTED")
        || text.ends_with("...")
        || text.contains('…')
        || text.split(|c: char| !is_dot(c)).any(|dots| dots.chars().count() >= 3)
}

/// The last four characters that stand behind what was taken out.
fn tail(text: &str) -> Option<String> {
    let at = text
        .rfind("...")
        .map(|at| at + 3)
        .max(text.rfind(is_dot).and_then(|at| Some(at + text[at..].chars().next()?.len_utf8())))?;
    let tail: String = text[at..].chars().take_while(char::is_ascii_alphanumeric).collect();
    // More is a word that follows, or a part of the secret that nobody needs.
    (4..=8).contains(&tail.len()).then(|| tail[tail.len() - 4..].to_owned())
}

/// A result of SARIF, and the name of its tool.
type Resulted<'t> = (&'t RawValue, Option<Cow<'t, str>>);

/// The results of SARIF; `None` if it is something else.
fn sarif(raw: &RawValue) -> Option<Vec<Resulted<'_>>> {
    #[derive(Deserialize)]
    struct Sarif<'t> {
        #[serde(borrow)]
        runs: Vec<Run<'t>>,
    }
    #[derive(Deserialize)]
    struct Run<'t> {
        #[serde(borrow)]
        tool: Option<Tool<'t>>,
        #[serde(borrow)]
        results: Option<Vec<&'t RawValue>>,
    }
    #[derive(Deserialize)]
    struct Tool<'t> {
        #[serde(borrow)]
        driver: Driver<'t>,
    }
    #[derive(Deserialize)]
    struct Driver<'t> {
        #[serde(borrow)]
        name: Option<Cow<'t, str>>,
    }
    let sarif: Sarif<'_> = serde_json::from_str(raw.get()).ok()?;
    let mut results = Vec::new();
    for run in sarif.runs {
        let tool = run.tool.and_then(|tool| tool.driver.name);
        results.extend(run.results.into_iter().flatten().map(|one| (one, tool.clone())));
    }
    Some(results)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Found<'t> {
    #[serde(borrow)]
    rule_id: Option<Cow<'t, str>>,
    #[serde(borrow)]
    locations: Vec<Located<'t>>,
    #[serde(borrow)]
    partial_fingerprints: Option<Fingerprints<'t>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Fingerprints<'t> {
    #[serde(borrow)]
    commit_sha: Option<Cow<'t, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Located<'t> {
    #[serde(borrow)]
    physical_location: Option<Physical<'t>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Physical<'t> {
    #[serde(borrow)]
    artifact_location: Option<Artifact<'t>>,
    #[serde(borrow)]
    region: Option<Region<'t>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Artifact<'t> {
    #[serde(borrow)]
    uri: Option<Cow<'t, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Region<'t> {
    start_line: Option<usize>,
    start_column: Option<usize>,
    #[serde(borrow)]
    snippet: Option<Snippet<'t>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Snippet<'t> {
    #[serde(borrow)]
    text: Option<&'t RawValue>,
}

fn result<'t>(raw: &'t RawValue, at: usize, tool: Option<&str>) -> Item<'t> {
    let found: Found<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let first = found.locations.into_iter().next().and_then(|one| one.physical_location).unwrap_or_default();
    let region = first.region.unwrap_or_default();
    let file = first.artifact_location.and_then(|file| file.uri);
    let commit = found.partial_fingerprints.and_then(|prints| prints.commit_sha);
    Item {
        text: raw.get(),
        at,
        place: Some(place(file, region.start_line, region.start_column, commit)),
        detector: found.rule_id.as_deref().or(tool).map(shown),
        remains: remains(raw, &[region.snippet.and_then(|snippet| snippet.text)]),
    }
}
