use super::*;
use crate::domain::usage::{Alert, What};

fn at(hours: i64) -> Instant {
    Instant::from_timestamp_secs((500_000 + hours) * 3600 + 60).unwrap()
}

fn tried(hours: i64, network: &str, endpoint: &str, tries: u64) -> LateTries {
    let (network, endpoint) = (network.to_owned(), endpoint.to_owned());
    LateTries { hour: 500_000 + hours, network, endpoint, tries, last_at: at(hours) }
}

fn ended() -> Key {
    let mut key = Key::example().made(at(-1_000));
    key.revoked_at = Some(at(-100));
    key
}

#[test]
fn kr_06_tries_after_the_end_are_told_with_their_trend_and_places() {
    let tries = [
        tried(-30, "203.0.113.0/24", "calls", 1_100),
        tried(-3, "203.0.113.0/24", "calls", 1_000),
        tried(0, "198.51.100.0/24", "", 204),
    ];
    let late = Late::of(&ended(), &tries, at(0)).unwrap();
    assert_eq!((late.last_24h, late.before_24h, late.total), (1_204, 1_100, 2_304));
    assert_eq!(late.days, [0, 0, 0, 0, 0, 1_100, 1_204]);
    assert_eq!(late.networks[0], Share { name: "203.0.113.0/24".into(), tries: 1_000 });
    assert_eq!(
        late.words(),
        "still tried 1,204 times a day from 203.0.113.0/24 and 198.51.100.0/24, for calls; 1,100 the day before"
    );
    let one = Late::of(&ended(), &tries[..1], at(-30)).unwrap();
    assert_eq!(one.words(), "still tried 1,100 times a day from 203.0.113.0/24, for calls");
    let alert = Alert::late(at(0), uuid::Uuid::from_u128(7), one);
    let json = serde_json::to_value(&alert).unwrap();
    assert_eq!((json["kind"].as_str(), json["tries"].as_u64()), (Some("after-end"), Some(1_100)));
    assert_eq!(serde_json::from_value::<Alert>(json).unwrap(), alert);
    assert!(matches!(alert.what, What::AfterEnd { before: 0, .. }));
    assert!(alert.sentence().starts_with(
        "Tried 1,100 times in 24 hours after it was revoked, from 203.0.113.0/24, for calls: tell"
    ));
    assert!(alert.rest() == chrono::Duration::days(1));
}

#[test]
fn kr_06_a_key_that_works_or_is_not_tried_has_no_tries_after_its_end() {
    assert_eq!(Late::of(&Key::example().made(at(-1_000)), &[tried(0, "", "", 1)], at(0)), None);
    assert_eq!(Late::of(&ended(), &[], at(0)), None);
}

#[test]
fn kr_06_of_tries_from_everywhere_some_places_are_told_apart() {
    let mut noted = Vec::new();
    for n in 0..1_000 {
        LateTries::add(&mut noted, format!("10.{}.{}.0/24", n / 256, n % 256), "calls", at(0));
    }
    assert_eq!(noted.len(), PLACES + 1);
    assert_eq!(noted.iter().map(|one| one.tries).sum::<u64>(), 1_000);
    assert_eq!(noted.last().map(|one| (one.network.as_str(), one.tries)), Some((OTHERS, 984)));
}
