//! One row for each thing that a record tells: its heading, its cell, its field, its value.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Number, Value};

use super::when::{self, Look};
use crate::domain::Instant;
use crate::domain::text::for_spreadsheets;

/// What a record tells in one place.
#[derive(Clone, Debug, PartialEq, derive_more::From)]
pub enum Datum<'a> {
    Nothing,
    #[from(&'a str, String)]
    Text(Cow<'a, str>),
    #[from(u64, i64)]
    Number(Number),
    #[from]
    Truth(bool),
    #[from]
    At(Instant),
    List(Vec<Cow<'a, str>>),
    /// An array or an object.
    Tree(Value),
}

/// A row of the description of a record.
pub struct Column<R> {
    /// The heading, for tables.
    head: Option<&'static str>,
    /// Whether wide tables alone have it.
    wide: bool,
    /// Its place among the fields of the machine-readable forms, and its name there.
    field: Option<(u8, &'static str)>,
    get: fn(&R, Instant) -> Datum<'_>,
    /// The cell, where it isn't simply the value.
    cell: Option<fn(&R, Look) -> String>,
    /// What a table shows where there is nothing.
    missing: &'static str,
    /// Whether a part of a cell is of no use.
    whole: bool,
}

impl<R> Column<R> {
    /// A column of tables, and a field with its place among the fields. A new field takes the next free place: scripts
    /// rely on the order.
    pub const fn new(
        head: &'static str,
        place: u8,
        field: &'static str,
        get: fn(&R, Instant) -> Datum<'_>,
    ) -> Self {
        Self { head: Some(head), ..Self::field(place, field, get) }
    }

    /// The same in wide tables only.
    pub const fn wide(
        head: &'static str,
        place: u8,
        field: &'static str,
        get: fn(&R, Instant) -> Datum<'_>,
    ) -> Self {
        Self::new(head, place, field, get).only_wide()
    }

    /// A field of the machine-readable forms alone.
    pub const fn field(place: u8, field: &'static str, get: fn(&R, Instant) -> Datum<'_>) -> Self {
        Self {
            head: None,
            wide: false,
            field: Some((place, field)),
            get,
            cell: None,
            missing: "",
            whole: false,
        }
    }

    /// A column of tables alone.
    pub const fn head(head: &'static str, get: fn(&R, Instant) -> Datum<'_>) -> Self {
        Self { head: Some(head), wide: false, field: None, get, cell: None, missing: "", whole: false }
    }

    /// For wide tables only.
    pub const fn only_wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// Shows this word where there is nothing.
    pub const fn missing(self, missing: &'static str) -> Self {
        Self { missing, ..self }
    }

    /// Is never cut to make a table fit the terminal.
    pub const fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Shows this in tables instead of the value.
    pub const fn cell(self, cell: fn(&R, Look) -> String) -> Self {
        Self { cell: Some(cell), ..self }
    }

    /// The heading, if tables that are looked at like this have the column.
    pub fn shown(&self, wide: bool) -> Option<&'static str> {
        self.head.filter(|_| wide || !self.wide)
    }

    /// The heading where somebody chose the column.
    fn heading(&self) -> &'static str {
        self.head.or(self.field.map(|(_, name)| name)).unwrap_or_default()
    }

    /// The cell of a record.
    pub fn text(&self, record: &R, look: Look) -> String {
        match self.cell {
            Some(cell) => cell(record, look),
            None => (self.get)(record, look.now).cell(look, self.missing),
        }
    }
}

impl Datum<'_> {
    fn cell(self, look: Look, missing: &str) -> String {
        match self {
            Self::Nothing => missing.to_owned(),
            Self::Text(text) => text.into_owned(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => if truth { "yes" } else { "no" }.to_owned(),
            Self::At(at) => when::shown(at, look),
            Self::List(items) => items.join(" "),
            Self::Tree(tree) => tree.to_string(),
        }
    }

    /// As a CSV field.
    pub fn csv(self) -> String {
        let text = match self {
            Self::Nothing => return String::new(),
            Self::Number(number) => return number.to_string(),
            Self::Truth(truth) => return truth.to_string(),
            Self::Text(text) => text.into_owned(),
            Self::At(at) => when::exact(at),
            Self::List(items) => items.join(" "),
            Self::Tree(Value::Array(items)) => {
                let item = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                items.iter().map(item).collect::<Vec<_>>().join(" ")
            }
            Self::Tree(tree) => tree.to_string(),
        };
        for_spreadsheets(text)
    }
}

impl Serialize for Datum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Truth(truth) => serializer.serialize_bool(*truth),
            Self::At(at) => serializer.serialize_str(&when::exact(*at)),
            Self::List(items) => serializer.collect_seq(items),
            Self::Tree(tree) => tree.serialize(serializer),
        }
    }
}

impl From<Value> for Datum<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(truth) => Self::Truth(truth),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text.into()),
            tree @ (Value::Array(_) | Value::Object(_)) => Self::Tree(tree),
        }
    }
}

impl<'a, T: Into<Datum<'a>>> From<Option<T>> for Datum<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, T::into)
    }
}

impl<'a, T: Into<Cow<'a, str>>> FromIterator<T> for Datum<'a> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(T::into).collect())
    }
}

/// The columns that are fields of the machine-readable forms, in their places.
pub struct Fields<R: 'static>(Vec<(u8, &'static str, &'static Column<R>)>);

impl<R> Fields<R> {
    pub fn of(columns: &'static [Column<R>]) -> Self {
        let mut fields: Vec<_> = columns
            .iter()
            .filter_map(|column| column.field.map(|(place, name)| (place, name, column)))
            .collect();
        fields.sort_by_key(|(place, ..)| *place);
        Self(fields)
    }

    /// The same, but only these, in this order. The names that are no field's are left out.
    pub fn only(columns: &'static [Column<R>], names: &[&str]) -> Self {
        let all = Self::of(columns).0;
        let named = |name: &&str| all.iter().find(|(_, known, _)| known == name).copied();
        Self(names.iter().filter_map(named).collect())
    }

    /// Each with its heading, for tables.
    pub fn headed(&self) -> Vec<(&'static str, &'static Column<R>)> {
        self.0.iter().map(|(.., column)| (column.heading(), *column)).collect()
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(_, name, _)| *name)
    }

    /// Name and value of every field of a record.
    pub fn members<'r>(
        &self,
        record: &'r R,
        now: Instant,
    ) -> impl Iterator<Item = (&'static str, Datum<'r>)> {
        self.0.iter().map(move |(_, name, column)| (*name, (column.get)(record, now)))
    }
}

/// A record as a JSON object whose members keep their places.
pub struct Object<'a, R: 'static>(pub &'a Fields<R>, pub &'a R, pub Instant);

impl<R> Serialize for Object<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(fields, record, now) = self;
        let mut map = serializer.serialize_map(Some(fields.0.len()))?;
        for (name, value) in fields.members(record, *now) {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

/// The same with more members at its end.
pub struct With<'a, R: 'static>(pub Object<'a, R>, pub &'a [(&'static str, Value)]);

impl<R> Serialize for With<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Object(fields, record, now), more) = self;
        let mut map = serializer.serialize_map(Some(fields.0.len() + more.len()))?;
        for (name, value) in fields.members(record, *now) {
            map.serialize_entry(name, &value)?;
        }
        for (name, value) in *more {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
