//! Letting old keys work for longer beside their replacements.

use std::sync::Arc;

use chrono::Duration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit;
use crate::domain::key::{Key, KeyId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::shifted;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::domain::when::Span;
use crate::service::ExtendOverlaps;
use crate::tui::effect::{Effect, Reply, Request, RequestId, RotationRequest};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::view::{key_facts, times};
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::{choice, fit, picker};
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

/// By how many hours, and in words.
const CHOICES: [(i64, &str); 5] =
    [(1, "1 hour"), (6, "6 hours"), (24, "24 hours"), (48, "2 days"), (96, "4 days")];
/// The one that is offered first.
const USUAL: usize = 2;
/// Names that are shown.
const NAMES: usize = 6;

/// The old keys and by how much.
#[derive(Debug)]
pub struct State {
    ids: Vec<KeyId>,
    /// Those of the keys that are on the screen.
    known: Vec<Key>,
    /// What a yes holds for, where all of them are known.
    shown: Option<Arc<Manifest>>,
    at: usize,
    wish: Wish,
}

/// Asks by how much the overlaps of these old keys are to be longer.
pub fn open(shell: &mut Shell, number: u64, ids: Vec<KeyId>, known: Vec<Key>) -> Opened {
    if ids.is_empty() || !shell.refuse_unless(Permission::ChangeKeys, "extend overlaps") {
        return Opened::refused();
    }
    let shown = (known.len() == ids.len()).then(|| Arc::new(Manifest::of(&known, shell.now)));
    let wish = Wish::new(shell, number);
    Opened::new(State { ids, known, shown, at: USUAL, wish }, Vec::new())
}

impl State {
    fn by(&self) -> Duration {
        Duration::hours(CHOICES[self.at].0)
    }

    /// When the old key would end.
    fn end(&self, shell: &Shell) -> Option<String> {
        let [key] = self.known.as_slice() else { return None };
        let end = shifted(key.expires_at?, self.by());
        Some(format!("The old key then works until {}.", times::exact(end, shell.utc)))
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Dialog
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let order = ExtendOverlaps { keys: self.ids.clone(), by: self.by(), shown: self.shown.clone() };
        Some(Box::new(move |operation| {
            Request::Rotation(Box::new(RotationRequest::Extend { operation, order: order.clone() }))
        }))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Input::Key(key) = input else { return Vec::new() };
        if self.wish.under_way() {
            return Vec::new();
        }
        match key.action {
            Some(Action::No | Action::Interrupt) => shell.close(),
            Some(action @ (Action::NextButton | Action::PreviousButton)) => {
                let by = if action == Action::NextButton { 1 } else { -1 };
                self.at = picker::step(self.at, by, CHOICES.len());
                self.wish.edited();
            }
            Some(Action::Yes) if key.confirms() => return self.send_wish(shell),
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_extend);
        if let Some(Ok(extended)) = settled {
            let words = match extended.as_slice() {
                [one] => {
                    let end = one.key.expires_at.map(|end| times::exact(end, shell.utc)).unwrap_or_default();
                    format!("{} works until {end}", one.key.name)
                }
                many => {
                    format!("{} overlaps are {} longer", thousands(many.len() as u64), Span::from(self.by()))
                }
            };
            shell.toast(Severity::Good, words);
            shell.close();
            shell.changed(Subjects::of(audit::Action::KeyRetire));
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 72, 11);
        match self.known.as_slice() {
            [key] if self.ids.len() == 1 => sheet.facts(&key_facts::of(shell, key)),
            known => {
                let names = if self.ids.len() > NAMES { 0 } else { known.len() };
                for key in known.iter().take(names) {
                    sheet.words(Role::Text, &format!("{}  {}  {}", key.preview, key.name, key.account));
                }
            }
        }
        sheet.space();
        let words: Vec<&str> = CHOICES.iter().map(|(_, words)| *words).collect();
        let lines = choice::lines(styles, &words, self.at, true, sheet.field_columns());
        sheet.lines("Longer by", lines, Some(0));
        if let Some(end) = self.end(shell) {
            sheet.note(Role::Muted, &end);
        }
        sheet.failure(self.wish.failure());
        sheet.space();
        let (yes, no) = (shell.keymap.key(Action::Yes), shell.keymap.key(Action::No));
        if self.wish.under_way() {
            sheet.line(Line::styled("extending…", styles.of(Role::Info)), true);
        } else {
            sheet.keys(&[(&yes, "extend"), ("← →", "by how much"), (&no, "leave it")]);
        }
        let title = match self.known.as_slice() {
            [key] if self.ids.len() == 1 => format!("Extend the overlap of {}", fit::cut(&key.name, 40)),
            _ => format!("Extend {} overlaps", thousands(self.ids.len() as u64)),
        };
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}
