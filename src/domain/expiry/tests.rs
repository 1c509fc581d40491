use chrono::{TimeZone, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::issuer::ExpiryRule;

/// A Saturday.
fn now() -> Instant {
    Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap()
}

fn at(text: &str) -> Expiry {
    Expiry::At(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

#[test]
fn vg_10_an_expiry_is_never_a_number_of_days_or_any_instant() {
    for (text, expected) in [
        ("never", Expiry::Never),
        (" Never expires ", Expiry::Never),
        ("30d", Expiry::Days(30)),
        ("30 days", Expiry::Days(30)),
        ("in 90 days", Expiry::Days(90)),
        ("1 year", Expiry::Days(365)),
        ("1y", Expiry::Days(365)),
        ("2w", Expiry::Days(14)),
        ("3mo", Expiry::Days(90)),
        ("24h", Expiry::Days(1)),
        ("12h", at("2026-11-22T00:00:00Z")),
        ("1d12h", at("2026-11-23T00:00:00Z")),
        ("2027-01-31", at("2027-01-31T23:59:59Z")),
        ("2027-01-31T12:00Z", at("2027-01-31T12:00:00Z")),
        ("2027-01-31t12:00:30+02:00", at("2027-01-31T10:00:30Z")),
        ("2027-01-31T12:00-05:00", at("2027-01-31T17:00:00Z")),
        ("today", at("2026-11-21T23:59:59Z")),
        ("tomorrow", at("2026-11-22T23:59:59Z")),
        ("eom", at("2026-11-30T23:59:59Z")),
        ("End of Month", at("2026-11-30T23:59:59Z")),
        ("eoy", at("2026-12-31T23:59:59Z")),
        ("next friday", at("2026-11-27T23:59:59Z")),
        ("sat", at("2026-11-28T23:59:59Z")),
        ("sunday", at("2026-11-22T23:59:59Z")),
    ] {
        assert_eq!(Expiry::parse(text, now()), Ok(expected), "{text:?}");
    }
}

#[test]
fn what_is_not_in_the_future_or_absurdly_far_is_refused_in_words() {
    for (text, words) in [
        ("", "is no expiry"),
        ("soon", "\"soon\" is no expiry"),
        ("-30d", "is no expiry"),
        ("2027-02-30", "is no expiry"),
        ("\u{1b}[2J", "is no expiry"),
        ("0d", "not in the future"),
        ("2026-11-20", "2026-11-20 23:59 UTC is not in the future"),
        ("2026-11-21T12:00Z", "not in the future"),
        ("9500-01-01", "beyond the year 9000"),
        ("9999y", "is no expiry"),
    ] {
        let error = Expiry::parse(text, now()).unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
        assert!(error.chars().all(crate::domain::text::is_safe), "{error:?}");
    }
    assert_eq!(check_expiry(&ExpiryRule::default(), Expiry::Days(u32::MAX), now()), Err(ExpiryError::TooFar));
}

#[test]
fn a_policy_may_offer_its_choices_only() {
    let rule = ExpiryRule { custom: false, ..ExpiryRule::default() };
    for choice in &rule.choices {
        assert_eq!(check_expiry(&rule, *choice, now()), Ok(()));
    }
    let error = check_expiry(&rule, Expiry::Days(31), now()).unwrap_err();
    assert_eq!(error.to_string(), "this policy offers only never, 30d, 90d, 365d");
    assert!(check_expiry(&ExpiryRule::default(), Expiry::Days(31), now()).is_ok());
}

#[test]
fn a_policy_may_bound_the_life_of_a_key() {
    let rule = ExpiryRule { max_days: Some(90), ..ExpiryRule::default() };
    assert_eq!(check_expiry(&rule, Expiry::Days(90), now()), Ok(()));
    assert_eq!(check_expiry(&rule, Expiry::Days(91), now()), Err(ExpiryError::TooLong(90)));
    assert_eq!(check_expiry(&rule, at("2027-03-01T00:00:00Z"), now()), Err(ExpiryError::TooLong(90)));
    assert_eq!(check_expiry(&rule, Expiry::Never, now()), Err(ExpiryError::NeverForbidden(90)));
}

proptest! {
    #[test]
    fn the_text_form_is_read_back(days in 1u32..300_000, seconds in 1i64..200_000_000_000) {
        for expiry in [Expiry::Never, Expiry::Days(days), Expiry::At(now() + chrono::Duration::seconds(seconds))] {
            prop_assert_eq!(Expiry::parse(&expiry.to_string(), now()), Ok(expiry));
            prop_assert_eq!(Expiry::try_from(expiry.to_string()), Ok(expiry));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,30}|[0-9a-z: +-]{0,25}") {
        if let Ok(expiry) = Expiry::parse(&text, now()) {
            prop_assert!(expiry.instant(now()).is_none_or(|at| at > now()));
        }
    }
}
