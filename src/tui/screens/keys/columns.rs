//! The columns of the table of keys.

use crate::domain::query::Column;

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
