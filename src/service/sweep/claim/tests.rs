use uuid::Uuid;

use super::message_id;

#[test]
fn a_message_id_tells_the_reminders_and_the_recipient_and_nothing_else() {
    let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
    let id = message_id(&ids, "ada@example.com", "mail.example");
    let (left, right) = id.split_once('@').unwrap();
    assert!(
        left.len() == 32 && left.bytes().all(|b| b.is_ascii_hexdigit()) && right == "mail.example",
        "{id}"
    );
    let turned = [ids[1], ids[0]];
    assert_eq!(message_id(&turned, "ada@example.com", "mail.example"), id, "in any order");
    assert_ne!(message_id(&ids[..1], "ada@example.com", "mail.example"), id);
    assert_ne!(message_id(&ids, "eve@example.com", "mail.example"), id);
}
