//! What can happen to the console.

use std::fmt;

use crossterm::event::{KeyEvent, MouseEvent};
use zeroize::Zeroizing;

use super::effect::{Reply, RequestId, Timer};
use crate::service::SweepNews;
use crate::store::LiveEvent;

/// Something that happened. Plain comparable data; a secret in it moves on and is never copied.
#[derive(Debug, PartialEq)]
pub enum Message {
    /// A key was pressed. `hurried`: so soon after the one before it that no person typed it; a paste without brackets.
    Key {
        key: KeyEvent,
        hurried: bool,
    },
    /// Text was pasted; it may hold a secret.
    Paste(Pasted),
    Mouse(MouseEvent),
    Resize {
        width: u16,
        height: u16,
    },
    /// The worker's answer.
    Reply {
        to: RequestId,
        reply: Reply,
    },
    /// What happens in the sweep that was started with this request.
    Sweep {
        of: RequestId,
        news: SweepNews,
    },
    /// News of the database.
    Live(LiveEvent),
    /// A timer that [`super::effect::Effect::SetTimer`] set has run out.
    Timer(Timer),
    /// The clipboard's ladder ended at the terminal: these bytes are to be written to it.
    Emit(WipedBytes),
    /// The process was stopped (Ctrl-Z) and goes on; the screen is gone.
    Resumed,
    /// The terminal is gone.
    Hangup,
    /// SIGTERM or SIGHUP.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// An input thread failed; the reason in words.
    Broken(String),
}

/// Pasted text, wiped when dropped; `Debug` shows nothing of it.
pub struct Pasted(Zeroizing<String>);

impl Pasted {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as it may stand in an input line: without control characters, line breaks as spaces.
    pub fn line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(self.0.len()));
        let text = self.0.trim();
        line.extend(
            text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()),
        );
        line
    }
}

impl PartialEq for Pasted {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pasted({} bytes)", self.0.len())
    }
}

/// Bytes for the terminal that may hold a secret: wiped when dropped, not shown by `Debug`.
pub struct WipedBytes(pub Zeroizing<Vec<u8>>);

impl PartialEq for WipedBytes {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl fmt::Debug for WipedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WipedBytes({})", self.0.len())
    }
}
