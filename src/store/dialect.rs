//! What lets one statement serve two databases: columns that are stored differently but read alike.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};

use crate::domain::Instant;
use crate::domain::network::Networks;
use crate::domain::text::SafeText;

/// Runs one body on whichever database `$conn` is a connection to. The body is compiled once for each; in it `Db` names
/// the driver. `$conn` is an enum with the variants `Sqlite` and `Postgres`.
macro_rules! both {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite($c) => {
                type Db = sqlx::Sqlite;
                // Not every body names the driver.
                let _ = std::marker::PhantomData::<Db>;
                $body
            }
            $crate::store::Conn::Postgres($c) => {
                type Db = sqlx::Postgres;
                // Not every body names the driver.
                let _ = std::marker::PhantomData::<Db>;
                $body
            }
        }
    };
}
pub(super) use both;

/// Runs one statement with these values on whichever database `$conn` is a connection to: `query` with what it answers.
macro_rules! statement {
    ($query:ident, $fetch:ident, $conn:expr, $sql:expr $(, [$($value:expr),* $(,)?])? $(,)?) => {
        $crate::store::dialect::both!($conn, c => {
            sqlx::$query::<Db, _>($sql)$($(.bind($value))*)?.$fetch(c).await?
        })
    };
}
pub(super) use statement;

/// Changes rows by a statement with these values, and answers how many.
macro_rules! run {
    ($conn:expr, $sql:expr $(, [$($value:expr),* $(,)?])? $(,)?) => {
        $crate::store::dialect::both!($conn, c => {
            sqlx::query::<Db>($sql)$($(.bind($value))*)?.execute(c).await?.rows_affected()
        })
    };
}
pub(super) use run;

/// Rows of a statement with these values: `fetch_one`, `fetch_optional` or `fetch_all` of them.
macro_rules! rows {
    ($($of:tt)*) => { $crate::store::dialect::statement!(query_as, $($of)*) };
}
pub(super) use rows;

/// The same of rows with one column.
macro_rules! scalar {
    ($($of:tt)*) => { $crate::store::dialect::statement!(query_scalar, $($of)*) };
}
pub(super) use scalar;

/// An instant: microseconds in SQLite, `timestamptz` in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(pub Instant);

impl Type<Sqlite> for Time {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl Encode<'_, Sqlite> for Time {
    fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.0.timestamp_micros(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Time {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Sqlite>>::decode(value)?;
        DateTime::from_timestamp_micros(micros).map(Self).ok_or_else(|| "an instant out of range".into())
    }
}

impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Time {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0, buf)
    }
}

impl<'r> Decode<'r, Postgres> for Time {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <DateTime<Utc> as Decode<Postgres>>::decode(value).map(Self)
    }
}

impl From<Time> for Instant {
    fn from(Time(at): Time) -> Self {
        at
    }
}

/// What others wrote is safe to show from the moment on that it is read.
impl<D: Database> Type<D> for SafeText
where
    String: Type<D>,
{
    fn type_info() -> D::TypeInfo {
        String::type_info()
    }

    fn compatible(ty: &D::TypeInfo) -> bool {
        String::compatible(ty)
    }
}

impl<'r, D: Database> Decode<'r, D> for SafeText
where
    String: Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, BoxDynError> {
        String::decode(value).map(Self::new)
    }
}

/// An allow-list: text in SQLite, `cidr[]` in PostgreSQL.
#[derive(Clone, Debug)]
pub struct Allow(pub Networks);

impl Type<Sqlite> for Allow {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Allow {
    fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.0.to_string(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Allow {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        // Whatever was taken once is read: what is taken today may be less.
        let nets = <&str as Decode<Sqlite>>::decode(value)?.split_whitespace().map(str::parse::<IpNet>);
        Ok(Self(Networks::new(nets.collect::<Result<Vec<_>, _>>()?)))
    }
}

impl Type<Postgres> for Allow {
    fn type_info() -> PgTypeInfo {
        <Vec<IpNet> as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Vec<IpNet> as Type<Postgres>>::compatible(ty)
    }
}

impl Encode<'_, Postgres> for Allow {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0.as_slice(), buf)
    }
}

impl<'r> Decode<'r, Postgres> for Allow {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <Vec<IpNet> as Decode<Postgres>>::decode(value).map(|nets| Self(Networks::new(nets)))
    }
}
