//! Several keys, and what they do right now: all of them, to scroll through and to write to a file.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::key::{Key, KeyId};
use crate::domain::reach::BUSIEST;
use crate::domain::text::{SafeText, thousands};
use crate::service::Looked;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::room::body;
use crate::tui::view::times;
use crate::tui::widgets::{dialog, facts, fit, scroll};

const COLUMNS: u16 = 110;

#[derive(Debug)]
pub struct State {
    ids: Vec<KeyId>,
    looked: Option<Box<Looked>>,
    reading: Option<RequestId>,
    failed: Option<SafeText>,
    top: usize,
}

/// Shows these keys; they are read first, unless that was done.
pub fn open(shell: &mut Shell, number: u64, ids: Vec<KeyId>, looked: Option<Box<Looked>>) -> Opened {
    if ids.is_empty() {
        return Opened::refused();
    }
    let mut state = State { ids, looked, reading: None, failed: None, top: 0 };
    let mut effects = Vec::new();
    if state.looked.is_none() {
        let (id, effect) = shell.ask(To::Overlay(number), Request::Reach(state.ids.clone()));
        state.reading = Some(id);
        effects.push(effect);
    }
    Opened::new(state, effects)
}

impl State {
    fn head(&self, shell: &Shell, columns: usize) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        let Some(looked) = &self.looked else {
            let words = self.failed.as_ref().map_or("reading…", SafeText::as_str);
            return fit::lines(words, columns, styles.of(Role::Info));
        };
        let facts: Vec<facts::Fact> = looked
            .reach
            .lines(BUSIEST)
            .into_iter()
            .map(|(name, words)| facts::Fact::new(styles, name, words))
            .collect();
        let mut lines = facts::lines(styles, &facts, columns);
        let key = shell.keymap.key(Action::Export);
        let words = format!("{key} writes all of them to a file or the clipboard");
        lines.push(Line::styled(words, styles.of(Role::Muted)));
        lines.push(Line::default());
        lines
    }

    /// As many lines as there are, of which those are filled that are seen.
    fn lines(&self, shell: &Shell, columns: usize, height: usize) -> Vec<Line<'static>> {
        let mut lines = self.head(shell, columns);
        let Some(looked) = &self.looked else { return lines };
        let head = lines.len();
        lines.resize(head + looked.keys.len(), Line::default());
        let top = self.top.min(lines.len().saturating_sub(height));
        for (place, key) in looked.keys.iter().enumerate().skip(top.saturating_sub(head)).take(height) {
            lines[head + place] = line(shell, key, looked, columns);
        }
        lines
    }
}

fn line(shell: &Shell, key: &Key, looked: &Looked, columns: usize) -> Line<'static> {
    let used = key
        .last_used_at
        .map_or_else(|| "never used".to_owned(), |at| format!("used {}", times::ago(at, looked.now)));
    let status = key.status(looked.now).as_str();
    let right = format!("  {status:<9} {used:<16}");
    let room = columns.saturating_sub(fit::width(&right));
    let name = format!("{}  {}  {}", key.preview, key.label(), SafeText::new(key.account.clone()));
    Line::from(vec![
        Span::styled(fit::pad(&fit::cut(&name, room), room), shell.styles.of(Role::Text)),
        Span::styled(right, shell.styles.of(Role::Muted)),
    ])
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Reader
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let by = match input {
            Input::Scroll { lines, .. } => lines as isize,
            input => match input.action() {
                Some(Action::Export) => {
                    shell.open(Opening::Export(self.ids.clone()));
                    0
                }
                Some(Action::CloseReader | Action::Interrupt) => {
                    shell.close();
                    0
                }
                action => scroll::step(action).unwrap_or(0),
            },
        };
        let (columns, height) = room(shell);
        let last = self.lines(shell, columns, height).len().saturating_sub(height);
        self.top = self.top.saturating_add_signed(by).min(last);
        Vec::new()
    }

    fn reply(&mut self, _: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.reading == Some(id)
            && let Reply::Reach(outcome) = reply
        {
            self.reading = None;
            match outcome {
                Ok(looked) => self.looked = Some(looked),
                Err(failure) => self.failed = Some(failure.text),
            }
        }
        Vec::new()
    }

    fn label(&self, _: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        (!matches!(action, Action::GoToKey | Action::Revoke)).then(|| label.into())
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        Typed::of(&Request::Reach(self.ids.clone()), shell)
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let (columns, height) = room(shell);
        let lines = self.lines(shell, columns, height);
        let size = Size {
            width: u16::try_from(columns + 1).unwrap_or(u16::MAX),
            height: u16::try_from(lines.len()).unwrap_or(u16::MAX),
        };
        let title = match self.ids.len() {
            1 => "1 key".to_owned(),
            many => format!("{} keys", thousands(many as u64)),
        };
        let place = dialog::open(frame, &shell.styles, area, &title, size);
        scroll::draw(frame, &shell.styles, place, lines, self.top);
    }
}

/// Columns for the text and lines that are seen.
fn room(shell: &Shell) -> (usize, usize) {
    let columns = usize::from(dialog::columns(body(shell), COLUMNS)).saturating_sub(1);
    (columns, usize::from(body(shell).height.saturating_sub(dialog::ENDS)))
}
