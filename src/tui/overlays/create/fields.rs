//! The form's fields, and in which of them the cursor stands.

use super::{Purpose, Stage, State};
use crate::service::Field;
use crate::tui::effect::{Failure, FailureKind};
use crate::tui::shell::Shell;
use crate::tui::widgets::text_field::TextField;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Focus {
    Account,
    Name,
    Description,
    Scopes,
    Expiry,
    Custom,
    Allow,
    Owner,
    Mail,
    Tags,
    NotBefore,
    RevokeAt,
    Limits,
}

impl State {
    pub(super) fn field_mut(&mut self) -> Option<&mut TextField> {
        match self.form.field()? {
            Focus::Name => Some(&mut self.name),
            Focus::Description => Some(&mut self.description),
            Focus::Custom => Some(&mut self.custom),
            Focus::Allow => Some(&mut self.allow),
            Focus::Owner => Some(&mut self.owner),
            Focus::Mail => Some(&mut self.mail),
            Focus::Tags => Some(&mut self.tags),
            Focus::NotBefore => Some(&mut self.begins),
            Focus::RevokeAt => Some(&mut self.ends),
            Focus::Limits => Some(&mut self.limits),
            Focus::Account | Focus::Scopes | Focus::Expiry => None,
        }
    }

    /// Whether the cursor stands in a text field of the form.
    pub(super) fn writing(&self) -> bool {
        let choices = [Focus::Account, Focus::Scopes, Focus::Expiry];
        self.stage == Stage::Edit && self.form.field().is_some_and(|field| !choices.contains(&field))
    }

    /// The fields in the order of the screen.
    pub(super) fn order(&self, shell: &Shell) -> Vec<Focus> {
        let mut order = vec![Focus::Account, Focus::Name, Focus::Description];
        if self.edited_key().is_some() {
            order.remove(0);
        }
        if !self.scopes.is_empty() {
            order.push(Focus::Scopes);
        }
        order.push(Focus::Expiry);
        if self.is_custom(shell) {
            order.push(Focus::Custom);
        }
        order.extend([Focus::Allow, Focus::Owner]);
        if self.has_mail() {
            order.push(Focus::Mail);
        }
        order.extend([Focus::Tags, Focus::NotBefore, Focus::RevokeAt]);
        if self.has_limits() {
            order.push(Focus::Limits);
        }
        order
    }

    /// Whether there is an owner, who can have an address.
    pub(super) fn has_mail(&self) -> bool {
        !self.owner.is_empty() || !self.mail.is_empty()
    }

    /// Whether the key that it is to be like has budgets of its own.
    pub(super) fn has_limits(&self) -> bool {
        matches!(&self.purpose, Purpose::Like(Some(like)) if !like.of.limits.is_empty())
    }

    /// Shows a refusal at its place, in the service's own words (VP-28).
    pub(super) fn not_created(&mut self, failure: &Failure) {
        let FailureKind::Field(field) = failure.kind else { return };
        let at = match field {
            Field::Account => Focus::Account,
            Field::Name => Focus::Name,
            Field::Description => Focus::Description,
            Field::Scopes => Focus::Scopes,
            Field::Expiry => Focus::Expiry,
            Field::Allow => Focus::Allow,
            Field::Owner => Focus::Owner,
            Field::Tags => Focus::Tags,
            Field::NotBefore => Focus::NotBefore,
            Field::RevokeAt => Focus::RevokeAt,
            _ => return,
        };
        self.stage = Stage::Edit;
        self.form.go_to(at);
    }
}
