//! What lets one statement serve two databases: columns that are stored differently but read alike.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};

use crate::domain::network::Networks;
use crate::domain::text::SafeText;
use crate::domain::{EARLIEST, Instant, LATEST};

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
            $crate::store::Conn::Postgres(mut wire) => {
                type Db = sqlx::Postgres;
                // Not every body names the driver.
                let _ = std::marker::PhantomData::<Db>;
                let $c = &mut wire;
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

/// An instant: microseconds in SQLite, `timestamptz` in PostgreSQL. The drivers' own types break at `'infinity'` and far
/// dates (H21); this one is [`EARLIEST`] or [`LATEST`] there. A [`Reading`](super::reading::Reading) tells that it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(pub Instant);

/// An instant as it stands: microseconds since 1970, of more than an [`Instant`] can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Micros(i128);

/// From 1970 to 2000, PostgreSQL's epoch.
const SINCE_1970: i128 = 946_684_800_000_000;

impl Micros {
    /// The instant; `None` where it is beyond what a record can hold.
    pub fn exactly(self) -> Option<Instant> {
        let at = i64::try_from(self.0).ok().and_then(DateTime::from_timestamp_micros)?;
        (EARLIEST..=LATEST).contains(&at).then_some(at)
    }

    /// The nearest instant that a record can hold.
    pub fn nearest(self) -> Instant {
        self.exactly().unwrap_or(if self.0 < 0 { EARLIEST } else { LATEST })
    }
}

impl Type<Sqlite> for Micros {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Sqlite> for Micros {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<Sqlite>>::decode(value).map(|micros| Self(micros.into()))
    }
}

impl Type<Postgres> for Micros {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Micros {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = value.as_bytes()?;
        if value.format() == PgValueFormat::Binary {
            return Ok(Self(i128::from(i64::from_be_bytes(bytes.try_into()?)) + SINCE_1970));
        }
        // As text it comes where a statement was not prepared.
        let text = std::str::from_utf8(bytes)?;
        Ok(match DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z") {
            Ok(at) => Self(at.timestamp_micros().into()),
            Err(_) if text.starts_with('-') || text.ends_with("BC") => Self(i128::MIN),
            Err(_) => Self(i128::MAX),
        })
    }
}

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
        Encode::<Sqlite>::encode_by_ref(&self.0.clamp(EARLIEST, LATEST).timestamp_micros(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Time {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <Micros as Decode<Sqlite>>::decode(value).map(|micros| Self(micros.nearest()))
    }
}

impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Time {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0.clamp(EARLIEST, LATEST), buf)
    }
}

impl<'r> Decode<'r, Postgres> for Time {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <Micros as Decode<Postgres>>::decode(value).map(|micros| Self(micros.nearest()))
    }
}

impl From<Time> for Instant {
    fn from(Time(at): Time) -> Self {
        at
    }
}

/// A text as it stands, which may be no UTF-8: SQLite looks at none, and PostgreSQL at none in a SQL_ASCII database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// U+FFFD stands for what can't be read.
    pub text: String,
    /// Whether all of it can be.
    pub whole: bool,
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self { whole: matches!(text, Cow::Borrowed(_)), text: text.into_owned() }
    }
}

impl<D: Database> Type<D> for Text
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

impl<'r> Decode<'r, Sqlite> for Text {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <&[u8] as Decode<Sqlite>>::decode(value).map(Self::from)
    }
}

impl<'r> Decode<'r, Postgres> for Text {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        value.as_bytes().map(Self::from)
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
    Text: Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Text::decode(value).map(|text| Self::new(text.text))
    }
}

/// An allow-list: text in SQLite, `cidr[]` in PostgreSQL.
#[derive(Clone, Debug, Default)]
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
        let nets = <&str as Decode<Sqlite>>::decode(value)?
            .split_whitespace()
            .map(|net| net.parse::<IpNet>().map_err(|_| format!("{net} isn't a network")));
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
