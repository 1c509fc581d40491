//! Signals: what ends the console, what stops it and lets it go on, and another size of the window.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::layout::Size;
use signal_hook::consts::{
    SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;
use super::terminal;
use super::words::ExitReason;

/// Listens in a thread of its own: a signal is heard whatever the others are busy with. What ends the console ends it even
/// where the loop is stuck; only a letter under way (`posting`) is finished first, until somebody insists.
pub fn listen(messages: &UnboundedSender<Message>, posting: &Arc<AtomicBool>) -> io::Result<()> {
    let ends = [SIGTERM, SIGHUP, SIGINT, SIGQUIT];
    // USR1 and USR2 mean nothing here; unheard they would end the program with the terminal as it is.
    let others = [SIGTSTP, SIGTTIN, SIGCONT, SIGWINCH, SIGUSR1, SIGUSR2];
    let mut signals = Signals::new(ends.iter().chain(&others))?;
    let (to, posting) = (messages.clone(), Arc::clone(posting));
    let heard = move || {
        let mut told = false;
        for signal in signals.forever() {
            let (message, reason) = match signal {
                SIGTSTP | SIGTTIN => (Message::Stop, None),
                SIGUSR1 | SIGUSR2 => continue,
                SIGCONT => (Message::Continue, None),
                SIGWINCH => {
                    let Size { width, height } = terminal::size();
                    (Message::Resize { width, height }, None)
                }
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
