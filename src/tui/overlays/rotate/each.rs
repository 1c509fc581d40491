//! Replacing keys one by one: each new secret is shown, and confirmed, before the next key is asked about.

use std::collections::BTreeSet;
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
use crate::domain::key::{Key, KeyId};
use crate::domain::subjects::Subjects;
use crate::domain::text::{SafeText, thousands};
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
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
    keys: Vec<Key>,
    /// Behind the last one it tells what became of them.
    at: usize,
    /// Those that have a replacement, whether or not its secret was confirmed.
    made: BTreeSet<KeyId>,
    /// The key is read once more, for something has changed, or all of them at the end.
    news: Option<RequestId>,
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
    let (keys, made) = (keys.to_vec(), BTreeSet::new());
    let mut state = State { number, keys, at: 0, made, news: None, overlap, expiry, button: 0, wish };
    let effect = state.read(shell);
    Opened::new(state, effect.into_iter().collect())
}

impl State {
    fn key(&self) -> Option<&Key> {
        self.keys.get(self.at)
    }

    /// Reads the key that is asked about as it is now; at the end all of them.
    fn read(&mut self, shell: &mut Shell) -> Option<Effect> {
        let request = match self.key() {
            Some(key) => Request::Key(key.id),
            None => Request::Reach(self.keys.iter().map(|key| key.id).collect()),
        };
        let (id, effect) = shell.ask(To::Overlay(self.number), request);
        self.news = Some(id);
        Some(effect)
    }

    /// Goes on to this key; behind the last one it tells what became of them.
    fn go(&mut self, shell: &mut Shell, at: usize) -> Vec<Effect> {
        self.at = at;
        self.button = 0;
        self.wish = Wish::new(shell, self.number);
        if self.key().is_none() && self.made.is_empty() {
            shell.toast(Severity::Info, "No key was rotated");
            shell.close();
            return Vec::new();
        }
        self.read(shell).into_iter().collect()
    }

    /// How many were replaced, are not confirmed, were left as they are.
    fn outcome(&self) -> String {
        let (mut replaced, mut open) = (0, 0);
        for key in self.keys.iter().filter(|key| self.made.contains(&key.id)) {
            if key.successor_confirmed { replaced += 1 } else { open += 1 }
        }
        let left = self.keys.len() - replaced - open;
        let mut words = format!("{} of {} keys replaced", replaced, thousands(self.keys.len() as u64));
        for (number, what) in
            [(open, "with a replacement that nobody confirmed"), (left, "left as they were")]
        {
            if number > 0 {
                words.push_str(&format!(", {number} {what}"));
            }
        }
        words
    }

    fn choose(&mut self, shell: &mut Shell, choice: Choice) -> Vec<Effect> {
        match choice {
            Choice::Make => self.send_wish(shell),
            Choice::Skip => self.go(shell, self.at + 1),
            Choice::Stop => self.go(shell, self.keys.len()),
        }
    }

    fn press(&mut self, shell: &mut Shell, key: Press) -> Vec<Effect> {
        if self.key().is_none() {
            let leave = [Action::Yes, Action::No, Action::PressButton, Action::Press, Action::Interrupt];
            if key.action.is_some_and(|action| leave.contains(&action)) && !key.hurried {
                shell.toast(Severity::Info, self.outcome());
                shell.close();
            }
            return Vec::new();
        }
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

    fn asks(&self) -> bool {
        self.key().is_some()
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        if self.wish.under_way() { Vec::new() } else { self.read(shell).into_iter().collect() }
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
        if self.news == Some(id) {
            self.news = None;
            match reply {
                Reply::Key(Ok(key)) => {
                    let here = self.keys.get_mut(self.at).filter(|own| own.id == key.id && **own != *key);
                    if let Some(own) = here {
                        *own = *key;
                        self.wish.changed();
                    }
                }
                Reply::Reach(Ok(looked)) => self.keys = looked.keys.to_vec(),
                _ => {}
            }
            return Vec::new();
        }
        let Some(Ok(created)) = self.wish.settle(shell, id, reply, Reply::try_as_rotate) else {
            return Vec::new();
        };
        let replaces = self.key().map(|old| (old.name.clone(), self.overlap, old.expires_at));
        self.made.extend(self.key().map(|old| old.id));
        shell.changed(Subjects::of(audit::Action::KeyRotate));
        shell.made(Made::Key(created.key.id));
        shell.open(Opening::Reveal { created, replaces });
        self.go(shell, self.at + 1)
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("key rotate").word(self.key()?.id.to_string()))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 72, 11);
        let Some(key) = self.key() else {
            let words = if self.news.is_some() { "looking…".to_owned() } else { self.outcome() + "." };
            sheet.words(Role::Text, &words);
            sheet.space();
            sheet.line(buttons::line(styles, &[Button::new("Close")], Some(0)), true);
            sheet.draw(frame, "Rotated one by one", Role::DialogBorder);
            return;
        };
        sheet.facts(&key_facts::of(shell, key));
        sheet.space();
        let overlap = match self.overlap {
            Overlap::None => {
                "The old key stops working as soon as you confirm the new secret (Done).".to_owned()
            }
            overlap => {
                format!("The old key keeps working for at most {}, counted from Done.", words(overlap))
            }
        };
        sheet.words(Role::Text, &format!("The new key's secret is shown next. {overlap}"));
        sheet.failure(self.wish.failure());
        sheet.space();
        if self.wish.under_way() {
            sheet.line(Line::styled("creating the new key…", styles.of(Role::Info)), true);
        } else {
            let left = self.keys.len() - self.at;
            let stop = if left == 1 { "Leave it".to_owned() } else { format!("Leave all {left}") };
            let yes = format!("Create the new key ({})", shell.keymap.key(Action::Yes));
            let buttons = [Button::new(&yes), Button::new("Skip it"), Button::new(&stop)];
            sheet.line(buttons::line(styles, &buttons, Some(self.button)), true);
        }
        let place = format!("{} of {}", self.at + 1, self.keys.len());
        let title = format!("Rotate {place}: {}", SafeText::new(key.name.as_str()));
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}
