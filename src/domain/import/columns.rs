//! Which column of a table tells what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::Form;

/// What a column can tell of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Part {
    Hash,
    /// The short word of `prefix_short_long`.
    Short,
    Id,
    Name,
    Description,
    Owner,
    Scopes,
    Expires,
    LastUsed,
    /// When that product made it: told, and nothing else. Only where somebody names the column.
    Created,
    Prefix,
    /// How the key begins.
    Start,
    /// Its last characters.
    Tail,
    Enabled,
    /// Whether it is revoked, or since when.
    Revoked,
    Scheme,
    Preview,
}

impl Part {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The columns that tell it where nobody says which, the first that is there.
    fn usual(self, form: Form) -> &'static [&'static str] {
        match (self, form) {
            (Self::Hash, Form::Sanctum) => &["token"],
            (Self::Hash, Form::Drf) => &["hashed_key"],
            (Self::Hash, Form::BetterAuth) => &["key"],
            (Self::Hash, Form::Prefixed) => &["long_token_hash", "long_hash", "hash"],
            (Self::Hash, Form::Unkey | Form::Keyrack) => &["hash"],
            (Self::Hash, Form::Sha256) => {
                &["hash", "sha256", "key_hash", "hashed_key", "token_hash", "token"]
            }
            (Self::Hash, Form::Sha512) => {
                &["hash", "sha512", "key_hash", "hashed_key", "token_hash", "token"]
            }
            (Self::Short, Form::Prefixed) => &["short_token", "short"],
            (Self::Short, _) => &[],
            (Self::Id, _) => &["id", "key_id"],
            (Self::Name, _) => &["name", "label"],
            (Self::Description, _) => &["description"],
            (Self::Owner, Form::Keyrack) => &["owner"],
            // Elsewhere it is the number of a row of another table.
            (Self::Owner, _) => &[],
            (Self::Scopes, Form::Sanctum) => &["abilities"],
            (Self::Scopes, _) => &["scopes", "permissions"],
            (Self::Expires, _) => &["expires_at", "expires", "expiry_date", "expiry"],
            (Self::LastUsed, _) => &["last_used_at", "last_used", "last_request"],
            (Self::Start, Form::Drf) => &["prefix"],
            (Self::Prefix, Form::Drf) => &[],
            (Self::Prefix, _) => &["prefix"],
            (Self::Start, _) => &["start"],
            (Self::Tail, _) => &["last4", "last_four", "tail"],
            (Self::Enabled, _) => &["enabled", "active", "is_active"],
            (Self::Revoked, _) => &["revoked_at", "revoked", "deleted_at", "deleted_at_m", "disabled"],
            (Self::Scheme, Form::Keyrack) => &["scheme"],
            (Self::Preview, Form::Keyrack) => &["preview"],
            (Self::Created | Self::Scheme | Self::Preview, _) => &[],
        }
    }
}

/// Which column tells what, of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(BTreeMap<Part, Vec<String>>);

impl Columns {
    /// Those of a table with these columns; `given`: what somebody said, where no column means that it isn't to be read.
    ///
    /// # Errors
    /// A column that somebody named isn't there, or none has the hash.
    pub fn of(form: Form, given: &[(Part, String)], there: &BTreeSet<String>) -> Result<Self, String> {
        let all = || there.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mut columns = BTreeMap::new();
        for part in Part::VARIANTS {
            let named = given.iter().rev().find(|(of, _)| of == part).map(|(_, column)| column.as_str());
            let column = match named {
                Some("") => Vec::new(),
                Some(column) if there.contains(column) => vec![column.to_owned()],
                Some(column) => return Err(format!("unknown column {column}. The columns are {}", all())),
                None => {
                    let named = |usual: &&str| {
                        there.iter().filter(|column| plain(column) == plain(usual)).cloned().collect()
                    };
                    part.usual(form).iter().flat_map(|usual| -> Vec<String> { named(usual) }).collect()
                }
            };
            if !column.is_empty() {
                columns.insert(*part, column);
            }
        }
        if !columns.contains_key(&Part::Hash) {
            return Err(format!(
                "no column is known to have the hash: name it with --map hash=COLUMN. The columns are {}",
                all()
            ));
        }
        Ok(Self(columns))
    }

    /// What the first of a part's columns has.
    pub(super) fn value<'r>(&self, row: &'r Map<String, Value>, part: Part) -> Option<&'r Value> {
        self.values(row, part).next()
    }

    /// What each of them has: a table may tell in several that a key has ended.
    pub(super) fn values<'r>(
        &self,
        row: &'r Map<String, Value>,
        part: Part,
    ) -> impl Iterator<Item = &'r Value> {
        self.0.get(&part).into_iter().flatten().filter_map(|column| row.get(column))
    }
}

/// `expiresAt` and `expires_at` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
