//! What a screen or an overlay gets to handle, and the thread that reads it from the terminal.

use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Position;
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;
use super::words::Pasted;
use crate::config::keymap::Action;

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
}

impl Input {
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Key(key) => key.action,
            _ => None,
        }
    }

    pub fn hurried(&self) -> bool {
        matches!(self, Self::Key(Key { hurried: true, .. }) | Self::Paste(_))
    }
}

impl Key {
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

/// Reads the terminal until it fails or nobody listens. Blocks: for a thread of its own.
pub fn read_terminal(messages: &UnboundedSender<Message>) {
    let mut last: Option<Instant> = None;
    loop {
        let event = match event::read() {
            Ok(event) => event,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let _ = messages.send(Message::Broken(error.to_string()));
                return;
            }
        };
        // Nobody types the next key before this one was taken: with more at hand this is the beginning of a paste
        // without brackets, which must confirm no more than its end may.
        let first_of_many = matches!(event, Event::Key(_)) && event::poll(Duration::ZERO).unwrap_or(false);
        let Some(message) = message(event, first_of_many, &mut last, Instant::now()) else { continue };
        if messages.send(message).is_err() {
            return;
        }
    }
}

/// What an event of the terminal means; `None` for what the console does not care about.
fn message(event: Event, first_of_many: bool, last: &mut Option<Instant>, now: Instant) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let hurried = first_of_many || last.is_some_and(|last| now.duration_since(last) < HURRY);
            *last = Some(now);
            Some(Message::Key { key, hurried })
        }
        Event::Paste(text) => {
            *last = Some(now);
            Some(Message::Paste(Pasted::new(text)))
        }
        Event::Mouse(mouse) => Some(Message::Mouse(mouse)),
        Event::Resize(width, height) => Some(Message::Resize { width, height }),
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

#[cfg(test)]
mod tests;
