//! Where in a request's headers a key may stand.

use super::{MOST, Spelling};
use crate::domain::carrier::Carrier;
use crate::domain::issuer::Policy;
use crate::domain::reason::Reason;

/// A value that stands where a key may stand.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub carrier: Carrier,
    /// Whether the header's name is spelled as the documents spell it.
    exact: bool,
    pub value: &'a [u8],
}

impl Candidate<'_> {
    pub fn accepted_by(&self, policy: &Policy, spelling: Spelling) -> Result<(), Reason> {
        let headers = &policy.headers;
        match self.carrier {
            Carrier::Bearer if !headers.bearer => Err(Reason::WrongHeader { used: self.carrier }),
            Carrier::ApiKey if !headers.api_key => Err(Reason::WrongHeader { used: self.carrier }),
            Carrier::ApiKey if headers.case_sensitive && !self.exact && spelling == Spelling::AsSent => {
                Err(Reason::HeaderSpelling)
            }
            _ => Ok(()),
        }
    }
}

/// What a request presents, in the order of its headers.
pub(super) struct Presented<'a> {
    candidates: [Option<Candidate<'a>>; MOST],
    pub overflow: bool,
    /// The value of an `Authorization` header of another scheme, or of none.
    pub other_scheme: Option<&'a [u8]>,
}

impl<'a> Presented<'a> {
    pub fn collect(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut own = Self { candidates: [None; MOST], overflow: false, other_scheme: None };
        for (name, value) in headers {
            // White space around a value belongs to HTTP, not to the value (RFC 9110, section 5.5).
            let value = bare(value);
            let candidate = if name.eq_ignore_ascii_case(b"x-api-key") {
                Candidate { carrier: Carrier::ApiKey, exact: name == b"X-API-Key", value }
            } else if name.eq_ignore_ascii_case(b"authorization") {
                let Some(value) = bearer(value) else {
                    own.other_scheme = Some(value);
                    continue;
                };
                Candidate { carrier: Carrier::Bearer, exact: true, value }
            } else {
                continue;
            };
            match own.candidates.iter_mut().find(|place| place.is_none()) {
                Some(place) => *place = Some(candidate),
                None => own.overflow = true,
            }
        }
        own
    }

    pub fn candidates(&self) -> impl Iterator<Item = &Candidate<'a>> {
        self.candidates.iter().flatten()
    }
}

fn bare(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// What stands behind `Bearer` and one space; `None` if it is not that scheme.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    match rest {
        [] => Some(rest),
        [b' ', secret @ ..] => Some(secret),
        // A tab is no space: it stays in the value and is refused there.
        [b'\t', ..] => Some(rest),
        _ => None,
    }
}
