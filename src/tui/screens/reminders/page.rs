//! Everything about one reminder, as a page to read.

use crate::config::keymap::Action;
use crate::domain::reminder::{Delivery, Reminder, State};
use crate::domain::text::SafeText;
use crate::tui::opening::{About, Part};
use crate::tui::shell::Shell;
use crate::tui::view::reminders::with_sign;
use crate::tui::view::times;

/// Title and parts, and the key that one can go to from there.
pub fn of(shell: &Shell, reminder: &Reminder) -> (String, Vec<Part>, About) {
    let title = format!("{} days before {} ends", reminder.days_before, reminder.key_name);
    let exact = |at| times::exact(at, shell.utc);
    let with_age = |at| format!("{}, {}", exact(at), times::relative(at, shell.now));
    let why = reminder.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let account = SafeText::new(reminder.account.clone());
    let issuer = SafeText::new(reminder.issuer.clone());
    let mixed = reminder.mixed().map(|mixed| format!(" ({mixed})")).unwrap_or_default();
    let mut parts = vec![
        Part::Fact("State", format!("{}{why}{mixed}", with_sign(reminder.state))),
        Part::Fact("Key", reminder.key_name.as_str().to_owned()),
        Part::Fact("Preview", reminder.preview.as_str().to_owned()),
        Part::Fact("Account", format!("{account} ({issuer})")),
        Part::Fact("Expires", with_age(reminder.expires_at)),
        Part::Fact("Due since", with_age(reminder.due_at)),
        Part::Fact("Changed", with_age(reminder.changed_at)),
        Part::Fact("Id", reminder.id.to_string()),
    ];
    for delivery in &reminder.deliveries {
        parts.extend([Part::Space, Part::Heading(format!("To {}", delivery.recipient))]);
        parts.extend(facts(shell, delivery));
    }
    if reminder.deliveries.is_empty() {
        parts.extend([Part::Space, Part::Words("It has not been sent to anybody yet.".into())]);
    }
    parts.push(Part::Space);
    let key = shell.keymap.key(Action::GoToKey);
    let mut words = format!("{key} goes to the key.");
    if reminder.needs_attention() || reminder.was_written() {
        let retry = shell.keymap.key(Action::Retry);
        words.push_str(&format!(" To send it again: {retry} in the list."));
    }
    parts.push(Part::Words(words));
    (title, parts, About { revoke: None, ..About::key(reminder.key) })
}

fn facts(shell: &Shell, delivery: &Delivery) -> Vec<Part> {
    let exact = |at| times::exact(at, shell.utc);
    let tries = match delivery.attempts {
        0 => "not tried yet".to_owned(),
        1 => "tried once".to_owned(),
        attempts => format!("tried {attempts} times"),
    };
    let mut parts = vec![Part::Fact("State", format!("{}, {tries}", with_sign(delivery.state)))];
    if delivery.attempts > 0 {
        parts.push(Part::Fact("At", exact(delivery.changed_at)));
    }
    if delivery.state == State::Pending && delivery.next_at > shell.now {
        let words = format!(
            "not before {}, {}",
            exact(delivery.next_at),
            times::relative(delivery.next_at, shell.now)
        );
        parts.push(Part::Fact("Next try", words));
    }
    if let Some(answer) = &delivery.answer {
        parts.push(Part::Fact("Answer", answer.as_str().to_owned()));
    }
    if let Some(letter) = &delivery.letter {
        parts.push(Part::Fact("Message-ID", letter.as_str().to_owned()));
    }
    parts
}
