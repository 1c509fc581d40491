use chrono::{DateTime, Duration};
use uuid::Uuid;

use super::*;
use crate::domain::budget::Budget;
use crate::domain::key::KeyId;
use crate::domain::limit::State;

const KEY: KeyId = Uuid::from_u128(7);

fn at(minutes: i64) -> Instant {
    DateTime::from_timestamp(1_790_000_040, 0).unwrap() + Duration::minutes(minutes)
}

fn used(minute: i64, allowed: u64) -> Minute {
    Minute { minute, counts: Counts { allowed, ..Counts::default() } }
}

#[test]
fn what_a_limit_refused_is_told_from_other_refusals() {
    let spent = State::new("key", Budget { seconds: 60, requests: 1 }, 1, 0, 0);
    for (reason, outcome) in [
        (Reason::Limited { spent }, Outcome::Limited),
        (Reason::Unrouted, Outcome::Refused),
        (Reason::LimiterGone, Outcome::Refused),
    ] {
        assert_eq!(Outcome::of(&Verdict::refuse(reason, None)), outcome);
    }
}

#[test]
fn a_sparkline_ends_with_the_present_minute() {
    let now = at(0);
    let first = minute(now);
    let past = [
        used(first, 1),
        used(first - 4, 2),
        used(first - 5, 4),
        used(first - 14, 8),
        used(first - 15, 16),
        used(first + 1, 32),
    ];
    assert_eq!(spans(&past, now, 3, 5), [8, 4, 3]);
    assert!(spans(&past, now, 0, 5).is_empty());
    assert_eq!(spans(&[], now, 2, 0), [0, 0]);
}

/// A day of a key that makes `per_minute` requests all along, before minute 1,440.
fn steady(per_minute: u64) -> Vec<Minute> {
    (0..1_435).map(|minute| used(minute, per_minute)).collect()
}

fn with_present(mut past: Vec<Minute>, per_minute: u64) -> Option<Spike> {
    past.extend((1_435..1_440).map(|minute| used(minute, per_minute)));
    spike(&past, 1_440)
}

#[test]
fn vp_09_a_spike_is_far_above_the_keys_own_past() {
    assert_eq!(with_present(steady(10), 50), Some(Spike { requests: 250, usual: 50, busiest: 50 }));
    assert_eq!(with_present(steady(10), 49), None);
    assert_eq!(with_present(steady(1), 19), None, "95 requests are nothing, whatever the past");
    assert!(with_present(steady(1), 20).is_some());
    // Another key's ordinary day is not this one's.
    assert_eq!(with_present(steady(50), 50), None);
}

#[test]
fn nights_without_requests_do_not_make_days_look_like_spikes() {
    let day: Vec<_> = steady(100).into_iter().filter(|one| one.minute < 400).collect();
    assert_eq!(with_present(day, 100), None);
}

#[test]
fn a_nightly_batch_is_not_reported_every_night() {
    let mut past = steady(1);
    past.extend((10..15).map(|minute| used(minute, 2_000)));
    assert_eq!(with_present(past.clone(), 2_000), None);
    assert!(with_present(past, 3_100).is_some());
}

#[test]
fn a_new_key_has_no_past_to_compare_with() {
    let past: Vec<_> = (0..59).map(|minute| used(minute, if minute < 54 { 1 } else { 1_000 })).collect();
    assert_eq!(spike(&past, 59), None);
    assert_eq!(spike(&[], 59), None);
    let mut later = past;
    later.push(used(59, 1_000));
    assert!(spike(&later, 60).is_some());
}

#[test]
fn vp_09_a_run_of_failed_authentications_is_told_once_it_is_long_enough() {
    let mut failures = Failures::new(Tolerance { seconds: 60, address: 3, network: 5, issuer: 100 });
    let second = 1_000_000;
    let v4 = |last: u8| Some(IpAddr::from([203, 0, 113, last]));
    let mut record = |address, now| failures.record(address, Some("voxpria"), now);
    assert_eq!(record(v4(1), 0), []);
    assert_eq!(record(v4(1), second), []);
    assert_eq!(record(v4(1), 2 * second), [(Source::Address(v4(1).unwrap()), 3)]);
    assert_eq!(record(v4(1), 3 * second), [], "it starts anew");
    let network = "203.0.113.0/24".parse().unwrap();
    assert_eq!(
        record(v4(2), 4 * second),
        [(Source::Network(network), 5)],
        "callers of one network take turns"
    );
    // Spread wide enough, it is no run: the third is a window after the first.
    let other = IpAddr::from([198, 51, 100, 1]);
    assert_eq!(record(Some(other), 100 * second), []);
    assert_eq!(record(Some(other), 130 * second), []);
    assert_eq!(record(Some(other), 160 * second), []);
    assert_eq!(record(Some(other), 189 * second), [(Source::Address(other), 3)]);
}

#[test]
fn a_network_with_many_callers_is_told_of_once_and_its_callers_no_more() {
    let mut failures = Failures::default();
    let mut told = Vec::new();
    // As somebody with a /48 does it: some attempts from each /64, one after the other.
    for (n, now) in (0..150u32).flat_map(|n| (0..21).map(move |_| n)).zip(0..) {
        let caller = format!("2001:db8:7:{n:x}::1").parse().unwrap();
        told.extend(failures.record(Some(caller), None, now * 1_000).into_iter().map(|(source, _)| source));
    }
    let caller = |n: u32| Source::caller(format!("2001:db8:7:{n:x}::").parse().unwrap());
    let network = Source::Network("2001:db8:7::/48".parse().unwrap());
    assert_eq!(told, [caller(0), caller(1), caller(2), caller(3), network]);
}

#[test]
fn of_a_flood_from_everywhere_some_are_told_of_and_then_that_there_are_more_each_hour() {
    let mut failures =
        Failures::new(Tolerance { address: 1, network: 2, issuer: 500, ..Tolerance::default() });
    let hour = 3_600 * 1_000_000;
    for begun in [0, hour + 400_000, -9 * hour] {
        let mut told = Vec::new();
        let mut issuers = 0;
        for (n, now) in (0..400_000u32).step_by(1_000).zip(begun..) {
            for _ in 0..2 {
                let from = IpAddr::from((n * 300).to_be_bytes());
                for (source, _) in failures.record(Some(from), Some("voxpria"), now) {
                    if matches!(source, Source::Issuer(_)) { issuers += 1 } else { told.push(source) }
                }
            }
        }
        assert_eq!((told.len(), told.last()), (31, Some(&Source::Others)), "at {begun}");
        assert_eq!(told.iter().filter(|source| **source == Source::Others).count(), 1);
        assert!(issuers >= 1, "what aims at an issuer is told however many there are");
    }
}

#[test]
fn one_caller_of_ipv6_is_its_64_bits_and_ipv4_in_ipv6_is_ipv4() {
    let caller = |text: &str| Source::caller(text.parse().unwrap());
    assert_eq!(caller("2001:db8:1:2:3:4:5:6"), caller("2001:db8:1:2::9"));
    assert_ne!(caller("2001:db8:1:2::1"), caller("2001:db8:1:3::1"));
    assert_eq!(caller("::ffff:203.0.113.7"), caller("203.0.113.7"));
}

#[test]
fn a_flood_from_many_addresses_takes_bounded_memory() {
    let mut failures = Failures::default();
    for i in 0..60_000u32 {
        failures.record(Some(IpAddr::from(i.to_be_bytes())), None, i64::from(i));
        assert!(failures.watched() <= 20_000, "{}", failures.watched());
    }
}

#[test]
fn vp_09_a_network_is_new_unless_it_is_the_first_or_known() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let home: IpNet = "203.0.113.0/24".parse().unwrap();
    assert_eq!(origin(&[], address("203.0.113.7")), Origin::First(home));
    assert_eq!(origin(&[home], address("203.0.113.250")), Origin::Known);
    assert_eq!(origin(&[home], address("::ffff:203.0.113.9")), Origin::Known);
    assert_eq!(origin(&[home], address("203.0.114.7")), Origin::New("203.0.114.0/24".parse().unwrap()));
    let six = Origin::New("2001:db8:1::/48".parse().unwrap());
    assert_eq!(origin(&[home], address("2001:db8:1:2::3")), six);
}

#[test]
fn an_alert_keeps_its_form_and_is_not_repeated_within_the_hour() {
    let spike =
        |requests, minutes| Alert::spike(at(minutes), KEY, Spike { requests, usual: 10, busiest: 100 });
    let network = Alert {
        at: at(0),
        what: What::NewNetwork {
            key: KEY,
            network: "203.0.113.0/24".parse().unwrap(),
            address: "203.0.113.7".parse().unwrap(),
            expected: false,
        },
    };
    let failed = |source| Alert {
        at: at(0),
        what: What::FailedAuthentications { source, attempts: 20, seconds: 300 },
    };
    let all = [
        spike(500, 0),
        network,
        failed(Source::caller("2001:db8::1".parse().unwrap())),
        failed(Source::Network("203.0.113.0/24".parse().unwrap())),
        failed(Source::Issuer("voxpria".into())),
        failed(Source::Others),
    ];
    let mut subjects = std::collections::HashSet::new();
    for alert in &all {
        let json = serde_json::to_value(alert).unwrap();
        assert_eq!(json["kind"], alert.kind());
        assert_eq!(serde_json::from_value::<Alert>(json).unwrap(), *alert);
        assert!(subjects.insert(alert.about()));
        assert!(alert.sentence().ends_with('.'));
    }
}
