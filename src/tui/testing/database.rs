//! A database in memory: a table of keys, and what the console asks for beside it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{account, records};
use crate::domain::Instant;
use crate::domain::approval::Approval;
use crate::domain::hold::Hold;
use crate::domain::issuer::Issuer;
use crate::domain::key::{Key, KeyId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Role;
use crate::domain::query::{Cursor, CursorValue, Direction, Query, Test};
use crate::domain::reach::Reach;
use crate::domain::rotation::{Lately, Rotation};
use crate::domain::usage::{Counts, Minute, minute};
use crate::service::{
    Count, From, Looked, Outbox, Page, PageRequest, Receipt, RotationRow, Rotations, Row, Whither,
};
use crate::tui::effect::{Reply, Request, RotationRequest};

/// Keys that nobody has used, as they are looked at.
pub fn looked(keys: Vec<Key>, now: Instant) -> Box<Looked> {
    let reach = Reach::of(&keys, &HashMap::new(), now);
    let shown = Arc::new(Manifest::of(&keys, now));
    Box::new(Looked { now, keys: keys.into(), reach, shown })
}

#[derive(Default)]
pub struct Database {
    /// The table, newest first.
    pub keys: Vec<Key>,
    pub role: Option<Role>,
    pub issuers: Vec<Issuer>,
    /// What is frozen or stopped.
    pub holds: Vec<Hold>,
    pub approvals: Vec<Approval>,
}

impl Database {
    /// These keys of VoxPria's, as an operator sees them.
    pub fn of(keys: Vec<Key>) -> Self {
        Self {
            keys,
            role: Some(Role::Operator),
            issuers: vec![Issuer::example("voxpria")],
            holds: Vec::new(),
            approvals: Vec::new(),
        }
    }

    /// The answer, where there is one.
    pub fn answer(&self, request: &Request, now: Instant) -> Option<Reply> {
        Some(match request {
            Request::Whoami => Reply::Whoami(Ok(records::whoami(self.role))),
            Request::Issuers => Reply::Issuers(Ok(self.issuers.clone())),
            Request::Holds => Reply::Holds(Ok((self.holds.clone(), self.approvals.clone()))),
            Request::Page(request) => Reply::Page(Ok(self.page(request, now))),
            Request::Rotation(request) => match &**request {
                RotationRequest::Page(_) => Reply::Rotations(Ok(self.rotations(now))),
                _ => return None,
            },
            Request::Count(query) => Reply::Count(Ok(Count::Exactly(self.fitting(query, now).len() as u64))),
            Request::Rank(rank) => {
                let fitting = self.fitting(&rank.query, now);
                let before = self.rank(&fitting, rank.place.id, rank.sort.direction);
                Reply::Rank(Ok(Count::Exactly(before as u64)))
            }
            Request::Reach(keys) => {
                let rows = self.keys.iter().filter(|key| keys.contains(&key.id));
                Reply::Reach(Ok(looked(rows.cloned().collect(), now)))
            }
            Request::Trail(_) => Reply::Trail(Ok(Vec::new())),
            Request::Late(key) => Reply::Late { key: key.id, outcome: Ok(None) },
            Request::Post => Reply::Post(Ok(Whither { place: "the folder mail".into(), leaves: false })),
            Request::Receipt { .. } => {
                Reply::Receipt(Ok(Receipt { seq: 1, at: now, gates: Vec::new(), weakness: None }))
            }
            Request::Outbox => Reply::Outbox(Ok(Outbox::default())),
            Request::OpenAlerts => Reply::OpenAlerts(Ok(0)),
            Request::Alerts(_) => Reply::Alerts(Ok(Vec::new())),
            Request::Gates => Reply::Gates(Ok(Vec::new())),
            Request::Usage { keys, .. } => {
                let used = keys.iter().map(|key| (*key, used(*key, now)));
                let outcome = Ok(used.filter(|(_, past)| !past.is_empty()).collect());
                Reply::Usage { keys: keys.clone(), outcome }
            }
            Request::Account(slug) => Reply::Account(Ok(account("voxpria", slug))),
            Request::Sweeps(_) => Reply::Sweeps(Ok(Vec::new())),
            Request::Reminders(_) => Reply::Reminders(Ok(Vec::new())),
            _ => return None,
        })
    }

    fn fitting(&self, query: &Query, now: Instant) -> Vec<&Key> {
        let fits = |key: &Key| {
            query.terms.iter().all(|term| {
                term.negated
                    != match &term.test {
                        Test::Text(text) => key.name.to_lowercase().contains(text.as_str()),
                        Test::Status(statuses) => statuses.contains(&key.status(now)),
                        Test::Account(accounts) => accounts.contains(&key.account),
                        Test::Id(id) => key.id.to_string().starts_with(id.as_str()),
                        _ => !term.negated,
                    }
            })
        };
        self.keys.iter().filter(|key| fits(key)).collect()
    }

    /// All open overlaps.
    fn rotations(&self, now: Instant) -> Rotations {
        let row = |old: &Key| {
            let new = self.keys.iter().find(|key| Some(key.id) == old.successor)?.clone();
            let lately = |key: &Key| Lately {
                minutes: used(key.id, now),
                networks: key.last_used_from.iter().cloned().collect(),
                more_networks: 0,
            };
            let cursor = Cursor { value: CursorValue::Instant(old.created_at), id: old.id, odd_id: None };
            let (old_use, new_use) = (lately(old), lately(&new));
            Some(RotationRow { rotation: Rotation { old: old.clone(), new, old_use, new_use }, cursor })
        };
        let rows = self.keys.iter().filter(|key| key.is_being_replaced(now)).filter_map(row).collect();
        Rotations { rows, at: 0, more_before: false, more_after: false, now }
    }

    /// How many of these come before a key, whether it is one of them or not.
    fn rank(&self, of: &[&Key], key: KeyId, direction: Direction) -> usize {
        let place = |id: KeyId| self.keys.iter().position(|one| one.id == id);
        let own = place(key);
        let before = |one: &&&Key| match direction {
            Direction::Descending => place(one.id) < own,
            Direction::Ascending => place(one.id) > own,
        };
        of.iter().filter(before).count()
    }

    /// A page in the order of creation; other orders are the store's business.
    fn page(&self, request: &PageRequest, now: Instant) -> Page {
        let mut all = self.fitting(&request.query, now);
        if request.sort.direction == Direction::Ascending {
            all.reverse();
        }
        let rank = |key: KeyId| self.rank(&all, key, request.sort.direction);
        let place = |cursor: &Cursor| all.iter().position(|key| key.id == cursor.id);
        let limit = request.limit as usize;
        let (from, to) = match &request.from {
            From::Start => (0, limit),
            From::End => (all.len().saturating_sub(limit), all.len()),
            From::After(cursor) => place(cursor).map_or((0, 0), |at| (at + 1, at + 1 + limit)),
            From::At(cursor) => place(cursor).map_or((0, limit), |at| (at, at + limit)),
            From::Before(cursor) => place(cursor).map_or((0, 0), |at| (at.saturating_sub(limit), at)),
            From::Around(key) => match self.keys.iter().any(|one| one.id == *key) {
                true => (rank(*key).saturating_sub(limit / 3), rank(*key).saturating_sub(limit / 3) + limit),
                false => (0, limit),
            },
        };
        let at = if let From::Around(key) = &request.from { rank(*key) - from } else { 0 };
        let to = to.min(all.len());
        let row = |key: &&Key| Row {
            key: (*key).clone(),
            cursor: Cursor { value: CursorValue::Instant(key.created_at), id: key.id, odd_id: None },
        };
        Page {
            rows: all[from.min(to)..to].iter().map(row).collect(),
            at,
            more_before: from > 0,
            more_after: to < all.len(),
            now,
        }
    }
}

/// Every third key was used: more and more in the last half of the day, but for one quiet hour.
fn used(key: KeyId, now: Instant) -> Vec<Minute> {
    let number = key.as_u128() as u64 % 0x1_0000;
    if !number.is_multiple_of(3) {
        return Vec::new();
    }
    let now = minute(now);
    let hours = (0..12).filter(|hour| *hour != 4);
    let counts = |hour: u64| Counts { allowed: (12 - hour) * 10, refused: hour, limited: 1 };
    hours.map(|hour| Minute { minute: now - hour as i64 * 60, counts: counts(hour) }).collect()
}
