//! The SQL of a filter's conditions by itself, for tests that have no database.

use sqlx::{Postgres, QueryBuilder, Sqlite};

use super::filter::{Drive, Driver, push_conditions};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::query::Query;

/// The conditions of `query` as SQLite and as PostgreSQL get them, without the bound values.
pub fn conditions(query: &Query, now: Instant) -> [String; 2] {
    [written::<Sqlite>(query, now), written::<Postgres>(query, now)]
}

fn written<D: Driver>(query: &Query, now: Instant) -> String {
    let mut sql = QueryBuilder::<D>::new("");
    push_conditions(&mut sql, query, now, Drive::Planner, &Forms::default());
    sql.into_string()
}
