//! The mail: whether reminders could be sent. Sends nothing.

use super::super::session::Session;
use super::Finding;
use crate::config::settings::Transport;

pub async fn examine(session: &Session) -> Vec<Finding> {
    let mail = &session.settings.mail;
    if let Some((first, more)) = mail.mistakes.split_first() {
        let cure = "fix it; until then no reminder is sent; everything else works";
        let also = more.iter().map(|mistake| Finding::problem("mail", mistake.to_string(), cure));
        return std::iter::once(Finding::problem("mail", first.to_string(), cure)).chain(also).collect();
    }
    if mail.transport.value == Transport::Directory && !mail.directory.value.exists() {
        let folder = mail.directory.value.display();
        let found = format!("letters become files in {folder}, which the first sweep makes");
        return vec![Finding::ok("mail", found)];
    }
    let desk = match session.mail_room().await {
        Ok(desk) => desk,
        Err(failure) => {
            return vec![Finding::problem(
                "mail",
                failure.to_string(),
                "see `keyrack info` for who decided it",
            )];
        }
    };
    match desk.mailer.check().await {
        Ok(found) => vec![Finding::ok("mail", found)],
        Err(error) => vec![Finding::problem(
            "mail",
            error.to_string(),
            "reminders wait until it is fixed; `keyrack info` shows the settings below mail.",
        )],
    }
}
