//! Finding the key in a request's headers, without copying it.
//!
//! What reading yields is the hash of a secret of the right shape and the policy of the issuer that its prefix names, or
//! the precise reason why there is none. Neither holds any part of the secret.

use std::sync::Arc;

use strum::VariantArray;

use super::carrier::Carrier;
use super::issuer::{Former, Policy};
use super::key::Key;
use super::reason::{Damage, Reason};
use super::secret::{Body, HashedKey, Peppers, looks_like_preview};

mod presented;

use presented::{Candidate, Presented};

/// No key is as long as this, in bytes: a prefix has 24 characters at most, a body 64.
pub const LONGEST: usize = 256;

/// The most headers with keys that a request may have: two of each kind is one too many already.
const MOST: usize = 8;

/// Whether the names of the headers are spelled as the client sent them (VI-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    AsSent,
    /// A proxy or HTTP/2 has rewritten them: how the client spelled them can't be known, so it can't be held against it.
    Lost,
}

/// Whose keys are taken, and who answers where no key says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home<'a> {
    /// Keys of every issuer; refusals without a key have the words of the house.
    Any,
    /// Keys of every issuer; this one, by its slug, words the refusals of requests without a key.
    Default(&'a str),
    /// Host or route belong to this issuer, by its slug: keys of others are refused.
    Only(&'a str),
    /// Host or route belong to no issuer: every key is refused.
    Nobody,
}

/// A key of the right shape. Whether it exists is for the database to say.
#[derive(Clone, Debug)]
pub struct Credential<'d> {
    /// The policy of the issuer that the prefix names.
    pub policy: &'d Arc<Policy>,
    pub hash: HashedKey,
    /// What else it may be found by, where there are peppers or it has forms of other products.
    pub others: Vec<HashedKey>,
    /// Which of these hashes it has by forms of other issuers, with the places of their policies: the key says whose it is.
    pub rivals: Vec<(HashedKey, usize)>,
    pub carrier: Carrier,
}

/// So many keys may a text stand for at most: each is looked up.
const CANDIDATES: usize = 3;

impl Credential<'_> {
    /// Everything that it may be found by.
    pub fn hashes(&self) -> Vec<HashedKey> {
        std::iter::once(self.hash).chain(self.others.iter().copied()).collect()
    }
}

/// Why there is no key to look up.
#[derive(Clone, Debug)]
pub struct Unread<'d> {
    /// Whose words the refusal has: the issuer's that the prefix names, else the home's.
    pub policy: Option<&'d Arc<Policy>>,
    pub reason: Reason,
}

/// The policies that a gate serves, arranged for finding one by a key's prefix.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    policies: Vec<Arc<Policy>>,
    /// Every prefix, present and former, the longest first, with the place of its policy.
    prefixes: Vec<(String, Body, usize)>,
    /// The forms of keys that another product made, those with the longest prefix first, with the place of their policy.
    former: Vec<(Former, usize)>,
    peppers: Peppers,
}

impl Directory {
    pub fn new(policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        let policies: Vec<_> = policies.into_iter().collect();
        let mut prefixes: Vec<_> = policies
            .iter()
            .enumerate()
            .flat_map(|(i, policy)| {
                policy.format.prefixes().map(move |prefix| (prefix.to_owned(), policy.format.body, i))
            })
            .collect();
        prefixes.sort_by_key(|(prefix, ..)| std::cmp::Reverse(prefix.len()));
        let mut former: Vec<_> = policies
            .iter()
            .enumerate()
            .flat_map(|(i, policy)| policy.format.former.iter().map(move |former| (former.clone(), i)))
            .collect();
        former.sort_by_key(|(former, _)| std::cmp::Reverse(former.prefix.len()));
        Self { policies, prefixes, former, peppers: Peppers::default() }
    }

    /// The same, that knows keys by these peppers too.
    pub fn with_peppers(self, peppers: &Peppers) -> Self {
        Self { peppers: peppers.clone(), ..self }
    }

    /// The policy of this slug.
    pub fn policy(&self, slug: &str) -> Option<&Arc<Policy>> {
        self.policies.iter().find(|policy| policy.slug == slug)
    }

    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// Finds the key in a request's headers: names in their original spelling, values as bytes.
    ///
    /// Which headers count is decided by the policy of the issuer that the key's prefix names; others are overlooked,
    /// so that a service may use `Authorization` for something else. Where several headers that count carry keys, they
    /// must be equal (VP-02).
    pub fn read<'n>(
        &self,
        home: Home<'_>,
        headers: impl IntoIterator<Item = (&'n [u8], &'n [u8])>,
        spelling: Spelling,
    ) -> Result<Credential<'_>, Unread<'_>> {
        let presented = Presented::collect(headers);
        let bound = matches!(home, Home::Only(_) | Home::Nobody);
        let fallback = self.fallback(home);
        let unread = |policy, reason| Err(Unread { policy, reason });
        if presented.overflow {
            return unread(fallback, Reason::Several);
        }
        let mut named = None;
        for candidate in presented.candidates().filter(|_| !bound) {
            match (self.named(home, candidate.value), named) {
                (Some(one), Some(other)) if one != other => return unread(fallback, Reason::Several),
                (Some(one), _) => named = Some(one),
                _ => {}
            }
        }
        let deciding = named.map(|i| &self.policies[i]).or(fallback);
        let mut accepted: Option<Candidate<'_>> = None;
        let mut passed_over: Option<Reason> = None;
        for candidate in presented.candidates() {
            match deciding.map_or(Ok(()), |policy| candidate.accepted_by(policy, spelling)) {
                Err(reason) => passed_over = passed_over.or(Some(reason)),
                Ok(()) if accepted.is_some_and(|other| other.value != candidate.value) => {
                    return unread(deciding, Reason::Several);
                }
                Ok(()) => accepted = accepted.or(Some(*candidate)),
            }
        }
        match accepted {
            Some(candidate) => self.shape(home, deciding, candidate.value, candidate.carrier),
            None => unread(deciding, passed_over.unwrap_or_else(|| self.nothing(home, &presented))),
        }
    }

    /// Judges the shape of a key that was handed over without a header. Nothing is trimmed (VA-11).
    pub fn read_bare(&self, home: Home<'_>, secret: &[u8]) -> Result<Credential<'_>, Unread<'_>> {
        let named = self.named(home, secret).filter(|_| !matches!(home, Home::Only(_) | Home::Nobody));
        let deciding = named.map(|i| &self.policies[i]).or(self.fallback(home));
        self.shape(home, deciding, secret, Carrier::Direct)
    }

    /// The policy that decides about the key that was found by this hash: the one that its form names, or the key's own where
    /// that issuer's forms led to it too.
    pub fn policy_for<'d>(
        &'d self,
        credential: &Credential<'d>,
        hash: HashedKey,
        key: Option<&Key>,
    ) -> &'d Arc<Policy> {
        let mut rivals =
            credential.rivals.iter().filter(|(by, _)| *by == hash).map(|(_, at)| &self.policies[*at]);
        let own = key.and_then(|key| rivals.find(|policy| policy.slug == key.issuer));
        own.unwrap_or(credential.policy)
    }

    /// Everything that a text may be found by: as a key of ours, and by the forms of other products.
    pub fn hashes(&self, text: &[u8]) -> Vec<HashedKey> {
        let mut hashes: Vec<HashedKey> = self.peppers.hashes(text).collect();
        for (hash, _) in self.formerly(Home::Any, text) {
            if !hashes.contains(&hash) {
                hashes.push(hash);
            }
        }
        hashes
    }

    /// Whether a text has a form of other products, of whatever issuer.
    pub fn is_former(&self, text: &str) -> bool {
        self.former.iter().any(|(former, _)| former.fits(text))
    }

    fn fallback(&self, home: Home<'_>) -> Option<&Arc<Policy>> {
        match home {
            Home::Any | Home::Nobody => None,
            Home::Default(slug) | Home::Only(slug) => self.policy(slug),
        }
    }

    /// The place of the policy whose prefix a value begins with, be the rest what it may; or of which it has a former form.
    fn named(&self, home: Home<'_>, value: &[u8]) -> Option<usize> {
        let value = value.trim_ascii_start();
        let whole = |prefix: &str, body: Body| {
            std::str::from_utf8(&value[prefix.len()..]).is_ok_and(|rest| is_whole(body, prefix, rest))
        };
        let mut fitting = self.prefixes.iter().filter(|(prefix, ..)| value.starts_with(prefix.as_bytes()));
        let exact = |(prefix, body, _): &&(String, Body, usize)| whole(prefix, *body);
        // Where one prefix begins with another, the one that makes a whole key of it is meant.
        let longest = fitting.next();
        let own = longest.filter(exact).or_else(|| fitting.find(exact)).map(|(.., place)| *place);
        own.or_else(|| self.forms(home, value).next().map(|(_, _, place)| place))
            .or(longest.map(|(.., place)| *place))
    }

    /// The hashes of a value by the forms of other products, with the places of their policies: those of the home's first.
    fn formerly<'a>(&'a self, home: Home<'_>, value: &'a [u8]) -> impl Iterator<Item = (HashedKey, usize)> {
        self.forms(home, value).flat_map(|(former, text, place)| {
            former.hashes(text, &self.peppers).into_iter().map(move |hash| (hash, place))
        })
    }

    /// The forms of other products that a value has.
    fn forms<'a>(
        &'a self,
        home: Home<'_>,
        value: &'a [u8],
    ) -> impl Iterator<Item = (&'a Former, &'a str, usize)> {
        let at_home = match home {
            Home::Default(slug) | Home::Only(slug) => {
                self.policies.iter().position(|policy| policy.slug == slug)
            }
            Home::Any | Home::Nobody => None,
        };
        let text = if self.former.is_empty() { None } else { std::str::from_utf8(value).ok() };
        let of = move |first: bool| {
            let forms = self.former.iter().filter(move |(_, place)| (Some(*place) == at_home) == first);
            forms.filter_map(move |(former, place)| {
                Some((former, text.filter(|text| former.fits(text))?, *place))
            })
        };
        of(true).chain(of(false))
    }

    /// Why no header carries a key at all.
    fn nothing(&self, home: Home<'_>, presented: &Presented<'_>) -> Reason {
        match presented.other_scheme {
            Some(value) if self.named(home, value).is_some() => Reason::NoScheme,
            Some(_) => Reason::OtherScheme,
            None => Reason::Missing,
        }
    }

    fn shape<'d>(
        &'d self,
        home: Home<'_>,
        deciding: Option<&'d Arc<Policy>>,
        value: &[u8],
        carrier: Carrier,
    ) -> Result<Credential<'d>, Unread<'d>> {
        let unread = |reason| Unread { policy: deciding, reason };
        let text = plain(value).map_err(unread)?;
        let Some(place) = self.named(home, value) else {
            let lower = text.bytes().take(32).map(|b| b.to_ascii_lowercase());
            let lower: Vec<u8> = lower.collect();
            let case = self.named(home, &lower).is_some();
            return Err(unread(if case { Reason::Altered(Damage::Case) } else { Reason::UnknownPrefix }));
        };
        let policy = &self.policies[place];
        // A home that is not among the policies is nobody's: no key may pass there.
        let foreign = match home {
            Home::Any | Home::Default(_) => false,
            Home::Only(slug) => slug != policy.slug,
            Home::Nobody => true,
        };
        if foreign {
            return Err(unread(Reason::OtherIssuer));
        }
        let prefixes = || policy.format.prefixes().filter(|prefix| text.starts_with(prefix));
        let body = policy.format.body;
        let own = prefixes().any(|prefix| is_whole(body, prefix, &text[prefix.len()..]));
        let bound = matches!(home, Home::Only(_));
        let former = self.formerly(home, value).filter(|(_, of)| !bound || *of == place);
        let mut hashes: Vec<HashedKey> =
            if own { self.peppers.hashes(value).collect() } else { Vec::with_capacity(1) };
        let mut rivals = Vec::new();
        for (hash, of) in former {
            if of != place {
                rivals.push((hash, of));
            }
            if !hashes.contains(&hash) && hashes.len() < CANDIDATES {
                hashes.push(hash);
            }
        }
        let mut hashes = hashes.into_iter();
        if let Some(hash) = hashes.next() {
            return Ok(Credential { policy, hash, others: hashes.collect(), rivals, carrier });
        }
        let longest = prefixes().max_by_key(|prefix| prefix.len()).unwrap_or_default();
        Err(Unread { policy: Some(policy), reason: damage(body, longest, &text[longest.len()..]) })
    }
}

/// A value as the text of a key, if it can be one.
fn plain(value: &[u8]) -> Result<&str, Reason> {
    if value.is_empty() {
        return Err(Reason::Empty);
    }
    if value.len() > LONGEST {
        return Err(Reason::TooLong { bytes: value.len() });
    }
    let text = std::str::from_utf8(value).map_err(|_| Reason::NotText)?;
    if text.chars().all(char::is_whitespace) {
        return Err(Reason::Empty);
    }
    if text.chars().any(char::is_whitespace) {
        return Err(Reason::Spaces);
    }
    if looks_like_preview(text) {
        return Err(Reason::Preview);
    }
    Ok(text)
}

/// Whether this is a body of a form that keys have. A policy's form may have changed since its older keys were made, so
/// every form there is passes; whether there is such a key is for the database to say.
fn is_whole(present: Body, prefix: &str, rest: &str) -> bool {
    present.matches(prefix, rest)
        || Body::VARIANTS.iter().any(|body| *body != present && body.matches(prefix, rest))
}

/// What is wrong with a body that does not have the form.
fn damage(body: Body, prefix: &str, rest: &str) -> Reason {
    let (found, wanted) = (rest.chars().count(), body.length());
    let fitting = |b: u8| match body {
        Body::Hex => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        Body::Base62Checksum => b.is_ascii_alphanumeric(),
    };
    if found < wanted {
        Reason::Truncated { found, wanted }
    } else if found > wanted {
        Reason::Altered(Damage::Longer { found, wanted })
    } else if body == Body::Hex && rest.bytes().any(|b| b.is_ascii_uppercase()) && {
        // A secret's letters are small ones; the case of a whole key was changed.
        rest.bytes().map(|b| b.to_ascii_lowercase()).all(fitting)
    } {
        Reason::Altered(Damage::Case)
    } else if rest.bytes().all(fitting) && !prefix.is_empty() {
        Reason::Altered(Damage::Checksum)
    } else {
        Reason::Altered(Damage::Characters)
    }
}

#[cfg(test)]
mod tests;
