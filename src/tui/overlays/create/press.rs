//! What keys do in the form and in its review.

use super::{Focus, Stage, State};
use crate::config::keymap::Action;
use crate::tui::effect::{Effect, Request, To};
use crate::tui::input::{Input, Key};
use crate::tui::shell::Shell;
use crate::tui::words::Severity;

impl State {
    pub(super) fn go_on(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match self.stage {
            Stage::Edit => {
                if self.request(shell).is_some() {
                    self.stage = Stage::Review;
                    self.focus = Focus::Go;
                    self.failure = None;
                }
                Vec::new()
            }
            Stage::Review => match self.request(shell) {
                Some(request) => {
                    let (id, effect) = shell.ask(To::Overlay(self.number), Request::Create(request));
                    self.sent = Some(id);
                    self.stage = Stage::Sending;
                    self.failure = None;
                    vec![effect]
                }
                None => {
                    self.stage = Stage::Edit;
                    Vec::new()
                }
            },
            Stage::Sending => Vec::new(),
        }
    }

    /// One step back: from the review to the fields, from the fields out, after asking once if something would be lost.
    pub(super) fn back(&mut self, shell: &mut Shell) {
        match self.stage {
            Stage::Sending => {}
            Stage::Review => {
                self.stage = Stage::Edit;
                self.focus = Focus::Name;
            }
            Stage::Edit => {
                let untouched = self.name.is_empty()
                    && self.description.is_empty()
                    && self.allow.is_empty()
                    && self.scopes.scopes().is_empty();
                if !untouched && !self.leaving {
                    self.leaving = true;
                    let key = shell.keymap.key(Action::CloseForm);
                    shell.toast(Severity::Warning, format!("{key} again throws away what you filled in"));
                } else {
                    shell.close();
                }
            }
        }
    }

    pub(super) fn input_form(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match input {
            Input::Paste(pasted) => {
                if self.stage == Stage::Edit
                    && let Some(field) = self.field_mut()
                {
                    field.paste(&pasted.line());
                    self.edited();
                }
                Vec::new()
            }
            Input::Key(key) => self.press(shell, key),
            Input::Scroll { .. } | Input::Click(_) => Vec::new(),
        }
    }

    /// Something was changed: what the service said of it holds no longer.
    pub(super) fn edited(&mut self) {
        self.refused = None;
        self.failure = None;
        self.leaving = false;
    }

    pub(super) fn press(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        if self.stage != Stage::Edit {
            return self.press_review(shell, key);
        }
        match key.action {
            Some(Action::CloseForm) => {
                self.back(shell);
                return Vec::new();
            }
            Some(Action::Submit) if !key.hurried => return self.go_on(shell),
            Some(Action::NextField) => self.move_focus(shell, 1),
            Some(Action::PreviousField) => self.move_focus(shell, -1),
            Some(Action::FieldUp) => self.up_down(shell, -1),
            Some(Action::FieldDown) => self.up_down(shell, 1),
            Some(Action::FieldLeft) if self.field().is_none() => self.left_right(shell, -1),
            Some(Action::FieldRight) if self.field().is_none() => self.left_right(shell, 1),
            Some(Action::Toggle) if self.focus == Focus::Scopes => {
                self.scopes.toggle();
                self.edited();
            }
            Some(Action::Press | Action::Toggle) if self.focus == Focus::Account => {
                return self.choose_account(shell);
            }
            Some(Action::Press) if !key.hurried => match self.focus {
                Focus::Go => return self.go_on(shell),
                Focus::Cancel => self.back(shell),
                _ => self.move_focus(shell, 1),
            },
            _ => {
                if let Some(field) = self.field_mut() {
                    if field.key(key.event) {
                        self.edited();
                    }
                } else if let (Focus::Account, Some(c)) = (self.focus, key.character()) {
                    let effects = self.choose_account(shell);
                    if let Some(chooser) = &mut self.chooser {
                        chooser.search.paste(c.encode_utf8(&mut [0; 4]));
                    }
                    return effects.into_iter().chain(self.search_accounts(shell)).collect();
                }
            }
        }
        Vec::new()
    }

    pub(super) fn press_review(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        match key.action {
            Some(Action::CloseForm) => self.back(shell),
            Some(Action::Submit) if !key.hurried => return self.go_on(shell),
            Some(
                Action::NextField
                | Action::PreviousField
                | Action::FieldLeft
                | Action::FieldRight
                | Action::FieldUp
                | Action::FieldDown,
            ) => self.focus = if self.focus == Focus::Go { Focus::Cancel } else { Focus::Go },
            Some(Action::Press | Action::Toggle) if !key.hurried => {
                if self.focus == Focus::Go {
                    return self.go_on(shell);
                }
                self.back(shell);
            }
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn up_down(&mut self, shell: &Shell, by: isize) {
        if self.focus != Focus::Scopes || !self.scopes.move_row(by) {
            self.move_focus(shell, by);
        }
    }

    pub(super) fn left_right(&mut self, shell: &Shell, by: isize) {
        match self.focus {
            Focus::Scopes => self.scopes.move_cell(by),
            Focus::Expiry => {
                let Some(policy) = self.policy(shell) else { return };
                let last = policy.expiry.choices.len() + usize::from(policy.expiry.custom);
                self.expiry = self.expiry.saturating_add_signed(by).min(last.saturating_sub(1));
                self.edited();
            }
            Focus::Go | Focus::Cancel => {
                self.focus = if by < 0 { Focus::Go } else { Focus::Cancel };
            }
            _ => {}
        }
    }
}
