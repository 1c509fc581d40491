//! The audit replayed, and compared with the tables.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::{Error, Result, Service};
use super::Missing;
use crate::domain::audit::Verdict;
use crate::domain::audit::finding::{Finding, Findings, Kind};
use crate::domain::audit::register::Register;
use crate::domain::audit::replay::{Micros, judge};
use crate::store::{self, Which};

/// How many of the audit's newest rows have their keys compared where little time shall be spent.
const NEWEST: u32 = 1_000;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Rows of the audit are checked.
    Chain,
    /// Keys are compared with them.
    Keys,
}

/// What the audit and the tables come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    pub verdict: Verdict,
    /// Where tables, schema and audit disagree.
    pub findings: Findings,
    /// How many keys were compared.
    pub keys: u64,
    /// What this login could not compare, and why.
    pub left: Option<String>,
}

impl Service {
    /// Walks the whole chain and compares all that it tells with the tables, and these with the schema. Memory does not
    /// grow with the number of keys. `progress` is told how far it has come, and of how many.
    pub async fn compare_audit(&self, mut progress: impl FnMut(Part, i64, i64) + Send) -> Result<Compared> {
        let now = self.look().await?.timestamp_micros();
        let mut missing = Missing::default();
        let chain = |done, of| progress(Part::Chain, done, of);
        let verdict = self.walk(chain, &mut Some(&mut missing)).await?;
        let mut compared = Compared { verdict, findings: missing.findings, keys: 0, left: None };
        let done = self.compare_all(now, &mut compared, progress).await;
        compared.or_older(done)
    }

    /// The part that costs little: the chain, the schema, operators, accounts, issuers, how many keys there are, and those
    /// that the audit's newest rows tell of.
    pub async fn compare_newest(&self) -> Result<Compared> {
        let now = self.look().await?.timestamp_micros();
        let verdict = self.walk(|_, _| (), &mut None).await?;
        let mut compared = Compared { verdict, findings: Findings::default(), keys: 0, left: None };
        let done = self.compare_few(now, &mut compared).await;
        compared.or_older(done)
    }

    async fn compare_all(
        &self,
        now: Micros,
        compared: &mut Compared,
        mut progress: impl FnMut(Part, i64, i64) + Send,
    ) -> Result<()> {
        let store = &self.inner.store;
        let register = self.compare_register(compared).await?;
        let (era, of) = (register.era(now), store.count_keys().await?.0);
        let hashes = store.reads_hashes().await?;
        let (mut after, mut of_demo) = (Uuid::nil(), 0_u64);
        loop {
            let page = store.keys_and_rows(Which::After(after), hashes).await?;
            let Some((last, _)) = page.last() else { break };
            after = last.id;
            for (key, rows) in &page {
                of_demo += u64::from(era.is_of_demo(key.created_at));
                compared.findings.add(judge(key, rows, &era));
            }
            compared.keys += page.len() as u64;
            progress(Part::Keys, compared.keys.cast_signed(), of);
        }
        let loaded = register.loaded("keys");
        if of_demo != loaded {
            let (audit, table) = (format!("a demo loaded {loaded} keys"), format!("{of_demo} are there"));
            compared.findings.add([Finding::new(Kind::Demo, "keys", audit, table)]);
        }
        Ok(())
    }

    async fn compare_few(&self, now: Micros, compared: &mut Compared) -> Result<()> {
        let store = &self.inner.store;
        let register = self.compare_register(compared).await?;
        let end = store.audit_head().await?.map_or(0, |(seq, _)| seq);
        // A row that can't be read was told of by the chain.
        let links = store.audit_links(end.saturating_sub(NEWEST.into()), NEWEST).await.unwrap_or_default();
        let mut missing = Missing::default();
        missing.look(store, links.iter().map(|(link, _)| link)).await?;
        compared.findings.add(missing.findings.kept);
        let of_keys = links.iter().filter(|(link, _)| link.action.starts_with("key."));
        let ids: BTreeSet<Uuid> = of_keys.filter_map(|(link, _)| link.key).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let (era, hashes) = (register.era(now), store.reads_hashes().await?);
        for some in ids.chunks(500) {
            for (key, rows) in store.keys_and_rows(Which::These(some), hashes).await? {
                compared.findings.add(judge(&key, &rows, &era));
            }
        }
        compared.keys = ids.len() as u64;
        let (there, told) = store.count_keys().await?;
        let most = told.saturating_add_unsigned(register.loaded("keys"));
        if there < told || there > most {
            let others = if most > told { ", others came with a demo" } else { "" };
            let kind = if there < told { Kind::KeyMissing } else { Kind::Planted };
            let audit = format!("{told} keys were created{others}");
            compared.findings.add([Finding::new(kind, "keys", audit, format!("{there} are there"))]);
        }
        Ok(())
    }

    async fn compare_register(&self, compared: &mut Compared) -> Result<Register> {
        let schema = self.inner.store.compare_schema().await?;
        compared.findings.add(schema.findings);
        compared.left = schema.left;
        let register = self.inner.store.register().await?;
        compared.findings.add(register.judge(&register.era(0)));
        Ok(register)
    }

    /// What SQLite itself finds wrong in its file.
    pub async fn quick_check(&self) -> Result<Vec<String>> {
        Ok(self.inner.store.quick_check().await?)
    }
}

impl Compared {
    /// A schema that is older than what the comparison reads leaves the rest uncompared.
    fn or_older(mut self, done: Result<()>) -> Result<Self> {
        match done {
            Err(Error::Store(lacks @ store::Error::Lacks(_))) => {
                self.left = Some(format!("the tables were not compared: {lacks}"))
            }
            done => done?,
        }
        Ok(self)
    }
}
