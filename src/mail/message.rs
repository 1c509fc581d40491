//! A letter as bytes: RFC 5322, with a text and an HTML part (RFC 2046, multipart/alternative).

use std::time::SystemTime;

use chrono::Datelike;
use lettre::Address;
use lettre::message::header::{
    ContentDisposition, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::{Letter, clean};
use crate::domain::address::{AddressError, to_ascii};
use crate::domain::text::is_safe;

/// Who writes: an address and the name that is shown with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    address: Address,
    name: Option<String>,
}

impl Sender {
    /// The name may be empty, and what can't stand in a header is made harmless (H5).
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(address: &str, name: &str) -> Result<Self, AddressError> {
        let name = clean::header(name);
        Ok(Self { address: parse(address)?, name: (!name.is_empty()).then_some(name) })
    }

    /// The bare address.
    pub fn address(&self) -> &str {
        self.address.as_ref()
    }

    fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.name.clone(), self.address.clone())
    }
}

/// What stands on every letter of this house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letterhead {
    pub from: Sender,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Sender>,
}

/// A letter, ready to be sent.
#[derive(Debug)]
pub(super) struct Written {
    pub from: Address,
    pub to: Address,
    /// Lines that end with CR LF, none of them longer than 998 bytes. ASCII, unless an address is not.
    pub bytes: Vec<u8>,
}

impl Written {
    /// Whether an address is beyond ASCII, which needs a server with SMTPUTF8 (RFC 6531).
    pub fn international(&self) -> bool {
        let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        !self.bytes.is_ascii() || !ascii(&self.from) || !ascii(&self.to)
    }
}

/// Reads an address, and refuses what lettre accepts but no command line of SMTP should carry.
fn parse(address: &str) -> Result<Address, AddressError> {
    let refuse = |why: String| AddressError { address: clean::line(address), why };
    if let Some(found) = address.chars().find(|c| !is_safe(*c)) {
        return Err(refuse(format!("it holds U+{:04X}", u32::from(found))));
    }
    to_ascii(address)?.parse().map_err(|error: lettre::address::AddressError| refuse(error.to_string()))
}

/// Writes the letter. The same letter gives the same bytes.
///
/// # Errors
/// Why this letter can't be sent to anybody, in words.
pub(super) fn write(letter: &Letter, head: &Letterhead) -> Result<Written, String> {
    let to = parse(letter.to.trim()).map_err(|error| error.to_string())?;
    if !is_message_id(&letter.message_id) {
        return Err(format!("{:?} is no message id", clean::line(&letter.message_id)));
    }
    // A date beyond these makes lettre panic.
    if !(1970..=9999).contains(&letter.at.year()) {
        return Err(format!("{} is no date for a letter", letter.at));
    }
    let mut message = Message::builder()
        .date(SystemTime::from(letter.at))
        .from(head.from.mailbox())
        .to(Mailbox::new(None, to.clone()))
        .subject(clean::header(&letter.subject))
        .message_id(Some(format!("<{}>", letter.message_id)))
        .header(Fixed::<AutoSubmitted>::new())
        .header(Fixed::<AutoResponseSuppress>::new());
    if let Some(reply_to) = answers(letter, head) {
        message = message.reply_to(reply_to);
    }
    // "=_" can't occur in quoted-printable text, so that no body can hold this boundary.
    let parts = MultiPart::alternative()
        .boundary("=_keyrack")
        .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
        .singlepart(part(ContentType::TEXT_HTML, &letter.html));
    let parts = match &letter.calendar {
        None => parts,
        Some(calendar) => {
            MultiPart::mixed().boundary("=_letter").multipart(parts).singlepart(attached(calendar))
        }
    };
    let bytes = message.multipart(parts).map_err(|error| error.to_string())?.formatted();
    check(&bytes)?;
    Ok(Written { from: head.from.address.clone(), to, bytes })
}

/// Where answers go: where the letter says, else where the letterhead does. A letter isn't lost for an address that can't be
/// written to.
fn answers(letter: &Letter, head: &Letterhead) -> Option<Mailbox> {
    let usual = head.reply_to.as_ref();
    match letter.reply_to.as_deref().and_then(|address| parse(address).ok()) {
        Some(address) if usual.is_none_or(|usual| usual.address != address) => {
            Some(Mailbox::new(None, address))
        }
        _ => usual.map(Sender::mailbox),
    }
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder()
        .header(kind)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(clean::body(text))
}

/// A calendar beside the letter, for programs that take one in.
fn attached(calendar: &str) -> SinglePart {
    let kind =
        ContentType::parse("text/calendar; charset=utf-8; method=PUBLISH").unwrap_or(ContentType::TEXT_PLAIN);
    SinglePart::builder()
        .header(kind)
        .header(ContentDisposition::attachment("keys.ics"))
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(clean::body(calendar))
}

/// Atoms and dots on both sides of one `@` (RFC 5322, `dot-atom-text`).
fn is_message_id(id: &str) -> bool {
    let atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    let dotted = |text: &str| text.split('.').all(atom);
    // A header line holds at most 998 bytes, and folding must not touch the id.
    id.len() <= 200 && id.split_once('@').is_some_and(|(left, right)| dotted(left) && dotted(right))
}

/// The last look before bytes leave: no bare CR or LF (H4), no NUL, no line that a server may cut (RFC 5321, 4.5.3.1.6).
fn check(bytes: &[u8]) -> Result<(), String> {
    let whole =
        bytes.ends_with(b"\r\n") && bytes.split_inclusive(|b| *b == b'\n').all(|line| line.len() <= 1000);
    let bare = bytes.iter().enumerate().any(|(i, b)| match b {
        b'\r' => bytes.get(i + 1) != Some(&b'\n'),
        b'\n' => i == 0 || bytes[i - 1] != b'\r',
        0 => true,
        _ => false,
    });
    if whole && !bare { Ok(()) } else { Err("this letter could not be written as RFC 5322 asks".into()) }
}

/// A header whose value never changes.
#[derive(Clone, Copy)]
struct Fixed<T>(std::marker::PhantomData<T>);

trait Says: Copy {
    const NAME: &'static str;
    const VALUE: &'static str;
}

/// RFC 3834: no holiday note shall answer this.
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Says for AutoSubmitted {
    const NAME: &'static str = "Auto-Submitted";
    const VALUE: &'static str = "auto-generated";
}

/// The same for Exchange and Outlook (MS-OXCMAIL).
#[derive(Clone, Copy)]
struct AutoResponseSuppress;

impl Says for AutoResponseSuppress {
    const NAME: &'static str = "X-Auto-Response-Suppress";
    const VALUE: &'static str = "All";
}

impl<T> Fixed<T> {
    fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: Says> Header for Fixed<T> {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str(T::NAME)
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::new())
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), T::VALUE.to_owned())
    }
}

#[cfg(test)]
mod tests;
