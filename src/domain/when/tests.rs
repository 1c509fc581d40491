use chrono::{DateTime, Datelike, Duration, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Weekday};
use proptest::prelude::*;

use super::*;
use crate::domain::Instant;

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// Los Angeles by the law of 2007.
fn los_angeles() -> Zone {
    const STANDARD: i32 = -8 * 3600;
    const SUMMER: i32 = -7 * 3600;
    fn offset(seconds: i32) -> FixedOffset {
        FixedOffset::east_opt(seconds).unwrap()
    }
    fn sunday(year: i32, month: u32, number: u8) -> NaiveDateTime {
        let day = NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, number).unwrap();
        day.and_hms_opt(2, 0, 0).unwrap()
    }
    fn at(utc: &NaiveDateTime) -> FixedOffset {
        let begin = sunday(utc.year(), 3, 2) - offset(STANDARD);
        let end = sunday(utc.year(), 11, 1) - offset(SUMMER);
        offset(if (begin..end).contains(utc) { SUMMER } else { STANDARD })
    }
    fn of(local: &NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        let fits = |seconds: i32| at(&(*local - offset(seconds))) == offset(seconds);
        match (fits(SUMMER), fits(STANDARD)) {
            (true, true) => MappedLocalTime::Ambiguous(offset(SUMMER), offset(STANDARD)),
            (true, false) => MappedLocalTime::Single(offset(SUMMER)),
            (false, true) => MappedLocalTime::Single(offset(STANDARD)),
            (false, false) => MappedLocalTime::None,
        }
    }
    Zone::new(at, of)
}

#[test]
fn spans_are_read_in_every_spelling() {
    for (texts, shown) in [
        (&["30m", "30 min", "30 Minutes", "in 30m", "1800s"][..], "30m"),
        (&["24h", "1d", "1 day", "1DAY", "24 hours"], "1d"),
        (&["90d", "in 90 days", "12w6d"], "90d"),
        (&["12w", "12 weeks"], "84d"),
        (&["1d12h", "1d 12h", "1 day 12 hours", "36h"], "36h"),
        (&["6mo", "6 months", "6MO"], "6mo"),
        (&["1y", "12mo", "1 year", "6mo6mo", "In 1 year"], "1y"),
        (&["1y1mo1h", "13mo 60m"], "13mo1h"),
        (&["500ms", "500 millis"], "500ms"),
        (&["0m", "0d"], "0d"),
    ] {
        for text in texts {
            let span = Span::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(span.to_string(), shown, "{text:?}");
            assert_eq!(Span::parse(shown), Ok(span), "{text:?}");
        }
    }
}

#[test]
fn what_is_no_span_is_refused_in_words_that_help() {
    for (text, words) in [
        ("3M", "3M could mean minutes or months: write 3m for minutes or 3mo for months"),
        ("1d 3M", "write 3m for minutes or 3mo for months"),
        ("90", "90 has no unit: write 90m, 90h, 90d, 90w, 90mo or 90y"),
        ("3q", "\"q\" isn't a unit of time: use s, m (minutes), h, d, w, mo (months) or y"),
        ("1001y", "a span is at most 1000 years"),
        ("99999999999999999999d", "at most 1000 years"),
        ("9223372036854775807y", "at most 1000 years"),
        ("1.5h", "\"1.5h\" isn't a valid span of time: write 30m, 24h"),
        ("", "isn't a valid span"),
        ("in", "isn't a valid span"),
        ("-3d", "isn't a valid span"),
        ("soon", "isn't a valid span"),
        ("2027-01-31", "isn't a valid span"),
        ("3\u{1b}[2J", "isn't a valid span"),
    ] {
        let error = Span::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
        assert!(error.chars().all(crate::domain::text::is_safe), "{error:?}");
    }
}

#[test]
fn months_and_years_go_by_the_calendar() {
    for (from, span, to) in [
        ("2026-01-31T12:00:00Z", "1mo", "2026-02-28T12:00:00Z"),
        ("2028-01-31T12:00:00Z", "1mo", "2028-02-29T12:00:00Z"),
        ("2027-11-21T12:00:00Z", "1y", "2028-11-21T12:00:00Z"),
        ("2028-02-29T12:00:00Z", "12mo", "2029-02-28T12:00:00Z"),
        ("2026-12-15T00:00:00Z", "1mo1d12h", "2027-01-16T12:00:00Z"),
    ] {
        assert_eq!(Span::parse(span).unwrap().after(at(from), Zone::UTC), Some(at(to)), "{from} + {span}");
    }
    // In Los Angeles it is still November, and clocks are put forward in between.
    let from = at("2026-12-01T04:00:00Z");
    assert_eq!(Span::parse("1mo").unwrap().after(from, los_angeles()), Some(at("2026-12-31T04:00:00Z")));
    assert_eq!(Span::parse("6mo").unwrap().after(from, los_angeles()), Some(at("2027-05-31T03:00:00Z")));
    assert_eq!(
        (-Span::parse("1mo").unwrap()).after(at("2026-03-31T12:00:00Z"), Zone::UTC),
        Some(at("2026-02-28T12:00:00Z"))
    );
    assert_eq!(Span::YEAR.after(Instant::MAX_UTC, Zone::UTC), None);
    assert_eq!(Span::parse("13mo1d").unwrap().longest(), Duration::days(366 + 31 + 1).to_std().unwrap());
}

#[test]
fn days_and_times_are_read_in_the_zone_here() {
    // A Friday evening in Los Angeles, a Saturday in UTC.
    let now = at("2026-11-28T04:00:00Z");
    let (utc, there) = (Here::utc(now), Here { now, zone: los_angeles() });
    for (text, in_utc, in_los_angeles) in [
        ("today", "2026-11-28T23:59:59Z", "2026-11-28T07:59:59Z"),
        ("Tomorrow", "2026-11-29T23:59:59Z", "2026-11-29T07:59:59Z"),
        ("2027-01-31", "2027-01-31T23:59:59Z", "2027-02-01T07:59:59Z"),
        ("2027-06-30", "2027-06-30T23:59:59Z", "2027-07-01T06:59:59Z"),
        ("saturday", "2026-12-05T23:59:59Z", "2026-11-29T07:59:59Z"),
        ("next fri", "2026-12-04T23:59:59Z", "2026-12-05T07:59:59Z"),
        ("end of month", "2026-11-30T23:59:59Z", "2026-12-01T07:59:59Z"),
        ("eoy", "2026-12-31T23:59:59Z", "2027-01-01T07:59:59Z"),
        ("2027-01-31 12:00", "2027-01-31T12:00:00Z", "2027-01-31T20:00:00Z"),
        ("2027-06-30t12:00:30", "2027-06-30T12:00:30Z", "2027-06-30T19:00:30Z"),
        ("tomorrow 9:30", "2026-11-29T09:30:00Z", "2026-11-28T17:30:00Z"),
        // Now it is 04:00, and 20:00 of the day before there.
        ("12:00", "2026-11-28T12:00:00Z", "2026-11-28T20:00:00Z"),
        ("4:00", "2026-11-29T04:00:00Z", "2026-11-28T12:00:00Z"),
        ("20:30", "2026-11-28T20:30:00Z", "2026-11-28T04:30:00Z"),
        ("18:00Z", "2026-11-28T18:00:00Z", "2026-11-28T18:00:00Z"),
        ("03:59:59 UTC", "2026-11-29T03:59:59Z", "2026-11-29T03:59:59Z"),
        ("23:30 -08:00", "2026-11-28T07:30:00Z", "2026-11-28T07:30:00Z"),
        ("2027-01-31T12:00Z", "2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        ("2027-01-31 12:00 UTC", "2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        ("2027-01-31 12:00+02:00", "2027-01-31T10:00:00Z", "2027-01-31T10:00:00Z"),
        ("2027-01-31 12:00 -0500", "2027-01-31T17:00:00Z", "2027-01-31T17:00:00Z"),
        // Clocks skip 02:30, and show 01:30 twice.
        ("2027-03-14 02:30", "2027-03-14T02:30:00Z", "2027-03-14T10:30:00Z"),
        ("2027-11-07 01:30", "2027-11-07T01:30:00Z", "2027-11-07T08:30:00Z"),
    ] {
        for (here, expected) in [(utc, in_utc), (there, in_los_angeles)] {
            let read = match Moment::parse(text, here, Side::Ahead) {
                Some(Moment::Day(day)) => here.zone.last_second(day).unwrap(),
                Some(Moment::At(at)) => at,
                None => panic!("{text:?}"),
            };
            assert_eq!(read, at(expected), "{text:?} in {:?}", here.zone);
        }
    }
    for text in [
        "",
        "25:00",
        "12:00 PST",
        "2027-02-30",
        "2027-01-31 25:00",
        "2027-01-31 12:00 PST",
        "2027-01-31 12:00Z Z",
        "0000-01-01",
        "ä:",
    ] {
        assert_eq!(Moment::parse(text, utc, Side::Ahead), None, "{text:?}");
    }
}

#[test]
fn looking_back_begins_with_the_first_instant_of_a_day() {
    let here = Here { now: at("2026-11-28T04:00:00Z"), zone: los_angeles() };
    for (text, expected) in [
        ("24h", "2026-11-27T04:00:00Z"),
        ("1mo", "2026-10-28T03:00:00Z"),
        ("today", "2026-11-27T08:00:00Z"),
        ("yesterday", "2026-11-26T08:00:00Z"),
        ("friday", "2026-11-20T08:00:00Z"),
        ("last monday", "2026-11-23T08:00:00Z"),
        ("2026-07-01", "2026-07-01T07:00:00Z"),
        ("2026-11-27 18:00", "2026-11-28T02:00:00Z"),
        ("19:00", "2026-11-28T03:00:00Z"),
        ("21:00", "2026-11-27T05:00:00Z"),
    ] {
        assert_eq!(here.since(text), Ok(at(expected)), "{text:?}");
    }
    assert!(here.since("3M").unwrap_err().to_string().contains("3m for minutes or 3mo for months"));
    assert!(here.since("soon").unwrap_err().to_string().contains("\"soon\" isn't a valid time"));
}

#[test]
fn an_exact_instant_names_its_zone() {
    assert_eq!(Zone::UTC.exact(at("2026-11-28T04:00:00Z")), "2026-11-28 04:00:00 UTC");
    assert_eq!(los_angeles().exact(at("2026-11-28T04:00:00Z")), "2026-11-27 20:00:00 -08:00");
}

#[test]
fn an_instant_reads_from_now_in_whole_units_rounded_down() {
    let now = at("2026-11-28T04:00:00Z");
    for (by, words) in [
        (Duration::zero(), "now"),
        (Duration::seconds(59), "now"),
        (Duration::seconds(-59), "now"),
        (Duration::seconds(119), "in 1m"),
        (Duration::minutes(-80), "1h ago"),
        (Duration::hours(16) - Duration::seconds(1), "in 15h"),
        (Duration::hours(-30), "1d ago"),
        (Duration::days(90) - Duration::seconds(2), "in 89d"),
        (Duration::days(364), "in 364d"),
        (Duration::days(-800), "2y ago"),
    ] {
        assert_eq!(relative(now + by, now), words, "{by}");
    }
}

proptest! {
    #[test]
    fn a_span_is_read_back(months in 0i64..12_000, millis in 0i64..30_000_000_000_000) {
        let span = Span::parse(&format!("{months}mo{millis}ms")).unwrap();
        prop_assert_eq!(Span::parse(&span.to_string()), Ok(span));
    }

    #[test]
    fn no_text_makes_the_grammar_panic(text in ".{0,30}|[0-9a-zM: +-]{0,25}|[0-9]{1,20}(mo|y|d|ms)", seconds in 0i64..250_000_000_000) {
        let now = Instant::from_timestamp(seconds, 0).unwrap();
        for zone in [Zone::UTC, los_angeles()] {
            let here = Here { now, zone };
            let _ = here.since(&text);
            if let Ok(span) = Span::parse(&text) {
                prop_assert!(span.after(now, zone).is_none_or(|at| at >= now - Duration::hours(1)));
            }
            if let Some(Moment::Day(day)) = Moment::parse(&text, here, Side::Ahead) {
                prop_assert!(zone.begin(day).unwrap() < zone.last_second(day).unwrap());
            }
        }
    }

    #[test]
    fn a_local_time_leads_back_to_its_instant(seconds in 0i64..4_000_000_000) {
        let at = Instant::from_timestamp(seconds, 0).unwrap();
        let back = los_angeles().instant(los_angeles().local(at).naive_local()).unwrap();
        prop_assert!(back == at || back == at - Duration::hours(1));
    }
}

#[test]
fn what_has_been_and_lies_in_the_future_is_marked() {
    let now = crate::domain::Instant::from_timestamp(1_800_000_000, 0).unwrap();
    let far = now + chrono::Duration::days(365 * 7978);
    assert_eq!(
        (ago(far, now), ago(now + chrono::Duration::minutes(30), now)),
        ("! future".into(), "now".into())
    );
}
