//! One row for each setting. Arguments, precedence, `keyrack info`, "did you mean" and the documents follow from it.

use super::codec::{Form, Word, Wrong};
use super::setting::Source;

/// All that there is to know of a setting.
pub struct Row<T> {
    /// As a file spells it: `admin-listen`.
    pub name: &'static str,
    /// As `keyrack info` names it: `gate.admin-listen`.
    pub shown: &'static str,
    pub variable: &'static str,
    pub flag: Option<Flag>,
    /// What it does, in one sentence without its full stop.
    pub doc: &'static str,
    /// What holds where nobody says anything. `{data}` and `{state}` are folders.
    pub default: Option<&'static str>,
    /// Whether several values may be given.
    pub list: bool,
    pub form: Form,
    /// What the help calls a value.
    pub hint: &'static str,
    pub words: fn() -> Vec<Word>,
    /// It names a file with a secret; these names are for the secret itself, which nobody may write down.
    pub secret: &'static [&'static str],
    pub(super) set: fn(&mut T, &[&str], Source) -> Result<(), Wrong>,
    pub(super) show: fn(&T) -> (String, &Source),
    /// What else follows from a value.
    pub(super) then: Option<fn(&mut T)>,
}

/// How a setting is said on the command line.
#[derive(Clone, Copy)]
pub struct Flag {
    /// With its two hyphens.
    pub name: &'static str,
    pub doc: &'static str,
    /// The value that the flag stands for, where it takes none.
    pub says: Option<&'static str>,
    /// Whether every command has it.
    pub for_all: bool,
}

impl<T> Row<T> {
    pub const fn flag(self, name: &'static str, doc: &'static str) -> Self {
        Self { flag: Some(Flag { name, doc, says: None, for_all: false }), ..self }
    }

    /// A flag that every command has.
    pub const fn flag_for_all(self, name: &'static str, doc: &'static str) -> Self {
        Self { flag: Some(Flag { name, doc, says: None, for_all: true }), ..self }
    }

    /// A flag without a value.
    pub const fn switch(self, name: &'static str, says: &'static str, doc: &'static str) -> Self {
        Self { flag: Some(Flag { name, doc, says: Some(says), for_all: false }), ..self }
    }

    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    pub const fn variable(self, variable: &'static str) -> Self {
        Self { variable, ..self }
    }

    pub const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub const fn secret(self, names: &'static [&'static str]) -> Self {
        Self { secret: names, ..self }
    }

    pub const fn show(self, show: fn(&T) -> (String, &Source)) -> Self {
        Self { show, ..self }
    }

    pub const fn then(self, then: fn(&mut T)) -> Self {
        Self { then: Some(then), ..self }
    }

    /// The variable that the secret itself would have.
    pub fn secret_variable(&self) -> Option<&'static str> {
        self.variable.strip_suffix("_FILE").filter(|_| !self.secret.is_empty())
    }
}

/// `text` with one character between its words, in capitals or as it is.
pub const fn spell<const N: usize>(text: &str, between: u8, capitals: bool) -> [u8; N] {
    let mut spelled = [0; N];
    let mut n = 0;
    while n < N {
        let byte = text.as_bytes()[n];
        spelled[n] = match byte {
            b'_' => between,
            _ if capitals => byte.to_ascii_uppercase(),
            _ => byte,
        };
        n += 1;
    }
    spelled
}

/// A text that is put together and spelled at compile time.
macro_rules! spelled {
    ($between:literal, $capitals:literal, $($part:expr),+) => {{
        const PLAIN: &str = concat!($($part),+);
        const SPELLED: [u8; PLAIN.len()] = $crate::config::settings::row::spell(PLAIN, $between, $capitals);
        match std::str::from_utf8(&SPELLED) {
            Ok(text) => text,
            Err(_) => PLAIN,
        }
    }};
}

/// A row: the table's type, what its names begin with in `keyrack info` and in the environment, how many values there are,
/// the field of the type, which also gives the setting's name, the kind of its values, and what it does.
macro_rules! row {
    ($table:ty, $shown:literal, $variable:literal, $how:ident $field:ident: $codec:expr, $doc:literal) => {
        $crate::config::settings::row::Row::<$table> {
            name: $crate::config::settings::row::spelled!(b'-', false, stringify!($field)),
            shown: $crate::config::settings::row::spelled!(b'-', false, $shown, stringify!($field)),
            variable: $crate::config::settings::row::spelled!(b'_', true, $variable, stringify!($field)),
            flag: None,
            doc: $doc,
            default: None,
            list: $crate::config::settings::codec::$how::LIST,
            form: $codec.form,
            hint: $codec.hint,
            words: $codec.words,
            secret: &[],
            set: |table, texts, from| {
                table.$field.set($crate::config::settings::codec::$how::read(texts, &$codec)?, from);
                Ok(())
            },
            show: |table| {
                let shown = $crate::config::settings::codec::$how::show(&table.$field.value, &$codec);
                (shown, &table.$field.source)
            },
            then: None,
        }
    };
}

pub(super) use {row, spelled};
