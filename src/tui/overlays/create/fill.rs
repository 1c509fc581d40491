//! What the form is filled in with.

use super::{Choice, Focus, Purpose, State};
use crate::domain::expiry::Expiry;
use crate::domain::key::KeyId;
use crate::domain::operator::Permission;
use crate::domain::owner::Owner;
use crate::domain::text::SafeText;
use crate::service::{Alike, CreateKey};
use crate::tui::effect::{Effect, Outcomes, Request, To};
use crate::tui::layer::Opened;
use crate::tui::shell::Shell;
use crate::tui::widgets::text_field::TextField;

/// Opens the form for a new key like this one.
pub fn like(shell: &mut Shell, number: u64, key: KeyId) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "create keys") {
        return Opened::refused();
    }
    let mut state = State::new(shell, number);
    state.purpose = Purpose::Like(None);
    let (id, effect) = shell.ask(To::Overlay(number), Request::Alike(key));
    state.wanted = Some(id);
    Opened::new(state, vec![effect])
}

impl State {
    /// The key that it is to be like was read: its account comes next.
    pub(super) fn found_alike(&mut self, shell: &mut Shell, found: Outcomes<Box<Alike>>) -> Vec<Effect> {
        self.wanted = None;
        match found {
            Ok(like) => {
                let account = Request::Account(like.request.account.clone());
                let (id, effect) = shell.ask(To::Overlay(self.number), account);
                self.purpose = Purpose::Like(Some(like));
                self.wanted = Some(id);
                vec![effect]
            }
            Err(failure) => {
                shell.failed(&failure);
                shell.close();
                Vec::new()
            }
        }
    }

    /// Fills all fields in but the account.
    pub(super) fn fill(&mut self, shell: &Shell, from: &CreateKey) {
        self.name = TextField::with(&from.name);
        self.description = TextField::with(&from.description);
        self.scopes.tick(&from.scopes);
        self.allow = TextField::with(&from.allow.to_string());
        let [owner, mail] = owner_texts(from.owner.as_ref());
        (self.owner, self.mail) = (TextField::with(&owner), TextField::with(&mail));
        self.tags = TextField::with(&from.tags.to_string());
        self.limits = TextField::with(&from.limits.to_string());
        self.choose(shell, from.expiry);
        self.form.go_to(Focus::Name);
    }

    /// Chooses an expiry: the one that is offered, else in words.
    fn choose(&mut self, shell: &Shell, expiry: Expiry) {
        let choices = self.choices(shell);
        let offered = choices.iter().position(|choice| *choice == Choice::One(expiry));
        let other = || choices.iter().position(|choice| *choice == Choice::Other);
        if let Some(at) = offered.or_else(other) {
            self.expiry = at;
        }
        if offered.is_none() {
            self.custom = TextField::with(&expiry.to_string());
        }
    }
}

/// An owner's name and address, empty where there is none.
pub(super) fn owner_texts(owner: Option<&Owner>) -> [String; 2] {
    let mail = owner.and_then(|owner| owner.mail.as_ref());
    [owner.map(|owner| &owner.name), mail].map(|text| text.map(SafeText::to_string).unwrap_or_default())
}
