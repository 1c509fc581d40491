//! The demo's data agrees with itself, and comes whole over a slow line.

use crate::support::line::Line;
use crate::support::people::{all, query};
use keyrack::clock::Clock;
use keyrack::domain::usage::minute;
use keyrack::service::Service;
use keyrack::store::Location;
use std::time::Duration;

on_both! {
    async fn a_demos_last_uses_are_in_its_counts(db) {
        let service = db.open().await;
        service.demo(240, 1, |_| {}).await.unwrap();
        let now = service.now().await.unwrap();
        let day = now - chrono::Duration::hours(23);
        let keys = all(&service, &query("used:<23h"), Default::default(), 500).await;
        assert!(keys.len() > 20, "{}", keys.len());
        let ids: Vec<_> = keys.iter().map(|key| key.id).collect();
        let usage = service.usage(&ids, day - chrono::Duration::hours(1)).await.unwrap();
        for key in &keys {
            let counted = usage[&key.id].last().unwrap();
            assert_eq!(counted.minute, minute(key.last_used_at.unwrap()), "{}", key.name);
            assert!(counted.counts.allowed > 0);
        }
    }

    async fn a_demo_comes_whole_over_a_slow_line(db) {
        // SQLite has no line.
        if !db.is_postgres() {
            return;
        }
        db.open().await;
        let line = Line::to(&db);
        line.delay(Duration::from_millis(20));
        let service = Service::open(&Location::Postgres(line.address(None)), Clock::System).await.unwrap();
        service.demo(240, 1, |_| {}).await.unwrap();
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 240);
        assert!(db.number("SELECT count(*) FROM audit").await > 400);
    }
}
