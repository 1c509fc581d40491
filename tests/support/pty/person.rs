//! Keys pressed as a person does.

use std::time::{Duration, Instant};

use super::{Terminal, key};

impl Terminal {
    /// Waits until the program has read what was sent: on a busy machine it would read two keys at once, and take them for
    /// a paste. A program that reads nothing is waited for a while only.
    fn wait_until_taken(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while let Some(queue) = &self.queue {
            if rustix::io::ioctl_fionread(queue).unwrap_or_default() == 0 || Instant::now() > deadline {
                return;
            }
            self.wait_quietly(Duration::from_millis(5));
            self.sent = Instant::now();
        }
    }

    /// Presses a key by its name (see [`key`]), as a person does: once the screen has come to rest, if only for a moment.
    /// Keys that follow each other faster are taken for a paste.
    pub fn press(&mut self, name: &str) {
        self.wait_until_taken();
        self.quiet(Duration::from_millis(30));
        self.wait_quietly(Duration::from_millis(90).saturating_sub(self.sent.elapsed()));
        self.send(&key(name));
    }

    /// Answers a question as a person does: once it was on the screen long enough to be read.
    pub fn answer(&mut self, name: &str) {
        self.wait_until_taken();
        self.quiet(Duration::from_millis(30));
        self.wait_quietly(Duration::from_millis(450));
        self.send(&key(name));
    }

    /// Types text as a person does: each character by itself, the next one once the program took the one before and had
    /// a person's time for it, so that nothing is mistaken for a paste.
    pub fn type_text(&mut self, text: &str) {
        self.quiet(Duration::from_millis(30));
        for c in text.chars() {
            self.send(c.to_string().as_bytes());
            self.wait_until_taken();
            self.quiet(Duration::from_millis(40));
        }
    }

    /// Pastes text, bracketed as a terminal does it.
    pub fn paste(&mut self, text: &str) {
        self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes());
    }
}
