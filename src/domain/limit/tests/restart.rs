//! What a log tells for a journal, what it takes from one, and the room that it keeps.

use super::*;

fn log(times: &[i64]) -> Log {
    let mut log = Log::default();
    for at in times {
        log.take(*at);
    }
    log
}

/// Requests whose distances take from one byte to six.
fn times() -> Vec<i64> {
    let mut at = START;
    let mut times = vec![at];
    for distance in [200, 0, 1, 127, 128, 16_383, 16_384, 3 * SECOND, 86_400 * SECOND, 5] {
        at += distance;
        times.push(at);
    }
    times
}

#[test]
fn the_last_requests_of_a_log_are_told_and_added_to_another() {
    let times = times();
    let whole = log(&times);
    assert_eq!((whole.taken(), whole.is_empty()), (times.len() as u64, false));
    for count in 0..times.len() + 2 {
        let (before, last) = times.split_at(times.len().saturating_sub(count));
        let told = whole.last_to_bytes(count as u64);
        assert_eq!(told, log(last).to_bytes(), "the last {count}");
        let mut other = log(before);
        assert_eq!(other.add_bytes(&told), Some(()));
        assert_eq!((other.to_bytes(), other.taken()), (whole.to_bytes(), whole.taken()), "the last {count}");
    }
    assert!(Log::default().last_to_bytes(3).is_empty());
}

#[test]
fn requests_that_are_not_whole_are_not_added() {
    let whole = log(&times()).to_bytes();
    let mut other = log(&[START]);
    for broken in [&whole[..5], &whole[..9], &[0xFF; 40]] {
        assert_eq!(other.add_bytes(broken), None, "{broken:?}");
        assert_eq!(other, log(&[START]));
    }
}

#[test]
fn a_log_that_grows_keeps_a_quarter_of_its_size_in_hand() {
    let (mut log, mut sizes) = (Log::default(), std::collections::BTreeSet::new());
    for i in 0..50_000_usize {
        log.take(START + i as i64);
        assert!(log.heap() <= i + i / 4 + 18, "{} bytes for {i}", log.heap());
        sizes.insert(log.heap());
    }
    assert!(sizes.len() < 60, "it moved {} times", sizes.len());
}

#[test]
fn a_log_gives_room_back_only_when_most_of_it_is_free() {
    // Bytes of the log before and after so many of 10,000 have left; the others came later.
    let heaps = |gone: i64| {
        let mut log = Log::default();
        let peek = |log: &mut Log, now| log.peek(&[budget(20_000, 100)], now, |_, _, _| {});
        for i in 0..10_000 {
            log.take(START + i + if i < gone { 0 } else { 50 * SECOND });
        }
        peek(&mut log, START + 99 * SECOND);
        let before = log.heap();
        peek(&mut log, START + 101 * SECOND);
        assert_eq!(i64::from(log.len()), 10_000 - gone);
        (before, log.heap())
    };
    let (before, after) = heaps(5_000);
    assert_eq!(after, before, "half of it is in use");
    let (before, after) = heaps(9_000);
    assert!((2_000..2_100).contains(&after), "{before} and {after}: twice of what is used");
}

#[test]
fn a_window_that_is_not_asked_for_any_more_keeps_no_log() {
    let mut window = Window::new(&[budget(10, 10), budget(10, 3_600)]);
    assert!(window.passes(START));
    window.0 = charge(&[budget(10, 10), budget(10, 60)]);
    assert!(window.passes(START + SECOND));
    assert_eq!(window.1.ends_at(), Some(START + 61 * SECOND));
}
