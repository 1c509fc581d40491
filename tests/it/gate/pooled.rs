//! Gates behind the real PgBouncer, which gives each transaction another connection.

use std::time::Duration;

use super::lease::{Load, keys, leased, receipt};
use crate::support::database::run_on_postgres;
use crate::support::gate::Gate;
use crate::support::people::{office, preset};
use crate::support::pooler::Pooler;
use keyrack::service::{GateState, new_operation};

#[test]
fn kr_21_behind_a_pooler_nothing_passes_after_a_revocation_is_done() {
    run_on_postgres("kr_21_behind_a_pooler_nothing_passes", async |db| {
        let Some(pooler) = Pooler::start(&db, "transaction") else { return };
        let db = db.through(&pooler);
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 42).await;
        let gates = [leased(&db, "2s"), Gate::start(&db, &["--unknown-keys", "0", "--name", "proof"])];
        let load = Load::begin(&gates.each_ref(), &keys);
        tokio::time::sleep(Duration::from_millis(500)).await;
        for (n, key) in keys[..40].iter().enumerate() {
            office.revoke_keys(new_operation(), &[key.key.id], None).await.unwrap();
            load.is_done(n);
        }
        let receipt = receipt(&office, &keys[39]).await;
        assert!(
            receipt.gates.iter().all(|gate| matches!(gate.state, GateState::Confirmed { .. })),
            "{receipt:?}"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (passed, late, wrong) = load.end();
        println!("{passed} passed, {late} came late");
        assert!(passed > 100 && late > 100, "{passed} {late}");
        assert_eq!(wrong, 0, "of {late} that came after it was done");
        // What it counts is written through the pooler too.
        let id = keys[41].key.id;
        let used = async || office.key(id).await.unwrap().last_used_at.is_some();
        let begun = std::time::Instant::now();
        while !used().await {
            assert!(begun.elapsed() < Duration::from_secs(30), "the use of a key is never written");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        for gate in gates {
            let (status, log) = gate.stop();
            assert!(status.success(), "{log}");
        }
    });
}
