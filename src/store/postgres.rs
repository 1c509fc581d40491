//! PostgreSQL: a pool that never hands out a connection with a transaction left open on it.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgPool};

use super::{Access, Location, Pools, Result, migrate};

/// How long to try for a connection before saying that the database can't be reached.
const ACQUIRE: Duration = Duration::from_secs(5);

/// How long to wait for a row that somebody else holds, before saying so or trying again.
const LOCK: &str = "10s";

pub(super) async fn open(url: &str, access: Access) -> Result<Pools> {
    let pool = connect(url).await?;
    migrate::postgres(&pool, access).await?;
    Ok(Pools::Postgres(pool))
}

/// What [`open`] would do to the schema.
pub(super) async fn try_open(url: &str) -> Result<Option<i64>> {
    let pool = connect(url).await?;
    let found = migrate::try_postgres(&pool).await;
    pool.close().await;
    found
}

async fn connect(url: &str) -> Result<PgPool> {
    let options = Location::postgres_options(url)?;
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(ACQUIRE)
        // A cancelled `begin` can leave a transaction open on the connection; whatever is written on it later would be
        // lost although it was acknowledged (H1). So each connection is cleared before it goes back. A ROLLBACK alone has
        // the server log a warning wherever there is none, which is nearly always.
        .after_release(|conn, _| {
            Box::pin(async move {
                conn.execute("BEGIN; ROLLBACK").await?;
                Ok(true)
            })
        })
        .connect_with(options.options([
            ("client_min_messages", "error"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("lock_timeout", LOCK),
        ]))
        .await?;
    Ok(pool)
}
