//! The columns of the table of keys: which fit, how wide they are, and what stands in them.

use std::borrow::Cow;

use ratatui::style::Style;

use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::domain::query::Column;
use crate::domain::scope::Scopes;
pub use crate::tui::fields::Field;
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::fit;

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
            Self::Issuer | Self::Allow | Self::Usage | Self::Owner | Self::Tags => return None,
        })
    }

    /// The heading, in a column of this width.
    pub fn title(self, width: u16) -> &'static str {
        match self {
            Self::Issuer => "Issuer",
            Self::Allow => "Allow-list",
            Self::Usage => "Last 24h",
            Self::Owner => "Owner",
            Self::Tags => "Tags",
            Self::Used if width < 9 => "Used",
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
pub struct Slot {
    pub field: Field,
    pub x: u16,
    pub width: u16,
}

/// Two cells before the first column: the selection's marker and the sign of a marked row.
pub const MARGIN: u16 = 2;

/// The status of a key that works beside its replacement.
pub const REPLACED: &str = "→ replaced";

/// Fewer columns than this are too few for a name.
const NAME: u16 = 16;

/// A table of at least this width is wide: it has room for all columns.
const WIDE: u16 = 150;

/// The sparkline: three hours in each column, or two where there is room.
const USAGE: (Field, u16, u16) = (Field::Usage, 8, 12);

/// The other columns in the order in which they get room: least width, and the width beyond which more is no use.
const WANTED: [(Field, u16, u16); 10] = [
    (Field::Status, 11, 11),
    (Field::Preview, 14, 20),
    (Field::Account, 12, 20),
    (Field::Expires, 8, 8),
    (Field::Used, 8, 9),
    (Field::Created, 9, 9),
    (Field::Scopes, 12, 34),
    (Field::CreatedBy, 11, 14),
    (Field::Issuer, 10, 12),
    (Field::Allow, 14, 22),
];

/// Columns that are there only where somebody chose them.
const CHOSEN: [(Field, u16, u16); 2] = [(Field::Owner, 10, 18), (Field::Tags, 10, 20)];

/// Wide enough for any heading.
pub const CHOSEN_WIDTH: u16 = 20;

/// Whether [`layout`] has room for the sparkline.
pub fn has_usage(width: u16, usage: Option<bool>, chosen: Option<&[Field]>) -> bool {
    layout(width, usage, chosen).iter().any(|place| place.field == Field::Usage)
}

/// The columns that fit into `width`. Room to spare goes to keys, names, accounts and scopes, in this order. `usage`:
/// whether the sparkline is wanted; where nobody said so it comes last. `chosen`: the columns that somebody chose.
pub fn layout(width: u16, usage: Option<bool>, chosen: Option<&[Field]>) -> Vec<Slot> {
    let mut wanted = WANTED.to_vec();
    let usage = chosen.map(|chosen| chosen.contains(&Field::Usage)).or(usage);
    if let Some(chosen) = chosen {
        wanted.extend(CHOSEN);
        wanted.retain(|(field, ..)| chosen.contains(field));
    }
    match usage {
        Some(true) if wanted.len() < 4 => wanted.push(USAGE),
        Some(true) => wanted.insert(4, USAGE),
        Some(false) => {}
        None => wanted.push(USAGE),
    }
    let gap = if width < 110 { 1 } else { 2 };
    let mut room = width.saturating_sub(MARGIN + 1 + NAME);
    let mut widths = vec![(Field::Name, NAME)];
    for (field, least, _) in &wanted {
        let (field, least) = (*field, *least);
        let only_wide = matches!(field, Field::CreatedBy | Field::Issuer | Field::Allow)
            || field == Field::Usage && usage.is_none();
        if chosen.is_none() && (room < least + gap || only_wide && width < WIDE) {
            break;
        }
        // Of what was chosen a narrower one may have room still.
        if room < least + gap {
            continue;
        }
        room -= least + gap;
        widths.push((field, least));
    }
    let mut grow = |field: Field, to: u16| {
        if let Some((_, width)) = widths.iter_mut().find(|(of, _)| *of == field) {
            let more = to.saturating_sub(*width).min(room);
            *width += more;
            room -= more;
        }
    };
    grow(Field::Name, if width < WIDE { 22 } else { 34 });
    if width >= WIDE {
        // `→ replaced, 999/h`
        grow(Field::Status, 17);
    }
    for (field, _, most) in wanted {
        grow(field, most);
    }
    grow(Field::Name, 60);
    let mut x = MARGIN;
    Field::ALL
        .iter()
        .copied()
        .filter_map(|field| {
            let (_, width) = *widths.iter().find(|(of, _)| *of == field)?;
            let place = Slot { field, x, width };
            x += width + gap;
            Some(place)
        })
        .collect()
}

/// The columns that a table of this width has where nobody chose any.
pub fn automatic(width: u16) -> Vec<Field> {
    layout(width, None, None).into_iter().map(|slot| slot.field).collect()
}

/// What stands in a cell, and how.
pub fn cell<'k>(place: Slot, key: &'k Key, now: Instant, shell: &Shell) -> (Cow<'k, str>, Style) {
    let styles = &shell.styles;
    let ended = key.has_ended(now);
    let text = styles.of(if ended { Role::Muted } else { Role::Text });
    let muted = styles.of(Role::Muted);
    let time = |at| {
        if shell.relative_times { times::relative(at, now) } else { times::day_short(at, now, shell.utc) }
    };
    match place.field {
        Field::Status => {
            let (words, style) = status(key, now, shell);
            (Cow::Borrowed(words), style)
        }
        Field::Name => (key.label(), text),
        Field::Account => (Cow::Borrowed(&key.account), text),
        Field::Issuer => (Cow::Borrowed(&key.issuer), muted),
        Field::Preview => (fit::squeeze(&key.preview, usize::from(place.width)), muted),
        Field::Scopes => {
            let full = shell.issuer(&key.issuer).is_some_and(|issuer| issuer.policy.fully_privileged());
            (Cow::Owned(scopes_in_short(&key.scopes, full)), muted)
        }
        Field::Allow if key.allow.is_empty() => (Cow::Borrowed("any"), muted),
        Field::Allow => (Cow::Owned(key.allow.to_string()), muted),
        Field::CreatedBy => (Cow::Borrowed(key.created_by.as_str()), muted),
        Field::Created => (Cow::Owned(time(key.created_at)), muted),
        // Before its expiry comes the end of the time in which somebody has to take it over.
        Field::Expires if !ended && key.claim_by().is_some() => {
            let at = key.ends_at().unwrap_or(now);
            (Cow::Owned(times::relative(at, now)), styles.of(Role::Warning))
        }
        Field::Expires if let Some(plan) = key.plan_ahead(now) => {
            (Cow::Owned(format!("✕ {}", time(plan.at))), styles.of(Role::Warning))
        }
        Field::Expires => match key.expires_at {
            None => (Cow::Borrowed("never"), text),
            Some(at) => {
                let soon = !ended && at - now < chrono::Duration::days(7);
                (Cow::Owned(time(at)), if soon { styles.of(Role::Warning) } else { text })
            }
        },
        Field::Owner => (Cow::Borrowed(key.owner.as_ref().map_or("–", |owner| owner.name.as_str())), muted),
        Field::Tags => (Cow::Owned(key.tags.to_string()), muted),
        // Drawn by who has the numbers.
        Field::Usage => (Cow::Borrowed(""), muted),
        Field::Used => match key.last_used_at {
            None => (Cow::Borrowed("never"), text),
            Some(at) if shell.relative_times => (Cow::Owned(times::ago(at, now)), text),
            Some(at) => (Cow::Owned(time(at)), text),
        },
    }
}

/// The status with its symbol: told apart without colour.
///
/// A key that nobody took over yet is not like the others: it is about to die (VP-27).
pub fn status(key: &Key, now: Instant, shell: &Shell) -> (&'static str, Style) {
    let styles = &shell.styles;
    match key.status(now) {
        Status::Active if key.claim_by().is_some() => ("◍ unclaimed", styles.of(Role::Warning)),
        Status::Active if key.rotation_due(now) => ("! due", styles.of(Role::Warning)),
        Status::Active if key.is_being_replaced(now) => (REPLACED, styles.of(Role::Accent)),
        Status::Active => ("● active", styles.of(Role::Ok)),
        Status::Planned => ("◔ planned", styles.of(Role::Accent)),
        Status::Paused => ("◫ paused", styles.of(Role::Accent)),
        Status::Suspended => ("! suspended", styles.of(Role::Danger)),
        Status::Refused => ("✕ refused", styles.of(Role::Danger)),
        Status::Damaged => ("! damaged", styles.of(Role::Danger)),
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
    let mut resources: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for scope in scopes.iter() {
        let (of, action) = scope.split_once(':').unwrap_or((scope, ""));
        // Scopes come in the order of their spelling, so those of one resource stand together.
        if resources.last().is_none_or(|(resource, ..)| *resource != of) {
            resources.push((of, String::new(), Vec::new()));
        }
        if let Some((_, letters, others)) = resources.last_mut() {
            match action {
                "read" | "write" => letters.push_str(&action[..1]),
                _ => others.push(action),
            }
        }
    }
    let short = resources.into_iter().map(|(resource, letters, others)| {
        let letters = (!letters.is_empty()).then_some(letters.as_str());
        let actions: Vec<&str> = letters.into_iter().chain(others).collect();
        format!("{resource}:{}", actions.join(","))
    });
    short.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_short_and_say_everything() {
        let short = |text: &str| scopes_in_short(&Scopes::parse(text), false);
        assert_eq!(short("calls:read calls:write contacts:read"), "calls:rw contacts:r");
        assert_eq!(short("webhooks:manage webhooks:write webhooks:read"), "webhooks:rw,manage");
        assert_eq!(short("webhooks:manage"), "webhooks:manage");
        assert_eq!(short(""), "none");
        assert_eq!(scopes_in_short(&Scopes::default(), true), "full");
    }

    #[test]
    fn columns_never_overlap_nor_leave_the_table_at_any_width() {
        for (width, usage) in
            (56..=400).flat_map(|width| [None, Some(true), Some(false)].map(|usage| (width, usage)))
        {
            let places = layout(width, usage, None);
            for pair in places.windows(2) {
                assert!(pair[0].x + pair[0].width < pair[1].x, "{width}: {pair:?}");
            }
            let last = places.last().expect("a table has columns");
            assert!(last.x + last.width <= width, "{width}: {last:?}");
            assert!(places.iter().any(|place| place.field == Field::Status), "{width}");
            let has = |field| places.iter().any(|place| place.field == field);
            assert_eq!(has(Field::Usage), has_usage(width, usage, None));
            // Nobody loses a column to a sparkline that was not asked for.
            assert!(usage.is_some() || !has(Field::Usage) || has(Field::Allow), "{width}");
            assert!(usage != Some(true) || width < 80 || has(Field::Usage), "{width}");
        }
    }

    #[test]
    fn chosen_columns_are_shown_as_far_as_there_is_room() {
        let chosen = [Field::Name, Field::Owner, Field::Tags, Field::Usage, Field::Used];
        for width in 56..=400 {
            let places = layout(width, None, Some(&chosen));
            assert!(places.iter().all(|place| chosen.contains(&place.field)), "{width}: {places:?}");
            for pair in places.windows(2) {
                assert!(pair[0].x + pair[0].width < pair[1].x, "{width}: {pair:?}");
            }
            assert_eq!(places.len() == chosen.len(), width >= 80 || places.len() == chosen.len(), "{width}");
        }
        assert_eq!(Field::parse_all("used, name tags").unwrap(), [Field::Name, Field::Tags, Field::Used]);
        assert!(Field::parse_all("nmae").unwrap_err().contains("Known are status, name"));
    }
}
