use std::collections::HashSet;

use super::*;
use crate::domain::issuer::Policy;
use crate::domain::key::CLAIM_TIME;

fn policies() -> Vec<Policy> {
    let policy = |slug: &str, prefix: &str, body: &str, cap: Option<u32>| -> Policy {
        serde_json::from_value(serde_json::json!({
            "slug": slug, "name": slug, "format": { "prefix": prefix, "body": body }, "caps": { "active-keys": cap },
        }))
        .unwrap()
    };
    vec![policy("one", "one_", "hex", Some(20)), policy("two", "two_", "base62-checksum", None)]
}

/// Whether nobody took a key over before its time was up.
fn abandoned(key: &NewKey, now: Instant) -> bool {
    key.acknowledged_at.is_none() && key.last_used_at.is_none() && key.created_at + CLAIM_TIME <= now
}

fn now() -> Instant {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

#[test]
fn the_same_seed_makes_the_same_keys_and_another_seed_others() {
    let previews =
        |seed| Demo::new(300, seed, now(), policies()).map(|k| (k.key.id, k.key.preview)).collect::<Vec<_>>();
    assert_eq!(previews(7), previews(7));
    assert_ne!(previews(7), previews(8));
    assert_eq!(previews(7).len(), 300);
}

#[test]
fn keys_come_from_the_oldest_to_the_newest_and_none_from_the_future() {
    let keys: Vec<_> = Demo::new(2000, 1, now(), policies()).collect();
    assert!(keys.windows(2).all(|pair| pair[0].key.created_at <= pair[1].key.created_at));
    assert_eq!(keys[0].key.name, OLDEST);
    assert_eq!(keys[1999].key.name, NEWEST);
    assert_eq!(keys.iter().filter(|key| key.key.name == RARE).count(), 1);
    for DemoKey { key, .. } in &keys {
        let times = [
            Some(key.created_at),
            key.acknowledged_at,
            key.last_used_at,
            key.revocation.as_ref().map(|r| r.at),
        ];
        assert!(times.into_iter().flatten().all(|at| at <= now()), "{key:?}");
        assert!(key.acknowledged_at.is_none_or(|at| at < key.created_at + CLAIM_TIME), "{key:?}");
    }
}

#[test]
fn no_account_has_more_active_keys_than_its_policy_allows() {
    let demo = Demo::new(3000, 2, now(), policies());
    let capped: HashSet<_> =
        demo.accounts().iter().filter(|a| a.issuer == "one").map(|a| a.slug.clone()).collect();
    let mut active = std::collections::HashMap::new();
    let keys: Vec<_> = demo.collect();
    let retired: HashSet<_> =
        keys.iter().filter_map(|k| k.retires).filter(|(_, end)| *end <= now()).map(|(id, _)| id).collect();
    for DemoKey { key, .. } in &keys {
        let ended = key.revocation.is_some()
            || key.expires_at.is_some_and(|end| end <= now())
            || abandoned(key, now());
        if capped.contains(&key.account) && !ended && !retired.contains(&key.id) {
            *active.entry(key.account.clone()).or_insert(0) += 1;
        }
    }
    assert!(active.values().all(|count| *count <= 20), "{active:?}");
    assert!(active.values().any(|count| *count >= 19), "some account is at its cap: {active:?}");
}

#[test]
fn company_slugs_are_valid_and_all_different() {
    let slugs: HashSet<_> = (0..5000).map(|n| words::company(n).1).collect();
    assert_eq!(slugs.len(), 5000);
    assert!(slugs.iter().all(|slug| crate::domain::account::check_slug(slug).is_ok()));
}

#[test]
fn nothing_happens_in_the_future_whatever_the_seed() {
    for seed in 0..8 {
        for DemoKey { key, .. } in Demo::new(4000, seed, now(), policies()).skip(3500) {
            let revoked = key.revocation.as_ref().map(|end| end.at);
            for at in
                [Some(key.created_at), key.acknowledged_at, key.last_used_at, revoked].into_iter().flatten()
            {
                assert!(at <= now() && at >= key.created_at, "seed {seed}: {key:?}");
            }
        }
    }
}

#[test]
fn even_a_small_demo_has_keys_that_are_due_for_a_reminder_at_both_thresholds() {
    for seed in 0..20 {
        let demo = Demo::new(240, seed, now(), crate::domain::issuer::policy_file::all_presets());
        assert!(demo.accounts().iter().all(|account| !account.admins.is_empty()));
        let mut tightest = Vec::new();
        for DemoKey { key, .. } in demo {
            if let Some(end) = key.expires_at.filter(|_| key.revocation.is_none() && !abandoned(&key, now()))
            {
                let crossed = crate::domain::reminder::crossed(&[30, 7], key.created_at, end, now());
                tightest.extend(crossed.first().copied());
            }
        }
        let count = |days: u32| tightest.iter().filter(|found| **found == days).count();
        assert!(count(7) >= 1 && count(30) >= 2, "seed {seed}: {} and {}", count(7), count(30));
    }
}
