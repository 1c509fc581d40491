//! How a statement goes over the wire.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr};

use super::{BEGIN, Link, Links, Way, Wire};

type Done = Either<PgQueryResult, PgRow>;

/// A statement without a name. Who sends it again explains it again.
struct Unnamed {
    sql: SqlStr,
    arguments: Option<PgArguments>,
}

impl Unnamed {
    fn of<'q>(mut query: impl Execute<'q, Postgres>) -> sqlx::Result<Self> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        Ok(Self { arguments, sql: query.sql() })
    }
}

impl Execute<'_, Postgres> for Unnamed {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        false
    }
}

/// Carries a statement out in a transaction of its own, unless it goes by one message.
async fn alone(conn: &mut PgConnection, query: sqlx::Result<Unnamed>) -> sqlx::Result<Vec<Done>> {
    let query = query?;
    if query.arguments.is_none() {
        return conn.fetch_many(query).try_collect().await;
    }
    conn.execute(BEGIN).await?;
    let done = conn.fetch_many(query).try_collect().await;
    match done {
        Ok(done) => conn.execute("COMMIT").await.map(|_| done),
        Err(error) => {
            // A connection that can't do that is broken, which its pool finds out.
            if let Err(error) = conn.execute("ROLLBACK").await {
                tracing::debug!(%error, "a transaction could not be rolled back");
            }
            Err(error)
        }
    }
}

impl<'c> Executor<'c> for Wire<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Done>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        match self.way {
            Way::Own => self.conn.fetch_many(query),
            Way::Within => match Unnamed::of(query) {
                Ok(query) => self.conn.fetch_many(query),
                Err(error) => stream::iter([Err(error)]).boxed(),
            },
            Way::Alone => {
                let done = alone(self.conn, Unnamed::of(query));
                done.map_ok(|done| stream::iter(done.into_iter().map(Ok))).try_flatten_stream().boxed()
            }
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        match self.way {
            Way::Own => self.conn.fetch_optional(query),
            Way::Within => match Unnamed::of(query) {
                Ok(query) => self.conn.fetch_optional(query),
                Err(error) => futures::future::ready(Err(error)).boxed(),
            },
            Way::Alone => {
                let done = alone(self.conn, Unnamed::of(query));
                done.map_ok(|done| done.into_iter().find_map(Either::right)).boxed()
            }
        }
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        self.conn.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        self.conn.describe(sql)
    }
}

/// What lends its connection for a statement does all that the lent one does.
macro_rules! lends {
    ($lender:ty, $self:ident => $wire:expr) => {
        impl<'c> Executor<'c> for &'c mut $lender {
            type Database = Postgres;

            fn fetch_many<'e, 'q: 'e, E>($self, query: E) -> BoxStream<'e, sqlx::Result<Done>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                $wire.fetch_many(query)
            }

            fn fetch_optional<'e, 'q: 'e, E>($self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                $wire.fetch_optional(query)
            }

            fn prepare_with<'e>($self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
            where
                'c: 'e,
            {
                $wire.prepare_with(sql, parameters)
            }

            fn describe<'e>($self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
            where
                'c: 'e,
            {
                $wire.describe(sql)
            }
        }
    };
}

lends!(Wire<'_>, self => self.again());
lends!(Link, self => self.wire());

impl<'p> Executor<'p> for &'p Links {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Done>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let done = async move {
            let mut link = self.acquire().await?;
            let done: Vec<Done> = link.fetch_many(query).try_collect().await?;
            Ok(stream::iter(done.into_iter().map(Ok)))
        };
        done.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        async move { self.acquire().await?.fetch_optional(query).await }.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'p: 'e,
    {
        async move { self.acquire().await?.prepare_with(sql, parameters).await }.boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'p: 'e,
    {
        async move { self.acquire().await?.describe(sql).await }.boxed()
    }
}
