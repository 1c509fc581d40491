//! The columns of the table of keys: which fit, how wide they are, and what stands in them.

use std::borrow::Cow;

use ratatui::style::Style;

use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::domain::query::Column;
use crate::domain::scope::Scopes;
use crate::tui::state::Shell;
use crate::tui::styles::Styles;
use crate::tui::view::times;

/// A column of the table. More of them than can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Status,
    Name,
    Account,
    Issuer,
    Preview,
    Scopes,
    Allow,
    CreatedBy,
    Created,
    Expires,
    Used,
}

impl Field {
    /// The column that sorting by this means.
    pub fn sorted_by(self) -> Option<Column> {
        Some(match self {
            Self::Status => Column::Status,
            Self::Name => Column::Name,
            Self::Account => Column::Account,
            Self::Preview => Column::Preview,
            Self::Scopes => Column::Scopes,
            Self::Created => Column::Created,
            Self::Expires => Column::Expires,
            Self::Used => Column::Used,
            Self::CreatedBy => Column::CreatedBy,
            Self::Issuer | Self::Allow => return None,
        })
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Issuer => "Issuer",
            Self::Allow => "Allow-list",
            other => other.sorted_by().map_or("", title),
        }
    }

    /// Times stand at the right end of their column.
    pub fn right(self) -> bool {
        matches!(self, Self::Created | Self::Expires | Self::Used)
    }
}

/// The heading of a column.
pub fn title(column: Column) -> &'static str {
    match column {
        Column::Status => "Status",
        Column::Name => "Name",
        Column::Account => "Account",
        Column::Preview => "Key",
        Column::Scopes => "Scopes",
        Column::Created => "Created",
        Column::Expires => "Expires",
        Column::Used => "Last used",
        Column::CreatedBy => "Created by",
    }
}

/// A column and where it is drawn, counted from the left end of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub field: Field,
    pub x: u16,
    pub width: u16,
}

/// Two cells before the first column: the selection's marker and the sign of a marked row.
pub const MARGIN: u16 = 2;

/// The columns that fit into `width`, in their order. The name takes what is left over.
pub fn layout(width: u16) -> Vec<Place> {
    use Field::{Account, Allow, Created, CreatedBy, Expires, Issuer, Name, Preview, Scopes, Status, Used};
    let (gap, fields): (u16, &[(Field, u16)]) = match width {
        0..70 => (1, &[(Status, 11), (Name, 0), (Preview, 19), (Expires, 8)]),
        70..96 => (1, &[(Status, 11), (Name, 0), (Account, 12), (Preview, 20), (Expires, 8), (Used, 9)]),
        96..118 => (
            1,
            &[(Status, 11), (Name, 0), (Account, 13), (Preview, 20), (Created, 9), (Expires, 8), (Used, 9)],
        ),
        118..160 => (
            2,
            &[
                (Status, 11),
                (Name, 0),
                (Account, 13),
                (Preview, 20),
                (Scopes, 14),
                (Created, 9),
                (Expires, 8),
                (Used, 9),
            ],
        ),
        _ => (
            2,
            &[
                (Status, 11),
                (Name, 0),
                (Account, 16),
                (Issuer, 12),
                (Preview, 21),
                (Scopes, 28),
                (Allow, 18),
                (CreatedBy, 12),
                (Created, 9),
                (Expires, 8),
                (Used, 9),
            ],
        ),
    };
    let count = u16::try_from(fields.len()).unwrap_or(0);
    let fixed: u16 = fields.iter().map(|(_, width)| width).sum::<u16>() + gap * (count - 1) + MARGIN + 1;
    let rest = width.saturating_sub(fixed);
    let mut x = MARGIN;
    fields
        .iter()
        .map(|(field, width)| {
            let width = if *field == Name { rest } else { *width };
            let place = Place { field: *field, x, width };
            x += width + gap;
            place
        })
        .collect()
}

/// What stands in a cell, and how.
pub fn cell<'k>(field: Field, key: &'k Key, now: Instant, shell: &Shell) -> (Cow<'k, str>, Style) {
    let styles = &shell.styles;
    let ended = key.status(now) != Status::Active;
    let text = styles.of(if ended { Role::Muted } else { Role::Text });
    let muted = styles.of(Role::Muted);
    let time = |at| {
        if shell.relative_times { times::relative(at, now) } else { times::day_short(at, now, shell.utc) }
    };
    match field {
        Field::Status => {
            let (words, style) = status(key, now, styles);
            (Cow::Borrowed(words), style)
        }
        Field::Name => (Cow::Borrowed(key.name.as_str()), text),
        Field::Account => (Cow::Borrowed(&key.account), text),
        Field::Issuer => (Cow::Borrowed(&key.issuer), muted),
        Field::Preview => (Cow::Borrowed(key.preview.as_str()), muted),
        Field::Scopes => {
            let full = shell.issuer(&key.issuer).is_some_and(|issuer| issuer.policy.fully_privileged());
            (Cow::Owned(scopes_in_short(&key.scopes, full)), muted)
        }
        Field::Allow if key.allow.is_empty() => (Cow::Borrowed("any"), muted),
        Field::Allow => (Cow::Owned(key.allow.to_string()), muted),
        Field::CreatedBy => (Cow::Borrowed(key.created_by.as_str()), muted),
        Field::Created => (Cow::Owned(time(key.created_at)), muted),
        Field::Expires => match key.expires_at {
            None => (Cow::Borrowed("never"), text),
            Some(at) => {
                let soon = !ended && at - now < chrono::Duration::days(7);
                (Cow::Owned(time(at)), if soon { styles.of(Role::Warning) } else { text })
            }
        },
        Field::Used => match key.last_used_at {
            None => (Cow::Borrowed("never"), text),
            Some(at) => (Cow::Owned(time(at)), text),
        },
    }
}

/// The status with its symbol: told apart without colour.
pub fn status(key: &Key, now: Instant, styles: &Styles) -> (&'static str, Style) {
    match key.status(now) {
        Status::Active if key.rotation_due(now) => ("! due", styles.of(Role::Warning)),
        Status::Active => ("● active", styles.of(Role::Ok)),
        Status::Expired => ("○ expired", styles.of(Role::Muted)),
        Status::Abandoned => ("◌ abandoned", styles.of(Role::Muted)),
        Status::Revoked => ("✕ revoked", styles.of(Role::Muted)),
    }
}

/// `calls:rw contacts:r`: the actions of a resource together, read and write by their first letters.
///
/// An empty list means everything where the policy has no scopes, and nothing where it has.
pub fn scopes_in_short(scopes: &Scopes, fully_privileged: bool) -> String {
    if scopes.is_empty() {
        return if fully_privileged { "full".into() } else { "none".into() };
    }
    let mut text = String::new();
    let mut resource = "";
    for scope in scopes.iter() {
        let (of, action) = scope.split_once(':').unwrap_or((scope, ""));
        let known = of == resource;
        match action {
            "read" | "write" => {
                let letter = &action[..1];
                if !known {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(of);
                    text.push(':');
                }
                text.push_str(letter);
            }
            _ => {
                if known {
                    text.push(',');
                } else {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(of);
                    text.push(':');
                }
                text.push_str(action);
            }
        }
        resource = of;
    }
    text
}
