//! Whose a key is, and the tags that it has.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::deliverable;
use super::spaced::write_spaced;
use super::text::{SafeText, TextError, check_name, composed};

/// The most tags that a key may have.
pub const TAGS_MAX: usize = 20;
/// The most characters of a tag.
pub const TAG_MAX: usize = 50;

/// A person or a team that answers for a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owner {
    pub name: SafeText,
    /// Where they are told of it.
    pub mail: Option<SafeText>,
}

impl Owner {
    /// Checks what somebody typed; an empty name is no owner.
    ///
    /// # Errors
    /// A name that no key could have, or an address that no mail reaches.
    pub fn checked(name: &str, mail: Option<&str>) -> Result<Option<Self>, OwnerError> {
        let mail = mail.map(str::trim).filter(|mail| !mail.is_empty());
        if name.trim().is_empty() {
            return if mail.is_some() { Err(OwnerError::Nameless) } else { Ok(None) };
        }
        let name = check_name(name)?;
        if name.eq_ignore_ascii_case("none") {
            return Err(OwnerError::None);
        }
        let mail = mail.map(deliverable).transpose().map_err(OwnerError::Mail)?;
        Ok(Some(Self { name: SafeText::new(name), mail: mail.map(SafeText::new) }))
    }

    /// `Ada (ada@example.com)`
    pub fn words(&self) -> String {
        match &self.mail {
            Some(mail) => format!("{} ({mail})", self.name),
            None => self.name.to_string(),
        }
    }
}

/// Why a text is no owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    #[error(transparent)]
    Name(#[from] TextError),
    #[error(transparent)]
    Mail(super::address::AddressError),
    #[error("an address needs an owner: name the person or the team too")]
    Nameless,
    #[error("\"none\" isn't an owner: leave it empty to take the owner away")]
    None,
}

/// A set of tags, in the order of their spelling. Its text form, which the database keeps, has a blank between each two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeSet<String>);

impl Tags {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, tag: &str) -> bool {
        self.0.contains(tag)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The text form as the database has it.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// Checks what somebody typed.
    ///
    /// # Errors
    /// A tag that is none, or too many of them.
    pub fn checked<S: AsRef<str>>(tags: impl IntoIterator<Item = S>) -> Result<Self, TagError> {
        let tags = tags.into_iter().map(|tag| check_tag(tag.as_ref())).collect::<Result<BTreeSet<_>, _>>()?;
        Self(tags).fitting()
    }

    /// The same with some more and without some.
    ///
    /// # Errors
    /// Too many of them.
    pub fn changed(&self, more: &Self, less: &Self) -> Result<Self, TagError> {
        let kept = self.0.iter().filter(|tag| !less.contains(tag)).cloned();
        Self(kept.chain(more.0.iter().cloned()).collect()).fitting()
    }

    fn fitting(self) -> Result<Self, TagError> {
        if self.0.len() > TAGS_MAX { Err(TagError::Many(self.0.len())) } else { Ok(self) }
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spaced(f, self.iter())
    }
}

/// A tag as it is kept: in small letters.
///
/// # Errors
/// For what is no tag.
pub fn check_tag(text: &str) -> Result<String, TagError> {
    let tag = composed(text.trim()).to_lowercase();
    let length = tag.chars().count();
    let fits = |c: char| c.is_alphanumeric() || "-_.:/@+".contains(c);
    if !tag.starts_with(char::is_alphanumeric) || tag == "none" || !tag.chars().all(fits) || length > TAG_MAX
    {
        return Err(TagError::NoTag(SafeText::new(text.trim())));
    }
    Ok(tag)
}

/// Why a text is no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("{:?} isn't a valid tag: at most {TAG_MAX} letters, digits and -_.:/@+, beginning with a letter or digit", .0.as_str())]
    NoTag(SafeText),
    #[error("{0} tags are too many: a key has at most {TAGS_MAX}")]
    Many(usize),
}
