//! Lanes of the audit: how many changes commit side by side.

use serde_json::json;

use super::change::Change;
use super::permit::permit;
use super::{Error, Result, Service};
use crate::domain::audit::Action;
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::domain::text::counted;
use crate::store::{Location, Tx};

impl Service {
    /// How many lanes the audit has.
    pub async fn lanes(&self) -> Result<u32> {
        self.look().await?;
        Ok(self.inner.store.lanes().await?)
    }

    /// Gives it so many. Answers how many it had.
    pub async fn set_lanes(&self, operation: OperationId, many: u32) -> Result<u32> {
        if many > 1 && matches!(self.inner.store.location(), Location::Sqlite(_)) {
            let why = "SQLite has one writer at a time, so its audit has one lane. Lanes are for PostgreSQL";
            return Err(Error::Refused(why.into()));
        }
        self.change(operation, SetLanes { many }).await
    }
}

struct SetLanes {
    many: u32,
}

impl Change for SetLanes {
    type Answer = u32;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<u32> {
        permit(tx, Permission::ChangeLanes, "give the audit more lanes").await?;
        let before = tx.lanes();
        if tx.seen().await? || before == self.many {
            return Ok(before);
        }
        if before > self.many {
            let has = counted(before.into(), "lane");
            return Err(Error::Refused(format!("the audit has {has}: lanes become more, never fewer")));
        }
        tx.set_lanes(self.many).await?;
        let detail = json!({ "lanes": self.many, "before": before });
        tx.record(Action::AuditLanes, "lanes", detail).await?;
        Ok(before)
    }
}
