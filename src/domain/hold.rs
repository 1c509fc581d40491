//! What an admin holds for a while: keys that a filter fits, those made later too (a freeze), or the making of keys.

use strum::{EnumString, IntoStaticStr};

use super::Instant;
use super::key::Key;
use super::pause::Pause;
use super::query::{Bound, Point, Query, Term, Test};
use super::text::SafeText;
use super::when::{Here, in_a_sentence};

/// So many freezes, and so many stops of creation, hold at once at most: each is looked at for every key that is read.
pub const MOST: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum HoldKind {
    Freeze,
    Creation,
}

/// A freeze or a stop of creation, over or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub n: i64,
    pub kind: HoldKind,
    /// Of a freeze.
    pub filter: SafeText,
    /// Of a stop: whose keys can't be made; `None`: anybody's.
    pub account: Option<SafeText>,
    pub issuer: Option<SafeText>,
    /// With its own number.
    pub pause: Pause,
    pub lifted_at: Option<Instant>,
    /// `None` where it was found to be over.
    pub lifted_by: Option<SafeText>,
}

impl Hold {
    pub fn holds(&self, now: Instant) -> bool {
        self.lifted_at.is_none() && self.pause.holds(now)
    }

    /// What it binds: `account:acme`, `all`.
    pub fn target(&self) -> String {
        match (&self.account, &self.issuer) {
            _ if self.kind == HoldKind::Freeze => self.filter.to_string(),
            (Some(account), _) => format!("account:{account}"),
            (None, Some(issuer)) => format!("issuer:{issuer}"),
            (None, None) => "all".into(),
        }
    }

    /// What it asks of a key. A filter that can't be read fits all: what was frozen never passes by mistake.
    pub fn query(&self) -> Query {
        Query::parse(&self.filter, Here::utc(Instant::UNIX_EPOCH)).unwrap_or_default()
    }

    /// `Creation of keys is stopped for account:acme until … by ada (why)`.
    pub fn words(&self) -> String {
        let what = match self.kind {
            HoldKind::Freeze => "Keys are frozen",
            HoldKind::Creation => "Creation of keys is stopped",
        };
        let Pause { until, by, reason, message, .. } = &self.pause;
        let why = reason.as_ref().or(message.as_ref()).map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{what} for {} until {} by {by}{why}", self.target(), in_a_sentence(*until))
    }
}

/// Gives each key the freeze that holds it the longest.
pub fn freeze(keys: &mut [Key], freezes: &[Hold]) {
    let freezes: Vec<(Query, &Pause)> = freezes.iter().map(|hold| (hold.query(), &hold.pause)).collect();
    for key in keys {
        // What a freeze may ask does not depend on the time.
        let fitting = freezes.iter().filter(|(query, _)| query.matches(key, key.created_at));
        key.frozen = fitting.map(|(_, pause)| *pause).max_by_key(|pause| pause.until).cloned();
    }
}

/// Which freeze holds a key at `now` and would not hold it any more once it is as the second of the pair: its number and
/// the place of the pair.
pub fn slips(pairs: &[(Key, Key)], freezes: &[Hold], now: Instant) -> Option<(i64, usize)> {
    let freezes = freezes.iter().filter(|hold| hold.holds(now)).map(|hold| (hold.n, hold.query()));
    let slips = |(n, query): (i64, Query)| {
        let fits = |key: &Key| query.matches(key, key.created_at);
        pairs.iter().position(|(old, new)| fits(old) && !fits(new)).map(|place| (n, place))
    };
    freezes.into_iter().find_map(slips)
}

/// The keys that a freeze by this filter would refuse: it fits some that have ended, too.
pub fn refuses(query: &Query) -> Query {
    query.clone().and(Query::living())
}

/// The first term that a freeze can't ask: what becomes of keys by use or by time would let them slip out and in.
pub fn passing_term(query: &Query) -> Option<&Term> {
    query.terms.iter().find(|term| {
        !matches!(
            &term.test,
            Test::Account(_)
                | Test::Issuer(_)
                | Test::CreatedBy(_)
                | Test::Scope(_)
                | Test::Owner(_)
                | Test::Anywhere(_)
                | Test::Tag(_)
                | Test::Created(Bound::Before(Point::At(_)) | Bound::After(Point::At(_)))
                | Test::Id(_)
                | Test::Name(_)
                | Test::NamePart(_)
                | Test::Text(_)
        )
    })
}
