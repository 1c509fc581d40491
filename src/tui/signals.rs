//! Signals: what ends the console, what stops it and lets it go on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGTTIN};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;
use super::terminal;
use super::words::ExitReason;

/// Listens in a thread of its own: a signal is heard whatever the others are busy with. What ends the console ends it even
/// where the loop is stuck; only a letter under way (`posting`) is finished first, until somebody insists.
pub fn listen(messages: &UnboundedSender<Message>, posting: &Arc<AtomicBool>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGTTIN, SIGCONT])?;
    let (to, posting) = (messages.clone(), Arc::clone(posting));
    let heard = move || {
        let mut told = false;
        for signal in signals.forever() {
            let (message, reason) = match signal {
                SIGTSTP | SIGTTIN => (Message::Stop, None),
                SIGCONT => (Message::Continue, None),
                SIGHUP => (Message::Hangup, Some(ExitReason::Hangup)),
                SIGINT => (Message::Interrupt, Some(ExitReason::Interrupted)),
                _ => (Message::Terminate, Some(ExitReason::Terminated)),
            };
            let _ = to.send(message);
            if let Some(reason) = reason {
                if told || !posting.load(Ordering::SeqCst) {
                    terminal::end_soon(reason.code());
                }
                told = true;
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(heard).map(drop)
}
