//! Taking over keys that another product made: all of a table in one transaction, or nothing of it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use super::accounts::lock_account;
use super::change::Change;
use super::create::{Batch, allow_more, count, creation};
use super::ids::new_id;
use super::permit::permit;
use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::audit::Action;
use crate::domain::import::{Columns, Form, Incoming, Part, Source};
use crate::domain::issuer::{Hashing, Issuer, Policy};
use crate::domain::key::{KeyId, NewKey, OperationId};
use crate::domain::operator::Permission;
use crate::domain::secret::HashedKey;
use crate::domain::text::{SafeText, thousands};
use crate::store::{Counted, Store, Tx};

mod rows;

pub use rows::{Table, table_of};

/// So many rows have time to be written while one transaction waits for nobody.
const MOST: usize = 200_000;

/// A row takes no longer, however busy the machine is.
const ROW: Duration = Duration::from_micros(500);

/// Which keys move in, and where.
#[derive(Clone, Debug)]
pub struct ImportOrder {
    pub operation: OperationId,
    pub form: Form,
    pub table: Table,
    /// Which columns tell what, where they aren't the usual ones.
    pub columns: Vec<(Part, String)>,
    /// The version of the pepper under which that product made its hashes.
    pub pepper: Option<u16>,
    /// Whose they become.
    pub account: String,
    /// Of an export of Keyrack's: only those of this account.
    pub from_account: Option<String>,
    /// Whether rows in error are left out; else nothing is imported if there is one.
    pub skip_errors: bool,
}

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub imported: u64,
    /// The account has them already.
    pub existing: u64,
    /// They work no more where they come from, and were left out.
    pub ended: u64,
    pub refused: Vec<Refused>,
    /// How many would have been imported but for those that were refused.
    pub held_back: u64,
}

/// A row that can't be imported.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    pub line: usize,
    pub why: String,
}

/// The rows of a product's table in its SQLite database.
///
/// # Errors
/// It can't be read, or has no such table.
pub async fn foreign_table(file: &Path, table: &str) -> Result<Table> {
    match Store::foreign_rows(file, table).await? {
        Some(rows) => Ok(Table { rows, refused: Vec::new() }),
        None => Err(Error::Refused(format!(
            "{} has no table {table}: name the one that has the keys with --table",
            file.display()
        ))),
    }
}

impl Service {
    /// Takes over the keys of a table. They work at once, under the same secrets. Takes an admin.
    pub async fn import_keys(&self, order: ImportOrder) -> Result<Imported> {
        let now = self.look().await?;
        let operation = order.operation;
        let pepper = order.pepper.map(|version| self.pepper(version)).transpose()?;
        if pepper.is_some() && order.form.hashing() != Some(Hashing::Sha256) {
            let form = order.form.as_str();
            return Err(Error::Refused(format!(
                "a pepper belongs to hashes of sha256, and {form} has others: leave out --pepper"
            )));
        }
        let source = Source { form: order.form, pepper, peppers: self.peppers().clone() };
        // As far as can be told before the transaction, in which others wait.
        let account = self.account(&order.account).await.ok().map(|summary| summary.account);
        let issuers = self.inner.store.issuers().await?;
        let issuer =
            account.and_then(|account| issuers.into_iter().find(|issuer| issuer.slug == account.issuer));
        let who = self.inner.identity.name.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut import = Import::read(order, source, now)?;
            import.drafts = issuer.map(|issuer| import.draft(&issuer, &who, now));
            Ok::<_, Error>(import)
        });
        let import = reading.await.map_err(|_| Error::Refused("the table could not be read".into()))??;
        self.change(operation, import).await
    }
}

/// What was read of a table.
struct Import {
    source: Source,
    account: String,
    incoming: Vec<Incoming>,
    drafts: Option<Drafts>,
    refused: Vec<Refused>,
    ended: u64,
    skip_errors: bool,
}

/// What each row that was read becomes under a policy, in their order.
struct Drafts {
    issuer: String,
    version: i64,
    keys: Vec<std::result::Result<NewKey, String>>,
}

impl Import {
    fn read(order: ImportOrder, source: Source, now: Instant) -> Result<Self> {
        let form = order.form;
        let rows = order.table.rows.len();
        if rows > MOST {
            let (rows, most) = (thousands(rows as u64), thousands(MOST as u64));
            return Err(Error::Refused(format!(
                "the table has {rows} rows, and at most {most} are imported at once: split it"
            )));
        }
        let Table { mut rows, refused } = order.table;
        if form == Form::Keyrack {
            let from = order.from_account.as_deref();
            rows.retain(|row| row.fields.get("kind").is_none_or(|kind| kind == "key"));
            rows.retain(|row| from.is_none_or(|from| row.fields.get("account").is_some_and(|of| of == from)));
        }
        let mut own = Self {
            source,
            account: order.account,
            incoming: Vec::new(),
            drafts: None,
            refused,
            ended: 0,
            skip_errors: order.skip_errors,
        };
        if rows.is_empty() {
            return Ok(own);
        }
        let there: BTreeSet<&String> = rows.iter().flat_map(|row| row.fields.keys()).collect();
        let there: BTreeSet<String> = there.into_iter().cloned().collect();
        let columns = Columns::of(form, &order.columns, &there);
        let columns = columns.map_err(|why| Error::Refused(SafeText::new(why).to_string()))?;
        let mut lines: HashMap<HashedKey, usize> = HashMap::with_capacity(rows.len());
        for row in &rows {
            match Incoming::read(&own.source, &columns, row, now) {
                Err(why) => own.refuse(row.line, why),
                Ok(incoming) if incoming.ended.is_some() => own.ended += 1,
                Ok(incoming) => match lines.insert(incoming.hash, row.line) {
                    Some(line) => own.refuse(row.line, format!("it has the same hash as line {line}")),
                    None => own.incoming.push(incoming),
                },
            }
        }
        Ok(own)
    }

    fn refuse(&mut self, line: usize, why: String) {
        self.refused.push(refused(line, why));
    }

    /// The keys that are new here, and what becomes of the others.
    async fn judge(
        &self,
        tx: &mut Tx,
        account: &Account,
        issuer: &Issuer,
    ) -> Result<(Vec<NewKey>, Imported)> {
        let mut told = Imported { refused: self.refused.clone(), ended: self.ended, ..Imported::default() };
        let hashes: Vec<HashedKey> = self.incoming.iter().map(|incoming| incoming.hash).collect();
        let known = tx.accounts_of_hashes(&hashes).await?;
        let mut new = Vec::with_capacity(self.incoming.len());
        let (now, who) = (tx.now(), tx.who().name.clone());
        let anew;
        let drafts = match &self.drafts {
            Some(drafts)
                if (drafts.issuer.as_str(), drafts.version) == (issuer.slug.as_str(), issuer.version) =>
            {
                drafts
            }
            // The policy was changed meanwhile.
            _ => {
                anew = self.draft(issuer, &who, now);
                &anew
            }
        };
        for (incoming, draft) in self.incoming.iter().zip(&drafts.keys) {
            match known.get(&incoming.hash) {
                Some(of) if *of == account.slug => told.existing += 1,
                Some(of) => {
                    told.refused.push(refused(incoming.line, format!("account {of} has this key already")))
                }
                None => match draft {
                    Ok(key) => {
                        new.push(NewKey { created_at: now, acknowledged_at: Some(now), ..key.clone() })
                    }
                    Err(why) => told.refused.push(refused(incoming.line, why.as_str())),
                },
            }
        }
        told.refused.sort_by_key(|refused| refused.line);
        // In the order of the table, and so that each index grows at its end: of one instant they are random.
        let mut ids: Vec<KeyId> = new.iter().map(|key| key.id).collect();
        ids.sort_unstable();
        for (key, id) in new.iter_mut().zip(ids) {
            key.id = id;
        }
        Ok((new, told))
    }

    fn draft(&self, issuer: &Issuer, who: &str, now: Instant) -> Drafts {
        let keys =
            self.incoming.iter().map(|incoming| self.key(incoming, &issuer.policy, who, now)).collect();
        Drafts { issuer: issuer.slug.clone(), version: issuer.version, keys }
    }

    fn key(
        &self,
        incoming: &Incoming,
        policy: &Policy,
        who: &str,
        now: Instant,
    ) -> std::result::Result<NewKey, String> {
        incoming.check_life(policy, now)?;
        Ok(NewKey {
            id: new_id(now),
            account: self.account.clone(),
            issuer: policy.slug.clone(),
            name: incoming.name.clone(),
            description: incoming.description.clone(),
            owner: incoming.owner.clone(),
            tags: incoming.tags.clone(),
            preview: incoming.preview(&self.source, policy)?,
            tail: incoming.tail.clone(),
            hash: incoming.hash,
            scheme: incoming.scheme,
            imported_from: Some(self.source.form.as_str().to_owned()),
            scopes: incoming.scopes(policy)?,
            allow: incoming.allow.clone(),
            created_at: now,
            created_by: who.to_owned(),
            expires_at: incoming.expires_at,
            not_before: None,
            planned: None,
            acknowledged_at: Some(now),
            last_used_at: incoming.last_used_at,
            last_used_from: None,
            last_used_endpoint: None,
            limits: incoming.limits.clone(),
            revocation: None,
            replaces: None,
        })
    }
}

fn refused(line: usize, why: impl Into<String>) -> Refused {
    Refused { line, why: SafeText::new(why).to_string() }
}

impl Change for Import {
    type Answer = Imported;

    fn extra(&self) -> Duration {
        ROW * u32::try_from(self.incoming.len()).unwrap_or(u32::MAX)
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Imported> {
        permit(tx, Permission::MoveKeys, "import keys").await?;
        let (account, issuer) = lock_account(tx, &self.account).await?;
        let policy = &issuer.policy;
        if tx.seen().await? {
            // An earlier try was committed: what it made is there.
            let made = tx.keys_made_by(tx.operation()).await?.len() as u64;
            let (_, told) = self.judge(tx, &account, &issuer).await?;
            return Ok(Imported { imported: made, existing: told.existing.saturating_sub(made), ..told });
        }
        if let Some(hashing) = self.source.hashing()
            && !self.incoming.is_empty()
            && !policy.format.former.iter().any(|former| former.hash == hashing)
            && self.source.form != Form::Sha256
        {
            let (form, usual) = (self.source.form.as_str(), self.source.usual());
            return Err(Error::Refused(format!(
                "the policy of {} has no former form of {form} keys, so that gates would not look them up. Add one such as \
                 former = [{usual}] below [format] and apply it: keyrack issuer apply FILE",
                policy.slug
            )));
        }
        let (new, mut told) = self.judge(tx, &account, &issuer).await?;
        if !told.refused.is_empty() && !self.skip_errors {
            told.held_back = new.len() as u64;
            return Ok(told);
        }
        if new.is_empty() {
            return Ok(told);
        }
        let batch = Batch { made: 0, added: u32::try_from(new.len()).unwrap_or(u32::MAX) };
        // They were made elsewhere and earlier, so that no cap on a minute's creations is about them.
        let counted = Counted { oldest: None, ..count(tx, &account, policy, batch).await? };
        allow_more(tx, &account, policy, counted, batch).await?;
        tx.add_many_keys(&new).await?;
        let changes: Vec<_> = new.iter().map(|key| creation(Action::KeyImport, key)).collect();
        tx.record_all(&changes).await?;
        told.imported = new.len() as u64;
        Ok(told)
    }
}
