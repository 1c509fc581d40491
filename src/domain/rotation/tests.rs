use serde_json::json;

use super::*;
use crate::domain::issuer::policy_file;

fn noon() -> Instant {
    Key::example().created_at
}

/// An overlap that began at noon and ends after so many hours.
fn pair(hours: i64) -> (Key, Key) {
    let mut old = Key::example().made(noon() - Duration::days(30));
    let mut new = Key { id: uuid::Uuid::from_u128(9), ..Key::example() };
    new.acknowledged_at = Some(noon());
    new.predecessor = Some(old.id);
    old.successor = Some(new.id);
    old.successor_confirmed = true;
    old.expires_at = Some(noon() + Duration::hours(hours));
    (old, new)
}

fn policy() -> Policy {
    policy_file::preset("voxpria").unwrap()
}

#[test]
fn kr_11_extension_stops_at_the_first_of_its_limits() {
    let (old, new) = pair(24);
    let day = Duration::days(1);
    let by = |by, own| extended(&old, &new, by, own, &policy());
    assert_eq!(by(day, None), Ok(noon() + Duration::hours(48)));
    assert_eq!(by(day * 6, None), Ok(noon() + day * 7));
    let late = by(day * 6 + Duration::seconds(1), None).unwrap_err();
    assert_eq!(late, ExtendError::Long { latest: Latest(noon() + day * 7), id: old.id });
    assert!(late.to_string().starts_with("an overlap lasts 7d at most, so that this one ends by "), "{late}");
    let own = noon() + Duration::hours(30);
    assert_eq!(by(day, Some(own)), Err(ExtendError::Own { latest: Latest(own) }));
    assert_eq!(by(Duration::hours(6), Some(own)), Ok(own));
    assert_eq!(by(Duration::zero(), None), Err(ExtendError::Nothing));
    let mut strict = policy();
    strict.expiry.max_days = Some(31);
    let latest = Latest(old.created_at + day * 31);
    assert_eq!(
        extended(&old, &new, day, None, &strict),
        Err(ExtendError::Policy { latest: Latest(latest.0.max(noon() + day)), days: 31 })
    );
    let endless = Key { expires_at: None, ..old.clone() };
    assert_eq!(extended(&endless, &new, day, None, &policy()), Err(ExtendError::Endless));
}

#[test]
fn kr_11_own_expiry_is_what_no_overlap_says() {
    let (may, june, july) = ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z");
    let at = |text: &str| Some(text.parse::<Instant>().unwrap());
    let created = ("key.create", json!({ "expires_at": june }));
    let retired = ("key.retire", json!({ "ends_at": may, "successor": "x" }));
    let edited = |to: &str| ("key.edit", json!({ "changed": { "expires_at": [june, to] } }));
    let own =
        |rows: &[(&'static str, Value)]| own_expiry(rows.iter().map(|(action, detail)| (*action, detail)));
    assert_eq!(own(&[created.clone(), retired.clone()]), at(june));
    assert_eq!(own(&[("key.rotate", json!({ "expires_at": null })), retired.clone()]), None);
    assert_eq!(own(&[created.clone(), edited(july), retired.clone()]), at(july));
    // What shortens an overlap is not the key's own end; what outlives that is.
    assert_eq!(own(&[created.clone(), retired.clone(), edited(may)]), at(june));
    assert_eq!(own(&[created, retired, edited(july)]), at(july));
}

#[test]
fn kr_11_old_key_still_used_is_told_an_hour_ahead_or_a_quarter() {
    let is_late = |hours: i64, before_end: Duration, unused: Duration| {
        let (mut old, new) = pair(hours);
        let now = noon() + Duration::hours(hours) - before_end;
        old.last_used_at = Some(now - unused);
        is_late(&old, &new, now)
    };
    let minutes = Duration::minutes;
    assert!(is_late(24, minutes(60), minutes(1)));
    assert!(!is_late(24, minutes(61), minutes(1)), "it is early");
    assert!(is_late(24, minutes(30), minutes(359)));
    assert!(!is_late(24, minutes(30), minutes(361)), "it is silent");
    assert!(is_late(1, minutes(15), minutes(14)));
    assert!(!is_late(1, minutes(16), minutes(1)), "it is early for a short one");
    assert!(!is_late(1, minutes(5), minutes(16)), "it is silent for a short one");
    assert!(!is_late(24, minutes(0), minutes(1)), "it has ended");
    let (old, new) = pair(24);
    assert!(!super::is_late(&old, &new, noon() + Duration::hours(23)), "it was never used");
}

#[test]
fn kr_11_pace_is_told_by_the_minute_or_the_hour() {
    let now = noon();
    let at = |ago: i64, allowed| Minute {
        minute: minute(now) - ago,
        counts: crate::domain::usage::Counts { allowed, ..Default::default() },
    };
    let pace = |minutes: Vec<Minute>| Lately { minutes, ..Lately::default() }.pace(now);
    assert_eq!(pace(vec![]), "");
    assert_eq!(pace(vec![at(59, 2), at(30, 1)]), "3/h");
    assert_eq!(pace(vec![at(60, 2), at(30, 1)]), "1/h");
    assert_eq!(pace(vec![at(30, 900), at(4, 50), at(0, 10)]), "12/min");
}

#[test]
fn kr_11_silence_is_in_words() {
    let (mut old, new) = pair(24);
    let silence = |old: &Key| {
        let (old, new) = (old.clone(), new.clone());
        Rotation { old, new, old_use: Lately::default(), new_use: Lately::default() }
            .silence(noon() + Duration::hours(7))
    };
    assert_eq!(silence(&old), "never used");
    old.last_used_at = Some(noon() + Duration::minutes(55));
    assert_eq!(silence(&old), "silent for 6h");
    old.last_used_at = Some(noon() + Duration::hours(7) - Duration::seconds(59));
    assert_eq!(silence(&old), "in use");
}
