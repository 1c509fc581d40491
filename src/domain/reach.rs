//! What many keys are and do right now: looked at before something is done to all of them.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use chrono::TimeDelta;

use super::Instant;
use super::key::{Key, KeyId, Status};
use super::text::{SafeText, thousands};
use super::usage::network_of;

/// How many of each list are named; more are counted.
const NAMED: usize = 4;
/// How many of the busiest keys are named.
pub const BUSIEST: usize = 5;

/// What a decision about several keys reaches. All but `states` speaks of the keys that work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many keys are in each state, the most first.
    pub states: Vec<(Status, usize)>,
    pub uses: Uses,
    pub accounts: Vec<(SafeText, usize)>,
    /// By the last use of each: /24 of IPv4, /48 of IPv6.
    pub networks: Vec<(SafeText, usize)>,
    /// By the last use of each, as the policy's routes name it.
    pub endpoints: Vec<(SafeText, usize)>,
    /// Those with the most requests in the last 24 hours, at most five.
    pub busiest: Vec<Busy>,
}

/// How many keys were used when, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// In the last 15 minutes.
    pub just_now: usize,
    /// In the last 24 hours, but not in the last 15 minutes.
    pub today: usize,
    pub earlier: usize,
    /// No use is recorded: never used, or only where no gate saw it.
    pub unseen: usize,
}

/// A key that is used much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    pub key: KeyId,
    pub name: SafeText,
    pub account: SafeText,
    pub preview: SafeText,
    /// In the last 24 hours, however they ended.
    pub requests: u64,
}

/// How long ago a use counts as just now, and as of today.
const JUST_NOW: TimeDelta = TimeDelta::minutes(15);
pub const TODAY: TimeDelta = TimeDelta::hours(24);

impl Reach {
    /// Of `keys` as they are at `now`. `requests`: how many each had in the last 24 hours; who isn't in it had none.
    pub fn of<'k>(
        keys: impl IntoIterator<Item = &'k Key>,
        requests: &HashMap<KeyId, u64>,
        now: Instant,
    ) -> Self {
        let mut states: BTreeMap<&str, (Status, usize)> = BTreeMap::new();
        let mut uses = Uses::default();
        let [mut accounts, mut networks, mut endpoints] = [Tally::new(), Tally::new(), Tally::new()];
        let mut busiest: Vec<(u64, &Key)> = Vec::new();
        for key in keys {
            let status = key.status(now);
            states.entry(status.as_str()).or_insert((status, 0)).1 += 1;
            if status != Status::Active {
                continue;
            }
            let count = match key.last_used_at {
                None => &mut uses.unseen,
                Some(at) if now - at <= JUST_NOW => &mut uses.just_now,
                Some(at) if now - at <= TODAY => &mut uses.today,
                Some(_) => &mut uses.earlier,
            };
            *count += 1;
            *accounts.entry(key.account.clone()).or_default() += 1;
            if let Some(from) = &key.last_used_from {
                let address: Option<IpAddr> = from.as_str().parse().ok();
                let network =
                    address.map_or_else(|| from.as_str().to_owned(), |at| network_of(at).to_string());
                *networks.entry(network).or_default() += 1;
            }
            if let Some(endpoint) = &key.last_used_endpoint {
                *endpoints.entry(endpoint.as_str().to_owned()).or_default() += 1;
            }
            if let Some(count) = requests.get(&key.id).filter(|count| **count > 0) {
                busiest.push((*count, key));
            }
        }
        let mut states: Vec<_> = states.into_values().collect();
        states.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        busiest.sort_by_key(|(count, key)| (std::cmp::Reverse(*count), key.id));
        let busiest = busiest.into_iter().take(BUSIEST).map(|(requests, key)| Busy {
            key: key.id,
            name: key.name.clone(),
            account: SafeText::new(key.account.clone()),
            preview: key.preview.clone(),
            requests,
        });
        Self {
            states,
            uses,
            accounts: most_first(accounts),
            networks: most_first(networks),
            endpoints: most_first(endpoints),
            busiest: busiest.collect(),
        }
    }

    /// How many keys work.
    pub fn working(&self) -> usize {
        self.states.iter().find(|(status, _)| *status == Status::Active).map_or(0, |(_, count)| *count)
    }

    /// In lines with a heading each: what they are, who uses them, whose they are, from where and for what; the busiest
    /// last, at most so many.
    pub fn lines(&self, busiest: usize) -> Vec<(&'static str, String)> {
        let states = self.states.iter().map(|(status, count)| (status.as_str(), *count));
        let mut lines = vec![("Keys", counts(states))];
        if self.working() == 0 {
            lines.push(("In use", "none of them works".into()));
            return lines;
        }
        let Uses { just_now, today, earlier, unseen } = self.uses;
        let uses = [
            ("in the last 15 minutes", just_now),
            ("in the last 24 hours", today),
            ("earlier", earlier),
            ("with no use recorded", unseen),
        ];
        lines.push(("In use", counts(uses.into_iter().filter(|(_, count)| *count > 0))));
        lines.push(("Accounts", named(&self.accounts)));
        let more = [("Networks", &self.networks), ("Endpoints", &self.endpoints)];
        lines.extend(
            more.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name, named(list))),
        );
        for (place, busy) in self.busiest.iter().take(busiest).enumerate() {
            let words = format!("{} ({}): {} in 24 hours", busy.name, busy.account, thousands(busy.requests));
            lines.push((if place == 0 { "Busiest" } else { "" }, words));
        }
        lines
    }
}

type Tally = BTreeMap<String, usize>;

fn most_first(tally: Tally) -> Vec<(SafeText, usize)> {
    let mut list: Vec<(SafeText, usize)> =
        tally.into_iter().map(|(name, count)| (SafeText::new(name), count)).collect();
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    list
}

/// `12 in the last 15 minutes, 28 earlier`
fn counts<'w>(list: impl Iterator<Item = (&'w str, usize)>) -> String {
    let words: Vec<String> =
        list.map(|(word, count)| format!("{} {word}", thousands(count as u64))).collect();
    words.join(", ")
}

/// `acme 60, globex 31, 12 others 40`
fn named(list: &[(SafeText, usize)]) -> String {
    // One more takes no more room than "1 other".
    let shown = if list.len() == NAMED + 1 { list.len() } else { NAMED };
    let mut words: Vec<String> =
        list.iter().take(shown).map(|(name, count)| format!("{name} {}", thousands(*count as u64))).collect();
    let rest = list.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        let keys: usize = rest.iter().map(|(_, count)| count).sum();
        words.push(format!("{} others {}", thousands(rest.len() as u64), thousands(keys as u64)));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests;
