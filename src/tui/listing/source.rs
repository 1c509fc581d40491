//! What a list is told about its rows.

use std::fmt::Debug;

use crate::domain::key::KeyId;
use crate::domain::query::{Completion, QueryError};
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::tui::effect::{Outcomes, Reply, Request};
use crate::tui::opening::Made;
use crate::tui::shell::Shell;
use crate::tui::words::ScreenId;

/// What a list is of: how its rows are told apart, read and filtered.
pub trait Source: Debug + Default {
    type Row: Clone + Debug + 'static;
    type Id: Clone + Ord + Debug + 'static;
    type Filter: Clone + Default + PartialEq + Debug;

    /// Whose list it is: the answers go there.
    const SCREEN: ScreenId;
    /// What its rows tell of: they are read again when that changes.
    const ABOUT: Subjects;
    /// What can be typed into the filter, for whoever does not know it. Without it the list has no filter.
    const FILTER: Option<&'static str>;
    /// Whether rows can be marked.
    const MARKS: bool = false;
    /// Whether rows can be read from any place in both directions. Else they are read from the beginning on, and kept.
    const BOTH_WAYS: bool = false;

    fn id(row: &Self::Row) -> Self::Id;

    /// What a filter's text means.
    fn parse(text: &str, here: Here) -> Result<Self::Filter, QueryError>;

    /// The texts of a filter that need to be only a part of what they fit.
    fn parts(_: &Self::Filter) -> Vec<&str> {
        Vec::new()
    }

    /// Whether a row that was read is shown: for what the database does not look for.
    fn fits(_: &Self::Filter, _: &Self::Row) -> bool {
        true
    }

    /// Whether both filters read the same rows.
    fn reads_same(one: &Self::Filter, other: &Self::Filter) -> bool {
        one == other
    }

    /// What could stand at the cursor, a byte of the filter's text.
    fn complete(_: &Shell, _: &[Self::Row], _: &str, _: usize) -> Option<Completion> {
        None
    }

    /// The rows in a reply; `None` if it is to another question.
    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Self::Row>>>;

    /// The row that was made, if it is one of these.
    fn made(_: &Made) -> Option<Self::Id> {
        None
    }

    /// A row's state in a word, for counting what is marked.
    fn state(_: &Shell, _: &Self::Row) -> &'static str {
        ""
    }

    /// Whether nothing can be done to a row any more: its mark goes.
    fn over(_: &Self::Row) -> bool {
        false
    }

    fn mark(shell: &Shell, row: &Self::Row) -> Mark {
        Mark { state: Self::state(shell, row), over: Self::over(row) }
    }

    /// The keys that rows are, where rows are keys.
    fn keys<'i>(_: impl Iterator<Item = &'i Self::Id>) -> Option<Vec<KeyId>>
    where
        Self::Id: 'i,
    {
        None
    }

    /// What became of a row that the filter does not fit.
    fn fate(_: &Shell, _: &Self::Row) -> String {
        "no longer in this list".to_owned()
    }

    /// What reads one row, whatever the filter says of it; `None` where that can't be.
    fn one(&self, _: &Shell, _: &Self::Id) -> Option<Request> {
        None
    }

    fn request(&self, filter: &Self::Filter, part: Part<'_, Self::Row>, limit: u32) -> Request;
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Part<'r, R> {
    Start,
    End,
    /// From this row on, with it.
    At(&'r R),
    After(&'r R),
    Before(&'r R),
    /// The rows around this one, whether it is one of them or not.
    Around(&'r R),
}

impl<'r, R> Part<'r, R> {
    /// The row to go on after, for lists that are only read from the beginning on.
    pub fn after(self) -> Option<&'r R> {
        match self {
            Self::After(row) => Some(row),
            _ => None,
        }
    }
}

/// What one reading brought.
#[derive(Debug)]
pub struct Chunk<R> {
    pub rows: Vec<R>,
    /// Where the row of [`Part::Around`] is among them, or would be.
    pub at: usize,
    pub more_before: bool,
    /// Whether more rows follow; `None`: if there are as many as were asked for.
    pub more_after: Option<bool>,
}

impl<R> Chunk<R> {
    /// Rows that are read from the beginning on.
    pub fn forward(rows: Vec<R>) -> Self {
        Self { rows, at: 0, more_before: false, more_after: None }
    }

    /// All rows that there are.
    pub fn whole(rows: Vec<R>) -> Self {
        Self { rows, at: 0, more_before: false, more_after: Some(false) }
    }
}

/// A marked row, as it was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its state in a word.
    pub state: &'static str,
    /// Whether nothing can be done to it any more.
    pub over: bool,
}
