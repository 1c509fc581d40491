//! Filling a database with realistic keys.

use serde_json::json;

use super::create::creation;
use super::permit::permit;
use super::*;
use crate::domain::account::Account;
use crate::domain::audit::{Action, Change};
use crate::domain::demo::{Demo, DemoKey};
use crate::domain::issuer::policy_file;
use crate::domain::key::NewKey;
use crate::domain::operator::Permission;
use crate::store::Tx;

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
                "this database has keys already, and a demo must not mix with them. Name a new one with --db";
            return Err(Error::Refused(why.into()));
        }
        let policies = policy_file::all_presets();
        let now = self.now().await?;
        let mut demo = Demo::new(keys, seed, now, policies.clone());
        let accounts = Arc::new(demo.accounts().to_vec());
        let policies = Arc::new(policies);
        self.load(move |tx, who| {
            let (policies, accounts) = (policies.clone(), accounts.clone());
            Box::pin(async move { prepare(tx, who, &policies, &accounts).await })
        })
        .await?;

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
            let batch = Arc::new(batch);
            self.load(move |tx, who| {
                let batch = batch.clone();
                Box::pin(async move { load_batch(tx, who, &batch, done).await })
            })
            .await?;
            progress(done);
        }
        if let Some(mut histories) = histories {
            histories.sort_by_key(|event| event.at);
            for some in histories.chunks(BATCH) {
                let some = Arc::new(some.to_vec());
                self.load(move |tx, who| {
                    let some = some.clone();
                    Box::pin(async move { tell(tx, who, &some).await })
                })
                .await?;
            }
        }
        Ok(self.inner.store.end_load(indexes).await?)
    }

    /// One transaction of the loading, by an admin.
    async fn load<F>(&self, work: F) -> Result<()>
    where
        F: for<'t> Fn(&'t mut Tx, Identity) -> futures::future::BoxFuture<'t, Result<()>>
            + Send
            + Sync
            + 'static,
    {
        let identity = self.inner.identity.clone();
        let work = Arc::new(work);
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(new_operation()), move |tx| {
                let (identity, work) = (identity.clone(), work.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeIssuers, "fill a database with a demo").await?;
                    work(tx, identity).await
                })
            })
            .await
    }
}

async fn prepare(tx: &mut Tx, who: Identity, policies: &[Policy], accounts: &[Account]) -> Result<()> {
    for policy in policies {
        if tx.issuer(&policy.slug).await?.is_none() {
            tx.put_issuer(policy).await?;
            let detail = json!({ "version": 1, "policy": policy });
            tx.record(&who, &change(Action::IssuerApply, &policy.slug, None, None, detail)).await?;
        }
    }
    for account in accounts {
        if tx.lock_account(&account.slug).await?.is_none() {
            tx.add_account(account).await?;
        }
    }
    let detail = json!({ "accounts": accounts.len() });
    Ok(tx.record(&who, &change(Action::DemoLoad, "accounts", None, None, detail)).await?)
}

async fn load_batch(tx: &mut Tx, who: Identity, batch: &[DemoKey], done: u64) -> Result<()> {
    let keys: Vec<NewKey> = batch.iter().map(|demo| demo.key.clone()).collect();
    tx.add_keys(&keys).await?;
    for demo in batch {
        if let Some((old, end)) = demo.retires {
            tx.set_successor(old, demo.key.id).await?;
            tx.set_expiry(old, end).await?;
        }
    }
    let detail = json!({ "keys": batch.len(), "in_all": done });
    Ok(tx.record(&who, &change(Action::DemoLoad, "keys", None, None, detail)).await?)
}

/// Something that happened to a key of the demo, and when.
#[derive(Clone)]
struct Event {
    at: Instant,
    actor: String,
    change: Change,
}

/// What happened to a key, as the audit would have recorded it.
fn history(demo: &DemoKey) -> Vec<Event> {
    let key = &demo.key;
    let event = |at, actor: &str, action, detail| Event {
        at,
        actor: actor.to_owned(),
        change: change(action, &key.id.to_string(), Some(&key.account), Some(key.id), detail),
    };
    let action = if key.replaces.is_some() { Action::KeyRotate } else { Action::KeyCreate };
    let mut events =
        vec![event(key.created_at, &key.created_by, action, creation(new_operation(), action, key).detail)];
    if let Some(at) = key.acknowledged_at {
        events.push(event(at, &key.created_by, Action::KeyAcknowledge, json!({})));
        if let Some((old, end)) = demo.retires {
            let mut retired =
                event(at, &key.created_by, Action::KeyRetire, json!({ "ends_at": end, "successor": key.id }));
            retired.change.subject = old.to_string();
            retired.change.key = Some(old);
            events.push(retired);
        }
    }
    if let Some(end) = &key.revocation {
        let detail = json!({ "name": key.name, "preview": key.preview, "reason": end.reason });
        events.push(event(end.at, &end.by, Action::KeyRevoke, detail));
    }
    events
}

async fn tell(tx: &mut Tx, who: Identity, events: &[Event]) -> Result<()> {
    for event in events {
        let actor = Identity { name: event.actor.clone(), ..who.clone() };
        tx.record_at(&actor, &event.change, event.at).await?;
    }
    Ok(())
}

fn change(
    action: Action,
    subject: &str,
    account: Option<&str>,
    key: Option<KeyId>,
    detail: serde_json::Value,
) -> Change {
    let account = account.map(str::to_owned);
    Change { operation: new_operation(), action, subject: subject.to_owned(), account, key, detail }
}
