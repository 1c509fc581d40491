//! What an outcome that is no success says beyond its own letter.

use super::LetterOutcome;

/// Whom a letter's trouble is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// This letter or its recipient.
    Letter,
    /// How many letters come at a time, or how fast: it surely was not delivered, and can go a little later.
    Pace,
    /// This machine, its sender or its log-in, or the server: the next letter would fare the same.
    Machine,
    /// Perhaps the letter and perhaps the machine: where every letter is refused with these very words, the machine.
    Unsure,
}

/// Words of servers that are asked too much (Postfix, Exim, Exchange, the large providers).
const PACE: [&str; 8] =
    ["too many", "too much", "too fast", "slow down", "throttl", "rate limit", "sending rate", "concurrent"];
/// Words about who sends, which servers like to say when they hear the recipient.
const MACHINE: [&str; 7] =
    ["helo", "ehlo", "client host", "sender address", "sender rejected", "reverse hostname", "authenticat"];
/// Words about the recipient.
const RECIPIENT: [&str; 6] =
    ["user unknown", "unknown user", "no such user", "mailbox", "recipient address", "quota"];

impl LetterOutcome {
    /// Whom it is about, if it is no success.
    pub fn blame(&self) -> Blame {
        let said = self.answer().to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        // The phase stands before the code where the session had not come as far as the recipient.
        let reply = match said.split_once(": ") {
            Some((_, reply)) if !said.starts_with(|c: char| c.is_ascii_digit()) => reply,
            _ => said.as_str(),
        };
        let code = |text: &str| text.get(..3).and_then(|code| code.parse::<u16>().ok()).unwrap_or(0);
        match self {
            Self::Sent { .. } | Self::Ambiguous { .. } | Self::Broken { .. } => Blame::Letter,
            // "Not now" is about the pace only where the server says so, or takes its leave.
            Self::Deferred { .. } => match code(reply) {
                421 => Blame::Pace,
                400..=499 if has(&PACE) => Blame::Pace,
                // Where the session had not come as far as the recipient.
                400..=499 if said.starts_with("mail: ") => Blame::Machine,
                400..=499 if !has(&RECIPIENT) && !of_recipient(reply) => Blame::Unsure,
                _ => Blame::Letter,
            },
            Self::Unavailable { .. } => match code(reply) {
                400..=499 if has(&PACE) => Blame::Pace,
                // A log-in or TLS that fails for now fails for the next letter too.
                421 if !said.starts_with("log-in: ") && !said.starts_with("starttls: ") => Blame::Pace,
                _ if said.starts_with("no connection") || said.starts_with("greeting: the server closed") => {
                    Blame::Pace
                }
                _ => Blame::Machine,
            },
            Self::Failed { .. } => match code(&said) {
                503 | 504 | 530 | 534 | 535 | 538 => Blame::Machine,
                _ if said.starts_with("mail: ") || has(&MACHINE) => Blame::Machine,
                500..=599 if !has(&RECIPIENT) && !of_recipient(&said) => Blame::Unsure,
                _ => Blame::Letter,
            },
        }
    }
}

/// Whether the enhanced code is one of a recipient's address or mailbox (RFC 3463): x.1.z but for the sender's, x.2.z.
fn of_recipient(said: &str) -> bool {
    let enhanced = said.split_whitespace().nth(1).unwrap_or_default();
    let Some(("4" | "5", about)) = enhanced.split_once('.') else { return false };
    !["1.7", "1.8"].contains(&about) && (about.starts_with("1.") || about.starts_with("2."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_blamed_on_whom_the_servers_words_are_about() {
        let answer = String::from;
        let failed = |text| LetterOutcome::Failed { answer: answer(text) }.blame();
        let deferred = |text| LetterOutcome::Deferred { answer: answer(text) }.blame();
        let unavailable = |text| LetterOutcome::Unavailable { answer: answer(text) }.blame();
        for text in [
            "421 4.7.0 too many connections from 10.0.0.1",
            "454 Throttling failure: Maximum sending rate exceeded.",
            "450 4.7.1 Error: too much mail from 10.0.0.1",
            "451 4.7.0 Slow down",
            "452 4.5.3 Too many recipients",
        ] {
            assert_eq!(deferred(text), Blame::Pace, "{text}");
        }
        for text in [
            "greeting: 421 busy",
            "EHLO: 451 4.7.0 slow down",
            "log-in: 454 4.7.0 Too many log-ins, try later",
            "no connection to 10.0.0.1:25: refused",
        ] {
            assert_eq!(unavailable(text), Blame::Pace, "{text}");
        }
        for text in ["450 4.2.0 greylisted", "450 4.1.1 try later", "451 <a@b.example>: Mailbox is locked"] {
            assert_eq!(deferred(text), Blame::Letter, "{text}");
        }
        for text in
            ["451 4.3.0 try later", "454 4.7.1 Relay access denied", "451 4.1.8 sender's domain", "450 no"]
        {
            assert_eq!(deferred(text), Blame::Unsure, "{text}");
        }
        assert_eq!(deferred("MAIL: 452 4.3.1 Insufficient system storage"), Blame::Machine);
        assert_eq!(deferred("no time was left for the final dot"), Blame::Letter);
        for text in [
            "EHLO: 550 go away",
            "EHLO: 451 4.3.0 try later",
            "greeting: 450 try later",
            "STARTTLS: 454 4.7.0 TLS not available",
            "log-in: 454 4.7.0 Temporary authentication failure",
            "log-in: 421 4.7.0 Temporary authentication failure",
            "log-in: 535 5.7.8 who are you",
            "TLS: the certificate is not trusted",
        ] {
            assert_eq!(unavailable(text), Blame::Machine, "{text}");
        }
        for text in [
            "MAIL: 550 5.7.1 no",
            "504 5.5.2 <desk>: Helo command rejected: need fully-qualified hostname",
            "553 5.7.1 <keyrack@localhost>: Sender address rejected: not owned by user ada",
            "554 5.7.1 <desk[10.0.0.1]>: Client host rejected: Access denied",
            "530 5.7.0 Authentication required",
        ] {
            assert_eq!(failed(text), Blame::Machine, "{text}");
        }
        for text in [
            "550 5.1.1 nobody of that name",
            "550 <a@b.example>: Recipient address rejected: User unknown",
            "552 5.2.2 over quota",
        ] {
            assert_eq!(failed(text), Blame::Letter, "{text}");
        }
        for text in ["554 5.7.1 <a@b.example>: Relay access denied", "550 no"] {
            assert_eq!(failed(text), Blame::Unsure, "{text}");
        }
        assert_eq!(failed("this mail server takes no addresses beyond ASCII"), Blame::Letter);
    }
}
