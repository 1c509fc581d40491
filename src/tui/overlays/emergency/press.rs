//! Keys in the path, in the table, and in the fields below it.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};

use super::table::Field;
use super::{Stage, State, TICK_FIRST};
use crate::config::keymap::Action;
use crate::domain::secret::find_secret;
use crate::tui::effect::{Effect, Request, To};
use crate::tui::input;
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::widgets::picker;
use crate::tui::widgets::text_field::TextField;
use crate::tui::words::Severity;

impl State {
    pub(super) fn ask_path(&mut self, begin: &str) {
        self.input.clear();
        self.said = None;
        self.table = None;
        self.wish.edited();
        self.stage = Stage::Path(TextField::with(begin));
    }

    pub(super) fn press_path(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let Stage::Path(path) = &mut self.stage else { return Vec::new() };
        match key.action {
            Some(Action::CancelPrompt) => {
                self.stage = Stage::Ask;
                self.said = None;
            }
            Some(Action::Interrupt) => shell.close(),
            Some(Action::Accept) => {
                let path = path.value().trim().to_owned();
                if path.is_empty() || self.asked.is_some() {
                    return Vec::new();
                }
                let (id, effect) =
                    shell.ask(To::Overlay(self.number), Request::FindInFile(PathBuf::from(path)));
                self.asked = Some(id);
                self.said = Some((Severity::Info, "searching…".into()));
                return vec![effect];
            }
            Some(Action::ClearLine) => path.clear(),
            _ => {
                path.key(key.event);
            }
        }
        Vec::new()
    }

    /// A key in the reason or the ticket.
    pub(super) fn press_field(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let Some(table) = &mut self.table else { return Vec::new() };
        match key.action {
            Some(Action::Accept) if table.edit == Some(Field::Reason) => table.edit = Some(Field::Ticket),
            Some(Action::Accept | Action::CancelPrompt) => table.edit = None,
            Some(Action::Interrupt) => shell.close(),
            action => {
                if let Some(field) = table.field() {
                    if action == Some(Action::ClearLine) {
                        field.clear();
                    } else {
                        field.key(key.event);
                    }
                    self.wish.edited();
                }
            }
        }
        Vec::new()
    }

    /// A key over the table.
    pub(super) fn press_table(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        if let (Stage::Found { at, .. }, Some(table)) = (&mut self.stage, &mut self.table) {
            let page = isize::try_from(usize::from(shell.size.height) / 2).unwrap_or(10);
            let by = match key.action {
                Some(Action::NextButton) => 1,
                Some(Action::PreviousButton) => -1,
                Some(Action::FindingsPageDown) => page,
                Some(Action::FindingsPageUp) => -page,
                _ => 0,
            };
            *at = picker::step(*at, by, table.rows.len());
            match key.action {
                Some(Action::TickFinding) => {
                    table.tick(*at);
                    self.wish.edited();
                }
                Some(action @ (Action::Pause | Action::Resume)) => {
                    self.pause(shell, action == Action::Resume)
                }
                Some(Action::Rotate) => {
                    let (ids, mut known) = table.chosen();
                    match (ids.len(), known.pop()) {
                        (0, _) => shell.toast(Severity::Info, TICK_FIRST),
                        (1, Some(key)) => shell.open(Opening::Rotate(Box::new(key))),
                        (_, last) => {
                            known.extend(last);
                            shell.open(Opening::RotateMany { ids, known, states: String::new() });
                        }
                    }
                }
                Some(Action::ShowReach) => {
                    shell.open(Opening::Looked { ids: table.chosen().0, looked: None });
                }
                Some(Action::Incident) => shell.open(Opening::Incident(table.all())),
                Some(Action::EditReason) => table.edit = Some(Field::Reason),
                Some(Action::OpenFile) => self.ask_path(""),
                Some(Action::No) => {
                    self.table = None;
                    self.stage = Stage::Ask;
                    self.wish.edited();
                    self.said = self.wish.failure().map(|text| (Severity::Warning, text.clone()));
                }
                Some(Action::Interrupt) => shell.close(),
                Some(Action::Yes) if key.confirms() => return self.revoke(shell),
                _ => {}
            }
        }
        Vec::new()
    }
}

/// The character that a path begins with, if it is one.
pub(super) fn path_begins(event: KeyEvent) -> Option<&'static str> {
    match event.code {
        KeyCode::Char('/') => Some("/"),
        KeyCode::Char('~') => Some("~"),
        KeyCode::Char('.') => Some("."),
        _ => None,
    }
}

/// Whether a paste holds a secret or several lines, which belong into no field.
pub(super) fn is_text(pasted: &str) -> bool {
    pasted.trim().contains('\n') || find_secret(pasted).is_some()
}
