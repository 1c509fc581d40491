//! What keys do in the form and in its review.

use crossterm::event::KeyEvent;

use super::{Focus, Purpose, Stage, State};
use crate::config::keymap::Action;
use crate::domain::key::OperationId;
use crate::service::{CreateKey, InUse};
use crate::tui::effect::{Effect, To};
use crate::tui::form::Pressed;
use crate::tui::input::{Input, Key};
use crate::tui::layer::Layer;
use crate::tui::shell::Shell;
use crate::tui::widgets::text_field::TextField;
use crate::tui::words::Severity;

impl State {
    fn go_on(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let right = self.is_right(shell);
        match self.stage {
            _ if !right => self.stage = Stage::Edit,
            Stage::Edit if !self.changes_something(shell) => {}
            Stage::Edit => {
                self.stage = Stage::Review;
                self.form.go_to_go();
                self.wish.edited();
            }
            Stage::Review => return self.send_wish(shell),
        }
        Vec::new()
    }

    /// One step back: from the review to the fields, from the fields out, after asking once if something would be lost.
    fn back(&mut self, shell: &mut Shell) {
        match self.stage {
            Stage::Review => {
                self.stage = Stage::Edit;
                self.form.go_to(Focus::Name);
            }
            Stage::Edit => {
                let untouched = self.is_untouched(shell);
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

    /// Whether leaving loses nothing that a person filled in.
    fn is_untouched(&self, shell: &Shell) -> bool {
        if let Some(key) = self.edited_key() {
            return self.would_be(shell).is_ok_and(|new| new == *key);
        }
        match &self.purpose {
            Purpose::Like(Some(like)) => {
                let wish = CreateKey { operation: OperationId::nil(), ..like.request.clone() };
                self.request(shell).is_none_or(|request| request == wish)
            }
            _ => {
                let texts = [
                    &self.name,
                    &self.description,
                    &self.allow,
                    &self.owner,
                    &self.tags,
                    &self.begins,
                    &self.ends,
                ];
                texts.into_iter().all(TextField::is_empty) && self.scopes.scopes().is_empty()
            }
        }
    }

    pub(super) fn input_form(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match (input, self.stage) {
            (Input::Paste(pasted), Stage::Edit) => {
                if self.form.on(Focus::Expiry) && self.is_custom(shell) {
                    self.form.go_to(Focus::Custom);
                }
                if let Some(field) = self.field_mut() {
                    field.paste(&pasted.line());
                    self.edited();
                }
                Vec::new()
            }
            (Input::Key(key), Stage::Edit) => self.press(shell, key),
            (Input::Key(key), Stage::Review) => self.press_review(shell, key),
            _ => Vec::new(),
        }
    }

    /// Something was changed: what the service said of it holds no longer.
    fn edited(&mut self) {
        self.wish.edited();
        self.leaving = false;
    }

    fn press(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        let key = Key { unread: false, ..key };
        match (key.action, self.form.field()) {
            (Some(Action::FieldUp), Some(Focus::Scopes)) if self.scopes.move_row(-1) => return Vec::new(),
            (Some(Action::FieldDown), Some(Focus::Scopes)) if self.scopes.move_row(1) => return Vec::new(),
            (Some(Action::Toggle), Some(Focus::Scopes)) => {
                self.scopes.toggle();
                self.edited();
                return Vec::new();
            }
            (Some(Action::Press | Action::Toggle), Some(Focus::Account)) => {
                return self.choose_account(shell);
            }
            // Behind the choice of another expiry stands the field for it.
            (None, Some(Focus::Expiry)) if self.is_custom(shell) && key.character().is_some() => {
                self.form.go_to(Focus::Custom);
            }
            (None, Some(Focus::Account)) => {
                let Some(c) = key.character() else { return Vec::new() };
                let effects = self.choose_account(shell);
                if let Some(chooser) = &mut self.chooser {
                    chooser.picker.search.paste(c.encode_utf8(&mut [0; 4]));
                }
                return effects.into_iter().chain(self.search_accounts(shell)).collect();
            }
            _ => {}
        }
        let (order, before) = (self.order(shell), self.form);
        match self.form.press(key, &order, self.writing()) {
            Pressed::Close => self.back(shell),
            Pressed::Go => return self.go_on(shell),
            Pressed::Sideways(by) => self.left_right(shell, by),
            Pressed::Text(event) => {
                if self.complete(event) || self.field_mut().is_some_and(|field| field.key(event)) {
                    self.edited();
                }
                return self.follow(shell).into_iter().collect();
            }
            Pressed::Nothing if self.form != before => {
                // Blanks alone are no name: said as soon as one goes on from them.
                self.checked |=
                    before.on(Focus::Name) && !self.name.is_empty() && self.name.value().trim().is_empty();
                if self.form.on(Focus::Scopes) {
                    let back = matches!(key.action, Some(Action::PreviousField | Action::FieldUp));
                    self.scopes.enter(back);
                }
            }
            Pressed::Nothing => {}
        }
        Vec::new()
    }

    /// Completes the owner or the tag before the cursor, if this key asks for that.
    fn complete(&mut self, event: KeyEvent) -> bool {
        match self.form.field() {
            Some(Focus::Owner) => self.completing.take(InUse::Owners, &mut self.owner, event),
            Some(Focus::Tags) => self.completing.take(InUse::Tags, &mut self.tags, event),
            _ => false,
        }
    }

    /// Asks what the owner or the tag before the cursor may become.
    fn follow(&mut self, shell: &mut Shell) -> Option<Effect> {
        let (known, field) = match self.form.field() {
            Some(Focus::Owner) => (InUse::Owners, &self.owner),
            Some(Focus::Tags) => (InUse::Tags, &self.tags),
            _ => return None,
        };
        self.completing.follow(shell, To::Overlay(self.number), known, field)
    }

    fn press_review(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        // There is nothing to tick: the space bar presses too.
        let press = key.action == Some(Action::Toggle);
        let key = if press { Key { action: Some(Action::Press), ..key } } else { key };
        match self.form.press(key, &[], false) {
            Pressed::Close => self.back(shell),
            Pressed::Go => return self.go_on(shell),
            _ => {}
        }
        Vec::new()
    }

    fn left_right(&mut self, shell: &Shell, by: isize) {
        match self.form.field() {
            Some(Focus::Scopes) => self.scopes.move_cell(by),
            Some(Focus::Expiry) => {
                let last = self.choices(shell).len();
                self.expiry = self.expiry.saturating_add_signed(by).min(last.saturating_sub(1));
                self.edited();
            }
            _ => {}
        }
    }
}
