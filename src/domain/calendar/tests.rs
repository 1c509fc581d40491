use chrono::Duration;

use super::*;
use crate::domain::examples::noon;
use crate::domain::key::PlannedEnd;

/// The lines as a calendar reads them: those that begin with a blank go on with the one before.
fn unfolded(text: &str) -> Vec<String> {
    text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

#[test]
fn kr_17_a_key_is_one_event_that_stays_the_same_event() {
    let key = Key { expires_at: Some(noon() + Duration::days(30)), ..Key::example() };
    let first = unfolded(&event(&key, noon()).unwrap());
    let again = unfolded(&event(&key, noon() + Duration::days(1)).unwrap());
    let of = |lines: &[String], name: &str| {
        lines.iter().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap()
    };
    assert_eq!(of(&first, "UID:"), format!("key-{}@keyrack", key.id));
    assert_eq!(of(&first, "UID:"), of(&again, "UID:"));
    assert!(of(&first, "DTSTAMP:") < of(&again, "DTSTAMP:"), "the newer one is told by its stamp");
    assert_eq!(of(&first, "DTSTART:"), key.expires_at.unwrap().format("%Y%m%dT%H%M%SZ").to_string());
    assert!(of(&first, "SUMMARY:").ends_with("of acme expires"), "{first:?}");
    assert_eq!(of(&first, "TRIGGER:"), "-P7D");
}

#[test]
fn kr_17_what_never_ends_by_itself_is_no_event_and_a_plan_is() {
    assert_eq!(event(&Key::example(), noon()), None);
    let plan = PlannedEnd { at: noon() + Duration::days(3), by: "ada".into(), reason: None };
    let planned = event(&Key { planned: Some(plan), ..Key::example() }, noon()).unwrap();
    assert!(unfolded(&planned).iter().any(|line| line.ends_with("is revoked as planned")), "{planned}");
}

#[test]
fn kr_17_lines_are_folded_at_75_octets_and_texts_escaped() {
    let name = format!("a;b,c\\d {}", "梨😀".repeat(40));
    let key = Key {
        name: name.as_str().into(),
        description: "BEGIN:VEVENT".into(),
        expires_at: Some(noon() + Duration::days(30)),
        ..Key::example()
    };
    let text = begin() + &event(&key, noon()).unwrap() + end();
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line:?}");
    }
    let lines = unfolded(&text);
    assert!(lines.iter().any(|line| line.contains("a\\;b\\,c\\\\d 梨😀")), "{lines:?}");
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("BEGIN:VEVENT")).count(),
        1,
        "text begins nothing"
    );
    assert_eq!(
        (lines.first().unwrap().as_str(), lines.last().unwrap().as_str()),
        ("BEGIN:VCALENDAR", "END:VCALENDAR")
    );
}
