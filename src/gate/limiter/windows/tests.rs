use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::domain::budget::Budget;

const SECOND: i64 = 1_000_000;

fn endpoint(name: &str, requests: u32) -> Charge {
    let bucket = Bucket::Endpoint("acme".into(), name.into());
    Charge { bucket, budgets: vec![Budget { seconds: 60, requests }] }
}

fn key(n: u128, requests: u32) -> Charge {
    Charge { bucket: Bucket::Key(Uuid::from_u128(n)), budgets: vec![Budget { seconds: 60, requests }] }
}

fn allowed(windows: &Windows, charges: &[Charge], now: i64) -> bool {
    windows.take(charges, now).unwrap().allowed
}

#[test]
fn a_request_is_counted_in_all_its_budgets_or_in_none() {
    let windows = Windows::default();
    let both = [key(1, 10), endpoint("me", 2)];
    assert!(allowed(&windows, &both, 0));
    assert!(allowed(&windows, &both, SECOND));
    for n in 2..100 {
        assert!(!allowed(&windows, &both, n * 1_000), "the endpoint's budget is used up");
    }
    let left = windows.look(&[key(1, 10)], 2 * SECOND).unwrap();
    assert_eq!(left.tightest().remaining, 8, "refused requests count nowhere");
    assert!(allowed(&windows, &both, 60 * SECOND));
}

#[test]
fn many_at_once_get_exactly_what_there_is() {
    let windows = Arc::new(Windows::default());
    let passed = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..8u128)
        .map(|n| {
            let (windows, passed) = (Arc::clone(&windows), Arc::clone(&passed));
            std::thread::spawn(move || {
                for i in 0..200 {
                    // In different orders, and with buckets that only some have.
                    let mut charges = vec![endpoint("me", 300), endpoint("calls", 1_000), key(n % 3, 1_000)];
                    charges.rotate_left(i % 3);
                    if windows.take(&charges, 5).unwrap().allowed {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(passed.load(Ordering::Relaxed), 300);
}

#[test]
fn what_was_saved_is_found_again_and_nothing_is_saved_twice() {
    let windows = Windows::default();
    let charges = [key(7, 5), endpoint("voicegrams/recent", 60)];
    for n in 0..5 {
        assert!(allowed(&windows, &charges, n * SECOND));
    }
    let saved = windows.fresh(1_000, false);
    assert_eq!(saved.len(), 2);
    assert_eq!(windows.fresh(1_000, false), []);
    windows.look(&charges, 5 * SECOND);
    assert_eq!(windows.fresh(1_000, false), [], "looking uses nothing");

    let restarted = Windows::default();
    let ends = saved.iter().map(|window| window.ends_at.timestamp_micros()).collect::<Vec<_>>();
    assert_eq!(ends, [64 * SECOND, 64 * SECOND], "a minute after the last use");
    let broken =
        SavedWindow { subject: "key:nonsense".into(), state: Vec::new(), ends_at: Instant::default() };
    assert_eq!(restarted.restore(saved.into_iter().chain([broken])), 1);
    assert!(!allowed(&restarted, &charges, 6 * SECOND), "the window holds what it held");
    assert!(allowed(&restarted, &charges, 60 * SECOND));
}

#[test]
fn a_clock_that_was_set_back_locks_nobody_out_before_or_after_a_restart() {
    let (windows, day) = (Windows::default(), 86_400 * SECOND);
    let charges = [key(7, 2), endpoint("me", 60)];
    for n in 0..2 {
        assert!(allowed(&windows, &charges, 3 * day + n));
    }
    let ahead = windows.fresh(1_000, false);
    let restarted = Windows::default();
    assert_eq!(restarted.restore(ahead), 0);
    for windows in [&windows, &restarted] {
        assert!(!allowed(windows, &charges, 0), "the newest counts as just now");
        assert!(allowed(windows, &charges, 60 * SECOND));
        let ends = windows.fresh(1_000, false).iter().map(|window| window.ends_at.timestamp_micros()).max();
        assert_eq!(ends, Some(120 * SECOND), "what is saved now ends by the right clock");
        windows.sweep(121 * SECOND);
        assert_eq!(windows.kept(), 0);
    }
}

#[test]
fn many_windows_are_saved_in_parts_and_each_of_them_once() {
    let windows = Windows::default();
    for n in 0..1_000 {
        windows.take(&[key(n, 5)], 0);
    }
    let mut all = Vec::new();
    loop {
        let part = windows.fresh(100, false);
        if part.is_empty() {
            break;
        }
        assert!(part.len() < 200, "{}", part.len());
        all.extend(part.into_iter().map(|window| window.subject));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1_000);
}

#[test]
fn idle_windows_are_forgotten_and_looking_makes_none() {
    let windows = Windows::default();
    windows.look(&[key(1, 5)], 0);
    assert_eq!(windows.kept(), 0);
    for n in 0..1_000 {
        windows.take(&[key(n, 5)], 0);
    }
    windows.sweep(59 * SECOND);
    assert_eq!(windows.kept(), 1_000);
    windows.sweep(61 * SECOND);
    assert_eq!(windows.kept(), 0);
}

#[test]
fn a_bucket_is_read_as_it_was_named() {
    for one in [
        Bucket::Key(Uuid::from_u128(5)),
        Bucket::Account("acme".into()),
        Bucket::Endpoint("acme".into(), "voicegrams/recent".into()),
        Bucket::Endpoint("acme".into(), "a:b".into()),
    ] {
        assert_eq!(bucket(&one.to_string()), Some(one));
    }
    for bad in ["", "key", "key:1", "endpoint:acme", "other:x"] {
        assert_eq!(bucket(bad), None);
    }
}

/// Saves as a gate does, into what a table would hold.
fn save(windows: &Windows, table: &mut BTreeMap<String, SavedWindow>) -> usize {
    let mut saved = windows.fresh(1_000, false);
    let (journal, needed) = windows.journal(&saved);
    saved.extend(journal);
    let bytes = saved.iter().map(|one| one.state.len()).sum();
    table.extend(saved.into_iter().map(|one| (one.subject.clone(), one)));
    table.retain(|subject, _| !subject.starts_with("journal:") || *subject >= needed);
    bytes
}

#[test]
fn a_crash_at_any_moment_makes_no_limit_more_generous() {
    let (windows, mut table) = (Windows::default(), BTreeMap::new());
    let mut dice = 0x9e37_79b9_u64;
    let budgets = |n| [Charge { budgets: vec![Budget { seconds: 3_600, requests: 1_000_000 }], ..key(n, 1) }];
    let mut run = windows;
    for second in 1..=150 {
        for n in 0..400 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            run.take(&budgets(u128::from(dice >> 33) % 200), second * SECOND + n * 2_000);
        }
        save(&run, &mut table);
        if second % 13 == 0 {
            // A crash right after a saving: the next run knows of each request.
            let next = Windows::default();
            assert_eq!(next.restore(table.values().cloned()), 0);
            for n in 0..200 {
                let at = second * SECOND + 999_999;
                let left = |windows: &Windows| windows.look(&budgets(n), at).unwrap().tightest().remaining;
                assert_eq!(left(&next), left(&run), "key {n} after {second} s");
            }
            run = next;
        }
    }
    let journals = table.keys().filter(|subject| subject.starts_with("journal:")).count();
    assert!((1..=40).contains(&journals), "{journals}");
}

#[test]
fn windows_that_are_used_all_the_time_are_written_as_a_whole_seldom() {
    let (windows, mut table) = (Windows::default(), BTreeMap::new());
    let budget = |n| [Charge { budgets: vec![Budget { seconds: 3_600, requests: 1_000_000 }], ..key(n, 1) }];
    let (mut written, mut whole) = (0, 0);
    for second in 1..=600 {
        for n in 0..1_000 {
            windows.take(&budget(n), second * SECOND);
        }
        let bytes = save(&windows, &mut table);
        if second > 300 {
            written += bytes;
            whole += table
                .iter()
                .filter(|(subject, _)| subject.starts_with("key"))
                .map(|(_, one)| one.state.len())
                .sum::<usize>();
        }
    }
    assert!(written * 10 < whole, "{written} bytes instead of {whole}");
}

#[test]
fn what_could_not_be_saved_is_saved_with_the_next() {
    let (windows, mut table) = (Windows::default(), BTreeMap::new());
    for n in 0..100 {
        windows.take(&[key(n, 5)], SECOND);
    }
    let lost = windows.fresh(1_000, false);
    windows.journal(&lost);
    windows.unsaved(&lost);
    save(&windows, &mut table);
    let next = Windows::default();
    assert_eq!(next.restore(table.into_values()), 0);
    assert!((0..100).all(|n| next.look(&[key(n, 5)], SECOND).unwrap().tightest().remaining == 4));
}
