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
    assert!(error("-state:sent").contains("doesn't support -"));
    assert!(error("key:12").contains("whole id"));
    assert!(error("to:").contains("needs a value"));
}

fn reminder(state: State, deliveries: &[State]) -> Reminder {
    let delivery = |state: &State| Delivery {
        recipient: "ada@example.com".into(),
        state: *state,
        attempts: 1,
        next_at: day(0),
        answer: None,
        letter: None,
        changed_at: day(0),
    };
    Reminder {
        id: Uuid::nil(),
        key: Uuid::nil(),
        key_name: "hub".into(),
        preview: "x_••••abcd".into(),
        account: "acme".into(),
        issuer: "voxpria".into(),
        days_before: 7,
        expires_at: day(90),
        due_at: day(83),
        state,
        why: None,
        created_at: day(83),
        changed_at: day(83),
        deliveries: deliveries.iter().map(delivery).collect(),
    }
}

#[test]
fn a_reminder_that_failed_for_one_recipient_needs_attention() {
    for state in State::ALL {
        let needs = matches!(state, State::Failed | State::Ambiguous);
        assert_eq!(state.needs_attention(), needs, "{state:?}");
        assert_eq!(reminder(*state, &[State::Sent]).needs_attention(), needs, "{state:?} itself");
        assert_eq!(
            reminder(State::Sent, &[State::Sent, *state]).needs_attention(),
            needs,
            "{state:?} for one"
        );
        assert_eq!(reminder(State::Sent, &[State::Sent, *state]).was_written(), *state == State::Written);
    }
}

#[test]
fn what_went_wrong_for_a_recipient_is_told_before_what_waits_or_was_sent() {
    use State::{Ambiguous, Cancelled, Failed, Pending, Sending, Sent, Superseded, Written};
    let order = [Failed, Ambiguous, Sending, Pending, Written, Sent, Superseded, Cancelled];
    for pair in order.windows(2) {
        let both = reminder(Pending, &[pair[1], pair[0]]);
        assert_eq!(both.telling().map(|one| one.state), Some(pair[0]), "{pair:?}");
    }
    assert_eq!(reminder(Pending, &[]).telling(), None);
    let some = reminder(Pending, &[Sent, Pending, Sent, Failed, Sent]);
    assert_eq!(some.recipients(), [(Failed, 1), (Pending, 1), (Sent, 3)]);
    assert_eq!(some.mixed().as_deref(), Some("1 failed, 1 pending, 3 sent"));
    assert_eq!(reminder(Sent, &[Sent, Sent]).mixed(), None, "all stand in one state");
    assert_eq!(reminder(Sent, &[]).mixed(), None);
}

#[test]
fn letters_are_those_that_met_their_fate_and_those_to_try_again() {
    let tally =
        Tally { reminders: 90, sent: 1, written: 20, failed: 300, deferred: 4_000, ambiguous: 50_000 };
    assert_eq!((tally.settled(), tally.letters()), (50_321, 54_321));
}

#[test]
fn doors_and_progress_have_the_words_that_the_database_keeps() {
    assert_eq!(
        [Door::Console, Door::Command, Door::Watch].map(Door::as_str),
        ["console", "command", "watch"]
    );
    let all = [Progress::Running, Progress::Ended, Progress::Stopped, Progress::Lost];
    assert_eq!(all.map(Progress::as_str), ["running", "ended", "stopped", "lost"]);
}

#[test]
fn a_change_more_than_a_day_from_now_came_from_a_clock_that_ran_ahead() {
    assert_eq!(ahead_of(day(3)), day(4));
    assert_eq!(ahead_of(crate::domain::LATEST), crate::domain::LATEST);
}
