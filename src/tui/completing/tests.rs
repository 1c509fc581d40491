use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Completing;
use crate::domain::text::SafeText;
use crate::service::InUse;
use crate::tui::effect::{Effect, Request, RequestId, To};
use crate::tui::testing::Desk;
use crate::tui::widgets::text_field::TextField;

const RIGHT: KeyEvent = KeyEvent::new(KeyCode::Right, KeyModifiers::NONE);

fn asked(effect: Option<Effect>) -> (RequestId, String) {
    match effect {
        Some(Effect::Ask { to, request: Request::Known { beginning, .. } }) => (to, beginning),
        other => panic!("{other:?}"),
    }
}

#[test]
fn kr_10_the_right_arrow_completes_an_owner_in_the_owners_own_spelling() {
    let shell = &mut Desk::new().state.shell;
    let mut completing = Completing::default();
    let mut field = TextField::with("plat");
    let (id, beginning) = asked(completing.follow(shell, To::Overlay(1), InUse::Owners, &field));
    assert_eq!(beginning, "plat");
    assert_eq!(completing.follow(shell, To::Overlay(1), InUse::Owners, &field), None, "asked once");
    assert!(!completing.take(InUse::Owners, &mut field, RIGHT), "nothing is offered yet");
    let found = vec![SafeText::new("Platform"), SafeText::new("Platform EU")];
    assert_eq!(completing.settle(shell, id, Ok(found)), []);
    assert_eq!(completing.hint(InUse::Owners, &field).as_deref(), Some("→ Platform · Platform EU"));
    assert!(completing.take(InUse::Owners, &mut field, RIGHT));
    assert_eq!(field.value(), "Platform");
    assert_eq!(completing.hint(InUse::Owners, &field), None, "of another beginning nothing is known");
}

#[test]
fn kr_10_of_several_tags_the_last_one_is_completed_and_only_at_its_end() {
    let shell = &mut Desk::new().state.shell;
    let mut completing = Completing::default();
    let mut field = TextField::with("prod, team:d");
    let (id, beginning) = asked(completing.follow(shell, To::Overlay(1), InUse::Tags, &field));
    assert_eq!(beginning, "team:d");
    completing.settle(shell, id, Ok(vec![SafeText::new("team:data")]));
    let mut inside = TextField::with_cursor("prod, team:d".into(), 3);
    assert!(!completing.take(InUse::Tags, &mut inside, RIGHT), "there the arrow moves the cursor");
    assert!(completing.take(InUse::Tags, &mut field, RIGHT));
    assert_eq!(field.value(), "prod, team:data");
}

#[test]
fn what_is_offered_is_for_what_stands_there_and_an_empty_field_asks_nothing() {
    let shell = &mut Desk::new().state.shell;
    let mut completing = Completing::default();
    assert_eq!(completing.follow(shell, To::Overlay(1), InUse::Owners, &TextField::default()), None);
    let (first, _) = asked(completing.follow(shell, To::Overlay(1), InUse::Owners, &TextField::with("a")));
    let field = TextField::with("ab");
    assert_eq!(completing.follow(shell, To::Overlay(1), InUse::Owners, &field), None, "one at a time");
    let next = completing.settle(shell, first, Ok(vec![SafeText::new("Anna")]));
    assert_eq!(completing.hint(InUse::Owners, &field), None);
    let (second, beginning) = asked(next.into_iter().next());
    assert_eq!(beginning, "ab");
    completing.settle(shell, second, Ok(vec![SafeText::new("ab"), SafeText::new("Abby")]));
    assert_eq!(completing.hint(InUse::Owners, &field).as_deref(), Some("→ Abby"));
}
