//! `keyrack reminders show`: a reminder and what became of it at each address.

use super::super::failure::Result;
use super::super::output::when;
use super::super::say;
use super::super::session::Session;
use crate::domain::reminder::{ReminderId, State};

pub async fn run(id: ReminderId, session: &Session) -> Result {
    let service = session.service().await?;
    let reminder = service.reminder(id).await?;
    let now = service.now().await?;
    session.printer().one(&reminder, now)?;
    if !session.format().for_people() || session.global.quiet {
        return Ok(());
    }
    for delivery in &reminder.deliveries {
        let tried = match delivery.attempts {
            0 => "not tried yet".to_owned(),
            1 => "tried once".to_owned(),
            many => format!("tried {many} times"),
        };
        let next = if delivery.state == State::Pending && delivery.next_at > now {
            format!(", again {}", when::relative(delivery.next_at, now))
        } else {
            String::new()
        };
        say(&format!(
            "  {}  {}  {}, {tried}{next}",
            session.zone().exact(delivery.changed_at),
            delivery.recipient,
            delivery.state.as_str()
        ));
        for (word, text) in [("answer", &delivery.answer), ("Message-ID", &delivery.letter)] {
            if let Some(text) = text {
                say(&format!("    {word}: {text}"));
            }
        }
    }
    if reminder.needs_attention() || reminder.was_written() {
        say(&format!("To send it again with the next sweep: keyrack reminders retry {}", reminder.id));
    }
    Ok(())
}
