//! What a query means: the rule that the SQL of the store is tested against.

use super::{Bound, Point, Query, Side, Term, Test};
use crate::domain::Instant;
use crate::domain::issuer::Policy;
use crate::domain::key::{Key, Status};
use crate::domain::secret::TAIL;
use crate::domain::text::fold;

/// Free text shorter than this is not looked for in ids: every second id would have it.
pub const SHORTEST_ID: usize = 4;

/// Whether one of these statuses needs the form of a key to be told from another that is not among them.
pub fn tells_forms(any: &[Status]) -> bool {
    any.contains(&Status::Active) != any.contains(&Status::Refused)
}

impl Query {
    /// Whether `key` fits at `now`.
    pub fn matches(&self, key: &Key, now: Instant) -> bool {
        self.terms.iter().all(|term| term.matches(key, now))
    }

    /// Whether some term asks about policies, which are not filled in yet.
    pub fn asks_policies(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Violates(_)))
    }

    /// Whether some term asks who is an operator, which is not filled in yet.
    pub fn asks_operators(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::CreatorGone(..)))
    }

    /// The same with the names of all operators filled in where a term asks about them.
    pub fn among(&self, operators: &[String]) -> Self {
        let mut filled = self.clone();
        for term in &mut filled.terms {
            if let Test::CreatorGone(_, here) = &mut term.test {
                *here = operators.to_vec();
            }
        }
        filled
    }

    /// Whether some term tells keys whose form gates take from others.
    pub fn asks_forms(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Status(any) if tells_forms(any)))
    }

    /// The same with these policies filled in where a term asks about them.
    pub fn under(&self, policies: Vec<Policy>) -> Self {
        let mut filled = self.clone();
        for term in filled.terms.iter_mut().filter(|term| matches!(term.test, Test::Violates(_))) {
            term.test = Test::Violates(policies.clone());
        }
        filled
    }

    /// The texts that need to be only a part of what they fit, which is easily more than somebody meant.
    pub fn parts(&self) -> Vec<&str> {
        let mut parts = Vec::new();
        for term in self.terms.iter().filter(|term| !term.negated) {
            match &term.test {
                Test::Text(text) => parts.push(text.as_str()),
                Test::NamePart(names) => parts.extend(names.iter().map(String::as_str)),
                _ => {}
            }
        }
        parts
    }

    /// Whether some term asks for a status, or when a key got one. If none does, a list may leave out keys that have ended
    /// (VA-09).
    pub fn mentions_status(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Status(_) | Test::Revoked(_)))
    }
}

impl Query {
    /// Whether it asks for any key, hidden or not.
    pub fn is_everything(&self) -> bool {
        let any = |term: &Term| !term.negated && term.test.is_any_status();
        !self.terms.is_empty() && self.terms.iter().all(any)
    }

    /// Whether it asks for nothing but keys that have not ended.
    pub fn is_living(&self) -> bool {
        matches!(self.terms.as_slice(), [term] if term.is_living())
    }
}

impl Term {
    /// Whether it asks for keys that have not ended: `-status:expired,abandoned,revoked`.
    pub fn is_living(&self) -> bool {
        let ended = |any: &[Status]| {
            any.len() == Status::ENDED.len() && Status::ENDED.iter().all(|status| any.contains(status))
        };
        self.negated && matches!(&self.test, Test::Status(any) if ended(any))
    }

    /// Whether `key` fits at `now`, the `-` taken into account.
    pub fn matches(&self, key: &Key, now: Instant) -> bool {
        self.test.matches(key, now) != self.negated
    }
}

impl Test {
    /// Whether it names every status there is.
    pub fn is_any_status(&self) -> bool {
        matches!(self, Self::Status(any) if Status::ALL.iter().all(|status| any.contains(status)))
    }

    fn matches(&self, key: &Key, now: Instant) -> bool {
        match self {
            Self::Status(any) => any.contains(&key.status(now)),
            Self::Account(any) => any.contains(&key.account),
            Self::Issuer(any) => any.contains(&key.issuer),
            Self::CreatedBy(any) => any.iter().any(|name| name.as_str() == &*key.created_by),
            Self::Scope(any) => any.iter().any(|scope| match scope.as_str() {
                "none" => key.scopes.is_empty(),
                scope => key.scopes.contains(scope),
            }),
            Self::NeverExpires(never) => key.stops_at().is_none() == *never,
            Self::Expires(bound) => {
                key.stops_at().is_some_and(|at| bound.holds(at, now) && (at > now || !bound.is_coming()))
            }
            Self::Created(bound) => bound.holds(key.created_at, now),
            Self::Revoked(bound) => key.revoked(now).is_some_and(|revoked| bound.holds(revoked.at, now)),
            Self::Used(bound) => key.last_used_at.is_some_and(|at| bound.holds(at, now)),
            Self::NeverUsed(never) => key.last_used_at.is_none() == *never,
            Self::Idle(span) => {
                key.last_used_at.unwrap_or(key.created_at) <= Point::FromNow(-*span).instant(now)
            }
            Self::RotationDue => key.rotation_due(now),
            Self::Violates(policies) => policies
                .iter()
                .any(|policy| policy.slug == key.issuer && !policy.objections(key, now).is_empty()),
            Self::CreatorGone(gone, here) => here.iter().any(|name| *name == *key.created_by) != *gone,
            Self::Anywhere(any) => key.allow.is_empty() == *any,
            Self::Acknowledged(yes) => key.acknowledged_at.is_some() == *yes,
            Self::Replaced(yes) => key.successor.is_some() == *yes,
            Self::Replaces(yes) => key.predecessor.is_some() == *yes,
            Self::Overlap(Side::Old) => key.is_being_replaced(now),
            Self::Overlap(Side::New) => key.is_replacement(now),
            Self::Overlap(Side::Open) => key.is_being_replaced(now) || key.is_replacement(now),
            Self::Owner(any) => any.iter().any(|name| match &key.owner {
                None => name == "none",
                Some(owner) => {
                    fold(&owner.name) == *name
                        || owner.mail.as_ref().is_some_and(|mail| mail.eq_ignore_ascii_case(name))
                }
            }),
            Self::Tag(any) => any.iter().any(|tag| match tag.as_str() {
                "none" => key.tags.is_empty(),
                tag => key.tags.contains(tag),
            }),
            Self::Id(part) => is_part_of_id(part, key),
            Self::Name(names) => names.iter().any(|name| name.as_str() == &*key.name),
            Self::NamePart(parts) => parts.iter().any(|part| fold(&key.name).contains(&fold(part))),
            Self::Text(text) => {
                let preview = key.preview.to_lowercase();
                let tail = preview.char_indices().rev().nth(TAIL - 1).map_or(0, |(at, _)| at);
                [&key.name, &key.description].iter().any(|field| fold(field).contains(text.as_str()))
                    || key.owner.as_ref().is_some_and(|owner| fold(&owner.words()).contains(text.as_str()))
                    || fold(&key.tags.to_string()).contains(text.as_str())
                    || preview.starts_with(text.as_str())
                    || preview[tail..].starts_with(text.as_str())
                    || (text.chars().count() >= SHORTEST_ID && is_part_of_id(text, key))
            }
        }
    }
}

impl Bound {
    /// Whether this reads "within the coming …": before an instant that is some time from now.
    pub fn is_coming(self) -> bool {
        matches!(self, Self::Before(Point::FromNow(span)) if span.is_ahead())
    }

    /// Whether `at` lies strictly on this side.
    pub fn holds(self, at: Instant, now: Instant) -> bool {
        match self {
            Self::Before(point) => at < point.instant(now),
            Self::After(point) => at > point.instant(now),
        }
    }
}

/// Whether `part` is the beginning of the key's id, with its hyphens or with none, or of the id's last block.
fn is_part_of_id(part: &str, key: &Key) -> bool {
    let id = key.id.to_string();
    id.starts_with(part)
        || key.id.simple().to_string().starts_with(part)
        || id.rsplit('-').next().is_some_and(|block| block.starts_with(part))
}
