//! Forms of keys that another product made.

use std::collections::HashSet;

use super::Faults;
use super::Step::{Field, Member};
use crate::domain::issuer::former::{LONGEST, SHORTEST};
use crate::domain::issuer::{Hashing, Policy};

/// The longest prefix of another product.
const LONGEST_PREFIX: usize = 32;
/// So many ways of hashing may one issuer's keys have besides SHA-256: a gate tries at most three for a request.
const HASHINGS: usize = 2;

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
                    faults.add(&whole, "name a prefix or a length: else anything would be looked up");
                }
                Some(length) if !(SHORTEST..=LONGEST).contains(&length) => {
                    faults.add(&at("length"), format!("{length}: must be {SHORTEST} to {LONGEST}"));
                }
                Some(length) if usize::from(length) <= prefix.len() => {
                    faults.add(&at("length"), format!("{length} has no room for a key behind its prefix"));
                }
                _ => {}
            }
            if former.hash != Hashing::Sha256 && hashings.insert(former.hash) && hashings.len() > HASHINGS {
                let reason = format!("one issuer's keys have at most {HASHINGS} of these besides sha256");
                faults.add(&at("hash"), reason);
            }
            if self.format.former[..i].contains(former) {
                faults.add(&whole, "this form stands here twice");
            }
        }
    }
}
