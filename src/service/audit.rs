//! Reading and verifying the audit.

use std::collections::BTreeSet;

use super::{AuditFilter, Result, Service};
use crate::domain::audit::finding::{Finding, Findings, Kind};
use crate::domain::audit::{Break, Entry, GENESIS, Link, Verdict};
use crate::domain::key::KeyId;
use crate::store;

mod anchor;
mod compare;

pub use compare::{Compared, Part};

/// How many rows are verified at a time.
const ROWS: u32 = 2000;

/// Which rows of the audit are wanted, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRequest {
    /// `actor:ada action:key.revoke account:acme key:… at:<7d` and free text over subject and detail.
    pub filter: AuditFilter,
    /// Only rows with a smaller number.
    pub before: Option<i64>,
    pub limit: u32,
}

impl Service {
    /// Rows of the audit, newest first.
    pub async fn audit(&self, request: &AuditRequest) -> Result<Vec<Entry>> {
        let now = self.look().await?;
        Ok(self.inner.store.audit(&request.filter, request.before, request.limit, now).await?)
    }

    /// Walks the whole chain. `progress` is told how many rows have been checked.
    pub async fn verify_audit(&self, mut progress: impl FnMut(i64) + Send) -> Result<Verdict> {
        self.look().await?;
        self.walk(|done, _| progress(done), &mut None).await
    }

    /// The same, which is told of how many rows, too. Where `missing` is given, it learns of keys that rows tell of and that aren't there.
    async fn walk(
        &self,
        mut progress: impl FnMut(i64, i64) + Send,
        missing: &mut Option<&mut Missing>,
    ) -> Result<Verdict> {
        let store = &self.inner.store;
        // The head is read first: rows that come while this walks are verified too.
        let Some((end, end_hash)) = store.audit_head().await? else {
            return Ok(Verdict::Broken { seq: 0, why: Break::Head });
        };
        let mut previous = GENESIS;
        let mut seq = 0;
        let mut hash_at_end = GENESIS;
        // A row before the first is as foreign as one that was changed.
        let mut after = i64::MIN;
        let mut rows = ROWS;
        loop {
            let links = match store.audit_links(after, rows).await {
                Ok(links) => links,
                // A row that can't even be read was not written by this program. One at a time tells which it is.
                Err(store::Error::Corrupt(_)) if rows > 1 => {
                    rows = 1;
                    continue;
                }
                Err(store::Error::Corrupt(_)) => {
                    return Ok(Verdict::Broken { seq: seq + 1, why: Break::Hash });
                }
                Err(error) => return Err(error.into()),
            };
            if links.is_empty() {
                break;
            }
            if let Some(missing) = missing {
                missing.look(store, links.iter().map(|(link, _)| link)).await?;
            }
            for (link, hash) in links {
                let number = link.seq;
                if number < 1 {
                    return Ok(Verdict::Broken { seq: number, why: Break::Hash });
                }
                if number != seq + 1 {
                    return Ok(Verdict::Broken { seq: seq + 1, why: Break::Missing });
                }
                previous = link.hash(&previous);
                if hash != previous {
                    return Ok(Verdict::Broken { seq: number, why: Break::Hash });
                }
                (seq, after) = (number, number);
                if seq == end {
                    hash_at_end = previous;
                }
            }
            progress(seq, end);
        }
        if seq < end {
            return Ok(Verdict::Broken { seq: seq + 1, why: Break::Truncated });
        }
        if hash_at_end.as_slice() != end_hash {
            return Ok(Verdict::Broken { seq: end, why: Break::Head });
        }
        // By now the head must have come as far as the rows that were read.
        match store.audit_head().await? {
            Some((now, _)) if now > seq => {}
            Some((now, hash)) if now == seq && hash == previous => {}
            _ => return Ok(Verdict::Broken { seq, why: Break::Head }),
        }
        Ok(Verdict::Intact { rows: seq, head: previous })
    }
}

/// Keys that the audit tells of and that aren't there.
#[derive(Default)]
struct Missing {
    findings: Findings,
    told: BTreeSet<KeyId>,
}

impl Missing {
    async fn look(&mut self, store: &store::Store, rows: impl Iterator<Item = &Link>) -> Result<()> {
        let of_keys = rows.filter(|row| row.action.starts_with("key."));
        let rows: Vec<(KeyId, i64, &str)> =
            of_keys.filter_map(|row| Some((row.key?, row.seq, row.action.as_str()))).collect();
        let ids: Vec<KeyId> = rows.iter().map(|(id, ..)| *id).collect::<BTreeSet<_>>().into_iter().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let there = store.those_there(&ids).await?;
        for (id, seq, action) in rows.into_iter().filter(|(id, ..)| !there.contains(id)) {
            if self.told.insert(id) {
                let audit = format!("row {seq} records it: {action}");
                self.findings.add([Finding::new(Kind::KeyMissing, id, audit, "not there")]);
            }
        }
        Ok(())
    }
}
