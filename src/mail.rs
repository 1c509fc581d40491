//! Mail. The only room that names lettre and TLS.
//!
//! A [`Letter`] is handed to a [`Mailer`], which answers within half a minute with one of these [`LetterOutcome`]s, whatever the
//! server does. Nothing here knows the database: what a letter says comes from [`Templates`], when and to whom it goes is
//! the service's business.

mod address;
mod blame;
mod clean;
mod directory;
mod memory;
mod message;
mod smtp;
mod templates;

pub use address::check_address;
pub use blame::Blame;
pub use directory::Directory;
pub use memory::Memory;
pub use message::{Letterhead, Sender};
pub use smtp::{Patience, Security, Smtp, SmtpSettings};
pub use templates::{KeyLine, NoticeLine, NoticeMail, ReminderLine, ReminderMail, Rendered, Templates};

use crate::domain::Instant;

/// Where letters go.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// A mail server.
    Smtp(Smtp),
    /// A folder of `.eml` files, for a machine without a mail server.
    Directory(Directory),
    /// This process, for tests.
    Memory(Memory),
}

/// One letter to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Without the angle brackets. The same for every repeat of the same letter, so that a repeat can be recognised.
    pub message_id: String,
    /// The recipient's bare address.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Where answers go, if not where the letterhead says: a bare address.
    pub reply_to: Option<String>,
    /// What goes with it, for calendars.
    pub calendar: Option<String>,
    /// When it was written: its `Date`.
    pub at: Instant,
}

/// What became of a letter. `answer` is the server's own reply with its code, or what happened instead; one short line of
/// safe text for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterOutcome {
    /// The server took it over, or it is a file: see [`Mailer::leaves`].
    Sent { answer: String },
    /// Refused for good (5yz): trying again would not help.
    Failed { answer: String },
    /// Not now (4yz): surely not delivered.
    Deferred { answer: String },
    /// The session broke, fell silent or spoke no SMTP before the final dot: surely not delivered. As
    /// [`LetterOutcome::Deferred`] for this letter; where it happens to every letter, it is the server's fault.
    Broken { answer: String },
    /// There was no session to send it in: no connection, no greeting, no TLS, a wrong certificate, a refused log-in.
    /// It says nothing about this letter; the next one would fare the same.
    Unavailable { answer: String },
    /// The final dot may have left and no answer came (H19): it may have been delivered.
    Ambiguous { answer: String },
}

impl LetterOutcome {
    /// The server's words, or ours.
    pub fn answer(&self) -> &str {
        match self {
            Self::Sent { answer }
            | Self::Failed { answer }
            | Self::Deferred { answer }
            | Self::Broken { answer }
            | Self::Unavailable { answer }
            | Self::Ambiguous { answer } => answer,
        }
    }
}

/// Why a mailer can't be opened, or why [`Mailer::check`] is not content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The settings contradict themselves or name something that can't be used.
    #[error("{0}")]
    Settings(String),
    /// The server can't be used as things are.
    #[error("{place}: {why}")]
    Server { place: String, why: String },
    /// The folder can't be used as things are.
    #[error("{place}: {why}. Name a folder that you may write to")]
    Directory { place: String, why: String },
}

impl Mailer {
    /// Sends one letter. Returns within [`Patience::whole`] (29.5 s unless set otherwise), never panics, and tells exactly
    /// what is known. When the future is dropped, the connection is closed.
    pub async fn send(&self, letter: &Letter) -> LetterOutcome {
        match self {
            Self::Smtp(smtp) => smtp.send(letter).await,
            Self::Directory(directory) => directory.send(letter).await,
            Self::Memory(memory) => memory.send(letter),
        }
    }

    /// Does everything but send: connects, encrypts, logs in, says NOOP and takes leave; or writes to the folder and
    /// removes it again. Answers what it found, in a sentence.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub async fn check(&self) -> Result<String, MailError> {
        match self {
            Self::Smtp(smtp) => smtp.check().await,
            Self::Directory(directory) => directory.check().await,
            Self::Memory(_) => Ok("mail stays in memory".into()),
        }
    }

    /// Where letters go, for a person: `smtp.example.com:587 (STARTTLS)` or the folder. Never the password.
    pub fn describe(&self) -> String {
        match self {
            Self::Smtp(smtp) => smtp.describe(),
            Self::Directory(directory) => directory.describe(),
            Self::Memory(_) => "memory".into(),
        }
    }

    /// Whether letters leave this machine.
    pub fn leaves(&self) -> bool {
        !matches!(self, Self::Directory(_))
    }

    /// How many letters may be sent at once, at least 1.
    pub fn lanes(&self) -> usize {
        match self {
            Self::Smtp(smtp) => smtp.lanes(),
            Self::Directory(_) | Self::Memory(_) => 1,
        }
    }

    /// The most letters a minute, if somebody set it.
    pub fn rate(&self) -> Option<u32> {
        match self {
            Self::Smtp(smtp) => smtp.rate(),
            Self::Directory(_) | Self::Memory(_) => None,
        }
    }

    /// Takes leave of the server on all connections that wait for a next letter. Does not wait for letters under way.
    pub async fn close(&self) {
        if let Self::Smtp(smtp) = self {
            smtp.close().await;
        }
    }
}
