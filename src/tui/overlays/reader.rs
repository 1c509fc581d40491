//! A page to read: a policy, a row of the audit.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{About, Opening, Part};
use crate::tui::shell::Shell;
use crate::tui::view::room::body;
use crate::tui::widgets::{dialog, facts, fit, scroll};

/// The page and how far down one is.
#[derive(Debug)]
pub struct State {
    title: String,
    parts: Vec<Part>,
    top: usize,
    about: Option<About>,
}

/// Opens a page that is about a key, if it is about one.
pub fn open(title: String, parts: Vec<Part>, about: Option<About>) -> Opened {
    Opened::new(State { title, parts, top: 0, about }, Vec::new())
}

/// A page for an overlay that has one.
pub(super) fn page(title: String, parts: Vec<Part>) -> State {
    State { title, parts, top: 0, about: None }
}

impl State {
    /// Other parts; the place stays.
    pub(super) fn set(&mut self, parts: Vec<Part>) {
        self.parts = parts;
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
                Part::Words(words) => lines.extend(fit::lines(words, columns, styles.of(Role::Text))),
                Part::Space => lines.push(Line::default()),
                Part::Fact(..) => {}
            }
        }
        flush(&mut list, &mut lines);
        lines
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Reader
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let by = match input {
            Input::Scroll { lines, .. } => lines as isize,
            input => match input.action() {
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
                        shell.open(Opening::Revoke {
                            ids: vec![key],
                            known: Vec::new(),
                            states: String::new(),
                        });
                    }
                    0
                }
                Some(Action::CloseReader | Action::Interrupt) => {
                    shell.close();
                    0
                }
                action => scroll::step(action).unwrap_or(0),
            },
        };
        let columns = columns(shell);
        let last = self.lines(shell, columns).len().saturating_sub(height(shell));
        self.top = self.top.saturating_add_signed(by).min(last);
        Vec::new()
    }

    fn label(&self, _: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        let there = match action {
            Action::GoToKey => self.about.is_some(),
            Action::CopyReport => false,
            Action::Revoke => self.about.as_ref().is_some_and(|about| about.revoke.is_some()),
            _ => true,
        };
        there.then(|| label.into())
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
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
    dialog::columns(body(shell), 88).into()
}

/// Lines that a page shows at once: the screen without header, footer and border.
fn height(shell: &Shell) -> usize {
    usize::from(body(shell).height.saturating_sub(dialog::ENDS))
}
