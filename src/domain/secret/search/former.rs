//! Keys that another product made, within a text: by the former forms of the policies. Such a form many things have, so that
//! only the database knows whether it is a key.

use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::read::unit;
use super::sieve::{follows_escape, runs};
use super::{Hit, Kind, PlainKey, Seen};
use crate::domain::issuer::{Former, Policy, SHORTEST_FORMER};

/// What keys are made of, the narrowest first: a key ends where one of these ends.
const KINDS: [fn(u8) -> bool; 3] = [
    |byte| byte.is_ascii_alphanumeric(),
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
];

/// What may stand beside a key or belong to it.
const BESIDE: [char; 3] = ['.', '-', '_'];

pub(super) struct Formers {
    /// Each with the place of its policy; those that have a prefix first, in the order of `prefixes`.
    forms: Vec<(Former, usize)>,
    prefixes: Option<AhoCorasick>,
    prefixed: usize,
}

impl Formers {
    pub fn new<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let of = |(place, policy): (usize, &'p Policy)| {
            policy.format.former.iter().map(move |former| (former.clone(), place))
        };
        let mut forms: Vec<(Former, usize)> = policies.into_iter().enumerate().flat_map(of).collect();
        forms.sort_by_key(|(former, _)| former.prefix.is_empty());
        let prefixed = forms.iter().filter(|(former, _)| !former.prefix.is_empty()).count();
        let prefixes = AhoCorasick::new(forms[..prefixed].iter().map(|(former, _)| &former.prefix)).ok();
        Self { forms, prefixes, prefixed }
    }

    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The digits of base64 that the shortest of them has.
    pub fn encoded(&self) -> Option<usize> {
        let shortest = self.forms.iter().map(|(former, _)| former.length.unwrap_or(SHORTEST_FORMER)).min()?;
        Some((usize::from(shortest) * 4).div_ceil(3))
    }

    /// Adds what has such a form: to what was found at the same place, or by itself.
    pub fn add(&self, text: &str, found: &mut Vec<Hit>) {
        if self.forms.is_empty() {
            return;
        }
        found.sort_by_key(|hit| hit.place.start);
        let known = found.len();
        let mut last: Option<Range<usize>> = None;
        let mut places = Vec::new();
        self.behind_prefixes(text, &mut places);
        self.by_length(text, &mut places);
        places.sort_by_key(|(place, _)| (place.start, place.end));
        for (place, issuer) in places {
            if last.as_ref() == Some(&place) {
                continue;
            }
            last = Some(place.clone());
            let reading = || PlainKey::join("", &text[place.clone()]);
            // What was found does not overlap, so that of those that begin before its end the last one is the one.
            let before = found[..known].partition_point(|hit| hit.place.start < place.end);
            match found[..before].iter_mut().rev().take(2).find(|hit| hit.place.end > place.start) {
                Some(hit) if hit.seen.kind == Kind::Whole => {}
                Some(hit) => hit.seen.readings.push(reading()),
                None => {
                    let seen = Seen { kind: Kind::Former, issuer: Some(issuer), readings: vec![reading()] };
                    found.push(Hit { spot: place.start, place, seen });
                }
            }
        }
    }

    fn behind_prefixes(&self, text: &str, places: &mut Vec<(Range<usize>, usize)>) {
        let (bytes, Some(prefixes)) = (text.as_bytes(), &self.prefixes) else { return };
        for at in prefixes.find_overlapping_iter(text) {
            let (start, (former, issuer)) = (at.start(), &self.forms[at.pattern().as_usize()]);
            let within = start.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
            if within && !follows_escape(text, start) {
                continue;
            }
            let ends = KINDS.map(|of| {
                at.end()
                    + bytes[at.end()..]
                        .iter()
                        .take(usize::from(u8::MAX))
                        .take_while(|byte| of(**byte))
                        .count()
            });
            let exact = former
                .length
                .map(|length| start + usize::from(length))
                .filter(|end| *end <= ends[2] && !bytes.get(*end).is_some_and(u8::is_ascii_alphanumeric));
            // A full stop or a dash behind a key is no part of it.
            let trimmed = start + text[start..ends[2]].trim_end_matches(BESIDE).len();
            for end in ends.into_iter().chain(exact).chain([trimmed]) {
                if text.is_char_boundary(end) && former.fits(&text[start..end]) {
                    places.push((start..end, *issuer));
                }
            }
        }
    }

    fn by_length(&self, text: &str, places: &mut Vec<(Range<usize>, usize)>) {
        let forms = &self.forms[self.prefixed..];
        let lengths = || {
            forms.iter().filter_map(|(former, issuer)| Some((former, usize::from(former.length?), *issuer)))
        };
        let Some(least) = lengths().map(|(_, length, _)| length).min() else { return };
        for kind in KINDS {
            for run in runs(text.as_bytes(), least.max(usize::from(SHORTEST_FORMER)), kind) {
                // What stands before or behind a key, such as the full stop of a sentence, is no part of it; nor are the
                // letters of an escape.
                let escape = run.start.checked_sub(1).and_then(|lead| unit(text.as_bytes(), lead));
                let escape = escape.map_or(run.start, |(_, behind)| behind.clamp(run.start, run.end));
                let start = run.end - text[run.clone()].trim_start_matches(BESIDE).len();
                let end = run.start + text[run.clone()].trim_end_matches(BESIDE).len();
                let starts = [run.start, escape, start];
                for place in starts.into_iter().flat_map(|start| [start..run.end, start..end]) {
                    let fitting = |(former, length, _): &(&Former, usize, usize)| {
                        *length == place.len() && former.fits(&text[place.clone()])
                    };
                    places.extend(lengths().find(fitting).map(|(.., issuer)| (place.clone(), issuer)));
                }
            }
        }
    }
}
