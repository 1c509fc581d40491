//! A server that dies while changes go by lanes: what was confirmed is there, and has the number that it had.
//!
//! Three times in every run; `KEYRACK_LANES_KILLS=50` for more.

use std::sync::Arc;
use std::time::Duration;

use keyrack::clock::Clock;
use keyrack::domain::audit::AuditFilter;
use keyrack::domain::key::KeyId;
use keyrack::service::{AuditRequest, Service, new_operation};
use parking_lot::Mutex;

use super::{nothing_amiss, with_lanes};
use crate::support::database::cluster::{Cluster, Server};
use crate::support::database::{Database, skip};
use crate::support::people::{account, make_kept};

/// A revocation that was confirmed, with the numbers of its key's rows then.
type Confirmed = (KeyId, Vec<i64>);

async fn numbers(service: &Service, key: KeyId) -> Result<Vec<i64>, keyrack::service::Error> {
    let filter = AuditFilter { key: Some(key), ..AuditFilter::default() };
    let rows = service.audit(&AuditRequest { filter, before: None, limit: 9 }).await?;
    Ok(rows.iter().map(|row| row.seq).collect())
}

#[test]
fn kr_21_what_was_confirmed_in_lanes_outlives_a_killed_server() {
    let kills = std::env::var("KEYRACK_LANES_KILLS").map_or(3, |kills| kills.parse().unwrap());
    // It would wait for no disk, if it were not told to.
    let lazy = ["synchronous_commit=off", "wal_writer_delay=10s"];
    let Some(cluster) = Cluster::start(&lazy) else {
        return skip("killed in lanes", "PostgreSQL is not installed (apt-get install postgresql)");
    };
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(
        async {
            let db = Database::on(&cluster).await;
            let server = Server::of(&cluster);
            let service = with_lanes(&db).await;
            for n in 0..8 {
                service
                    .create_account(new_operation(), account("voiceinfra", &format!("a{n}")))
                    .await
                    .unwrap();
            }
            service.close().await;
            let (mut confirmed, mut left): (Vec<Confirmed>, i64) = (Vec::new(), 0);
            for round in 0..kills {
                let news = Arc::new(Mutex::new(Vec::new()));
                let mut tasks = Vec::new();
                for n in 0..8 {
                    let service = Service::open(&db.location(), Clock::System).await.unwrap();
                    let mut keys = Vec::new();
                    for key in 0..4 {
                        let name = format!("{round} {n} {key}");
                        keys.push(make_kept(&service, &format!("a{n}"), &name).await.key.id);
                    }
                    let news = Arc::clone(&news);
                    tasks.push(tokio::spawn(async move {
                        for key in keys {
                            if service.revoke_keys(new_operation(), &[key], None).await.is_err() {
                                break;
                            }
                            // Its numbers are noted where the server lives long enough to be asked.
                            let told = numbers(&service, key).await.unwrap_or_default();
                            news.lock().push((key, told));
                        }
                    }));
                }
                tokio::time::sleep(Duration::from_millis(20 + 13 * round % 60)).await;
                server.kill();
                for task in &tasks {
                    task.abort();
                }
                server.start("-c synchronous_commit=off -c wal_writer_delay=10s");
                confirmed.append(&mut news.lock());
                left += db.number("SELECT count(*) FROM audit_lanes").await;
                let service = db.open().await;
                for (key, told) in &confirmed {
                    assert!(service.key(*key).await.unwrap().revoked_at.is_some(), "round {round}: {key}");
                    let now = numbers(&service, *key).await.unwrap();
                    assert!(
                        now.len() == 3 && (told.is_empty() || *told == now),
                        "{key}: {told:?}, now {now:?}"
                    );
                }
                nothing_amiss(&service).await;
                make_kept(&service, "acme", &format!("after {round}")).await;
                assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
                nothing_amiss(&service).await;
                service.close().await;
            }
            println!("{kills} kills: {} confirmed, {left} left without a number", confirmed.len());
            assert!(!confirmed.is_empty());
        },
    );
}
