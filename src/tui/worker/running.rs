//! A sweep that the console has started.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::service::Stop;
use crate::tui::message::Message;

/// Longer than any letter may take.
const LETTER: Duration = Duration::from_secs(45);

/// A sweep that goes on.
pub struct Running {
    stop: Stop,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) fn new(stop: Stop, task: JoinHandle<()>) -> Self {
        Self { stop, task }
    }

    /// Lets it end between two letters.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Lets it end between two letters and waits for that. Another wish to leave, or a letter that takes longer than any
    /// letter may, ends the waiting: what was in hand is then taken over by a later sweep.
    pub async fn finish(self, inbox: &mut UnboundedReceiver<Message>) {
        self.stop.stop();
        let insisted = async {
            while let Some(message) = inbox.recv().await {
                if matches!(message, Message::Interrupt | Message::Terminate | Message::Kill(_)) {
                    return;
                }
            }
        };
        tokio::select! {
            _ = self.task => {}
            () = insisted => {}
            () = tokio::time::sleep(LETTER) => {}
        }
    }
}
