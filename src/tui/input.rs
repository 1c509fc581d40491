//! What a screen or an overlay gets to handle, and the thread that reads it from the terminal.

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Position;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{SpecialCodeIndex, tcgetattr};
use tokio::sync::mpsc::UnboundedSender;
use zeroize::{Zeroize, Zeroizing};

use super::message::Message;
use super::words::Pasted;
use crate::config::keymap::Action;
use crate::domain::secret::wipe_stack;

mod decoder;
mod sequence;

pub use decoder::{Decoder, Said};

/// A gesture, with its meaning where the bindings give it one.
#[derive(Debug)]
pub enum Input {
    Key(Key),
    Paste(Pasted),
    /// The wheel: lines down, or up if negative.
    Scroll {
        lines: i32,
    },
    /// The left button went down.
    Click(Position),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// What the bindings of the present context make of it.
    pub action: Option<Action>,
    pub event: KeyEvent,
    /// Whether it came faster than a person types. Such a key must confirm nothing destructive.
    pub hurried: bool,
    /// Whether it came before what is asked could be read.
    pub unread: bool,
}

impl Input {
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Key(key) => key.action,
            _ => None,
        }
    }

    /// Whether it may carry out what is asked.
    pub fn confirms(&self) -> bool {
        matches!(self, Self::Key(key) if key.confirms())
    }

    pub fn hurried(&self) -> bool {
        matches!(self, Self::Key(Key { hurried: true, .. }) | Self::Paste(_))
    }
}

impl Key {
    /// Whether it may carry out what is asked.
    pub fn confirms(&self) -> bool {
        !self.hurried && !self.unread
    }

    /// The character that this key types, if it types one.
    pub fn character(&self) -> Option<char> {
        match self.event.code {
            KeyCode::Char(c)
                if !self.event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
            {
                Some(c)
            }
            _ => None,
        }
    }
}

/// Two keys that are this close were not typed by a person.
const HURRY: Duration = Duration::from_millis(5);

const CTRL_H: u8 = 8;
/// What was typed before the terminal was ours is read within this time.
const EARLY: Duration = Duration::from_millis(100);

/// So many keys without a pause are taken: more than the longest paste that is asked for, of a terminal that doesn't mark pastes.
/// Nobody waits for the rest.
const FLOOD: usize = 600_000;
/// What comes this long after the last bytes is another gesture.
const PAUSE: Duration = Duration::from_millis(150);

/// Reads the terminal until it is gone or nobody listens. Blocks: for a thread of its own.
pub fn read_terminal(messages: &UnboundedSender<Message>) {
    let (mut decoder, mut last_key, mut last_read) = (Decoder::default(), None, Instant::now());
    let mut bytes = Zeroizing::new([0; 16 * 1024]);
    // What was typed before the terminal was ours had its Enter turned into a line break.
    let mut early = true;
    let mut keys = 0;
    let erase = tcgetattr(io::stdin()).map(|now| now.special_codes[SpecialCodeIndex::VERASE]);
    let by_ctrl_h = erase == Ok(CTRL_H);
    loop {
        let said = match ready(decoder.patience()) {
            Ok(false) => decoder.give_up(),
            Ok(true) => match rustix::io::read(io::stdin(), bytes.as_mut_slice()) {
                Ok(0) | Err(Errno::IO) => break,
                Ok(count) => {
                    let typed_before = std::mem::take(&mut early) && last_read.elapsed() < EARLY;
                    bytes[..count]
                        .iter_mut()
                        .filter(|byte| typed_before && **byte == b'\n')
                        .for_each(|byte| *byte = b'\r');
                    // Some terminals erase by Ctrl-H, and say so.
                    bytes[..count]
                        .iter_mut()
                        .filter(|byte| by_ctrl_h && **byte == CTRL_H)
                        .for_each(|byte| *byte = 0x7f);
                    let since = last_read.elapsed();
                    last_read = Instant::now();
                    keys = if since > PAUSE { 0 } else { keys };
                    let said = decoder.take(&bytes[..count], since);
                    // It may have been a secret.
                    bytes[..count].zeroize();
                    wipe_stack();
                    said
                }
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(error) => {
                    let _ = messages.send(Message::Broken(format!("the terminal can't be read: {error}")));
                    return;
                }
            },
            Err(_) => break,
        };
        let count = said.len();
        for (place, said) in said.into_iter().enumerate() {
            keys += usize::from(matches!(said, Said::Key(_)));
            if keys > FLOOD {
                continue;
            }
            // Nobody types the next key before this one was taken: with more at hand this is the beginning of a paste
            // without brackets, which must confirm no more than its end may.
            let more = place + 1 < count || ready(Some(Duration::ZERO)).unwrap_or(false);
            if messages.send(message(said, more, &mut last_key, Instant::now())).is_err() {
                return;
            }
        }
    }
    let _ = messages.send(Message::Hangup);
}

/// Waits until the terminal has something to say, or for so long.
///
/// # Errors
/// When the terminal is gone.
fn ready(patience: Option<Duration>) -> rustix::io::Result<bool> {
    let until = patience.map(|patience| Instant::now() + patience);
    loop {
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left =
            left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
        match poll(&mut fds, left.as_ref()) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(0) => return Ok(false),
            Ok(_) if fds[0].revents().contains(PollFlags::IN) => return Ok(true),
            Ok(_) => return Err(Errno::IO),
        }
    }
}

/// What an event of the terminal means.
fn message(said: Said, first_of_many: bool, last: &mut Option<Instant>, now: Instant) -> Message {
    match said {
        Said::Key(key) => {
            let hurried = first_of_many || last.is_some_and(|last| now.duration_since(last) < HURRY);
            *last = Some(now);
            Message::Key { key, hurried }
        }
        Said::Paste(pasted) => {
            *last = Some(now);
            Message::Paste(pasted)
        }
        Said::Mouse(mouse) => Message::Mouse(mouse),
    }
}

#[cfg(test)]
mod tests;
