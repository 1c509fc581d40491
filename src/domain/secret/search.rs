//! Searching any input for secrets, whatever stands around them and however they were wrapped or escaped on the way.
//!
//! What is found is named by its place and kind. The text is read in linear time, and every copy of a part of it is wiped.

use std::ops::Range;

use strum::VariantArray as _;
use zeroize::Zeroizing;

use super::recognise::{SHORTEST_BODY, is_dot};
use super::{Body, DOTS, PlainKey, TAIL};
use crate::domain::carrier::Carrier;
use crate::domain::issuer::Policy;

mod former;
mod headless;
mod read;
mod sieve;
mod strangers;
mod stream;
mod words;

use former::Formers;
use read::{SHORTEST_RUN, clean, decoded, encoded_places, encoded_runs, gap, is_lead, run, unit};
use sieve::{Sieve, follows_escape};
pub use stream::Stream;
use stream::Walk;

/// Something in a text that is, was or shows a secret.
#[derive(Debug)]
pub struct Finding {
    /// The line that it begins in, counted from 1.
    pub line: usize,
    /// The character of the line, counted from 1; what nobody sees does not count.
    pub column: usize,
    pub kind: Kind,
    /// The place of its issuer among the policies that were given; `None` where the prefix is nobody's.
    pub issuer: Option<usize>,
    /// What it may be in full, the likeliest first: the database knows which, if any.
    pub readings: Vec<PlainKey>,
    /// The header that the text shows it in, and whether the header's name is spelled as the documents spell it.
    pub header: Option<(Carrier, bool)>,
    /// Whether the text holds nothing else.
    pub alone: bool,
}

/// How much of a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The form is right, and the checksum where there is one.
    Whole,
    /// Characters after the prefix, and how many a secret has.
    Cut { found: usize, wanted: usize },
    /// About as long as a secret, but the checksum does not fit.
    Mistyped,
    /// As long as a secret or longer, with characters that do not belong there.
    Altered,
    /// Prefix, dots and last characters: harmless. The preview as lists show it; `None` without last characters.
    Preview(Option<String>),
    /// What follows the prefix, but the prefix is missing or damaged. `sure`: the checksum says so; else it may be any
    /// number of that length.
    Headless { sure: bool },
    /// The looks of a secret of another provider, by its name.
    Foreign(&'static str),
    /// The looks of a secret of nobody known.
    Unknown,
    /// A former form of an issuer's keys, which many things have.
    Former,
}

/// A shorter body is taken for ordinary text, such as `gw_name`.
const SHORTEST: usize = 16;
/// A damaged body that is as long as this is no ordinary text, even within a word.
const LONG: usize = 32;
/// Characters that a preview may show behind the prefix, and at its end.
const SHOWN: usize = 8;
/// How often encoded text is looked into again.
const DEPTH: u8 = 2;

/// Everything in `input` that has the form of a secret of one of these policies, or the looks of somebody else's, in the
/// order of the text. Lines that were wrapped, quoted or escaped are read as what they were, and so is base64.
pub fn search<'p>(input: &[u8], policies: impl IntoIterator<Item = &'p Policy>) -> Vec<Finding> {
    Finder::new(policies).search(input)
}

/// A prefix and what follows it.
struct Form {
    prefix: String,
    body: Body,
    issuer: usize,
}

/// A search made ready for some policies.
pub struct Finder {
    forms: Vec<Form>,
    formers: Formers,
    /// The bytes that a secret of ours may begin with.
    starts: [bool; 256],
    /// The fewest digits of base64 that hold something.
    encoded: usize,
    sieve: Sieve,
}

/// What was found, before its line is known.
struct Seen {
    kind: Kind,
    issuer: Option<usize>,
    readings: Vec<PlainKey>,
}

/// What was found, and where.
struct Hit {
    /// All that has to do with it: of base64, the whole run.
    place: Range<usize>,
    /// Where it begins itself.
    spot: usize,
    seen: Seen,
}

impl Finder {
    pub fn new<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let policies: Vec<&Policy> = policies.into_iter().collect();
        let formers = Formers::new(policies.iter().copied());
        let mut forms: Vec<Form> = Vec::new();
        for (issuer, policy) in policies.into_iter().enumerate() {
            let body = policy.format.body;
            let own = policy.format.prefixes().map(|prefix| Form { prefix: prefix.to_owned(), body, issuer });
            forms.extend(own);
        }
        // The longest first: where `vg_` and `vg_pat_` both fit, the latter says more.
        forms.sort_by_key(|form| std::cmp::Reverse(form.prefix.len()));
        let mut starts = [false; 256];
        for form in &forms {
            let first = form.prefix.as_bytes()[0];
            starts[usize::from(first)] = true;
            starts[usize::from(first.to_ascii_uppercase())] = true;
        }
        (0..=u8::MAX).filter(|byte| is_lead(*byte)).for_each(|byte| starts[usize::from(byte)] = true);
        let encoded = formers.encoded().map_or(SHORTEST_RUN, |digits| digits.min(SHORTEST_RUN));
        let sieve = Sieve::new(&forms, encoded);
        Self { forms, formers, starts, encoded, sieve }
    }

    /// The same, that looks everywhere: slow, and the measure of the other.
    #[doc(hidden)]
    pub fn everywhere<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let mut finder = Self::new(policies);
        finder.sieve.open();
        finder
    }

    /// As [`search`].
    pub fn search(&self, input: &[u8]) -> Vec<Finding> {
        let mut text = Zeroizing::new(String::with_capacity(input.len()));
        clean(input, &mut text);
        let first = text.len() - text.trim_start().len();
        let last = text.trim_end().len();
        let mut walk = Walk::default();
        let mut counted = 0;
        let tell = |hit: Hit| {
            walk.pass(&text[std::mem::replace(&mut counted, hit.spot)..hit.spot]);
            let alone = hit.place.start <= first && hit.place.end >= last;
            Finding { alone, ..walk.finding(&text, hit) }
        };
        self.hits(&text).into_iter().map(tell).collect()
    }

    /// What is in a clean text, in its order.
    fn hits(&self, text: &str) -> Vec<Hit> {
        let lines = self.sieve.lines(text.as_bytes());
        let marks = self.sieve.marks(text.as_bytes(), &lines);
        let mut hits = self.plain(text, marks);
        self.formers.add(text, &mut hits);
        self.encoded(text, lines, DEPTH, &mut hits);
        hits.sort_by_key(|hit| hit.spot);
        hits
    }

    /// What begins at one of these places, which are in their order.
    fn plain(&self, text: &str, marks: impl IntoIterator<Item = Range<usize>>) -> Vec<Hit> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        let mut hit = |place: Range<usize>, seen| found.push(Hit { spot: place.start, place, seen });
        // What lies before this belongs to something that was found, and can only be a secret of ours.
        let mut covered = 0;
        let mut at = 0;
        for mark in marks {
            at = at.max(mark.start);
            while at < mark.end {
                let mut next = at + 1;
                if self.starts[usize::from(bytes[at])]
                    && let Some((end, after, seen)) = self.ours(text, at)
                {
                    covered = covered.max(end);
                    next = after;
                    hit(at..end, seen);
                } else if at >= covered
                    && let Some((start, end, mut seen)) = strangers::at(text, at, covered)
                {
                    if seen.kind == Kind::Unknown {
                        self.beheaded(&text[start..=at], &text[at + 1..end], &mut seen);
                    }
                    covered = end;
                    hit(start..end, seen);
                } else if at >= covered
                    && let Some((end, seen)) = self.body_alone(text, at)
                {
                    covered = end;
                    hit(at..end, seen);
                }
                at = next;
            }
        }
        found
    }

    /// A secret of ours at a place: its end, where to look on, and what it is. The longest prefix says it: behind a shorter
    /// one there is an underscore, which no body has.
    fn ours(&self, text: &str, at: usize) -> Option<(usize, usize, Seen)> {
        self.forms.iter().find_map(|form| {
            let body_at = after_prefix(text.as_bytes(), at, &form.prefix)?;
            let (end, seen) = self.judge(text, at, body_at, form)?;
            // What is damaged may have a whole one within it.
            let after = if seen.kind == Kind::Whole { end } else { body_at };
            Some((end, after, seen))
        })
    }

    fn judge(&self, text: &str, start: usize, body_at: usize, form: &Form) -> Option<(usize, Seen)> {
        let bytes = text.as_bytes();
        let mut readings = Vec::new();
        let mut whole = None;
        let straight = run(bytes, body_at, false);
        let joined = run(bytes, body_at, true);
        let both = [Some(&straight), (joined.chars.len() > straight.chars.len()).then_some(&joined)];
        for run in both.into_iter().flatten() {
            if whole.is_some() {
                break;
            }
            for body in [form.body]
                .into_iter()
                .chain(Body::VARIANTS.iter().copied().filter(|body| *body != form.body))
            {
                let Some(chars) = run.chars.get(..body.length()) else { continue };
                if self.readings(&form.prefix, body, chars, &mut readings)
                    && (body == Body::Base62Checksum || run.chars.len() == body.length() && run.closed)
                {
                    whole = whole.or(Some(run.ends[body.length() - 1]));
                }
            }
        }
        let found = straight.chars.len();
        if let Some(end) = whole {
            return Some((end, Seen { kind: Kind::Whole, issuer: Some(form.issuer), readings }));
        }
        let of = |kind, readings| Seen { kind, issuer: Some(form.issuer), readings };
        if let Some((end, tail)) = preview(text, body_at) {
            let shown = tail.map(|tail| super::preview(&form.prefix, tail));
            return Some((end, of(Kind::Preview(shown), readings)));
        }
        let end = straight.ends.last().copied().unwrap_or(body_at);
        let damaged = found >= SHORTEST && begins_word(text, start) || found >= LONG;
        let wanted = form.body.length();
        let kind = match form.body {
            Body::Base62Checksum if found.abs_diff(wanted) <= 1 => Kind::Mistyped,
            _ if found < wanted => Kind::Cut { found, wanted },
            _ => Kind::Altered,
        };
        (damaged || !readings.is_empty()).then(|| (end, of(kind, readings)))
    }

    /// Adds the secrets that a prefix and a body come to, also where a stray letter belongs to the prefix of somebody else.
    /// Answers whether the body has its form just as it stands.
    fn readings(&self, prefix: &str, body: Body, chars: &[u8], readings: &mut Vec<PlainKey>) -> bool {
        let Ok(chars) = std::str::from_utf8(chars) else { return false };
        let small = Zeroizing::new(chars.to_ascii_lowercase());
        let mut fits = false;
        let shorter = self.forms.iter().map(|form| form.prefix.as_str());
        let shorter = shorter.filter(|other| other.len() < prefix.len() && prefix.ends_with(other));
        for prefix in std::iter::once(prefix).chain(shorter) {
            for (text, exact) in [(chars, true), (small.as_str(), false)] {
                if body.matches(prefix, text) && (exact || text != chars) {
                    fits |= exact;
                    readings.push(PlainKey::join(prefix, text));
                    break;
                }
            }
        }
        fits
    }

    /// Looks into what is base64: a Basic header, a value of Kubernetes, an attachment. `lines` are those that it may begin
    /// with.
    fn encoded(&self, text: &str, lines: Vec<Range<usize>>, depth: u8, found: &mut Vec<Hit>) {
        for place in encoded_runs(text.as_bytes(), lines, self.encoded) {
            let run = &text.as_bytes()[place.clone()];
            // Digests are as long, and base64 of any text has capital letters.
            if run.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                continue;
            }
            for skip in 0..4 {
                let inner = decoded(run, skip);
                let mut seen = self.within(&inner, depth);
                seen.sort_by_key(|hit| hit.spot);
                let spots = encoded_places(run, skip, &inner, seen.iter().map(|hit| hit.spot));
                let outer = |(hit, spot): (Hit, usize)| Hit {
                    place: place.clone(),
                    spot: place.start + spot,
                    seen: hit.seen,
                };
                found.extend(seen.into_iter().zip(spots).map(outer));
            }
        }
    }

    /// What is in bytes that were encoded. By chance anything may stand there, but no secret that is as long as one.
    fn within(&self, bytes: &[u8], depth: u8) -> Vec<Hit> {
        let may_hold = self.sieve.may_hold(bytes);
        if !may_hold && self.formers.is_empty() {
            return Vec::new();
        }
        let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
        clean(bytes, &mut text);
        if !may_hold {
            let mut seen = Vec::new();
            self.formers.add(&text, &mut seen);
            return seen;
        }
        let lines = self.sieve.lines(text.as_bytes());
        let mut seen = self.plain(&text, self.sieve.marks(text.as_bytes(), &lines));
        seen.retain(|Hit { seen, .. }| match seen.kind {
            Kind::Whole | Kind::Mistyped | Kind::Cut { .. } => true,
            // What stands in the next line may have been taken for more of it.
            Kind::Altered => !seen.readings.is_empty(),
            _ => false,
        });
        self.formers.add(&text, &mut seen);
        if depth > 1 {
            self.encoded(&text, lines, depth - 1, &mut seen);
        }
        seen
    }
}

/// Where the body begins, if `prefix` stands at a place, in whatever letters and wrapped wherever.
fn after_prefix(bytes: &[u8], mut at: usize, prefix: &str) -> Option<usize> {
    for (place, wanted) in prefix.bytes().enumerate() {
        let fits = |found: Option<(u8, usize)>| {
            found.filter(|(byte, _)| byte.eq_ignore_ascii_case(&wanted)).map(|(_, next)| next)
        };
        at = match fits(unit(bytes, at)) {
            Some(next) => next,
            None if place > 0 => fits(unit(bytes, gap(bytes, at)?))?,
            None => return None,
        };
    }
    Some(at)
}

/// The dots and last characters that stand at a place, perhaps behind a few first ones: their end, and the last four.
fn preview(text: &str, at: usize) -> Option<(usize, Option<&str>)> {
    let rest = &text[at..];
    let alphanumeric = |text: &str| text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let head = alphanumeric(rest);
    let masked = rest[head..].char_indices().find(|(_, c)| !is_dot(*c)).map_or(rest.len() - head, |(i, _)| i);
    let dots: usize = rest[head..head + masked].chars().map(|c| if c == '…' { 3 } else { 1 }).sum();
    let tail = alphanumeric(&rest[head + masked..]);
    if dots < 3 || head > SHOWN || tail > SHOWN {
        return None;
    }
    let end = head + masked + tail;
    Some((at + end, (tail >= TAIL).then(|| &rest[end - TAIL..end])))
}

/// Whether no word goes on at a place; the letters of an escape that ends there are none.
fn begins_word(text: &str, start: usize) -> bool {
    let before = text[..start].chars().next_back();
    !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) || follows_escape(text, start)
}

/// The header that a text ends with.
fn header(before: &str) -> Option<(Carrier, bool)> {
    let line = before.trim_end_matches([' ', '\t', '"', '\'']);
    let ends = |name: &str| {
        let from = line.len().checked_sub(name.len())?;
        line.get(from..).filter(|end| end.eq_ignore_ascii_case(name))
    };
    if ends("bearer").is_some() {
        return Some((Carrier::Bearer, true));
    }
    ends("x-api-key:").map(|name| (Carrier::ApiKey, name == "X-API-Key:"))
}

/// The masked form as lists show it, of a prefix that nobody here has.
fn shown(prefix: &str, tail: Option<&str>) -> Option<String> {
    tail.map(|tail| format!("{prefix}{DOTS}{tail}"))
}

#[cfg(test)]
mod tests;
