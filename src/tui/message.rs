//! What can happen to the console.

use crossterm::event::{KeyEvent, MouseEvent};

use super::effect::{Reply, RequestId, Timer};
use super::words::{Pasted, WipedBytes};
use crate::domain::history::History;
use crate::domain::text::SafeText;
use crate::service::LiveEvent;
use crate::service::SweepNews;

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
    /// How the database stands beside what this machine remembers of it.
    History(History),
    /// An answer of the database has not come for so long; who holds it up, where that can be told.
    Waits {
        seconds: u64,
        holder: Option<SafeText>,
    },
    /// A timer that [`super::effect::Effect::SetTimer`] set has run out.
    Timer(Timer),
    /// The clipboard's ladder ended at the terminal: these bytes are to be written to it.
    Emit(WipedBytes),
    /// Somebody wants the process stopped (SIGTSTP, SIGTTIN, SIGTTOU).
    Stop,
    /// The process was stopped and goes on: the terminal may be in any state.
    Continue,
    /// SIGHUP, or the terminal is gone.
    Hangup,
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// Another signal that ends programs.
    Kill(i32),
    /// An input thread failed; the reason in words.
    Broken(String),
}
