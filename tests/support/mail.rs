//! Mail servers for tests: a real one, and one that does whatever is worst.

pub mod certificates;
pub mod hostile;
pub mod sink;

use std::time::Duration;

use chrono::{TimeZone, Utc};
use keyrack::mail::{Letter, Letterhead, Mailer, Patience, Security, Sender, Smtp, SmtpSettings};
use zeroize::Zeroizing;

pub const USER: &str = "ada@example.com";
/// With blanks and beyond ASCII, as a pass phrase may be.
pub const PASSWORD: &str = "hunter2 ☃ correct horse";

/// From an operator with a name beyond ASCII.
pub fn head() -> Letterhead {
    Letterhead { from: Sender::new("keyrack@example.com", "Schlüsselbrett").unwrap(), reply_to: None }
}

/// A server on this machine, by the name that the certificates are made out to, and [`short`] deadlines.
pub fn settings(port: u16, security: Security) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".into(),
        port,
        security,
        ca_file: None,
        login: None,
        hello: Some("test.example".into()),
        connections: 4,
        patience: short(),
    }
}

pub fn with_login(settings: SmtpSettings) -> SmtpSettings {
    SmtpSettings { login: Some((USER.into(), Zeroizing::new(PASSWORD.into()))), ..settings }
}

pub fn mailer(settings: SmtpSettings) -> Mailer {
    Mailer::Smtp(Smtp::open(settings, head()).unwrap())
}

/// Deadlines that keep a test short and still are long enough for a machine that compiles meanwhile.
pub fn short() -> Patience {
    let one = Duration::from_millis(1500);
    Patience {
        check: one,
        connect: one,
        hello: 2 * one,
        login: one,
        mail: one,
        rcpt: one,
        data: one,
        dot: one,
        whole: Duration::from_secs(8),
    }
}

/// A letter whose every part can be told from all else that crosses a wire.
pub fn letter(to: &str) -> Letter {
    Letter {
        message_id: format!("k{}@example.com", to.bytes().map(|b| format!("{b:02x}")).collect::<String>()),
        to: to.into(),
        subject: "A token expires".into(),
        text: "Hello text-part-9f3a\n.\n..two dots\nQUIT\n".into(),
        html: "<p>Hello html-part-9f3a</p>\n".into(),
        reply_to: None,
        calendar: None,
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
    }
}
