//! The person behind an actor, whom older schemas don't know.

use std::sync::atomic::Ordering;

use super::super::{Conn, Error, Result, Store};

/// The person behind the actor, and what stands for them where the schema is older than that.
const PERSON: [&str; 2] = ["person", "NULL AS person"];

impl Store {
    /// Whether the audit has a place for the person behind an actor: an older schema has none.
    pub async fn has_person(&self) -> Result<bool> {
        if self.has_person.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let mut reader = self.reader().await?;
        let asked = match reader.conn() {
            Conn::Sqlite(c) => {
                sqlx::query("SELECT person FROM audit WHERE seq = 0").fetch_optional(c).await.map(drop)
            }
            Conn::Postgres(c) => {
                sqlx::query("SELECT person FROM audit WHERE seq = 0").fetch_optional(c).await.map(drop)
            }
        };
        match asked.map_err(Error::from) {
            Err(Error::Lacks(_)) => Ok(false),
            asked => {
                asked?;
                self.has_person.store(true, Ordering::Relaxed);
                Ok(true)
            }
        }
    }

    /// Its column, or what stands for it.
    pub(super) async fn person(&self) -> Result<&'static str> {
        let [has, lacks] = PERSON;
        Ok(if self.has_person().await? { has } else { lacks })
    }
}
