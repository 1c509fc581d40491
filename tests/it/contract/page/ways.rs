//! A page is the same whichever way it is read, and no end of a column cuts one off. With debug assertions a walk in the order
//! of an index is given up after a few rows, so that [`super`] reads every filter in each of SQLite's ways.

use super::{expected, ids, page, page_ids, rack, sorts};
use crate::support::people::{all, query};
use keyrack::domain::query::Sort;
use keyrack::service::From;

on_both! {
    async fn what_the_server_did_not_find_in_time_is_found_in_another_way(db) {
        if !db.is_postgres() {
            return;
        }
        let rack = rack(&db).await;
        let lock = "DO $$ BEGIN LOCK TABLE key_auth IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(0.4); END $$";
        let filters = ["status:expired", "idle:30d", "rotation:due", "used:<1d", "violates:policy", "-status:active"];
        for (sort, filter) in sorts().zip(filters.iter().cycle()) {
            let query = query(filter);
            let wanted: Vec<_> = all(&rack.service, &query, sort, 10_000).await.iter().map(|key| key.id).collect();
            let (_, read) = tokio::join!(db.execute(lock), async {
                tokio::time::sleep(std::time::Duration::from_millis(60)).await;
                page(&rack.service, &query, sort, From::Start, 40).await
            });
            assert_eq!(page_ids(&read), wanted[..wanted.len().min(40)], "{filter} {sort:?}");
            assert!(*filter == "violates:policy" || !wanted.is_empty(), "{filter} finds something");
        }
    }

    async fn keys_that_end_after_all_others_or_by_another_clock_are_in_every_order(db) {
        let mut rack = rack(&db).await;
        let fresh: Vec<_> = rack.keys.iter().filter(|key| key.stops_at().is_none() && key.status(rack.service.present()) == keyrack::domain::key::Status::Active).map(|key| key.id).collect();
        let (last, ahead) = (fresh[0], fresh[1]);
        // An expiry behind the one that stands for never; revoked by a machine whose clock is a year ahead.
        let (name, behind, year) = if db.is_postgres() {
            ("id::text".to_owned(), "timestamptz '9999-12-31 12:00:00Z'", "now() + interval '365 days'")
        } else {
            ("lower(hex(id))".to_owned(), "253402257600000000", "(unixepoch() + 31536000) * 1000000")
        };
        let of = |id: keyrack::domain::key::KeyId| {
            if db.is_postgres() { format!("{name} = '{id}'") } else { format!("{name} = '{}'", id.simple()) }
        };
        db.execute_past_triggers("key_auth", &format!("UPDATE key_auth SET expires_at = {behind} WHERE {}", of(last))).await;
        db.execute_past_triggers("key_auth", &format!("UPDATE key_auth SET revoked_at = {year}, revoked_by = 'ada' WHERE {}", of(ahead))).await;
        let everything = query("status:active,planned,paused,suspended,refused,expired,abandoned,revoked");
        rack.keys = all(&rack.service, &everything, Sort::default(), 500).await;
        for (filter, has) in [
            ("expires:set", Some(last)),
            ("expires:>90d", Some(last)),
            ("-expires:never status:active", Some(last)),
            ("status:revoked", Some(ahead)),
            ("status:revoked,expired,abandoned", Some(ahead)),
            ("revoked:>2026-01-01", Some(ahead)),
            ("status:expired", None),
        ] {
            let query = query(filter);
            for sort in sorts() {
                let wanted = expected(&rack, &query, sort, &["vozagent".to_owned()]);
                assert!(has.is_none_or(|id| wanted.contains(&id)), "{filter}");
                let found = ids(&all(&rack.service, &query, sort, 90).await);
                let differs = found.iter().zip(&wanted).position(|(found, wanted)| found != wanted);
                assert_eq!((found.len(), differs), (wanted.len(), None), "{filter} {sort:?}");
            }
        }
    }
}
