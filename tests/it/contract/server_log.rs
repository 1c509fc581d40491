//! What the program leaves in PostgreSQL's own log: nothing that an administrator would have to explain.

use std::time::{Duration, Instant};

use crate::support::database::cluster::Cluster;
use crate::support::database::{Database, skip};
use crate::support::people::{gate, make_kept, office, preset};
use keyrack::service::new_operation;

#[test]
fn a_connection_that_goes_back_to_the_pool_leaves_no_warning_in_the_servers_log() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // A server of this test's own: others have warnings of theirs in the shared one's log.
        let Some(cluster) = Cluster::start(&[]) else {
            return skip("the server's log", "PostgreSQL is not installed");
        };
        let db = Database::on(&cluster).await;
        let service = office(&db, preset("voiceinfra")).await;
        let gate = gate(&db, "east").await;
        for n in 0..5 {
            let made = make_kept(&service, "acme", &format!("key {n}")).await;
            gate.known(made.secret.hash()).await.unwrap().unwrap();
            service.revoke_keys(new_operation(), &[made.key.id], None).await.unwrap();
        }
        gate.close().await;
        service.close().await;
        // One of our own shows that the log is read.
        db.execute("ROLLBACK").await;
        let log = cluster.sockets().join("server.log");
        let begun = Instant::now();
        loop {
            let text = std::fs::read_to_string(&log).unwrap();
            let lines: Vec<_> =
                text.lines().filter(|line| line.contains("transaction in progress")).collect();
            assert!(lines.len() <= 1, "{} such lines, the first: {}", lines.len(), lines[0]);
            if lines.len() == 1 {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}
