//! Instants as the person wants them shown: how far away they are, or themselves.

use super::times::{ago, day, exact, relative};
use crate::domain::Instant;
use crate::tui::shell::Shell;

/// Columns of `2026-11-21 12:04:05`.
const PAST: usize = 19;

pub fn time(at: Instant, shell: &Shell) -> String {
    if shell.relative_times { relative(at, shell.now) } else { exact(at, shell.utc) }
}

/// Where the day is exact enough.
pub fn to_the_day(at: Instant, shell: &Shell) -> String {
    if shell.relative_times { relative(at, shell.now) } else { day(at, shell.utc) }
}

/// An instant in the past, in a column of [`past_columns`]: without its zone.
pub fn past(at: Instant, shell: &Shell) -> String {
    if shell.relative_times { ago(at, shell.now) } else { exact(at, shell.utc).chars().take(PAST).collect() }
}

/// Columns for [`past`]; `relative` for its relative form.
pub fn past_columns(shell: &Shell, relative: usize) -> usize {
    if shell.relative_times { relative } else { PAST }
}
