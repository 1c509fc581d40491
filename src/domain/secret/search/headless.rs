//! What is left of a secret whose prefix is missing or damaged.

use super::{Body, Finder, Kind, PlainKey, Seen};

/// No body is longer than this.
const LONGEST: usize = 64;

impl Finder {
    /// The body of a secret that begins at a place, without any prefix.
    pub(super) fn body_alone(&self, text: &str, at: usize) -> Option<(usize, Seen)> {
        let bytes = text.as_bytes();
        let begins = bytes[at].is_ascii_alphanumeric() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
        if !begins {
            return None;
        }
        let length =
            bytes[at..].iter().take(LONGEST + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let end = at + length;
        let known = self.forms.iter().any(|form| form.body.length() == length);
        // Within a name it is none.
        if !known || bytes.get(end) == Some(&b'_') {
            return None;
        }
        let mut seen = Seen { kind: Kind::Unknown, issuer: None, readings: Vec::new() };
        self.beheaded("", &text[at..end], &mut seen);
        (seen.kind != Kind::Unknown).then_some((end, seen))
    }

    /// Adds the secrets that a body is what is left of. It is taken for one where its checksum says so, or what stands
    /// before it is not far from a prefix.
    pub(super) fn beheaded(&self, before: &str, body: &str, seen: &mut Seen) {
        let (mut sure, mut near) = (false, false);
        let mut issuers = Vec::new();
        for form in &self.forms {
            if form.body.matches(&form.prefix, body) {
                seen.readings.push(PlainKey::join(&form.prefix, body));
                sure |= form.body == Body::Base62Checksum;
                let allowed = if form.prefix.len() > 4 { 2 } else { 1 };
                near |=
                    form.prefix.ends_with(before) || strsim::osa_distance(before, &form.prefix) <= allowed;
                issuers.push(form.issuer);
            }
        }
        issuers.dedup();
        if sure || near {
            seen.kind = Kind::Headless { sure };
            seen.issuer = <[usize; 1]>::try_from(issuers).ok().map(|[only]| only);
        }
    }
}
