//! Filling a database with realistic keys.

use serde_json::json;

use super::change::Change;
use super::create::creation;
use super::ids::new_operation;
use super::permit::permit;
use super::{Error, Intent, Result, Service};
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::audit::{self, Action, Subject};
use crate::domain::demo::{Demo, DemoKey};
use crate::domain::issuer::{Policy, policy_file};
use crate::domain::key::NewKey;
use crate::domain::operator::{Identity, Permission};
use crate::store::{Done, Trust, Tx};

/// Keys a transaction.
const BATCH: usize = 1000;
/// Up to this many keys, the audit tells each key's history; beyond, one row stands for a batch.
const HISTORIES: u64 = 5000;

impl Service {
    /// Fills a database that has no keys yet with the four presets, accounts, and `keys` realistic keys, the same for the
    /// same `seed` and day. `progress` is told how many keys there are. Takes an admin.
    pub async fn demo(&self, keys: u64, seed: u64, mut progress: impl FnMut(u64) + Send) -> Result<()> {
        if self.inner.store.has_keys().await? {
            let why =
                "this database already has keys, and a demo must not mix with them. Name a new one with --db";
            return Err(Error::Refused(why.into()));
        }
        let policies = policy_file::all_presets();
        let now = self.now().await?;
        let mut demo = Demo::new(keys, seed, now, policies.clone());
        let accounts = demo.accounts().to_vec();
        self.change(new_operation(), Load::Start { policies, accounts }).await?;
        if self.intent == Intent::Try {
            // What comes next stands on what was rolled back, and is refused by nothing that this was not.
            return Ok(());
        }

        let indexes = if keys > HISTORIES { self.inner.store.begin_load().await? } else { Vec::new() };
        let mut histories = (keys <= HISTORIES).then(Vec::new);
        let mut done = 0;
        loop {
            let batch: Vec<DemoKey> = demo.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            done += batch.len() as u64;
            if let Some(histories) = &mut histories {
                histories.extend(batch.iter().flat_map(history));
            }
            self.change(new_operation(), Load::Keys { batch, done }).await?;
            progress(done);
        }
        if let Some(mut histories) = histories {
            histories.sort_by_key(|event| event.at);
            for some in histories.chunks(BATCH) {
                self.change(new_operation(), Load::Past(some.to_vec())).await?;
            }
        }
        Ok(self.inner.store.end_load(indexes).await?)
    }
}

/// One transaction of the loading.
enum Load {
    Start {
        policies: Vec<Policy>,
        accounts: Vec<Account>,
    },
    Keys {
        batch: Vec<DemoKey>,
        /// Keys loaded by then.
        done: u64,
    },
    Past(Vec<Event>),
}

impl Change for Load {
    type Answer = ();

    const WIDENS: bool = true;

    /// What it tells of lies in the past, the newest change too.
    const CLOCK: Trust = Trust::Right;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        permit(tx, Permission::ChangeIssuers, "fill a database with a demo").await?;
        match self {
            Self::Start { policies, accounts } => start(tx, policies, accounts).await,
            Self::Keys { batch, done } => load_batch(tx, batch, *done).await,
            Self::Past(events) => tell(tx, events).await,
        }
    }
}

async fn start(tx: &mut Tx, policies: &[Policy], accounts: &[Account]) -> Result<()> {
    for policy in policies {
        if tx.issuer(&policy.slug).await?.is_none() {
            tx.put_issuer(policy).await?;
            let detail = json!({ "version": 1, "policy": policy });
            tx.record(Action::IssuerApply, policy.slug.as_str(), detail).await?;
        }
    }
    tx.add_new_accounts(accounts).await?;
    Ok(tx.record(Action::DemoLoad, "accounts", json!({ "accounts": accounts.len() })).await?)
}

async fn load_batch(tx: &mut Tx, batch: &[DemoKey], done: u64) -> Result<()> {
    let keys: Vec<NewKey> = batch.iter().map(|demo| demo.key.clone()).collect();
    tx.add_keys(&keys).await?;
    let usage =
        batch.iter().flat_map(|demo| demo.usage.iter().map(|(at, counts)| ((demo.key.id, *at), *counts)));
    tx.add_counts(usage.collect()).await?;
    let retired = || batch.iter().filter_map(|demo| demo.retires.map(|(old, end)| (old, demo.key.id, end)));
    tx.set_successors(&retired().map(|(old, new, _)| (old, new)).collect::<Vec<_>>()).await?;
    tx.set_expiries(&retired().map(|(old, _, end)| (old, end)).collect::<Vec<_>>()).await?;
    Ok(tx.record(Action::DemoLoad, "keys", json!({ "keys": batch.len(), "in_all": done })).await?)
}

/// Something that happened to a key of the demo, and when.
#[derive(Clone)]
struct Event {
    at: Instant,
    actor: String,
    change: audit::Change,
}

/// What happened to a key, as the audit would have recorded it.
fn history(demo: &DemoKey) -> Vec<Event> {
    let key = &demo.key;
    let event = |at, actor: &str, change| Event { at, actor: actor.to_owned(), change };
    let action = if key.replaces.is_some() { Action::KeyRotate } else { Action::KeyCreate };
    let mut events = vec![event(key.created_at, &key.created_by, creation(action, key))];
    if let Some(at) = key.acknowledged_at {
        let acknowledged = audit::Change::new(Action::KeyAcknowledge, key, json!({}));
        events.push(event(at, &key.created_by, acknowledged));
        if let Some((old, end)) = demo.retires {
            let old = Subject { name: old.to_string(), account: Some(key.account.clone()), key: Some(old) };
            let detail = json!({ "ends_at": end, "successor": key.id });
            events.push(event(at, &key.created_by, audit::Change::new(Action::KeyRetire, old, detail)));
        }
    }
    if let Some(end) = &key.revocation {
        let detail = json!({ "name": key.name, "preview": key.preview, "reason": end.reason });
        events.push(event(end.at, &end.by, audit::Change::new(Action::KeyRevoke, key, detail)));
    }
    events
}

async fn tell(tx: &mut Tx, events: &[Event]) -> Result<()> {
    // On a slow line a statement for each of them would take longer than anybody waits for a transaction.
    let actor = |event: &Event| Identity { name: event.actor.clone(), ..tx.who().clone() };
    let actors: Vec<Identity> = events.iter().map(actor).collect();
    let done = events.iter().zip(&actors).map(|(event, who)| Done {
        who,
        at: event.at,
        operation: new_operation(),
        change: &event.change,
    });
    Ok(tx.record_past(&done.collect::<Vec<_>>()).await?)
}
