//! Every row of every table that holds something which can't be read, for `keyrack doctor`.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::dialect::{Allow, both};
use super::filter::Driver as _;
use super::reading::{Cells, Reading};
use super::{Error, Result, Store};
use crate::domain::account::Standing;
use crate::domain::budget::Budgets;
use crate::domain::issuer::Policy;
use crate::domain::operator::Role;
use crate::domain::reminder::{Door, State};
use crate::domain::text::SafeText;
use crate::domain::usage::Alert;

/// A row that holds something which can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddRow {
    pub table: &'static str,
    /// What tells it from the table's other rows.
    pub id: SafeText,
    /// Column by column, why.
    pub why: SafeText,
}

/// What a column is to hold.
enum Kind {
    Time,
    Text,
    Id,
    Count,
    Addresses,
    Networks,
    Budgets,
    Policy,
    Alert,
    Standing,
    Role,
    State,
    Door,
}

/// A table, by what its rows are told apart, and its columns; the names of those that may be NULL end in `?`.
struct Table {
    name: &'static str,
    id: &'static str,
    columns: &'static [(Kind, &'static [&'static str])],
}

const fn table(
    name: &'static str,
    id: &'static str,
    columns: &'static [(Kind, &'static [&'static str])],
) -> Table {
    Table { name, id, columns }
}

const TABLES: [Table; 17] = [
    table(
        "issuers",
        "slug",
        &[
            (Kind::Text, &["slug"]),
            (Kind::Policy, &["policy"]),
            (Kind::Count, &["version", "rotation_days?"]),
            (Kind::Time, &["updated_at"]),
        ],
    ),
    table(
        "accounts",
        "slug",
        &[
            (Kind::Text, &["slug", "issuer", "name", "search", "plan?"]),
            (Kind::Addresses, &["admins"]),
            (Kind::Standing, &["standing"]),
            (Kind::Time, &["created_at"]),
        ],
    ),
    table(
        "operators",
        "name",
        &[(Kind::Text, &["name", "created_by"]), (Kind::Role, &["role"]), (Kind::Time, &["created_at"])],
    ),
    table(
        "key_auth",
        "id",
        &[
            (Kind::Id, &["id"]),
            (
                Kind::Text,
                &[
                    "account",
                    "issuer",
                    "scopes",
                    "revoked_by?",
                    "revoke_reason?",
                    "paused_by?",
                    "pause_message?",
                    "pause_reason?",
                    "planned_by?",
                    "plan_reason?",
                ],
            ),
            (Kind::Networks, &["allow"]),
            (Kind::Budgets, &["limits?"]),
            (
                Kind::Time,
                &[
                    "created_at",
                    "expires_at?",
                    "claim_by",
                    "acknowledged_at?",
                    "first_used_at?",
                    "revoked_at?",
                    "paused_at?",
                    "paused_until?",
                    "not_before?",
                    "revoke_at?",
                    "own_expiry?",
                ],
            ),
        ],
    ),
    table(
        "keys",
        "id",
        &[
            (Kind::Id, &["id", "predecessor?", "successor?"]),
            (
                Kind::Text,
                &[
                    "name",
                    "name_key",
                    "description",
                    "owner?",
                    "owner_mail?",
                    "tags",
                    "search",
                    "preview",
                    "tail",
                    "created_by",
                ],
            ),
            (Kind::Count, &["overlap_seconds?"]),
        ],
    ),
    table(
        "key_use",
        "id",
        &[(Kind::Text, &["last_used_from?", "last_used_endpoint?"]), (Kind::Time, &["last_used_at"])],
    ),
    table(
        "audit",
        "seq",
        &[
            (Kind::Time, &["at"]),
            (Kind::Id, &["operation", "key?"]),
            (Kind::Text, &["actor", "host", "client?", "person?", "action", "subject", "account?", "detail"]),
        ],
    ),
    table(
        "sweeps",
        "id",
        &[
            (Kind::Id, &["id"]),
            (Kind::Door, &["door"]),
            (Kind::Text, &["begun_by", "host", "trouble?"]),
            (Kind::Time, &["began_at", "alive_until", "ended_at?"]),
            (Kind::Count, &["reminders", "sent", "written", "failed", "deferred", "ambiguous"]),
        ],
    ),
    table(
        "reminders",
        "id",
        &[
            (Kind::Id, &["id", "key"]),
            (Kind::Text, &["account", "why?"]),
            (Kind::State, &["state"]),
            (Kind::Count, &["days_before"]),
            (Kind::Time, &["expires_at", "due_at", "created_at", "changed_at"]),
        ],
    ),
    table(
        "deliveries",
        "reminder",
        &[
            (Kind::Id, &["reminder", "sweep?"]),
            (Kind::Text, &["recipient", "letter?", "answer?"]),
            (Kind::State, &["state"]),
            (Kind::Count, &["attempts"]),
            (Kind::Time, &["next_at", "expires_at", "claimed_until?", "changed_at"]),
        ],
    ),
    table(
        "gates",
        "id",
        &[
            (Kind::Id, &["id"]),
            (Kind::Text, &["name", "host", "listen", "version"]),
            (Kind::Count, &["lease_ms", "stale_ms", "applied_seq", "flushed"]),
            (Kind::Time, &["began_at", "beat_at", "applied_at"]),
        ],
    ),
    table(
        "usage_minutes",
        "key",
        &[(Kind::Id, &["key"]), (Kind::Time, &["minute"]), (Kind::Count, &["allowed", "refused", "limited"])],
    ),
    table(
        "key_networks",
        "key",
        &[(Kind::Id, &["key"]), (Kind::Text, &["network"]), (Kind::Time, &["first_at"])],
    ),
    table(
        "late_tries",
        "key",
        &[
            (Kind::Id, &["key"]),
            (Kind::Text, &["network", "endpoint"]),
            (Kind::Count, &["tries"]),
            (Kind::Time, &["hour", "last_at"]),
        ],
    ),
    table(
        "alerts",
        "id",
        &[
            (Kind::Text, &["kind", "subject", "gate", "account?", "acknowledged_by?"]),
            (Kind::Id, &["key?"]),
            (Kind::Alert, &["detail"]),
            (Kind::Time, &["hour", "raised_at", "told_at?", "acknowledged_at?"]),
        ],
    ),
    table(
        "holds",
        "n",
        &[
            (
                Kind::Text,
                &["kind", "filter", "account?", "issuer?", "made_by", "message?", "reason?", "lifted_by?"],
            ),
            (Kind::Time, &["made_at", "until", "lifted_at?"]),
        ],
    ),
    table("limit_windows", "subject", &[(Kind::Text, &["gate", "subject"]), (Kind::Time, &["ends_at"])]),
];

impl Kind {
    /// Reads a column, and takes note where it can't be read.
    fn read<R: Cells>(&self, row: &mut Reading<'_, R>, column: &str) {
        let (column, may_be_null) = column.strip_suffix('?').map_or((column, false), |column| (column, true));
        if may_be_null && row.is_null(column) {
            return;
        }
        match self {
            Self::Time => drop(row.time(column)),
            Self::Text => drop(row.text(column)),
            Self::Id => drop(row.id(column)),
            Self::Count => drop(row.count(column)),
            Self::Addresses => drop(row.get::<Json<Vec<String>>>(column)),
            Self::Networks => drop(row.get::<Allow>(column)),
            Self::Policy => drop(row.maybe::<Json<Policy>>(column)),
            Self::Standing => drop(row.word(column, Standing::Good)),
            Self::Role => drop(row.word(column, Role::Viewer)),
            Self::State => drop(row.word(column, State::Cancelled)),
            Self::Door => drop(row.word(column, Door::Command)),
            Self::Budgets => {
                if let Err(error) = Budgets::parse(&row.text(column)) {
                    row.note(column, &error.to_string());
                }
            }
            Self::Alert => {
                if let Err(error) = serde_json::from_str::<Alert>(&row.text(column)) {
                    row.note(column, &error.to_string());
                }
            }
        }
    }
}

fn look<R: Cells>(table: &Table, row: &R) -> Option<OddRow> {
    let mut reading = Reading::new(row);
    for (kind, names) in table.columns {
        names.iter().for_each(|name| kind.read(&mut reading, name));
    }
    let why = reading.odd();
    (!why.is_empty()).then(|| OddRow { table: table.name, id: reading.shown(table.id), why })
}

/// All of a table's rows. Those of uses have the key's id only where that tells the rows of one key.
fn rows_of(table: &str, row: &str) -> String {
    if table == "key_use" && row != "id" {
        return format!("SELECT u.*, k.id FROM key_use u LEFT JOIN key_auth k ON k.{row} = u.{row}");
    }
    format!("SELECT * FROM {table}")
}

impl Store {
    /// The first of the rows that hold something which can't be read, at most `limit` of each table, and how many there are.
    /// Reads everything. What this login may not read is left out.
    pub async fn odd_rows(&self, limit: usize) -> Result<(Vec<OddRow>, u64)> {
        let (mut found, mut count) = (Vec::new(), 0);
        for table in &TABLES {
            let mut left = limit;
            let mut reader = self.reader().await?;
            reader.hold().await?;
            let read: Result<()> = both!(reader.conn(), c => {
                let mut rows = sqlx::query::<Db>(AssertSqlSafe(rows_of(table.name, Db::ROW))).fetch(c);
                loop {
                    match rows.try_next().await {
                        Ok(Some(row)) => {
                            if let Some(odd) = look(table, &row) {
                                count += 1;
                                if left > 0 {
                                    left -= 1;
                                    found.push(odd);
                                }
                            }
                        }
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(Error::from(error)),
                    }
                }
            });
            reader.release().await?;
            match read {
                Ok(()) | Err(Error::Privilege(_) | Error::Lacks(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((found, count))
    }
}
