//! Signals: what ends the console, what stops it and lets it go on, and another size of the window.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::layout::Size;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;
use super::terminal;
use super::words::ExitReason;
use crate::signals::{HARMLESS, STOPS, deadly, wait_for_fault};

/// Listens in threads of its own: a signal is heard whatever the others are busy with. What ends the console ends it even
/// where the loop is stuck; only a letter under way (`posting`) is finished first, until somebody insists.
pub fn listen(messages: &UnboundedSender<Message>, posting: &Arc<AtomicBool>) -> io::Result<()> {
    let others = [SIGTERM, SIGHUP, SIGINT, SIGCONT, SIGWINCH];
    let mut signals = Signals::new(deadly().chain(HARMLESS).chain(STOPS).chain(others))?;
    let (to, posting) = (messages.clone(), Arc::clone(posting));
    let heard = move || {
        let mut told = false;
        for signal in signals.forever() {
            let (message, reason) = match signal {
                stop if STOPS.contains(&stop) => (Message::Stop, None),
                SIGCONT => (Message::Continue, None),
                SIGWINCH => {
                    let Size { width, height } = terminal::size();
                    (Message::Resize { width, height }, None)
                }
                SIGHUP => (Message::Hangup, Some(ExitReason::Hangup)),
                SIGINT => (Message::Interrupt, Some(ExitReason::Interrupted)),
                SIGTERM => (Message::Terminate, Some(ExitReason::Terminated)),
                harmless if HARMLESS.contains(&harmless) => continue,
                deadly => (Message::Kill(deadly), Some(ExitReason::Killed(deadly))),
            };
            let _ = to.send(message);
            if let Some(reason) = reason {
                if told || !posting.load(Ordering::SeqCst) {
                    terminal::end_soon(&reason);
                }
                told = true;
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(heard)?;
    let fault = || {
        if let Some(signal) = wait_for_fault() {
            terminal::end_soon(&ExitReason::Killed(signal));
        }
    };
    std::thread::Builder::new().name("faults".into()).spawn(fault).map(drop)
}
