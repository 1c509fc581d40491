//! A page to read: a policy, a row of the audit.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::{Overlay, revoke};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::key::KeyId;
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::state::Shell;
use crate::tui::view::body;
use crate::tui::widgets::{dialog, facts, fit, scroll};

/// What stands on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Heading(String),
    Fact(&'static str, String),
    Words(String),
    Space,
}

/// The page and how far down one is.
#[derive(Debug)]
pub struct State {
    title: String,
    parts: Vec<Part>,
    top: usize,
    about: Option<About>,
}

/// The key that a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The filter that shows it.
    pub filter: String,
    /// The key, where it can be revoked from the page.
    pub revoke: Option<KeyId>,
}

impl About {
    /// A key that one can go to and revoke, whatever its status.
    pub fn key(id: KeyId) -> Self {
        Self { filter: format!("status:active,expired,abandoned,revoked id:{id}"), revoke: Some(id) }
    }
}

/// Opens a page.
pub fn open(shell: &mut Shell, title: String, parts: Vec<Part>) -> Vec<Effect> {
    open_about(shell, title, parts, None)
}

/// Opens a page that is about a key: `key` is the filter that shows it.
pub fn open_with(shell: &mut Shell, title: String, parts: Vec<Part>, key: Option<String>) -> Vec<Effect> {
    open_about(shell, title, parts, key.map(|filter| About { filter, revoke: None }))
}

/// Opens a page that is about a key, if it is about one.
pub fn open_about(shell: &mut Shell, title: String, parts: Vec<Part>, about: Option<About>) -> Vec<Effect> {
    shell.open(Overlay::Reader(State { title, parts, top: 0, about }));
    Vec::new()
}

impl State {
    /// Whether one can go on from it to a key.
    pub fn leads_to_key(&self) -> bool {
        self.about.is_some()
    }

    /// Whether the key can be revoked from it.
    pub fn revokes(&self) -> bool {
        self.about.as_ref().is_some_and(|about| about.revoke.is_some())
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let by = match input {
            Input::Scroll { lines, .. } => lines as isize,
            input => match input.action() {
                Some(Action::ReadUp) => -1,
                Some(Action::ReadDown) => 1,
                Some(Action::ReadPageUp) => -10,
                Some(Action::ReadPageDown) => 10,
                Some(Action::ReadTop) => isize::MIN / 2,
                Some(Action::ReadBottom) => isize::MAX / 2,
                Some(Action::GoToKey) => {
                    if let Some(about) = self.about.take() {
                        shell.close();
                        shell.filter(about.filter);
                    }
                    0
                }
                Some(Action::Revoke) => {
                    if let Some(key) = self.about.as_ref().and_then(|about| about.revoke) {
                        shell.close();
                        return revoke::open(shell, vec![key], Vec::new());
                    }
                    0
                }
                Some(Action::CloseReader | Action::Interrupt) => {
                    shell.close();
                    0
                }
                _ => 0,
            },
        };
        let columns = columns(shell);
        let last = self.lines(shell, columns).len().saturating_sub(height(shell));
        self.top = self.top.saturating_add_signed(by).min(last);
        Vec::new()
    }

    fn lines(&self, shell: &Shell, columns: usize) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        // The last column is the scroll mark's.
        let columns = columns.saturating_sub(1);
        let mut lines = Vec::new();
        let mut list: Vec<facts::Fact> = Vec::new();
        // Facts that follow each other share the width of their names.
        let flush = |list: &mut Vec<facts::Fact>, lines: &mut Vec<Line<'static>>| {
            lines.extend(facts::lines(styles, list, columns));
            list.clear();
        };
        for part in &self.parts {
            if let Part::Fact(name, value) = part {
                list.push(facts::Fact::new(styles, name, value.clone()));
                continue;
            }
            flush(&mut list, &mut lines);
            match part {
                Part::Heading(words) => lines.push(Line::styled(words.clone(), styles.of(Role::Header))),
                Part::Words(words) => lines.extend(
                    fit::wrap(words, columns)
                        .into_iter()
                        .map(|part| Line::styled(part, styles.of(Role::Text))),
                ),
                Part::Space => lines.push(Line::default()),
                Part::Fact(..) => {}
            }
        }
        flush(&mut list, &mut lines);
        lines
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let columns = columns(shell);
        let lines = self.lines(shell, columns);
        let size = Size {
            width: u16::try_from(columns).unwrap_or(u16::MAX),
            height: u16::try_from(lines.len()).unwrap_or(u16::MAX),
        };
        let place = dialog::open(frame, &shell.styles, area, &self.title, size);
        scroll::draw(frame, &shell.styles, place, lines, self.top);
    }
}

fn columns(shell: &Shell) -> usize {
    dialog::columns(body(shell.size), 88).into()
}

/// Lines that a page shows at once: the screen without header, footer and border.
fn height(shell: &Shell) -> usize {
    usize::from(body(shell.size).height.saturating_sub(dialog::ENDS))
}
