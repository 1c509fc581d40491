//! Transactions: everything that changes something happens in one, and nothing that was acknowledged is lost.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{Postgres, Sqlite, Transaction};

use super::dialect::{Time, both};
use super::{Conn, Error, MaybeTransient, Pools, Result, Store};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::key::OperationId;
use crate::domain::operator::Role;

/// Pauses before each new try of a transaction that met a passing fault: a little over 5 seconds in all.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(250),
    Duration::from_millis(700),
    Duration::from_millis(1500),
    Duration::from_millis(2500),
];

/// A transaction that is open for writing.
pub struct Tx {
    kind: Kind,
    now: Instant,
}

enum Kind {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Runs `work` in a transaction and commits it if it answers `Ok`.
    ///
    /// The whole of begin, work and commit runs in a task of its own: a caller that goes away in the middle can neither
    /// leave a transaction open nor tear one in two (H1). After a passing fault (a broken connection, a deadlock) the
    /// work is done again, so it must begin by asking [`Tx::seen`] whether its operation was carried out already.
    pub async fn transact<T, E, F>(&self, clock: &Clock, work: F) -> std::result::Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, std::result::Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + MaybeTransient + Send + 'static,
    {
        let store = self.clone();
        let clock = clock.clone();
        let task = tokio::spawn(async move {
            let mut pauses = PAUSES.iter();
            loop {
                match store.attempt(&clock, &work).await {
                    Err(error) if error.is_transient() => match pauses.next() {
                        Some(pause) => tokio::time::sleep(*pause).await,
                        None => return Err(error),
                    },
                    done => return done,
                }
            }
        });
        match task.await {
            Ok(done) => done,
            Err(error) => Err(Error::Other(format!("the operation ended early: {error}")).into()),
        }
    }

    async fn attempt<T, E, F>(&self, clock: &Clock, work: &F) -> std::result::Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, std::result::Result<T, E>> + Send + Sync,
        E: From<Error>,
    {
        let mut tx = self.begin(clock).await?;
        // An error drops the transaction, which rolls it back.
        let done = work(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn begin(&self, clock: &Clock) -> Result<Tx> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => {
                // A deferred transaction would fail at its first write under contention (H7).
                let tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                Tx { kind: Kind::Sqlite(tx), now: clock.now() }
            }
            Pools::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                let Time(now) = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *tx).await?;
                Tx { kind: Kind::Postgres(tx), now }
            }
        })
    }
}

impl Tx {
    /// The present: on PostgreSQL the database's clock decides.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn conn(&mut self) -> Conn<'_> {
        match &mut self.kind {
            Kind::Sqlite(tx) => Conn::Sqlite(tx),
            Kind::Postgres(tx) => Conn::Postgres(tx),
        }
    }

    async fn commit(self) -> Result<()> {
        match self.kind {
            Kind::Sqlite(tx) => tx.commit().await?,
            Kind::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// The acting person's role, as it is inside this transaction.
    pub async fn role_of(&mut self, name: &str) -> Result<Option<Role>> {
        let role: Option<String> = both!(self.conn(), c => {
            sqlx::query_scalar::<Db, String>("SELECT role FROM operators WHERE name = $1")
                .bind(name)
                .fetch_optional(c)
                .await?
        });
        Ok(role.as_deref().and_then(Role::parse))
    }

    /// Whether this operation was carried out before: then a retry must change nothing.
    pub async fn seen(&mut self, operation: OperationId) -> Result<bool> {
        let row: Option<i64> = both!(self.conn(), c => {
            sqlx::query_scalar::<Db, i64>("SELECT seq FROM audit WHERE operation = $1 LIMIT 1")
                .bind(operation)
                .fetch_optional(c)
                .await?
        });
        Ok(row.is_some())
    }
}
