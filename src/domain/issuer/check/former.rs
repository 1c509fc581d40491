//! Forms of keys that another product made.

use std::collections::HashSet;

use super::Faults;
use super::Step::{Field, Member};
use crate::domain::issuer::former::{LONGEST, SHORTEST};
use crate::domain::issuer::{Hashing, Policy};

/// The longest prefix of another product.
const LONGEST_PREFIX: usize = 32;
/// So many may there be to look up besides the SHA-256 of a text: a gate tries at most three for a request.
const BESIDES: usize = 2;

impl Policy {
    pub(super) fn check_former(&self, faults: &mut Faults) {
        let mut hashings = HashSet::new();
        for (i, former) in self.format.former.iter().enumerate() {
            let at = |field| [Field("format"), Field("former"), Member(i), Field(field)];
            let whole = [Field("format"), Field("former"), Member(i)];
            let prefix = &former.prefix;
            if prefix.len() > LONGEST_PREFIX || !prefix.bytes().all(|b| b.is_ascii_graphic() && b != b'|') {
                let reason = format!(
                    "{prefix:?}: a former prefix is at most {LONGEST_PREFIX} letters, digits and signs, without | and blanks"
                );
                faults.add(&at("prefix"), reason);
            }
            match former.length {
                None if prefix.is_empty() => {
                    faults
                        .add(&whole, "name a prefix or a length: otherwise every string would be looked up");
                }
                Some(length) if !(SHORTEST..=LONGEST).contains(&length) => {
                    faults.add(&at("length"), format!("{length}: must be {SHORTEST} to {LONGEST}"));
                }
                Some(length) if usize::from(length) <= prefix.len() => {
                    faults.add(&at("length"), format!("{length} has no room for a key behind its prefix"));
                }
                _ => {}
            }
            let besides = |hashings: &HashSet<Hashing>| {
                hashings.iter().map(|hashing| hashing.candidates()).sum::<usize>()
            };
            if hashings.insert(former.hash) && former.hash.candidates() > 0 && besides(&hashings) > BESIDES {
                let reason = match hashings.contains(&Hashing::HmacSha256) {
                    true => "beside hmac-sha256 one issuer's keys have only sha256".to_owned(),
                    false => format!("one issuer's keys have at most {BESIDES} of these besides sha256"),
                };
                faults.add(&at("hash"), reason);
            }
            if self.format.former[..i].contains(former) {
                faults.add(&whole, "this form is listed twice");
            }
        }
    }
}
