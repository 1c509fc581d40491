use super::*;
use chrono::Duration;

fn head(seq: i64, second: i64, hash: &str) -> Head {
    Head { seq, at: Instant::UNIX_EPOCH + Duration::seconds(second), hash: hash.into() }
}

fn gap(seen: Head, found: i64) -> Gap {
    Gap { seen_at: seen.at, seen, found }
}

#[test]
fn a_row_is_told_by_number_time_and_hash_where_it_is_known() {
    let row = head(7, 100, "ab");
    assert!(row.is(&head(7, 100, "ab")) && row.is(&head(7, 100, "")));
    for other in [head(7, 100, "cd"), head(7, 101, ""), head(8, 100, "ab")] {
        assert!(!row.is(&other), "{other:?}");
    }
}

#[test]
fn a_decision_covers_what_was_seen_before_it_and_no_more() {
    let gap = gap(head(1_310, 100, "ab"), 1_204);
    let accepted = |seen, second| Accepted { at: head(0, second, "").at, seen, leaves: false };
    assert!(gap.is_covered_by(&accepted(1_310, 200)) && gap.is_covered_by(&accepted(1_400, 200)));
    assert!(!gap.is_covered_by(&accepted(1_309, 200)), "somebody who had seen less");
    assert!(!gap.is_covered_by(&accepted(1_310, 50)), "about an earlier restore");
    assert_eq!(number_in(&subject(&gap.seen)), Some(1_310));
    assert_eq!(number_in("acme"), None);
}

#[test]
fn the_alarm_says_how_far_it_went_back_and_what_is_undone() {
    let back =
        History { here: 1_204, gaps: vec![gap(head(1_310, 0, ""), 1_204)], undone: 3, ..History::default() };
    assert_eq!(
        back.alarm(Zone::UTC).unwrap(),
        "This database is older than before: its newest change is 1,204, but 1,310 was seen 1970-01-01 00:00 UTC; 3 revocations \
         are undone"
    );
    let other = History { gaps: vec![gap(head(1_310, 0, ""), 1_400)], undone: 1, ..back };
    assert_eq!(
        other.alarm(Zone::UTC).unwrap(),
        "This database has a different history: change 1,310 isn't the one seen 1970-01-01 00:00 UTC; 1 revocation is undone"
    );
    assert_eq!(History::default().alarm(Zone::UTC), None);
}
