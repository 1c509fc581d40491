use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Form, Pressed, YesNo};
use crate::config::keymap::Action;
use crate::tui::input::Key;

fn key(action: Action, hurried: bool) -> Key {
    Key {
        action: Some(action),
        event: KeyEvent::new(KeyCode::Null, KeyModifiers::NONE),
        hurried,
        unread: false,
    }
}

const FIELDS: [char; 2] = ['a', 'b'];

fn press(form: &mut Form<char>, action: Action) -> Pressed {
    form.press(key(action, false), &FIELDS, false)
}

#[test]
fn the_cursor_goes_round_through_fields_and_buttons() {
    let mut form = Form::new('a');
    let mut stops = Vec::new();
    for _ in 0..4 {
        stops.push(form.field());
        assert_eq!(press(&mut form, Action::NextField), Pressed::Nothing);
    }
    assert_eq!(stops, [Some('a'), Some('b'), None, None]);
    assert!(form.on('a'), "round and round");
    press(&mut form, Action::PreviousField);
    assert!(form.on_button());
}

#[test]
fn enter_goes_on_in_a_field_and_presses_a_button() {
    let mut form = Form::new('b');
    assert_eq!(press(&mut form, Action::Press), Pressed::Nothing);
    assert_eq!(press(&mut form, Action::Press), Pressed::Go);
    press(&mut form, Action::FieldRight);
    assert_eq!(press(&mut form, Action::Press), Pressed::Close);
    press(&mut form, Action::FieldLeft);
    assert_eq!(press(&mut form, Action::Press), Pressed::Go);
}

#[test]
fn a_questions_default_is_no_and_yes_takes_another_key() {
    let mut form = YesNo::question();
    assert_eq!(form.press(key(Action::PressButton, false), &[], false), Pressed::Close);
    form.press(key(Action::NextButton, false), &[], false);
    assert_eq!(form.press(key(Action::PressButton, false), &[], false), Pressed::Go);
    assert_eq!(form.press(key(Action::Yes, false), &[], false), Pressed::Go);
    assert_eq!(form.press(key(Action::No, false), &[], false), Pressed::Close);
}

#[test]
fn keys_faster_than_a_person_types_do_nothing_but_move() {
    for action in [Action::Submit, Action::Yes, Action::Press, Action::PressButton] {
        let mut form = Form::new('a');
        form.go_to_go();
        assert_eq!(form.press(key(action, true), &FIELDS, false), Pressed::Nothing, "{action:?}");
    }
}

#[test]
fn left_and_right_belong_to_a_text_and_else_to_the_field() {
    let mut form = Form::new('a');
    let left = key(Action::FieldLeft, false);
    assert_eq!(form.press(left, &FIELDS, true), Pressed::Text(left.event));
    assert_eq!(form.press(left, &FIELDS, false), Pressed::Sideways(-1));
}
