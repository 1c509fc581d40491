//! Everything that is here, for leaving: issuers, accounts and keys with the hashes of their secrets.

use serde_json::{Value, json};

use super::fields;
use crate::domain::audit::Action;
use crate::domain::key::{KeyId, OperationId};
use crate::domain::operator::Permission;
use crate::domain::text::hex;
use crate::service::change::Change;
use crate::service::permit::permit;
use crate::service::{Result, Service};
use crate::store::{AccountFilter, Tx};

/// Keys and accounts that are read at a time.
const PART: u32 = 1000;

impl Service {
    /// Takes note in the audit that everything is written out, and answers the first lines: issuers and accounts. Takes an admin.
    pub async fn export_begin(&self, operation: OperationId) -> Result<String> {
        self.change(operation, Export).await?;
        let mut text = String::new();
        for issuer in self.inner.store.issuers().await? {
            let policy = serde_json::to_value(&issuer.policy).unwrap_or_default();
            line(
                &mut text,
                json!({ "kind": "issuer", "slug": issuer.slug, "version": issuer.version, "policy": policy }),
            );
        }
        let now = self.now().await?;
        let mut after = String::new();
        loop {
            let filter = AccountFilter { after, limit: PART, ..AccountFilter::default() };
            let accounts = self.inner.store.accounts(&filter, now).await?;
            for summary in &accounts {
                let account = &summary.account;
                let told = json!({ "kind": "account", "slug": account.slug, "issuer": account.issuer, "name": account.name,
                    "admins": account.admins, "plan": account.plan, "standing": account.standing, "created_at": account.created_at });
                line(&mut text, told);
            }
            match accounts.last() {
                Some(last) if accounts.len() == PART as usize => after = last.account.slug.clone(),
                _ => return Ok(text),
            }
        }
    }

    /// The next keys after `after` in the order of their ids, a line each; how many they are, and the last of them. None: that
    /// was all.
    pub async fn export_keys(&self, after: KeyId) -> Result<Option<(String, u64, KeyId)>> {
        let keys = self.inner.store.keys_with_hashes(after, PART).await?;
        let Some(last) = keys.last().map(|(.., key)| key.id) else { return Ok(None) };
        let now = self.now().await?;
        let mut text = String::new();
        for (hash, scheme, key) in &keys {
            let mut told: serde_json::Map<String, Value> =
                fields(key, now).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            told.insert("kind".into(), json!("key"));
            told.insert("hash".into(), json!(hex(&hash.0)));
            told.insert("scheme".into(), json!(scheme));
            line(&mut text, Value::Object(told));
        }
        Ok(Some((text, keys.len() as u64, last)))
    }
}

fn line(text: &mut String, value: Value) {
    text.push_str(&value.to_string());
    text.push('\n');
}

struct Export;

impl Change for Export {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        permit(tx, Permission::MoveKeys, "export everything").await?;
        if !tx.seen().await? {
            tx.record(Action::ExportWrite, "everything", json!({ "hashes": true })).await?;
        }
        Ok(())
    }
}
