//! Reading and verifying the audit.

use super::*;
use crate::domain::audit::{Break, GENESIS};

/// How many rows are verified at a time.
const ROWS: u32 = 2000;

impl Service {
    /// Rows of the audit, newest first.
    pub async fn audit(&self, request: &AuditRequest) -> Result<Vec<Entry>> {
        self.may_look()?;
        Ok(self.inner.store.audit(&request.filter, request.before, request.limit).await?)
    }

    /// Walks the whole chain. `progress` is told how many rows have been checked.
    pub async fn verify_audit(&self, mut progress: impl FnMut(i64) + Send) -> Result<Verdict> {
        self.may_look()?;
        // The head is read first: rows that come while this walks are verified too, and asked nothing of the head.
        let (end, end_hash) = self.inner.store.audit_head().await?;
        let mut previous = GENESIS;
        let mut seq = 0;
        let mut hash_at_end = GENESIS;
        loop {
            let links = self.inner.store.audit_links(seq, ROWS).await?;
            if links.is_empty() {
                break;
            }
            for (link, hash) in links {
                let number = link.seq;
                if number != seq + 1 {
                    return Ok(Verdict::Broken { seq: seq + 1, why: Break::Missing });
                }
                previous = link.hash(&previous);
                if hash != previous {
                    return Ok(Verdict::Broken { seq: number, why: Break::Hash });
                }
                seq = number;
                if seq == end {
                    hash_at_end = previous;
                }
            }
            progress(seq);
        }
        if seq < end {
            return Ok(Verdict::Broken { seq: seq + 1, why: Break::Truncated });
        }
        if hash_at_end.as_slice() != end_hash {
            return Ok(Verdict::Broken { seq: end, why: Break::Head });
        }
        Ok(Verdict::Intact { rows: seq, head: previous })
    }
}
