//! A page is the same whichever way it is read, and no end of a column cuts one off. With debug assertions a walk in the order
//! of an index is given up after a few rows, so that [`super`] reads many filters in SQLite's other ways too.

use std::time::{Duration, Instant};

use super::{expected, ids, page, page_ids, rack, sorts};
use crate::support::people::{all, query};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::issuer::ExpiryRule;
use keyrack::domain::key::{KeyId, Status};
use keyrack::domain::query::Sort;
use keyrack::service::From;

on_both! {
    async fn what_the_server_did_not_find_in_time_is_found_in_another_way(db) {
        if !db.is_postgres() {
            return;
        }
        let rack = rack(&db).await;
        let lock = "DO $$ BEGIN LOCK TABLE key_auth IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(20); END $$";
        let locked = "SELECT count(*) FROM pg_locks WHERE relation = 'key_auth'::regclass AND mode = 'AccessExclusiveLock' AND granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let unlock = "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'DO $$ BEGIN LOCK%'";
        // The first reading stands in a transaction that began before it.
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'SELECT k.id, %' AND xact_start = query_start";
        let comes = async |sql: &str| {
            let begun = Instant::now();
            loop {
                let there = db.number(sql).await;
                if there > 0 || begun.elapsed() > Duration::from_secs(15) {
                    return there;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let filters = ["status:expired", "idle:300d", "rotation:due", "used:>300d", "expires:set", "-status:active"];
        let (mut otherwise, mut tries) = (0, 0);
        for (sort, filter) in sorts().zip(filters.iter().cycle()) {
            let query = query(filter);
            let wanted: Vec<_> = all(&rack.service, &query, sort, 10_000).await.iter().map(|key| key.id).collect();
            assert!(!wanted.is_empty(), "{filter} finds something");
            // It is let go as soon as the second reading waits for it.
            let (_, (read, waiting)) = tokio::join!(db.try_execute(lock), async {
                assert_eq!(comes(locked).await, 1);
                tokio::join!(page(&rack.service, &query, sort, From::Start, 40), async {
                    let waiting = comes(waits).await;
                    assert_eq!(db.number(unlock).await, 1);
                    waiting
                })
            });
            assert_eq!(page_ids(&read), wanted[..wanted.len().min(40)], "{filter} {sort:?}");
            (otherwise, tries) = (otherwise + waiting.min(1), tries + 1);
        }
        assert!(otherwise * 2 > tries, "{otherwise} of {tries} were read in another way");
    }

    async fn keys_that_end_after_all_others_or_by_another_clock_are_in_every_order(db) {
        let mut rack = rack(&db).await;
        let now = rack.service.present();
        rack.keys.sort_by_key(|key| key.created_at);
        // Old enough that each index has them, but for the last one.
        let live = rack.keys.iter().filter(|key| key.stops_at().is_none() && key.status(now) == Status::Active);
        let live: Vec<KeyId> = live.map(|key| key.id).collect();
        let (then, behind, ahead, newest) = (live[0], live[1], live[2], live[live.len() - 1]);
        let set = async |column: &str, value: &str, id: KeyId| {
            let id = if db.is_postgres() { format!("'{id}'") } else { format!("X'{}'", id.simple()) };
            db.execute_past_triggers("key_auth", &format!("UPDATE key_auth SET {column} = {value} WHERE id = {id}")).await;
        };
        // At the end that stands for never, and later; revoked by a machine whose clock is a year ahead.
        let of = |sqlite: &'static str, postgres: &'static str| if db.is_postgres() { postgres } else { sqlite };
        let at_noon = of("253402257600000000", "'9999-12-31 12:00:00Z'");
        set("expires_at", of("253402214400000000", "'9999-12-31 00:00:00Z'"), then).await;
        set("expires_at", at_noon, behind).await;
        set("expires_at", at_noon, newest).await;
        set("revoked_by = 'ada', revoked_at", of("(unixepoch() + 31536000) * 1000000", "now() + interval '365 days'"), ahead).await;
        let everything = query("status:active,planned,paused,suspended,refused,expired,abandoned,revoked");
        rack.keys = all(&rack.service, &everything, Sort::default(), 500).await;
        let far = [then, behind, newest];
        for (filter, has) in [
            ("expires:set", &far[..]),
            ("expires:>90d", &far),
            ("expires:>2100-01-01", &far),
            ("-expires:never status:active", &far),
            ("status:revoked", &[ahead]),
            ("status:revoked,expired,abandoned", &[ahead]),
            ("revoked:>2026-01-01", &[ahead]),
            ("status:expired", &[]),
        ] {
            let query = query(filter);
            for sort in sorts() {
                let wanted = expected(&rack, &query, sort, &["vozagent".to_owned()]);
                assert!(has.iter().all(|id| wanted.contains(id)), "{filter}");
                let found = ids(&all(&rack.service, &query, sort, 90).await);
                let differs = found.iter().zip(&wanted).position(|(found, wanted)| found != wanted);
                assert_eq!((found.len(), differs), (wanted.len(), None), "{filter} {sort:?}");
            }
        }
    }

    async fn what_a_policy_refuses_is_found_while_an_index_is_made_anew(db) {
        let rack = rack(&db).await;
        let mut policy = rack.service.issuer("voxpria").await.unwrap().policy;
        policy.expiry = ExpiryRule { default: Expiry::Days(30), choices: vec![Expiry::Days(30)], max_days: Some(30), ..policy.expiry };
        rack.service.apply_policy(keyrack::service::new_operation(), policy).await.unwrap();
        let query = query("violates:policy");
        let wanted = ids(&all(&rack.service, &query, Sort::default(), 100).await);
        assert!(wanted.len() > 10, "{}", wanted.len());
        db.execute("DROP INDEX auth_by_scopes").await;
        assert_eq!(ids(&all(&rack.service, &query, Sort::default(), 100).await), wanted);
        assert_eq!(rack.service.count(&query).await.unwrap(), keyrack::service::Count::Exactly(wanted.len() as u64));
    }
}
