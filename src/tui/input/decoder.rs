//! Bytes of the terminal as keys, clicks and pastes. Knows what a bad line does to them: a sequence may come in pieces, and
//! a piece may be lost.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use zeroize::{Zeroize, Zeroizing};

use super::sequence::{self, Sequence};
use crate::tui::words::Pasted;

/// An ESC that nothing has followed for so long is the key.
const ALONE: Duration = Duration::from_millis(40);
/// After that long without its rest a sequence is given up.
const BEGUN: Duration = Duration::from_millis(500);
/// A paste that has not gone on for so long is over, though its end never came.
const STALLED: Duration = Duration::from_secs(2);
/// Whoever presses a single key so long after the last piece of a paste does not see that it goes on.
const PAUSE: Duration = Duration::from_millis(150);
/// Bytes of a paste that are kept: more than anybody reads.
const LONGEST: usize = 4 * 1024 * 1024;

const PASTE_END: &[u8] = b"\x1b[201~";

/// What the terminal said.
#[derive(Debug, PartialEq)]
pub enum Said {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(Pasted),
}

/// Collects bytes until they mean something. They may be a secret, so they are wiped.
#[derive(Default)]
pub struct Decoder {
    held: Zeroizing<Vec<u8>>,
    paste: Option<Zeroizing<Vec<u8>>>,
}

impl Decoder {
    /// Takes bytes that came `since` the last ones.
    pub fn take(&mut self, bytes: &[u8], since: Duration) -> Vec<Said> {
        let mut said = Vec::new();
        let key = bytes.len() == 1 || bytes.first() == Some(&0x1b) && bytes.len() <= 6;
        if key && since >= PAUSE && self.paste.is_some() && !self.ends_with(bytes) {
            self.end_paste(&mut said);
        }
        append(&mut self.held, bytes);
        self.decode(&mut said);
        said
    }

    /// How long to wait for what is still missing; `None`: nothing is.
    pub fn patience(&self) -> Option<Duration> {
        match self.held.as_slice() {
            _ if self.paste.is_some() => Some(STALLED),
            [] => None,
            [0x1b] => Some(ALONE),
            _ => Some(BEGUN),
        }
    }

    /// Nothing more has come for as long as [`Self::patience`] said.
    pub fn give_up(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        if self.paste.is_some() {
            self.end_paste(&mut said);
        }
        match self.held.as_slice() {
            [0x1b] => said.push(esc()),
            // Nobody's sequence: ESC and a key that begins one.
            [0x1b, key] => said.extend([esc(), Said::Key(sequence::control_or_char(*key))]),
            _ => {}
        }
        self.drop_held(self.held.len());
        said
    }

    fn decode(&mut self, said: &mut Vec<Said>) {
        // What was read of it: what is left is moved once, not at every key.
        let mut read = 0;
        while read < self.held.len() {
            if self.paste.is_some() {
                self.drop_held(std::mem::take(&mut read));
                let Some(end) = find(&self.held, PASTE_END) else {
                    // Its last bytes may be the beginning of the end.
                    let keep = (1..PASTE_END.len()).rev().find(|n| self.held.ends_with(&PASTE_END[..*n]));
                    self.feed_paste(self.held.len() - keep.unwrap_or(0));
                    return;
                };
                self.feed_paste(end);
                self.drop_held(PASTE_END.len());
                self.end_paste_here(said);
                continue;
            }
            let (used, event) = match sequence::first(&self.held[read..]) {
                Sequence::Partial => break,
                Sequence::Nothing(used) => (used, None),
                Sequence::Key(used, key) => (used, Some(Said::Key(key))),
                Sequence::Mouse(used, mouse) => (used, Some(Said::Mouse(mouse))),
                Sequence::Paste(used) => {
                    self.paste = Some(Zeroizing::default());
                    (used, None)
                }
            };
            said.extend(event);
            read += used;
        }
        self.drop_held(read);
    }

    /// Whether the paste's end is complete with these bytes.
    fn ends_with(&self, bytes: &[u8]) -> bool {
        let mut tail = Zeroizing::new(self.held.to_vec());
        append(&mut tail, bytes);
        PASTE_END.starts_with(&tail) || find(&tail, PASTE_END).is_some()
    }

    fn feed_paste(&mut self, count: usize) {
        if let Some(paste) = &mut self.paste {
            let room = LONGEST.saturating_sub(paste.len());
            append(paste, &self.held[..count.min(room)]);
        }
        self.drop_held(count);
    }

    fn end_paste(&mut self, said: &mut Vec<Said>) {
        self.feed_paste(self.held.len());
        self.end_paste_here(said);
    }

    fn end_paste_here(&mut self, said: &mut Vec<Said>) {
        let Some(mut paste) = self.paste.take() else { return };
        end_lines(&mut paste);
        let text = String::from_utf8(std::mem::take(&mut *paste)).unwrap_or_else(|error| {
            let mut bytes = error.into_bytes();
            // Of the whole length at once: a growing text would leave its beginnings behind.
            let mut text = String::with_capacity(bytes.len() * char::REPLACEMENT_CHARACTER.len_utf8());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend((!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER));
            }
            bytes.zeroize();
            text
        });
        said.push(Said::Paste(Pasted::new(text)));
    }

    fn drop_held(&mut self, count: usize) {
        let rest = self.held.len() - count;
        self.held.copy_within(count.., 0);
        self.held[rest..].zeroize();
        self.held.truncate(rest);
    }
}

fn esc() -> Said {
    Said::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// A growing vector would leave its old bytes behind unwiped.
fn append(to: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    if to.capacity() - to.len() < bytes.len() {
        let mut bigger = Zeroizing::new(Vec::with_capacity((to.len() + bytes.len()) * 2));
        bigger.extend_from_slice(to);
        *to = bigger;
    }
    to.extend_from_slice(bytes);
}

/// Ends each line of a paste as a text's does: terminals send them as Enter would be sent.
fn end_lines(paste: &mut Vec<u8>) {
    let (mut kept, mut returned) = (0, false);
    for at in 0..paste.len() {
        let byte = paste[at];
        let second = byte == b'\n' && returned;
        returned = byte == b'\r';
        if !second {
            paste[kept] = if returned { b'\n' } else { byte };
            kept += 1;
        }
    }
    paste[kept..].zeroize();
    paste.truncate(kept);
}
