//! The networks that keys were used from: a bounded memory, which tells what is new.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::dialect::{Text, Time, both, rows};
use super::filter::push_ids;
use super::{Reader, Result, Store};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::text::SafeText;
use crate::domain::usage::{Origin, origin};

/// An allowed use of a key from a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub key: KeyId,
    pub network: IpNet,
    pub address: IpAddr,
    /// Whether the key has an allow-list, which then names the network.
    pub listed: bool,
}

/// So many networks of one key are remembered. A key that is used from as many is used from everywhere: one more is no
/// news.
pub const NETWORKS_OF_A_KEY: i64 = 256;
/// Rows a statement.
const ROWS: usize = 500;
/// Rows that are looked at for keys that ended, at a time.
const LOOKED_AT: i64 = 10_000;
/// Keys whose networks are forgotten in one transaction.
const FORGOTTEN: usize = 100;

impl Store {
    /// Remembers where keys were used from, up to [`NETWORKS_OF_A_KEY`]. Answers the sightings that are news: a further
    /// network of a key that was used before.
    ///
    /// Gates that write at the very same moment may each take the last place: then a key has a few more.
    pub async fn learn_networks(&self, seen: &[Sighting], clock: &Clock) -> Result<Vec<Sighting>> {
        let mut news = Vec::new();
        for some in seen.chunks(ROWS) {
            let mut writer = self.writer().await?;
            let now = Time(self.time(clock));
            let learned: Vec<(Uuid, Text)> = both!(writer.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("WITH seen(key, network, at) AS (");
                sql.push_values(some, |mut row, sighting| {
                    row.push_bind(sighting.key).push_bind(sighting.network.to_string()).push_bind(now);
                });
                // In one order, so that gates that write the same do not wait for each other in a ring.
                sql.push(
                    "), fresh AS (SELECT s.key, s.network, s.at, \
                     row_number() OVER (PARTITION BY s.key ORDER BY s.network) AS nth, \
                     (SELECT count(*) FROM key_networks n WHERE n.key = s.key) AS known FROM seen s \
                     WHERE NOT EXISTS (SELECT 1 FROM key_networks n WHERE n.key = s.key AND n.network = s.network)) \
                     INSERT INTO key_networks (key, network, first_at) SELECT key, network, at FROM fresh \
                     WHERE nth + known <= ",
                );
                sql.push_bind(NETWORKS_OF_A_KEY);
                sql.push(" ORDER BY key, network ON CONFLICT DO NOTHING RETURNING key, network");
                sql.build_query_as::<(Uuid, Text)>().persistent(some.len() == 1).fetch_all(c).await?
            });
            let learned: Vec<&Sighting> = some
                .iter()
                .filter(|one| {
                    learned
                        .iter()
                        .any(|(key, network)| *key == one.key && network.text == one.network.to_string())
                })
                .collect();
            if !learned.is_empty() {
                news.extend(compare(&mut writer, &learned).await?);
            }
        }
        Ok(news)
    }

    /// The networks of each of these keys, those that were learned last first and `most` of each at most; with each how many
    /// the key has in all.
    pub async fn networks_of(&self, keys: &[KeyId], most: u32) -> Result<Vec<(KeyId, SafeText, u64)>> {
        let mut networks = Vec::new();
        let mut reader = self.reader().await?;
        for some in keys.chunks(ROWS) {
            let rows: Vec<(Uuid, Text, i64)> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "SELECT key, network, known FROM (SELECT key, network, count(*) OVER (PARTITION BY key) AS known, \
                     row_number() OVER (PARTITION BY key ORDER BY first_at DESC, network) AS nth FROM key_networks WHERE key IN ",
                );
                push_ids::<Db>(&mut sql, some);
                sql.push(") AS learned WHERE nth <= ").push_bind(i64::from(most)).push(" ORDER BY key, nth");
                sql.build_query_as::<(Uuid, Text, i64)>().persistent(some.len() == 1).fetch_all(c).await?
            });
            let told = |(key, network, known): (Uuid, Text, i64)| {
                (key, SafeText::new(network.text), known.unsigned_abs())
            };
            networks.extend(rows.into_iter().map(told));
        }
        Ok(networks)
    }

    /// Looks at some of the keys behind `after` in the order of their ids, and forgets the networks of those that ended
    /// before `until`. Answers the last key that was looked at; `None` at the end.
    pub async fn prune_networks(&self, after: Option<KeyId>, until: Instant) -> Result<Option<KeyId>> {
        let keys: Vec<(Uuid, bool)> = {
            let mut reader = self.reader().await?;
            rows!(
                fetch_all,
                reader.conn(),
                "SELECT DISTINCT n.key, k.id IS NULL OR k.ends_at < $2 FROM \
                     (SELECT key FROM key_networks WHERE key > $1 ORDER BY key LIMIT $3) AS n \
                     LEFT JOIN key_auth k ON k.id = n.key ORDER BY n.key",
                [after.unwrap_or_default(), Time(until), LOOKED_AT]
            )
        };
        let ended: Vec<Uuid> = keys.iter().filter(|(_, ended)| *ended).map(|(key, _)| *key).collect();
        for some in ended.chunks(FORGOTTEN) {
            let mut writer = self.writer().await?;
            both!(writer.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("DELETE FROM key_networks WHERE key IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build().persistent(false).execute(c).await?;
            });
        }
        Ok(keys.last().map(|(key, _)| *key))
    }
}

/// Compares networks that were just learned with those that the same keys were used from before.
async fn compare(writer: &mut Reader, learned: &[&Sighting]) -> Result<Vec<Sighting>> {
    let keys: Vec<KeyId> = learned.iter().map(|one| one.key).collect();
    let rows: Vec<(Uuid, Text)> = both!(writer.conn(), c => {
        let mut sql = QueryBuilder::<Db>::new("SELECT key, network FROM key_networks WHERE key IN ");
        push_ids::<Db>(&mut sql, &keys);
        sql.build_query_as::<(Uuid, Text)>().persistent(learned.len() == 1).fetch_all(c).await?
    });
    let mut known: HashMap<KeyId, Vec<IpNet>> = HashMap::new();
    for (key, network) in rows {
        let Ok(network) = network.text.parse::<IpNet>() else { continue };
        if !learned.iter().any(|one| one.key == key && one.network == network) {
            known.entry(key).or_default().push(network);
        }
    }
    let mut news = Vec::new();
    for one in learned {
        let known = known.entry(one.key).or_default();
        if matches!(origin(known, one.address), Origin::New(_)) {
            news.push(**one);
        }
        known.push(one.network);
    }
    Ok(news)
}
