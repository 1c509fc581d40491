use chrono::{FixedOffset, MappedLocalTime, TimeZone, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::issuer::ExpiryRule;
use crate::domain::when::{Here, Zone};

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
        ("1 year", at("2027-11-21T12:00:00Z")),
        ("12mo", at("2027-11-21T12:00:00Z")),
        ("2w", Expiry::Days(14)),
        ("3mo", at("2027-02-21T12:00:00Z")),
        ("3 Months", at("2027-02-21T12:00:00Z")),
        ("30D", Expiry::Days(30)),
        ("2027-01-31 12:00", at("2027-01-31T12:00:00Z")),
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
        assert_eq!(Expiry::parse(text, Here::utc(now())), Ok(expected), "{text:?}");
    }
}

#[test]
fn what_is_not_in_the_future_or_absurdly_far_is_refused_in_words() {
    for (text, words) in [
        ("", "isn't a valid expiry"),
        ("soon", "\"soon\" isn't a valid expiry"),
        ("-30d", "isn't a valid expiry"),
        ("2027-02-30", "isn't a valid expiry"),
        ("\u{1b}[2J", "isn't a valid expiry"),
        ("0d", "not in the future"),
        ("2026-11-20", "2026-11-20 23:59 UTC is not in the future"),
        ("2026-11-21T12:00Z", "not in the future"),
        ("9500-01-01", "beyond the year 9000"),
        ("9999y", "at most 1000 years"),
        ("3M", "3M could mean minutes or months: write 3m for minutes or 3mo for months"),
        ("3 fortnights", "\"fortnights\" isn't a unit of time"),
        ("90", "90 has no unit"),
    ] {
        let error = Expiry::parse(text, Here::utc(now())).unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
        assert!(error.chars().all(crate::domain::text::is_safe), "{error:?}");
    }
    assert_eq!(
        check_expiry(&ExpiryRule::default(), Expiry::Days(u32::MAX), Here::utc(now())),
        Err(ExpiryError::TooFar)
    );
}

#[test]
fn what_is_past_is_told_in_the_zone_here() {
    let zone = Zone::new(
        |_| FixedOffset::west_opt(8 * 3600).unwrap(),
        |_| MappedLocalTime::Single(FixedOffset::west_opt(8 * 3600).unwrap()),
    );
    let here = Here { now: now(), zone };
    for (text, words) in [
        ("2026-11-20 09:30", "2026-11-20 09:30 -08:00 is not in the future: choose a later time"),
        ("2026-11-20 09:30Z", "2026-11-20 01:30 -08:00 is not in the future: choose a later time"),
    ] {
        assert_eq!(Expiry::parse(text, here).unwrap_err().to_string(), words);
    }
}

#[test]
fn a_policy_may_offer_its_choices_only() {
    let rule = ExpiryRule { custom: false, ..ExpiryRule::default() };
    for choice in &rule.choices {
        assert_eq!(check_expiry(&rule, *choice, Here::utc(now())), Ok(()));
    }
    let error = check_expiry(&rule, Expiry::Days(31), Here::utc(now())).unwrap_err();
    assert_eq!(error.to_string(), "this policy offers only never, 30d, 90d, 365d");
    assert!(check_expiry(&ExpiryRule::default(), Expiry::Days(31), Here::utc(now())).is_ok());
}

#[test]
fn vg_10_a_year_is_the_choice_of_365_days_where_a_policy_offers_it() {
    // The year that follows has a 29 February.
    let here = Here::utc(Utc.with_ymd_and_hms(2027, 11, 21, 12, 0, 0).unwrap());
    let rule = ExpiryRule { custom: false, ..ExpiryRule::default() };
    let (days, calendar) = (Expiry::Days(365), at("2028-11-21T12:00:00Z"));
    for text in ["1y", "1 year", "12mo"] {
        assert_eq!(rule.read(text, here), Ok(days));
        assert_eq!(Expiry::parse(text, here), Ok(calendar));
    }
    let own = ExpiryRule { choices: vec![Expiry::Never], ..ExpiryRule::default() };
    assert_eq!(own.read("1y", here), Ok(calendar));
    assert_eq!(own.read("365d", here), Ok(days));
}

#[test]
fn an_overlap_has_any_spelling_of_its_length() {
    for (text, overlap) in [
        ("none", Overlap::None),
        ("0m", Overlap::None),
        ("15m", Overlap::Minutes15),
        ("60m", Overlap::Hour1),
        ("1 day", Overlap::Hours24),
        ("1w", Overlap::Days7),
    ] {
        assert_eq!(Overlap::parse(text), Ok(overlap), "{text}");
    }
    for text in ["", "2h", "1mo", "today"] {
        assert_eq!(Overlap::parse(text), Err(OverlapError::NotOffered), "{text}");
    }
    let error = Overlap::parse("15M").unwrap_err().to_string();
    assert_eq!(error, "15M could mean minutes or months: write 15m for minutes or 15mo for months");
}

#[test]
fn a_policy_may_bound_the_life_of_a_key() {
    let rule = ExpiryRule { max_days: Some(90), ..ExpiryRule::default() };
    let check = |expiry| check_expiry(&rule, expiry, Here::utc(now()));
    assert_eq!(check(Expiry::Days(90)), Ok(()));
    assert_eq!(check(Expiry::Days(91)), Err(ExpiryError::TooLong(90)));
    assert_eq!(check(at("2027-03-01T00:00:00Z")), Err(ExpiryError::TooLong(90)));
    assert_eq!(check(Expiry::Never), Err(ExpiryError::NeverForbidden(90)));
}

proptest! {
    #[test]
    fn the_text_form_is_read_back(days in 1u32..300_000, seconds in 1i64..200_000_000_000) {
        for expiry in [Expiry::Never, Expiry::Days(days), Expiry::At(now() + chrono::Duration::seconds(seconds))] {
            prop_assert_eq!(Expiry::parse(&expiry.to_string(), Here::utc(now())), Ok(expiry));
            prop_assert_eq!(Expiry::try_from(expiry.to_string()), Ok(expiry));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,30}|[0-9a-z: +-]{0,25}") {
        if let Ok(expiry) = Expiry::parse(&text, Here::utc(now())) {
            prop_assert!(expiry.instant(now()).is_none_or(|at| at > now()));
        }
    }
}
