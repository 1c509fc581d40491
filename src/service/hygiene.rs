//! What is to be tidied, counted: each card by the very filter that its list has.

use super::{Error, Field, Result, Service};
use crate::domain::Instant;
use crate::domain::hygiene::{Card, Unknown};
use crate::domain::query::Query;
use crate::domain::when::Here;

/// The cards, and how many keys there are of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hygiene {
    /// The database's time of the counting.
    pub now: Instant,
    /// The keys that have not ended; `None` where they could not be counted in time, and then no card was.
    pub keys: Option<u64>,
    pub cards: Vec<Counted>,
}

/// One card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub card: Card,
    /// The filter that shows its keys; `None` where nothing records what it would ask.
    pub filter: Option<String>,
    /// The keys that it fits; or why nobody knows.
    pub count: std::result::Result<u64, Unknown>,
}

impl Service {
    /// Counts every card.
    pub async fn tidy(&self) -> Result<Hygiene> {
        self.hygiene(Card::ALL, &Query::default()).await
    }

    /// Counts the keys of these cards, of those that `within` fits, all at one instant. Stops after twenty seconds.
    pub async fn hygiene(&self, cards: &[Card], within: &Query) -> Result<Hygiene> {
        let now = self.look().await?;
        let read =
            |text: &str| Query::parse(text, Here::utc(now)).map_err(|e| Error::invalid(Field::Filter, e));
        let all = Query::living().and(within.clone());
        let all = self.filled(&all).await?;
        let used = self.inner.store.any_use().await?;
        let mut parts = Vec::new();
        for card in cards.iter().filter(|card| used || !card.asks_use()) {
            if let Some(asks) = card.asks() {
                parts.push(self.filled(&read(asks)?).await?.into_owned());
            }
        }
        let counts = self.inner.store.tally(&all, &parts, now).await?;
        let late = counts.is_none();
        let mut counts = counts.into_iter().flatten();
        let keys = counts.next();
        let counted = |card: &Card| Counted {
            card: *card,
            filter: card.filter(within),
            count: match card.asks() {
                None => Err(Unknown::Scopes),
                Some(_) if card.asks_use() && !used => Err(Unknown::Use),
                Some(_) if late => Err(Unknown::Late),
                Some(_) => counts.next().ok_or(Unknown::Late),
            },
        };
        Ok(Hygiene { now, keys, cards: cards.iter().map(counted).collect() })
    }
}
