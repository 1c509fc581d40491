//! The kinds of values: how one is read from a text, how it is shown, and what the help calls it.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use strum::{EnumMessage, VariantArray};

use crate::domain::when::{Span, SpanError};

/// How a file holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Number,
    Truth,
}

/// Why a text is not taken. It goes on after the setting's name.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub struct Wrong(String);

impl Wrong {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// A text that is no such value, and what to write instead.
    pub fn odd(text: &str, wanted: &str) -> Self {
        Self(format!("is {text:?}: write {wanted}"))
    }

    pub fn empty() -> Self {
        Self::new("is empty: give it a value, or remove it")
    }
}

/// A choice's word, and what the help says of it.
pub type Word = (&'static str, &'static str);

/// A closed choice. Its words and what the help says of them stand at its variants.
pub trait Choice: Copy + FromStr + VariantArray + EnumMessage + Into<&'static str> {}

impl<C: Copy + FromStr + VariantArray + EnumMessage + Into<&'static str>> Choice for C {}

/// A kind of values.
#[derive(Clone, Copy)]
pub struct Codec<V> {
    pub form: Form,
    /// What the help calls a value.
    pub hint: &'static str,
    /// The words to choose from, if there are only some.
    pub words: fn() -> Vec<Word>,
    read: fn(&str) -> Result<V, Wrong>,
    show: fn(&V) -> String,
}

impl<V> Codec<V> {
    pub const fn new(hint: &'static str, read: fn(&str) -> Result<V, Wrong>, show: fn(&V) -> String) -> Self {
        Self { form: Form::Text, hint, words: Vec::new, read, show }
    }

    /// Reads one text, which must not be empty.
    fn take(&self, text: &str) -> Result<V, Wrong> {
        let text = text.trim();
        if text.is_empty() { Err(Wrong::empty()) } else { (self.read)(text) }
    }
}

impl<V: TryFrom<u64> + ToString> Codec<V> {
    /// A whole number from `LEAST` on.
    pub const fn from<const LEAST: u64>() -> Self {
        let read = |text: &str| {
            let number = text.parse().ok().filter(|number| *number >= LEAST);
            let number = number.and_then(|number| V::try_from(number).ok());
            number.ok_or_else(|| Wrong::odd(text, &format!("a whole number from {LEAST} on")))
        };
        Self { form: Form::Number, ..Self::new("N", read, V::to_string) }
    }

    /// A whole number from 1 to `MOST`.
    pub const fn to<const MOST: u64>() -> Self {
        let read = |text: &str| {
            let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
            let number = number.and_then(|number| V::try_from(number).ok());
            number.ok_or_else(|| Wrong::odd(text, &format!("a number from 1 to {MOST}")))
        };
        Self { form: Form::Number, ..Self::new("N", read, V::to_string) }
    }
}

impl<C: Choice> Codec<C> {
    pub const fn choice(hint: &'static str) -> Self {
        let read = |text: &str| text.parse().map_err(|_| Wrong::odd(text, &any_of::<C>()));
        let words =
            || C::VARIANTS.iter().map(|one| ((*one).into(), one.get_message().unwrap_or_default())).collect();
        Self { words, ..Self::new(hint, read, |choice| Into::<&str>::into(*choice).to_owned()) }
    }
}

/// `auto, terminal, display or off`
fn any_of<C: Choice>() -> String {
    let words: Vec<&str> = C::VARIANTS.iter().map(|one| (*one).into()).collect();
    match words.split_last() {
        Some((last, more)) if !more.is_empty() => format!("{} or {last}", more.join(", ")),
        _ => words.concat(),
    }
}

pub const TEXT: Codec<String> = Codec::new("NAME", |text| Ok(text.to_owned()), String::clone);

pub const PATH: Codec<PathBuf> =
    Codec::new("FILE", |text| Ok(PathBuf::from(text)), |path| path.display().to_string());

pub const FOLDER: Codec<PathBuf> = Codec { hint: "DIR", ..PATH };

pub const TRUTH: Codec<bool> = {
    let read = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(Wrong::odd(text, "true or false, 1 or 0, on or off")),
    };
    let words = || vec![("true", ""), ("false", "")];
    Codec { form: Form::Truth, words, ..Codec::new("BOOL", read, bool::to_string) }
};

pub const TIME: Codec<Duration> = {
    let read = |text: &str| {
        Span::parse(text).map(Span::longest).map_err(|error| match error {
            SpanError::NoSpan(_) => Wrong::odd(text, "a time, as 500ms, 1s, 10m or 35d"),
            error => Wrong::new(format!("is {text:?}: {error}")),
        })
    };
    Codec::new("TIME", read, shown_time)
};

/// A time in the largest unit that it is a whole number of.
fn shown_time(time: &Duration) -> String {
    let millis = time.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(size, _)| millis > 0 && millis.is_multiple_of(*size));
    let (size, unit) = unit.unwrap_or((1, "ms"));
    format!("{}{unit}", millis / size)
}

/// A setting that always has one value.
pub mod one {
    use super::{Codec, Wrong};

    pub const LIST: bool = false;

    pub fn read<V>(texts: &[&str], codec: &Codec<V>) -> Result<V, Wrong> {
        codec.take(texts.first().copied().unwrap_or_default())
    }

    pub fn show<V>(value: &V, codec: &Codec<V>) -> String {
        (codec.show)(value)
    }
}

/// A setting that may have a value.
pub mod some {
    use super::{Codec, Wrong};

    pub const LIST: bool = false;

    pub fn read<V>(texts: &[&str], codec: &Codec<V>) -> Result<Option<V>, Wrong> {
        super::one::read(texts, codec).map(Some)
    }

    pub fn show<V>(value: &Option<V>, codec: &Codec<V>) -> String {
        value.as_ref().map(codec.show).unwrap_or_default()
    }
}

/// A setting with any number of values.
pub mod many {
    use super::{Codec, Wrong};

    pub const LIST: bool = true;

    pub fn read<V>(texts: &[&str], codec: &Codec<V>) -> Result<Vec<V>, Wrong> {
        texts.iter().map(|text| codec.take(text)).collect()
    }

    pub fn show<V>(values: &[V], codec: &Codec<V>) -> String {
        values.iter().map(codec.show).collect::<Vec<_>>().join(", ")
    }
}

/// A setting with one value or several.
pub mod several {
    use super::{Codec, Wrong};

    pub use super::many::{LIST, show};

    pub fn read<V>(texts: &[&str], codec: &Codec<V>) -> Result<Vec<V>, Wrong> {
        if texts.is_empty() { Err(Wrong::empty()) } else { super::many::read(texts, codec) }
    }
}
