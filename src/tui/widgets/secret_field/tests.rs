use super::*;

#[test]
fn it_never_grows_beyond_its_first_allocation() {
    let mut field = SecretInput::default();
    let place = field.text.as_ptr();
    for _ in 0..CAPACITY + 10 {
        field.key(KeyCode::Char('s').into());
    }
    assert_eq!((field.len(), field.text.as_ptr()), (CAPACITY, place));
    assert!(field.is_full());
    assert_eq!(format!("{field:?}"), "SecretInput(…)");
    field.key(KeyCode::Backspace.into());
    assert_eq!(field.take_with("").expose().len(), CAPACITY - 1);
    assert!(field.is_empty() && !field.is_full());
}
