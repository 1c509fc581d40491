//! Browsing keys.

use std::borrow::Cow;

use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::query::{Cursor, Query, Sort, Term, Test};
use crate::store::{Side, Slice};

/// Keys of one reading, where all of them are read.
const PAGE: u32 = 1000;

/// Which page of the table of keys is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub query: Query,
    pub sort: Sort,
    pub from: From,
    /// At most this many rows.
    pub limit: u32,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The first rows.
    Start,
    /// The last rows.
    End,
    /// The rows that follow this one.
    After(Cursor),
    /// The row at this place, or where it would be, and what follows.
    At(Cursor),
    /// The rows that come before this one.
    Before(Cursor),
    /// The row of this key, or where it would be whether the filter fits it or not, what follows, and a third of all before
    /// it. Where there is no such key: the first rows.
    Around(KeyId),
}

/// A page, always in the table's order, whichever way it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Where the key of [`From::Around`] is among these rows, or would be; else 0.
    pub at: usize,
    /// Whether there are rows before the first of these.
    pub more_before: bool,
    /// Whether there are rows after the last of these.
    pub more_after: bool,
    /// The database's time of the reading: what statuses are derived with.
    pub now: Instant,
}

/// A row of the table and its place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub cursor: Cursor,
}

/// How many keys of a filter come before a place in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    pub query: Query,
    pub sort: Sort,
    pub place: Cursor,
}

/// How many keys of the filter there are: exactly, or at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Exactly(u64),
    AtLeast(u64),
}

impl Count {
    /// How many there are at least.
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::AtLeast(number) => number,
        }
    }

    /// What is said behind the number: nothing, or that there may be more.
    pub fn or_more(self) -> &'static str {
        match self {
            Self::Exactly(_) => "",
            Self::AtLeast(_) => " or more",
        }
    }
}

impl std::convert::From<(u64, bool)> for Count {
    /// From a number, and whether that is all.
    fn from((number, all): (u64, bool)) -> Self {
        if all { Self::Exactly(number) } else { Self::AtLeast(number) }
    }
}

/// How many active keys end in one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// The first instant of the seven days.
    pub starts_at: Instant,
    pub keys: u64,
}

/// What ends when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub now: Instant,
    /// Keys that ended by expiry within the last 30 days and were not replaced.
    pub overdue: u64,
    pub within_7_days: u64,
    pub within_30_days: u64,
    pub within_90_days: u64,
    /// 13 weeks, the first of which starts now.
    pub weeks: Vec<Week>,
}

impl Service {
    /// A page of the table of keys.
    pub async fn page(&self, request: &PageRequest) -> Result<Page> {
        let now = self.look().await?;
        let query = self.filled(&request.query).await?;
        let read = async |place: Option<&Cursor>, side, limit| -> Result<Vec<Row>> {
            let slice = Slice { query: &query, sort: request.sort, place, side, limit };
            let read = self.inner.store.page(slice, now).await?;
            Ok(read.into_iter().map(|(key, cursor)| Row { key, cursor }).collect())
        };
        let limit = request.limit.max(1);
        let around = match request.from {
            From::Around(key) => self.place_of(key, request.sort, now).await?,
            _ => None,
        };
        if let Some(cursor) = around {
            // One row more than wanted tells whether there is more.
            let most = limit / 3;
            let mut rows = read(Some(&cursor), Side::Before, most + 1).await?;
            let more_before = rows.len() > most as usize;
            rows.truncate(most as usize);
            rows.reverse();
            let at = rows.len();
            let left = limit - u32::try_from(at).unwrap_or(most);
            rows.extend(read(Some(&cursor), Side::From, left + 1).await?);
            let more_after = rows.len() > limit as usize;
            rows.truncate(limit as usize);
            return Ok(Page { rows, at, more_before, more_after, now });
        }
        let (place, side) = match &request.from {
            From::Start | From::Around(_) => (None, Side::From),
            From::End => (None, Side::Before),
            From::After(cursor) => (Some(cursor), Side::After),
            From::At(cursor) => (Some(cursor), Side::From),
            From::Before(cursor) => (Some(cursor), Side::Before),
        };
        // One row more than wanted tells whether there is more.
        let mut rows = read(place, side, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let (more_before, more_after) = match &request.from {
            From::Start | From::Around(_) => (false, more),
            From::End => (more, false),
            From::Before(_) => (more, true),
            From::After(_) => (true, more),
            From::At(cursor) => (!read(Some(cursor), Side::Before, 1).await?.is_empty(), more),
        };
        if side == Side::Before {
            rows.reverse();
        }
        Ok(Page { rows, at: 0, more_before, more_after, now })
    }

    /// The place of a key in this order, whatever became of it.
    async fn place_of(&self, key: KeyId, sort: Sort, now: Instant) -> Result<Option<Cursor>> {
        // That it names a status shows the hidden ones too.
        let tests = [Test::Id(key.to_string()), Test::Status(Status::ALL.to_vec())];
        let query = Query { terms: tests.map(|test| Term { negated: false, test }).to_vec() };
        let slice = Slice { query: &query, sort, place: None, side: Side::From, limit: 1 };
        Ok(self.inner.store.page(slice, now).await?.pop().map(|(_, cursor)| cursor))
    }

    /// Hands over every key that the filter fits, a page at a time, until `take` fails.
    ///
    /// # Errors
    /// Those of [`Service::page`] and of `take`.
    pub async fn each_key<E: std::convert::From<Error>>(
        &self,
        query: &Query,
        mut take: impl FnMut(Key) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let (sort, mut from) = (Sort::default(), From::Start);
        loop {
            let page = self.page(&PageRequest { query: query.clone(), sort, from, limit: PAGE }).await?;
            let last = page.rows.last().map(|row| row.cursor.clone());
            page.rows.into_iter().try_for_each(|row| take(row.key))?;
            match last {
                Some(last) if page.more_after => from = From::After(last),
                _ => return Ok(()),
            }
        }
    }

    /// How many keys the filter fits. Counts at most a million rows, or for two seconds, and says so. A newer count stops
    /// an older one.
    pub async fn count(&self, query: &Query) -> Result<Count> {
        let now = self.look().await?;
        let query = self.filled(query).await?;
        Ok(self.inner.store.count(&query, now).await?.into())
    }

    /// How many keys come before a place. Stops as [`Self::count`] does, and a newer one
    /// stops an older one.
    pub async fn rank(&self, Rank { query, sort, place }: &Rank) -> Result<Count> {
        let now = self.look().await?;
        let query = self.filled(query).await?;
        Ok(self.inner.store.rank(&query, *sort, place, now).await?.into())
    }

    /// The filter with the policies and the operators of now, if it asks about them.
    pub(super) async fn filled<'q>(&self, query: &'q Query) -> Result<Cow<'q, Query>> {
        let mut query = Cow::Borrowed(query);
        if query.asks_policies() {
            let issuers = self.inner.store.issuers().await?;
            query = Cow::Owned(query.under(issuers.into_iter().map(|issuer| issuer.policy).collect()));
        }
        if query.asks_operators() {
            let operators = self.inner.store.operators().await?;
            let names: Vec<String> = operators.into_iter().map(|one| one.name.as_str().to_owned()).collect();
            query = Cow::Owned(query.among(&names));
        }
        Ok(query)
    }

    /// One key.
    pub async fn key(&self, id: KeyId) -> Result<Key> {
        self.look().await?;
        self.inner.store.key(id).await?.ok_or_else(|| Error::no_key(id))
    }

    /// These keys, in the order of their ids; those that are not there are left out.
    pub async fn keys(&self, ids: &[KeyId]) -> Result<Vec<Key>> {
        self.look().await?;
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        Ok(self.inner.store.keys(&ids).await?)
    }

    /// What ends within 7, 30 and 90 days, and how many in each of the next 13 weeks.
    pub async fn outlook(&self) -> Result<Outlook> {
        let now = self.look().await?;
        let week = chrono::Duration::weeks(1);
        let ends: Vec<Instant> = (1..=13).map(|n| now + week * n).collect();
        let counted = self.inner.store.outlook(now, &ends).await?;
        let weeks = counted
            .weeks
            .iter()
            .enumerate()
            .map(|(n, keys)| Week { starts_at: now + week * i32::try_from(n).unwrap_or(0), keys: *keys });
        Ok(Outlook {
            now,
            overdue: counted.overdue,
            within_7_days: counted.weeks.first().copied().unwrap_or(0),
            within_30_days: counted.within_30_days,
            within_90_days: counted.within_90_days,
            weeks: weeks.collect(),
        })
    }
}
