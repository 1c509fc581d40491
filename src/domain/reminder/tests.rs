use chrono::{Duration, TimeZone, Utc};

use super::*;

fn day(n: i64) -> Instant {
    Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap() + Duration::days(n)
}

#[test]
fn vg_15_thresholds_are_crossed_exactly_30_and_7_days_before() {
    let at = |now| -> Vec<u32> { crossed(&[30, 7], day(0), day(90), now) };
    assert!(at(day(60) - Duration::microseconds(1)).is_empty());
    assert_eq!(at(day(60)), [30]);
    assert_eq!(at(day(83) - Duration::microseconds(1)), [30]);
    assert_eq!(at(day(83)), [7, 30], "the tightest comes first");
    assert_eq!(at(day(90) - Duration::microseconds(1)), [7, 30]);
    assert!(at(day(90)).is_empty(), "an expired key is past reminding");
}

#[test]
fn a_threshold_not_shorter_than_the_whole_life_is_none() {
    assert!(crossed(&[30, 7], day(0), day(30), day(0)).is_empty());
    assert_eq!(crossed(&[30, 7], day(0), day(30), day(25)), [7]);
    let longer = day(30) + Duration::microseconds(1);
    assert_eq!(crossed(&[30, 7], day(0), longer, day(1)), [30]);
    assert!(crossed(&[30, 7], day(0), day(7), day(6)).is_empty());
}

#[test]
fn thresholds_are_read_in_any_order_and_once() {
    assert_eq!(crossed(&[1, 30, 7, 7], day(0), day(90), day(89)), [1, 7, 30]);
    assert!(crossed(&[], day(0), day(90), day(89)).is_empty());
}

#[test]
fn pauses_grow_and_stay_within_half_a_day() {
    let minutes: Vec<i64> = (0..8).map(|n| pause_after(n).num_minutes()).collect();
    assert_eq!(minutes, [5, 5, 15, 45, 135, 405, 720, 720]);
    assert_eq!(pause_after(u32::MAX), Duration::hours(12));
}

#[test]
fn a_filter_names_states_account_key_recipient_and_text() {
    let filter =
        ReminderFilter::parse("state:failed,ambiguous account:Acme to:Ada@Example.com nightly build")
            .unwrap();
    assert_eq!(filter.states, [State::Failed, State::Ambiguous]);
    assert_eq!(filter.account.as_deref(), Some("acme"));
    assert_eq!(filter.recipient.as_deref(), Some("ada@example.com"));
    assert_eq!(filter.text.as_deref(), Some("nightly build"));
    assert_eq!(ReminderFilter::parse("state:due").unwrap().states, [State::Pending, State::Sending]);
    assert_eq!(ReminderFilter::parse("  ").unwrap(), ReminderFilter::default());
}

#[test]
fn a_mistake_in_a_filter_is_named_with_its_place() {
    let error = |text: &str| ReminderFilter::parse(text).unwrap_err().to_string();
    assert!(error("state:faild").contains("did you mean failed?"), "{}", error("state:faild"));
    assert!(error("stat:failed").contains("did you mean state:?"), "{}", error("stat:failed"));
    assert!(error("state:sent state:failed").contains("twice"));
    assert!(error("-state:sent").contains("knows no -"));
    assert!(error("key:12").contains("whole id"));
    assert!(error("to:").contains("needs a value"));
}
