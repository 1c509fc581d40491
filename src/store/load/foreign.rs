//! Tables of other products' SQLite databases, as they stand. They are read, never written.

use std::path::Path;

use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Connection, Row as _, SqliteConnection, TypeInfo, ValueRef};

use crate::domain::import::Row;
use crate::domain::text::hex;
use crate::store::{Error, Result, Store};

impl Store {
    /// The rows of a table, in the order in which they stand there, each with its number; `None`: there is no such table.
    pub async fn foreign_rows(file: &Path, table: &str) -> Result<Option<Vec<Row>>> {
        let broke = |error: sqlx::Error| {
            Error::Other(format!("{} can't be read as a SQLite database: {error}", file.display()))
        };
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let mut conn = SqliteConnection::connect_with(&options).await.map_err(broke)?;
        let there: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = $1",
        )
        .bind(table)
        .fetch_one(&mut conn)
        .await
        .map_err(broke)?;
        if there == 0 {
            return Ok(None);
        }
        let sql = format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""));
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await.map_err(broke)?;
        conn.close().await.map_err(broke)?;
        let row = |(place, row): (usize, &SqliteRow)| Ok(Row { line: place + 1, fields: fields(row)? });
        rows.iter().enumerate().map(row).collect::<sqlx::Result<_>>().map(Some).map_err(broke)
    }
}

fn fields(row: &SqliteRow) -> sqlx::Result<Map<String, Value>> {
    let mut fields = Map::new();
    for (place, column) in row.columns().iter().enumerate() {
        let kind = {
            let raw = row.try_get_raw(place)?;
            if raw.is_null() { "NULL".to_owned() } else { raw.type_info().name().to_owned() }
        };
        let value = match kind.as_str() {
            "NULL" => Value::Null,
            "INTEGER" | "BOOLEAN" | "INT8" => row.try_get_unchecked::<i64, _>(place)?.into(),
            "REAL" => row.try_get_unchecked::<f64, _>(place)?.into(),
            "BLOB" => hex(&row.try_get_unchecked::<Vec<u8>, _>(place)?).into(),
            _ => String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(place)?).into(),
        };
        fields.insert(column.name().to_owned(), value);
    }
    Ok(fields)
}
