//! Replacing keys one by one: each new secret is shown, and confirmed, before the next key is asked about.

use std::sync::Arc;

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::words;
use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit;
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::key::Key;
use crate::domain::subjects::Subjects;
use crate::domain::text::{SafeText, thousands};
use crate::tui::effect::{Effect, Reply, Request, RequestId};
use crate::tui::input::{Input, Key as Press};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Made, Opening};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::key_facts;
use crate::tui::widgets::buttons::{self, Button};
use crate::tui::widgets::sheet::Sheet;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

const BUTTONS: [Choice; 3] = [Choice::Make, Choice::Skip, Choice::Stop];

/// What becomes of the key that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Make,
    Skip,
    Stop,
}

/// The keys, and which of them is asked about.
#[derive(Debug)]
pub struct State {
    number: u64,
    keys: Arc<[Key]>,
    at: usize,
    made: usize,
    overlap: Overlap,
    expiry: Option<Expiry>,
    button: usize,
    wish: Wish,
}

/// Asks about the first of them. `expiry`: `None` where each lives as long as the one that it replaces.
pub fn open(
    shell: &mut Shell,
    number: u64,
    keys: Arc<[Key]>,
    overlap: Overlap,
    expiry: Option<Expiry>,
) -> Opened {
    if keys.is_empty() {
        return Opened::refused();
    }
    let wish = Wish::new(shell, number);
    Opened::new(State { number, keys, at: 0, made: 0, overlap, expiry, button: 0, wish }, Vec::new())
}

impl State {
    fn key(&self) -> Option<&Key> {
        self.keys.get(self.at)
    }

    /// Goes on to the next key; after the last one it is over.
    fn next(&mut self, shell: &mut Shell) {
        self.at += 1;
        self.button = 0;
        self.wish = Wish::new(shell, self.number);
        if self.at >= self.keys.len() {
            self.stop(shell);
        }
    }

    fn stop(&self, shell: &mut Shell) {
        let (made, all) = (thousands(self.made as u64), thousands(self.keys.len() as u64));
        let severity = if self.made == self.keys.len() { Severity::Good } else { Severity::Info };
        shell.toast(severity, format!("Successors were made for {made} of {all} keys"));
        shell.close();
    }

    fn choose(&mut self, shell: &mut Shell, choice: Choice) -> Vec<Effect> {
        match choice {
            Choice::Make => return self.send_wish(shell),
            Choice::Skip => self.next(shell),
            Choice::Stop => self.stop(shell),
        }
        Vec::new()
    }

    fn press(&mut self, shell: &mut Shell, key: Press) -> Vec<Effect> {
        let back = matches!(key.event.code, KeyCode::Left | KeyCode::Up | KeyCode::BackTab);
        match key.action {
            Some(Action::Yes) if key.confirms() => self.choose(shell, Choice::Make),
            Some(Action::PressButton | Action::Press) if !key.hurried && !key.unread => {
                self.choose(shell, BUTTONS[self.button])
            }
            Some(Action::No | Action::Interrupt) => self.choose(shell, Choice::Stop),
            Some(Action::NextButton | Action::PreviousButton) => {
                let by = if back { BUTTONS.len() - 1 } else { 1 };
                self.button = (self.button + by) % BUTTONS.len();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Dialog
    }

    /// Each key is a question of its own.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Dialog, self.at)
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let (key, overlap, expiry) = (self.key()?.id, self.overlap, self.expiry);
        Some(Box::new(move |operation| Request::Rotate { operation, key, overlap, expiry }))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match input {
            Input::Key(key) if !self.wish.under_way() => self.press(shell, key),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if let Some(Ok(created)) = self.wish.settle(shell, id, reply, Reply::try_as_rotate) {
            let replaces = self.key().map(|old| (old.name.clone(), self.overlap, old.expires_at));
            self.made += 1;
            // The last one leaves this before its secret is shown.
            self.next(shell);
            shell.changed(Subjects::of(audit::Action::KeyRotate));
            shell.made(Made::Key(created.key.id));
            shell.open(Opening::Reveal { created, replaces });
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("key rotate").word(self.key()?.id.to_string()))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let Some(key) = self.key() else { return };
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 72, 11);
        sheet.facts(&key_facts::of(shell, key));
        sheet.space();
        let overlap = match self.overlap {
            Overlap::None => "It ends as soon as you have taken the new secret over (Done).".to_owned(),
            overlap => format!("It goes on for {} at most, counted from Done.", words(overlap)),
        };
        sheet.words(Role::Text, &format!("Its successor's secret is shown next. {overlap}"));
        sheet.failure(self.wish.failure());
        sheet.space();
        if self.wish.under_way() {
            sheet.line(Line::styled("making the successor…", styles.of(Role::Info)), true);
        } else {
            let left = self.keys.len() - self.at;
            let stop = if left == 1 { "Leave it".to_owned() } else { format!("Leave all {left}") };
            let yes = format!("Make the successor ({})", shell.keymap.key(Action::Yes));
            let buttons = [Button::new(&yes), Button::new("Skip it"), Button::new(&stop)];
            sheet.line(buttons::line(styles, &buttons, Some(self.button)), true);
        }
        let place = format!("{} of {}", self.at + 1, self.keys.len());
        let title = format!("Rotate {place}: {}", SafeText::new(key.name.as_str()));
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}
