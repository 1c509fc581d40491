//! Days that pass when a test says so, on both databases.

use chrono::{DateTime, Duration, TimeZone, Utc};
use keyrack::clock::Clock;
use keyrack::service::Service;
use keyrack::store::Store;

use super::database::Database;
use super::people::identity;

/// A clock that a test moves. On PostgreSQL, whose own clock decides, it moves that one.
pub struct Calendar<'a> {
    db: &'a Database,
    clock: Clock,
}

impl<'a> Calendar<'a> {
    /// Makes the database's schema, and stops its clock at the beginning of the year 2026.
    pub async fn begin(db: &'a Database) -> Self {
        let clock = Clock::fixed(Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap());
        db.open_with(clock.clone()).await.close().await;
        if db.is_postgres() {
            // What the program asks for the time is found in this schema first, by every connection from now on.
            db.execute(&format!(
                "CREATE SCHEMA fake; CREATE TABLE fake.clock (at timestamptz NOT NULL); \
                 INSERT INTO fake.clock VALUES ('{}'); \
                 CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE \
                     AS 'SELECT at FROM fake.clock'; \
                 GRANT USAGE ON SCHEMA fake TO PUBLIC; GRANT SELECT ON fake.clock TO PUBLIC; \
                 CREATE OR REPLACE FUNCTION public.keyrack_now() RETURNS timestamptz LANGUAGE sql VOLATILE \
                     SET search_path = public, pg_temp AS 'SELECT at FROM fake.clock'; \
                 ALTER DATABASE {} SET search_path = fake, pg_catalog, public",
                clock.now().to_rfc3339(),
                db.name()
            ))
            .await;
        }
        Self { db, clock }
    }

    /// Opens the database under this clock.
    pub async fn open(&self) -> Service {
        self.db.open_with(self.clock.clone()).await
    }

    /// Opens it as another person. On PostgreSQL a login with the rights of this group.
    pub async fn open_as(&self, name: &str, group: &str) -> Service {
        if self.db.is_postgres() {
            self.db.role(name).await;
            self.db.grant(group, name).await;
            return Service::open(&self.db.location_as(name), self.clock.clone()).await.unwrap();
        }
        let store = Store::open(&self.db.location()).await.unwrap();
        Service::with_identity(store, self.clock.clone(), identity(name)).await.unwrap()
    }

    /// An instant as SQL writes it on this database.
    pub fn sql(&self, at: DateTime<Utc>) -> String {
        if self.db.is_postgres() {
            format!("timestamptz '{}'", at.to_rfc3339())
        } else {
            at.timestamp_micros().to_string()
        }
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        if self.db.is_postgres() {
            self.db.execute(&format!("UPDATE fake.clock SET at = '{}'", self.clock.now().to_rfc3339())).await;
        }
    }

    pub async fn days(&self, days: i64) {
        self.advance(Duration::days(days)).await;
    }
}
