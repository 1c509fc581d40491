//! A session: what the server offers, and one letter after the other.

use lettre::transport::smtp::commands::{Data, Mail, Noop, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant};

use super::patience::Patience;
use super::talk::{Broken, Reply, Talk};
use crate::mail::LetterOutcome;
use crate::mail::message::Written;

/// What a conversation runs over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Wire for T {}

/// What the answer to EHLO offers, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub starttls: bool,
    /// AUTH PLAIN.
    pub plain: bool,
    /// AUTH LOGIN.
    pub login: bool,
    /// Addresses beyond ASCII (RFC 6531).
    pub smtputf8: bool,
    /// RFC 6152.
    pub eight_bit: bool,
}

impl Offers {
    pub fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        // The first line is the server's name.
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_whitespace().map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("STARTTLS") => offers.starttls = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("AUTH") => {
                    for word in words {
                        offers.plain |= word == "PLAIN";
                        offers.login |= word == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        offers
    }
}

/// A conversation in which letters can be sent. Dropping it closes the connection.
pub(super) struct Session {
    talk: Talk<Box<dyn Wire>>,
    offers: Offers,
    secured: Option<&'static str>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Ready for MAIL.
    Ready,
    /// In the middle of a letter that was given up; RSET makes it ready.
    Begun,
    /// Nobody knows what the server would take the next line for.
    Doubtful,
}

/// How far a delivery came.
#[derive(Debug)]
pub(super) enum Delivery {
    Done(LetterOutcome),
    /// The session had ended before MAIL was answered; a fresh one may do better. What that means if it does not.
    Ended(LetterOutcome),
}

impl Session {
    pub fn new(talk: Talk<Box<dyn Wire>>, offers: Offers, secured: Option<&'static str>) -> Self {
        Self { talk, offers, secured, state: State::Ready }
    }

    /// The version of TLS.
    pub fn secured(&self) -> Option<&'static str> {
        self.secured
    }

    pub fn is_usable(&self) -> bool {
        self.state != State::Doubtful
    }

    pub fn needs_reset(&self) -> bool {
        self.state == State::Begun
    }

    /// Sends one letter.
    pub async fn deliver(&mut self, letter: &Written, patience: &Patience, until: Instant) -> Delivery {
        let by = |phase: Duration| until.min(Instant::now() + phase);
        if letter.international() && !self.offers.smtputf8 {
            return Delivery::Done(LetterOutcome::Failed {
                answer: "this mail server takes no addresses beyond ASCII (SMTPUTF8); write the part behind the @ as xn--…"
                    .into(),
            });
        }
        // Whoever drops this future half-way leaves a session of which nothing is known.
        self.state = State::Doubtful;
        let mut parameters = Vec::new();
        if letter.international() {
            parameters.push(MailParameter::SmtpUtfEight);
            if self.offers.eight_bit {
                parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
            }
        }
        let mail = Mail::new(Some(letter.from.clone()), parameters).to_string();
        match self.talk.say(&mail, by(patience.mail)).await {
            Ok(reply) if reply.is_done() => {}
            Ok(reply) if reply.code == 421 => {
                return Delivery::Ended(LetterOutcome::Deferred { answer: reply.words() });
            }
            // The server wants a log-in, or has forgotten it: no letter would fare better.
            Ok(reply) if matches!(reply.code, 530 | 534 | 535 | 538) => {
                return Delivery::Done(LetterOutcome::Unavailable {
                    answer: format!("MAIL: {}", reply.words()),
                });
            }
            Ok(reply) => {
                self.state = State::Ready;
                return Delivery::Done(self.refused(&reply, "MAIL"));
            }
            Err(broken) => return Delivery::Ended(broken_off("MAIL", &broken)),
        }
        let rcpt = Rcpt::new(letter.to.clone(), Vec::new()).to_string();
        match self.talk.say(&rcpt, by(patience.rcpt)).await {
            Ok(reply) if reply.is_done() => {}
            Ok(reply) => {
                self.state = State::Begun;
                return Delivery::Done(self.refused(&reply, "RCPT"));
            }
            Err(broken) => return Delivery::Done(broken_off("RCPT", &broken)),
        }
        match self.talk.say(&Data.to_string(), by(patience.data)).await {
            Ok(reply) if reply.code == 354 => {}
            Ok(reply) => {
                self.state = State::Begun;
                return Delivery::Done(self.refused(&reply, "DATA"));
            }
            Err(broken) => return Delivery::Done(broken_off("DATA", &broken)),
        }
        // A letter about many keys is long: it may take all the time but what the final dot needs.
        let rest = until.checked_sub(patience.dot).unwrap_or(until);
        if let Err(broken) = self.talk.write(&stuffed(&letter.bytes), rest).await {
            return Delivery::Done(broken_off("DATA", &broken));
        }
        if until.saturating_duration_since(Instant::now()) < patience.dot {
            // Too little time for the answer: better surely not delivered than perhaps.
            return Delivery::Done(LetterOutcome::Deferred {
                answer: "no time was left for the final dot".into(),
            });
        }
        Delivery::Done(self.dot(until).await)
    }

    /// Sends the final dot. From here on silence means that nobody knows.
    async fn dot(&mut self, until: Instant) -> LetterOutcome {
        match self.talk.say(".\r\n", until).await {
            Ok(reply) if reply.is_done() => {
                self.state = State::Ready;
                LetterOutcome::Sent { answer: reply.words() }
            }
            Ok(reply) if reply.is_transient() || reply.is_permanent() => {
                self.state = State::Ready;
                self.refused(&reply, "final dot")
            }
            Ok(reply) => LetterOutcome::Ambiguous { answer: format!("final dot: {}", reply.words()) },
            Err(broken) => LetterOutcome::Ambiguous { answer: format!("final dot: {broken}") },
        }
    }

    /// What a reply that is not the wanted one means for the letter.
    fn refused(&mut self, reply: &Reply, phase: &str) -> LetterOutcome {
        if reply.code == 421 {
            // With this the server takes its leave (RFC 5321, 3.8).
            self.state = State::Doubtful;
        }
        // At MAIL the server judges the sender: it has not heard the recipient yet.
        let asked = if phase == "MAIL" { "MAIL: " } else { "" };
        let answer = format!("{asked}{}", reply.words());
        if reply.is_permanent() {
            LetterOutcome::Failed { answer }
        } else if reply.is_transient() {
            LetterOutcome::Deferred { answer }
        } else {
            // An answer to some other question: from now on every answer would be one too late.
            self.state = State::Doubtful;
            LetterOutcome::Broken { answer: format!("{phase}: {}", reply.words()) }
        }
    }

    /// Makes a session ready that waited or was left in the middle of a letter.
    pub async fn reset(&mut self, by: Instant) -> Result<(), String> {
        self.ask(&Rset.to_string(), "RSET", by).await
    }

    pub async fn noop(&mut self, by: Instant) -> Result<(), String> {
        self.ask(&Noop.to_string(), "NOOP", by).await
    }

    async fn ask(&mut self, command: &str, phase: &str, by: Instant) -> Result<(), String> {
        self.state = State::Doubtful;
        match self.talk.say(command, by).await {
            Ok(reply) if reply.is_done() => {
                self.state = State::Ready;
                Ok(())
            }
            Ok(reply) => Err(format!("{phase}: {}", reply.words())),
            Err(broken) => Err(format!("{phase}: {broken}")),
        }
    }

    /// Takes leave. Whether the server answers does not matter.
    pub async fn quit(mut self, patience: Duration) {
        let _ = self.talk.say(&Quit.to_string(), Instant::now() + patience).await;
    }
}

fn broken_off(phase: &str, broken: &Broken) -> LetterOutcome {
    LetterOutcome::Broken { answer: format!("{phase}: {broken}") }
}

/// The message with a second dot before every line that begins with one (RFC 5321, 4.5.2). Its lines end with CR LF.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out
}

#[cfg(test)]
mod tests;
