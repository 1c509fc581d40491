//! What somebody pasted as a key, read as a gate reads it: a key, a header with one, or a text with one in it.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::carrier::Carrier;
use crate::domain::credential::{Directory, Home, Spelling};
use crate::domain::issuer::Issuer;
use crate::domain::reason::Reason;
use crate::domain::secret::{HashedKey, Kind, SentKey, search};

/// The headers that carry keys, as the documents spell them.
pub const AUTHORIZATION: &str = "authorization";
pub const API_KEY: &str = "X-API-Key";

pub type Outcome = Result<(HashedKey, Carrier), Reason>;

/// What reading came to.
#[derive(Debug, PartialEq)]
pub struct Reading {
    /// The slug of the policy that decides.
    pub policy: Option<String>,
    pub outcome: Outcome,
    /// The text, where it is worth looking for a key of it.
    pub worth: Option<SentKey>,
}

/// Reads a text as a gate would, sent in this header if that is known. Where that is no key, it is searched for one.
pub fn read(given: SentKey, header: Option<&str>, issuers: &[Issuer]) -> Reading {
    let directory = Directory::new(issuers.iter().map(|issuer| Arc::new(issuer.policy.clone())));
    let Ok(text) = std::str::from_utf8(given.expose()) else {
        return Reading { policy: None, outcome: Err(Reason::NotText), worth: None };
    };
    let (outcome, policy) = judge(&directory, header, text);
    let Err(reason) = outcome else {
        return Reading { policy, outcome, worth: Some(given) };
    };
    let findings = search(given.expose(), issuers.iter().map(|issuer| &issuer.policy));
    // Many things have a former form.
    let sure = findings.iter().filter(|finding| finding.kind != Kind::Former);
    let all = sure.chain(findings.iter().filter(|finding| finding.kind == Kind::Former));
    let mut secrets = all.filter_map(|finding| Some((finding, finding.readings.first()?)));
    // One that is alone was sent with what stands about or within it, and that is what is wrong with it.
    let within = secrets.next().filter(|(finding, _)| !finding.alone && header_in(text).is_none());
    let (outcome, policy) = match within {
        Some((finding, secret)) => {
            let name = match finding.header {
                Some((Carrier::Bearer, _)) => "Authorization: Bearer ",
                Some((Carrier::ApiKey, _)) => "X-API-Key: ",
                _ => "",
            };
            judge(&directory, header, &joined(name, secret.expose()))
        }
        None => (Err(reason), policy),
    };
    let worth = findings.iter().any(|finding| !finding.readings.is_empty())
        && matches!(outcome, Ok(_) | Err(Reason::Spaces | Reason::Altered(_) | Reason::UnknownPrefix));
    Reading { policy, outcome, worth: worth.then_some(given) }
}

/// What a gate makes of a text: a key, or a header with one.
fn judge(directory: &Directory, header: Option<&str>, text: &str) -> (Outcome, Option<String>) {
    let (name, value) = match header_in(text) {
        Some((name, value)) => (Some(name), value),
        None => (header, text),
    };
    // What is pasted for the Bearer header is the key alone, or the whole value.
    let bearer = name == Some(AUTHORIZATION) && !starts_with(value, "bearer ");
    let outcome = match name {
        Some(name) => {
            let sent = joined(if bearer { "Bearer " } else { "" }, value);
            directory.read(Home::Any, [(name.as_bytes(), sent.as_bytes())], Spelling::Lost)
        }
        None => directory.read_bare(Home::Any, text.as_bytes()),
    };
    match outcome {
        Ok(found) => (Ok((found.hash, found.carrier)), Some(found.policy.slug.clone())),
        Err(unread) => (Err(unread.reason), unread.policy.map(|policy| policy.slug.clone())),
    }
}

/// Both together, without a copy that stays behind.
fn joined(before: &str, text: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(before.len() + text.len()));
    joined.push_str(before);
    joined.push_str(text);
    joined
}

/// The header's name and value, where a whole header was pasted.
fn header_in(text: &str) -> Option<(&'static str, &str)> {
    // Blanks and the line's end round a header are not its value's.
    let text = text.trim();
    [AUTHORIZATION, API_KEY]
        .into_iter()
        .find_map(|name| {
            let value = text.get(name.len()..)?.strip_prefix(':')?;
            // As HTTP has it: one blank behind the colon belongs to neither.
            starts_with(text, name).then(|| (name, value.strip_prefix(' ').unwrap_or(value)))
        })
        .or_else(|| starts_with(text, "bearer ").then_some((AUTHORIZATION, text)))
}

/// Compares beginnings whatever the case.
fn starts_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}
