//! What happened since a date, and what comes next: for the week's meeting, an auditor or a spreadsheet.
//!
//! Everything is counted by the database, and every list ends after [`LISTED`] rows and says so: what a report takes of memory does
//! not grow with the database.

use serde::Serialize;

use super::{AuditFilter, Count, Counted, Error, Field, From, PageRequest, Result, Service};
use crate::domain::audit::{Action, Entry, Total};
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::query::{Bound, Column, Direction, Point, Query, Sort, Test};
use crate::domain::text::SafeText;
use crate::domain::when::Span;
use crate::domain::{Instant, shifted};
use crate::store::Whose;

mod document;

/// So many rows a list has.
const LISTED: u32 = 100;
/// So many accounts and people are told of.
const TOLD: u32 = 50;
/// How far ahead it looks for what expires.
const AHEAD: Span = Span::days(30);

/// A list that ends early, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// How many there are; nothing where counting took too long.
    pub count: Option<u64>,
    /// The first of them.
    pub first: Vec<T>,
}

/// What was done to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happening {
    pub at: Instant,
    pub who: SafeText,
    pub account: SafeText,
    pub name: SafeText,
    pub key: Option<KeyId>,
    pub reason: Option<SafeText>,
}

/// A key that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    pub at: Instant,
    /// Whether a plan revokes it then.
    pub planned: bool,
    pub account: SafeText,
    pub name: SafeText,
    pub preview: SafeText,
    pub owner: Option<SafeText>,
    pub key: KeyId,
    pub last_used_at: Option<Instant>,
}

/// What gates raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Raised {
    pub at: Instant,
    pub kind: &'static str,
    pub severity: &'static str,
    pub account: Option<SafeText>,
    pub words: SafeText,
    pub acknowledged_by: Option<SafeText>,
}

/// What is to be tidied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tidying {
    pub card: &'static str,
    pub title: &'static str,
    /// Nothing where nobody knows.
    pub count: Option<u64>,
    pub note: Option<&'static str>,
    pub filter: Option<String>,
}

/// How often something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happened {
    pub what: SafeText,
    pub count: u64,
}

/// A report. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub database: SafeText,
    pub since: Instant,
    pub until: Instant,
    /// When it was told, and who asked for it.
    pub told_at: Instant,
    pub told_by: SafeText,
    pub created: Listed<Happening>,
    pub rotated: Listed<Happening>,
    /// By hand and by plan.
    pub revoked: Listed<Happening>,
    pub paused: Listed<Happening>,
    /// How many expired.
    pub expired: Option<u64>,
    /// Within 30 days from when it was told, the soonest first.
    pub expiring: Listed<Ending>,
    pub alerts: Listed<Raised>,
    pub alert_kinds: Vec<Happened>,
    /// As things were when it was told.
    pub hygiene: Vec<Tidying>,
    pub accounts: Listed<Total>,
    pub operators: Listed<Total>,
    /// All rows of the audit, by their action.
    pub changes: Vec<Happened>,
}

impl Service {
    /// Tells what happened from `since` on, before `until` (now, unless it is told). Looking needs the role of a viewer.
    ///
    /// # Errors
    /// When the time ends before it begins.
    pub async fn report(&self, since: Instant, until: Option<Instant>) -> Result<Report> {
        let now = self.look().await?;
        let until = until.unwrap_or(now).min(now);
        if since >= until {
            return Err(Error::invalid(Field::Period, "a report must begin in the past, before it ends"));
        }
        let store = &self.inner.store;
        let changes = store.audit_counts(since, until).await?;
        let (accounts, all_accounts) = store.audit_totals(Whose::Accounts, since, until, TOLD).await?;
        let (operators, all_operators) = store.audit_totals(Whose::Actors, since, until, TOLD).await?;
        let kinds = store.alert_counts(since, until).await?;
        let alerts = store.alerts_between(since, until, LISTED).await?.into_iter().map(|raised| Raised {
            at: raised.alert.at,
            kind: raised.alert.kind(),
            severity: raised.alert.severity().as_str(),
            words: raised.sentence(),
            account: raised.account,
            acknowledged_by: raised.acknowledged_by,
        });
        let raised = kinds.iter().map(|(_, count)| count).sum();
        let within = [Bound::After(before(since)), Bound::Before(Point::At(until))];
        let expired =
            [Test::Status(vec![Status::Expired]), Test::Expires(within[0]), Test::Expires(within[1])];
        let soon = Query::stopping_within(AHEAD);
        let by_expiry = Sort { column: Column::Expires, direction: Direction::Ascending };
        let by_end = Sort { column: Column::Status, direction: Direction::Descending };
        let revoked = Query::of(within.map(Test::Revoked));
        let listed = |total: Vec<Total>, all| Listed { count: Some(all), first: total };
        let count_of = |action: Action| {
            changes.iter().find(|(name, _)| name.as_str() == action.as_str()).map_or(0, |(_, count)| *count)
        };
        let happened = async |actions: &[Action]| {
            let mut rows = Vec::new();
            for action in actions.iter().filter(|action| count_of(**action) > 0) {
                let filter = AuditFilter {
                    action: Some(action.as_str().to_owned()),
                    at: within.to_vec(),
                    ..AuditFilter::default()
                };
                rows.extend(store.audit(&filter, None, LISTED, now).await?);
            }
            rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
            let first = rows.into_iter().take(LISTED as usize).map(Happening::of).collect();
            let count = actions.iter().map(|action| count_of(*action)).sum();
            Ok::<_, Error>(Listed { count: Some(count), first })
        };
        Ok(Report {
            database: SafeText::new(self.location()),
            since,
            until,
            told_at: now,
            told_by: SafeText::new(self.inner.identity.name.as_str()),
            created: happened(&[Action::KeyCreate, Action::KeyImport]).await?,
            rotated: happened(&[Action::KeyRotate]).await?,
            paused: happened(&[Action::KeyPause]).await?,
            revoked: self.some_keys(&revoked, by_end, Happening::revoked).await?,
            expired: self.whole_count(&Query::of(expired)).await?,
            expiring: self.some_keys(&soon, by_expiry, Ending::of).await?,
            alerts: Listed { count: Some(raised), first: alerts.collect() },
            alert_kinds: kinds.into_iter().map(|(what, count)| Happened { what, count }).collect(),
            hygiene: self.tidy().await?.cards.into_iter().map(Tidying::of).collect(),
            accounts: listed(accounts, all_accounts),
            operators: listed(operators, all_operators),
            changes: changes.into_iter().map(|(what, count)| Happened { what, count }).collect(),
        })
    }

    /// The first keys that fit, and how many do.
    async fn some_keys<T>(
        &self,
        query: &Query,
        sort: Sort,
        tell: impl Fn(Key, Instant) -> Option<T>,
    ) -> Result<Listed<T>> {
        let request = PageRequest { query: query.clone(), sort, from: From::Start, limit: LISTED };
        let page = self.page(&request).await?;
        let count = match page.more_after {
            true => self.whole_count(query).await?,
            false => Some(page.rows.len() as u64),
        };
        let first = page.rows.into_iter().filter_map(|row| tell(row.key, page.now)).collect();
        Ok(Listed { count, first })
    }

    /// How many keys fit; nothing where counting took too long.
    async fn whole_count(&self, query: &Query) -> Result<Option<u64>> {
        Ok(match self.count(query).await? {
            Count::Exactly(number) => Some(number),
            Count::AtLeast(_) => None,
        })
    }
}

/// The last instant before this one.
fn before(at: Instant) -> Point {
    Point::At(shifted(at, -chrono::Duration::microseconds(1)))
}

impl Happening {
    fn of(entry: Entry) -> Self {
        Self {
            name: entry.about(),
            reason: entry.told("reason"),
            at: entry.at,
            who: entry.actor,
            account: entry.account.unwrap_or_default(),
            key: entry.key,
        }
    }

    fn revoked(key: Key, now: Instant) -> Option<Self> {
        let revoked = key.revoked(now)?;
        let by = revoked.by.cloned().unwrap_or_default();
        let who = if revoked.planned { SafeText::new(format!("{by} (planned)")) } else { by };
        let (at, reason) = (revoked.at, revoked.reason.cloned());
        let (account, name) = (SafeText::new(key.account), key.name);
        Some(Self { at, who, account, name, key: Some(key.id), reason })
    }
}

impl Ending {
    fn of(key: Key, now: Instant) -> Option<Self> {
        Some(Self {
            at: key.stops_at()?,
            planned: key.plan_ahead(now).is_some(),
            owner: key.owner.as_ref().map(|owner| owner.name.clone()),
            account: SafeText::new(key.account),
            name: key.name,
            preview: key.preview,
            key: key.id,
            last_used_at: key.last_used_at,
        })
    }
}

impl Tidying {
    fn of(counted: Counted) -> Self {
        Self {
            card: counted.card.as_str(),
            title: counted.card.title(),
            count: counted.count.ok(),
            note: counted.count.err().map(|unknown| unknown.words()),
            filter: counted.filter,
        }
    }
}
