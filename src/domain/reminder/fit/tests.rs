use chrono::{Duration, TimeZone, Utc};

use super::*;
use crate::domain::issuer::policy_file;

fn day(n: i64) -> Instant {
    Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap() + Duration::days(n)
}

/// The presets, and one issuer with thresholds of its own.
fn rules() -> Rules {
    let mut policies = policy_file::all_presets();
    let mut own = policies[0].clone();
    own.slug = "own".into();
    own.reminders.days_before = vec![60, 14, 1];
    policies.push(own);
    Rules::new(policies.into_iter().map(Issuer::with).collect())
}

/// A reminder of a key that lives 90 days from day 0.
fn case(issuer: &str, days_before: u32) -> Case {
    Case {
        reminder: uuid::Uuid::nil(),
        days_before,
        expires_at: day(90),
        state: State::Pending,
        subject: Subject {
            key: uuid::Uuid::nil(),
            name: "hub".into(),
            preview: "x_••••abcd".into(),
            account: "acme".into(),
            account_name: "Acme".into(),
            admins: vec!["it@acme.example".into()],
            issuer: issuer.into(),
            created_at: day(0),
            expires_at: Some(day(90)),
            planned: false,
            ends_at: day(90),
            last_used_at: None,
            revoked: false,
            successor_ends_at: None,
        },
    }
}

fn not(state: State, why: &str) -> Fit {
    Fit::Not { state, why: why.into() }
}

#[test]
fn issuers_with_the_same_thresholds_share_their_stretches_and_the_tightest_come_first() {
    let bands = rules().bands(day(0));
    let days: Vec<(u32, usize)> = bands.iter().map(|band| (band.days, band.issuers.len())).collect();
    assert_eq!(days, [(1, 1), (7, 4), (14, 1), (30, 4), (60, 1)]);
    let thirty = &bands[3];
    assert_eq!((thirty.after, thirty.until), (day(7), day(30)));
    assert!(thirty.issuers.is_sorted());
    let coming = rules().coming(day(0), day(7));
    assert_eq!((coming[3].after, coming[3].until), (day(30), day(37)));
}

#[test]
fn a_reminder_is_fit_until_the_next_tighter_threshold_or_the_end() {
    let fit = |days, now| rules().fit(&case("voicegram", days), now);
    assert_eq!(fit(30, day(60)), Fit::Until(day(83)));
    assert_eq!(fit(7, day(83)), Fit::Until(day(90)));
    assert_eq!(fit(30, day(83)), not(State::Superseded, "7 days"));
    assert_eq!(fit(7, day(90)), not(State::Cancelled, "expired"));
}

#[test]
fn a_reminder_of_a_key_that_ended_or_changed_is_cancelled() {
    let with = |change: fn(&mut Case)| {
        let mut case = case("voicegram", 30);
        change(&mut case);
        rules().fit(&case, day(61))
    };
    assert_eq!(with(|case| case.subject.revoked = true), not(State::Cancelled, "revoked"));
    assert_eq!(with(|case| case.subject.expires_at = Some(day(70))), not(State::Cancelled, "expiry changed"));
    assert_eq!(with(|case| case.subject.expires_at = None), not(State::Cancelled, "expiry changed"));
    assert_eq!(with(|case| case.subject.ends_at = day(61)), not(State::Cancelled, "nobody confirmed it"));
    assert_eq!(
        with(|case| case.subject.successor_ends_at = Some(day(99))),
        not(State::Cancelled, "replaced")
    );
    assert_eq!(with(|case| case.subject.successor_ends_at = Some(day(61))), Fit::Until(day(83)));
    let dropped = not(State::Cancelled, "no threshold of the policy any more");
    assert_eq!(with(|case| case.days_before = 20), dropped);
    assert_eq!(with(|case| case.subject.issuer = "gone".into()), dropped);
}
