//! Answers that come after the cursor was moved.

use crate::domain::subjects::Subjects;
use crate::service::{LiveEvent, PageRequest};
use crate::tui::effect::{Request, RequestId};
use crate::tui::message::Message;
use crate::tui::testing::{Desk, keys, numbered};

/// Lets the database answer all but what reads a single row.
fn settle_but_one(desk: &mut Desk) -> Vec<(RequestId, Request)> {
    let mut held = Vec::new();
    while !desk.asked.is_empty() {
        match desk.asked[0].1 {
            Request::Page(PageRequest { limit: 1, .. }) => held.push(desk.asked.remove(0)),
            _ => drop(desk.settle_once()),
        }
    }
    held
}

#[test]
fn an_answer_about_a_key_that_was_left_moves_nothing() {
    for screen in ["1 / \"status:active\" enter", "2"] {
        let mut desk = Desk::ready(100, 40, keys(300));
        desk.play(screen).play("j j");
        let gone = desk.selected_line();
        let selected = |key: &&mut crate::domain::key::Key| gone.contains(&format!("{} ", key.name));
        let key = desk.database.keys.iter_mut().find(selected).unwrap();
        key.revoked_at = Some(crate::tui::testing::noon());
        desk.send(Message::Live(LiveEvent::Changed(Subjects::KEYS)));
        let held = settle_but_one(&mut desk);
        assert_eq!(held.len(), 1, "{screen}");
        desk.play("j");
        let selected = desk.selected_line();
        assert_ne!(selected, gone, "{screen}");
        desk.asked.extend(held);
        desk.settle();
        assert_eq!(desk.selected_line(), selected, "{screen}");
    }
}

#[test]
fn a_new_key_takes_no_cursor_that_was_moved_meanwhile() {
    let mut desk = Desk::ready(100, 24, keys(500));
    desk.play("/ \"key 1\" enter").play("j j j");
    let mut new = numbered(900);
    new.name = "Brand new".into();
    desk.database.keys.insert(0, new.clone());
    let effects = desk.with(|shell| shell.made(crate::tui::opening::Made::Key(new.id)));
    desk.keep(effects);
    desk.strike("j");
    let selected = desk.selected_line();
    desk.settle();
    assert_eq!(desk.selected_line(), selected);
}
