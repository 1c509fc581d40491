use chrono::Duration;

use super::{Mark, marks, short, sign, standing, told};
use crate::config::theme::Role;
use crate::domain::key::Key;
use crate::domain::reminder::{Reminder, State};
use crate::tui::testing::reminders::reminder;
use crate::tui::testing::{key, noon};

/// A key made 60 days ago that ends in so many days.
fn ends_in(days: i64) -> Key {
    let created_at = noon() - Duration::days(60);
    Key { created_at, expires_at: Some(noon() + Duration::days(days)), ..key("voxpria", "CI runner") }
}

fn read(key: &Key, reminders: &[Reminder]) -> String {
    short(&marks(key, &[30, 7], reminders, true, noon())).0
}

#[test]
fn each_threshold_tells_what_became_of_it() {
    assert_eq!(read(&ends_in(40), &[]), "30d ·  7d ·", "none is crossed yet");
    assert_eq!(read(&ends_in(20), &[]), "30d ○  7d ·", "the next sweep sends the first");
    let sent = reminder("CI runner", 30, 20, State::Sent);
    assert_eq!(read(&ends_in(20), std::slice::from_ref(&sent)), "30d ✓  7d ·");
    let both = [reminder("CI runner", 30, 5, State::Sent), reminder("CI runner", 7, 5, State::Failed)];
    assert_eq!(read(&ends_in(5), &both), "30d ✓  7d ✕");
    assert_eq!(read(&ends_in(5), &[]), "30d –  7d ○", "decision 3: only the tightest is sent");
    assert_eq!(read(&ends_in(-1), &[]), "30d –  7d –");
    let replaced = short(&marks(&ends_in(5), &[30, 7], &[], false, noon())).0;
    assert_eq!(replaced, "30d –  7d –", "due is what the next sweep takes");
}

#[test]
fn a_reminder_for_an_earlier_expiry_says_nothing_about_this_one() {
    assert_eq!(read(&ends_in(20), &[reminder("CI runner", 30, 3, State::Sent)]), "30d ○  7d ·");
}

#[test]
fn a_threshold_longer_than_the_life_of_the_key_is_none() {
    let key = Key { created_at: noon() - Duration::days(1), ..ends_in(19) };
    assert_eq!(read(&key, &[]), "7d ·");
    let never = Key { expires_at: None, ..ends_in(5) };
    assert_eq!(marks(&never, &[30, 7], &[], true, noon()), []);
}

#[test]
fn what_went_wrong_gives_the_column_its_colour() {
    let role =
        |state| short(&marks(&ends_in(5), &[30, 7], &[reminder("CI runner", 7, 5, state)], true, noon())).1;
    assert_eq!(role(State::Failed), Role::Danger);
    assert_eq!(role(State::Ambiguous), Role::Warning);
    assert_eq!(role(State::Sent), Role::Muted);
}

#[test]
fn reminders_states_are_told_apart_without_colour() {
    let signs =
        [State::Pending, State::Sending, State::Sent, State::Written, State::Failed, State::Ambiguous]
            .map(|state| sign(state).0);
    for (place, one) in signs.iter().enumerate() {
        assert!(!signs[place + 1..].contains(one), "{signs:?}");
    }
}

#[test]
fn the_delivery_that_went_wrong_is_the_telling_one() {
    let mut reminder = reminder("CI runner", 7, 5, State::Failed);
    reminder.deliveries.reverse();
    assert_eq!(reminder.telling().map(|delivery| delivery.state), Some(State::Failed));
    assert!(matches!(Mark::Made(&reminder).sign(), ("✕", Role::Danger)));
    assert_eq!(told(&reminder, "", |_| false), "✕ failed, to ada@example.com (1 failed, 1 sent)");
    // It still waits for another recipient.
    reminder.state = State::Pending;
    assert_eq!(standing(&reminder), ("○ pending ✕1".to_owned(), Role::Danger));
    assert!(matches!(Mark::Made(&reminder).sign(), ("✕", Role::Danger)));
}
