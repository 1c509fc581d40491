//! What was acknowledged stays, whatever happens to the one who asked: cancelled calls, lost races, killed connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::people::{make_kept, office, preset};
use keyrack::domain::audit::Verdict;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::operator::Role;
use keyrack::service::{Service, new_operation};
use uuid::Uuid;

async fn keys(service: &Service, count: usize) -> Vec<Uuid> {
    let mut ids = Vec::with_capacity(count);
    for n in 0..count {
        ids.push(make_kept(service, "acme", &format!("key {n}")).await.key.id);
    }
    ids
}

/// Waits a different while each time: from nothing to a few milliseconds, without randomness.
fn patience(n: usize) -> Duration {
    Duration::from_micros((n as u64 * 977) % 4000)
}

on_both! {
    async fn a_cancelled_operation_loses_nothing_that_was_acknowledged(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let ids = keys(&service, 200).await;
        let mut acknowledged = Vec::new();
        let mut cancelled = Vec::new();
        for (n, id) in ids.iter().enumerate() {
            // Every other call is cut off somewhere in its middle (H1), many of them at the same time as a whole one.
            let cut = async {
                tokio::select! {
                    biased;
                    done = service.revoke_keys(new_operation(), std::slice::from_ref(id), None) => Some(done.unwrap()),
                    () = tokio::time::sleep(patience(n)) => None,
                }
            };
            let others = service.clone();
            let other = ids[(n + 1) % ids.len()];
            let (cut, whole) = tokio::join!(cut, async move {
                if n % 4 == 0 { Some(others.revoke_keys(new_operation(), &[other], None).await.unwrap()) } else { None }
            });
            match cut {
                Some(_) => acknowledged.push(*id),
                None => cancelled.push(*id),
            }
            if whole.is_some() {
                acknowledged.push(other);
            }
        }
        assert!(!cancelled.is_empty(), "no call was cut off: the test shows nothing");
        // A fresh look, through another process's eyes.
        let fresh = db.open().await;
        for id in &acknowledged {
            assert!(fresh.key(*id).await.unwrap().revoked_at.is_some(), "acknowledged and lost: {id}");
        }
        // What was cut off is either done or not, never half: a retry finishes it.
        for id in &cancelled {
            service.revoke_keys(new_operation(), &[*id], None).await.unwrap();
        }
        assert!(matches!(fresh.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 200);
    }

    async fn many_who_revoke_the_same_keys_at_once_all_succeed(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let ids = keys(&service, 12).await;
        let consoles = [service.clone(), db.open().await, db.open().await];
        let tasks: Vec<_> = (0..24)
            .map(|n| {
                let console = consoles[n % 3].clone();
                let mut order = ids.clone();
                order.rotate_left(n % 12);
                if n % 2 == 0 {
                    order.reverse();
                }
                tokio::spawn(async move { console.revoke_keys(new_operation(), &order, None).await.unwrap() })
            })
            .collect();
        let mut fresh = 0;
        for task in tasks {
            fresh += task.await.unwrap().iter().filter(|revoked| !revoked.already).count();
        }
        assert_eq!(fresh, 12, "each key is revoked by exactly one of them");
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 12);
    }

    async fn a_change_survives_connections_that_die_under_it(db) {
        if !db.is_postgres() {
            // A file has no connection that could die; the twin of this on SQLite is the killed process.
            return;
        }
        let service = office(&db, preset("voiceinfra")).await;
        let ids = keys(&service, 40).await;
        // Told to stop rather than cut off: a last order to kill, still on its way, would meet the look at the end.
        let enough = Arc::new(AtomicBool::new(false));
        let killer = {
            let enough = enough.clone();
            let name = db.name();
            let sockets = db.sockets().unwrap().to_owned();
            tokio::spawn(async move {
                use sqlx::Connection;
                let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
                    .socket(sockets)
                    .username("postgres")
                    .database("postgres");
                let mut root = sqlx::PgConnection::connect_with(&options).await.unwrap();
                // Some connections die while they are made, some in the middle of a change, some before it is read back.
                let mut pauses = [15, 60, 30, 120].into_iter().cycle().map(Duration::from_millis);
                while !enough.load(Ordering::Relaxed) {
                    tokio::time::sleep(pauses.next().unwrap()).await;
                    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
                        .bind(&name)
                        .execute(&mut root)
                        .await
                        .unwrap();
                }
            })
        };
        let mut acknowledged = Vec::new();
        for id in &ids {
            let operation = new_operation();
            // A person presses the key again; the operation is the same.
            for _ in 0..50 {
                if service.revoke_keys(operation, &[*id], None).await.is_ok() {
                    acknowledged.push(*id);
                    break;
                }
            }
        }
        enough.store(true, Ordering::Relaxed);
        killer.await.unwrap();
        assert_eq!(acknowledged.len(), ids.len(), "a retry should get through in the end");
        let fresh = db.open().await;
        for id in &acknowledged {
            assert!(fresh.key(*id).await.unwrap().revoked_at.is_some(), "acknowledged and lost: {id}");
        }
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 40);
        assert!(matches!(fresh.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
    }

    async fn of_two_who_rotate_a_key_at_once_one_does(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let other = db.open().await;
        let key = make_kept(&service, "acme", "hub").await.key;
        let tasks: Vec<_> = (0..10)
            .map(|n| {
                let console = if n % 2 == 0 { service.clone() } else { other.clone() };
                tokio::spawn(async move { console.rotate_key(new_operation(), key.id, Overlap::Hour1).await.is_ok() })
            })
            .collect();
        let mut rotated = 0;
        for task in tasks {
            rotated += i32::from(task.await.unwrap());
        }
        assert_eq!(rotated, 1);
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 2);
    }

    async fn of_many_who_open_a_new_database_at_once_one_becomes_the_admin(db) {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let location = db.location();
                tokio::spawn(async move {
                    let service = Service::open(&location, keyrack::clock::Clock::System).await.unwrap();
                    service.whoami().await.unwrap().role
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Some(Role::Admin), "all are the same person here");
        }
        assert_eq!(db.number("SELECT count(*) FROM operators").await, 1);
        assert_eq!(db.number("SELECT count(*) FROM audit").await, 1);
    }
}
