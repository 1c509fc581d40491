//! What an event of the terminal means.

use super::*;

fn press(c: char) -> Event {
    Event::Key(KeyEvent::from(KeyCode::Char(c)))
}

fn hurried(message: Option<Message>) -> bool {
    matches!(message, Some(Message::Key { hurried: true, .. }))
}

#[test]
fn keys_faster_than_a_person_types_are_hurried_and_the_next_slow_one_is_not() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut last = None;
    assert!(!hurried(message(press('d'), false, &mut last, at(0))));
    assert!(hurried(message(press('y'), false, &mut last, at(1))));
    assert!(hurried(message(press('y'), false, &mut last, at(2))));
    assert!(!hurried(message(press('y'), false, &mut last, at(60))));
}

#[test]
fn a_key_right_behind_a_paste_is_part_of_it() {
    let start = Instant::now();
    let mut last = None;
    message(Event::Paste("vx_abc".into()), false, &mut last, start);
    assert!(hurried(message(press('y'), false, &mut last, start + Duration::from_millis(2))));
}

#[test]
fn the_release_of_a_key_means_nothing() {
    let mut last = None;
    let release = KeyEvent::new_with_kind(KeyCode::Char('d'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(message(Event::Key(release), false, &mut last, Instant::now()), None);
}

#[test]
fn the_first_key_of_a_paste_without_brackets_is_hurried_like_its_last() {
    let start = Instant::now();
    let mut last = None;
    assert!(hurried(message(press('y'), true, &mut last, start)));
    assert!(hurried(message(press('y'), false, &mut last, start + Duration::from_millis(1))));
    assert!(!hurried(message(press('y'), false, &mut last, start + Duration::from_millis(90))));
}
