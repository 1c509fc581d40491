//! The form on a key that there is: what of it was changed, and only that is sent (KR-10).

use std::sync::Arc;

use super::fill::owner_texts;
use super::{Choice, Focus, Purpose, Stage, State};
use crate::domain::Instant;
use crate::domain::edit::{Edit, NewEnd};
use crate::domain::key::Key;
use crate::domain::manifest::Manifest;
use crate::domain::network::Networks;
use crate::domain::operator::Permission;
use crate::domain::owner::Tags;
use crate::domain::plan::{NewInstant, Part};
use crate::domain::scope::Scopes;
use crate::service::{Edited, Field, field_of};
use crate::tui::edits;
use crate::tui::effect::{Effect, FailureKind, Outcomes, Reply, Request, RequestId, To};
use crate::tui::layer::Opened;
use crate::tui::shell::Shell;
use crate::tui::widgets::scope_grid::ScopeGrid;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::Asking;
use crate::tui::words::Severity;

/// The key that is changed.
#[derive(Debug)]
pub(super) struct Editing {
    /// As it was read last.
    pub key: Key,
    shown: Arc<Manifest>,
    /// The key is read once more.
    news: Option<RequestId>,
    /// Somebody else changed it meanwhile.
    pub moved: bool,
}

/// Opens the form to change a key.
pub fn edit(shell: &mut Shell, number: u64, key: Key) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "edit keys") {
        return Opened::refused();
    }
    if let Some((how, _)) = key.ended(shell.now) {
        let words = format!("{} is {how}, so it can't be edited", key.name);
        shell.toast(Severity::Info, words);
        return Opened::refused();
    }
    let mut state = State::new(shell, number);
    state.begin_edit(shell, key);
    let effect = state.read_key(shell);
    Opened::new(state, effect.into_iter().collect())
}

impl State {
    pub(super) fn begin_edit(&mut self, shell: &Shell, key: Key) {
        let shown = Arc::new(Manifest::of([&key], shell.now));
        if let Some(issuer) = shell.issuer(&key.issuer) {
            self.scopes = ScopeGrid::new(&issuer.policy.scopes);
        }
        self.scopes.tick(&key.scopes);
        for (field, text) in self.texts().into_iter().zip(texts_of(&key)) {
            *field = TextField::with(&text);
        }
        self.purpose = Purpose::Edit(Box::new(Editing { key, shown, news: None, moved: false }));
        self.form.go_to(Focus::Name);
    }

    /// The fields of text in the order of [`texts_of`].
    fn texts(&mut self) -> [&mut TextField; 8] {
        [
            &mut self.name,
            &mut self.description,
            &mut self.allow,
            &mut self.owner,
            &mut self.mail,
            &mut self.tags,
            &mut self.begins,
            &mut self.ends,
        ]
    }

    /// Reads the key that is changed once more: what is sent is compared with what there is.
    pub(super) fn read_key(&mut self, shell: &mut Shell) -> Option<Effect> {
        let Purpose::Edit(editing) = &mut self.purpose else { return None };
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Key(editing.key.id));
        editing.news = Some(id);
        Some(effect)
    }

    pub(super) fn is_news(&self, id: RequestId) -> bool {
        matches!(&self.purpose, Purpose::Edit(editing) if editing.news == Some(id))
    }

    /// What was not touched here becomes what it is now; what was touched stays as it was typed.
    pub(super) fn take_news(&mut self, shell: &mut Shell, found: Outcomes<Box<Key>>) {
        let Purpose::Edit(editing) = &mut self.purpose else { return };
        editing.news = None;
        let Ok(new) = found else { return };
        let old = std::mem::replace(&mut editing.key, *new);
        let new = editing.key.clone();
        editing.shown = Arc::new(Manifest::of([&new], shell.now));
        let wish = |key: &Key| (texts_of(key), key.scopes.clone(), key.expires_at);
        if let Some((how, _)) = new.ended(shell.now) {
            shell.toast(
                Severity::Warning,
                format!("{} is {how} meanwhile: it can't be edited any more", new.name),
            );
            shell.close();
            return;
        }
        if wish(&old) == wish(&new) {
            return;
        }
        editing.moved = true;
        let texts = texts_of(&old).into_iter().zip(texts_of(&new));
        for (field, (old, new)) in self.texts().into_iter().zip(texts) {
            if field.value() == old {
                *field = TextField::with(&new);
            }
        }
        if self.scopes.scopes() == self.scopes.known(&old.scopes) {
            self.scopes.tick(&new.scopes);
        }
        self.wish.edited();
        self.wish.changed();
    }

    /// The other end that was chosen, if any.
    pub(super) fn chosen_end(&self, shell: &Shell) -> Result<Option<NewEnd>, String> {
        match self.choices(shell).get(self.expiry) {
            None | Some(Choice::Keep) => Ok(None),
            Some(Choice::One(expiry)) => Ok(Some(NewEnd::To(*expiry))),
            Some(Choice::Other) => {
                NewEnd::parse(self.custom.value(), shell.here()).map(Some).map_err(|error| error.to_string())
            }
        }
    }

    /// What was changed, or at which field it can't be.
    pub(super) fn wanted_edit(&self, shell: &Shell) -> Result<Edit, (Field, String)> {
        let key = self.edited_key().ok_or((Field::Name, String::new()))?;
        let [name, description, _, owner, mail, _, begins, ends] = texts_of(key);
        let changed = |field: &TextField, old: &str| {
            let new = field.value().trim();
            (new != old.trim()).then(|| new.to_owned())
        };
        let planned = |field: &TextField, old: &str, part: Part, at| match changed(field, old).as_deref() {
            None => Ok(None),
            Some("") => Ok(Some(NewInstant::To(None))),
            Some(text) => {
                part.read_new(text, shell.here()).map(Some).map_err(|error| (at, error.to_string()))
            }
        };
        let new_owner = changed(&self.owner, &owner);
        // With another owner the address has to be told, even where it is the same one.
        let told = new_owner.is_some() && !self.owner.value().trim().is_empty();
        let new_mail =
            changed(&self.mail, &mail).or_else(|| told.then(|| self.mail.value().trim().to_owned()));
        let tags = edits::parts(self.tags.value());
        let tags = Tags::checked(tags).map_err(|error| (Field::Tags, error.to_string()))?;
        let scopes = self.scopes.scopes();
        let without = |some: &Scopes, other: &Scopes| -> Scopes {
            some.iter().filter(|scope| !other.contains(scope)).collect()
        };
        let allow = Networks::parse(self.allow.value()).map_err(|error| (Field::Allow, error.to_string()))?;
        let anywhere = allow.is_empty() && !key.allow.is_empty();
        let nets = |some: &Networks, other: &Networks| {
            let left = some.as_slice().iter().filter(|net| !other.as_slice().contains(net));
            Networks::new(left.copied())
        };
        let minus = |some: &Tags, other: &Tags| some.changed(&Tags::default(), other).unwrap_or_default();
        Ok(Edit {
            name: changed(&self.name, &name),
            description: changed(&self.description, &description),
            owner: new_owner,
            owner_mail: new_mail,
            tag: minus(&tags, &key.tags),
            untag: minus(&key.tags, &tags),
            add_scopes: without(&scopes, &key.scopes),
            remove_scopes: without(&self.scopes.known(&key.scopes), &scopes),
            disallow: if anywhere { Networks::default() } else { nets(&key.allow, &allow) },
            allow: nets(&allow, &key.allow),
            anywhere,
            expires: self.chosen_end(shell).map_err(|error| (Field::Expiry, error))?,
            not_before: planned(&self.begins, &begins, Part::NotBefore, Field::NotBefore)?,
            revoke_at: planned(&self.ends, &ends, Part::RevokeAt, Field::RevokeAt)?,
            plan_reason: None,
        })
    }

    /// The key as it would be, or at which field it can't be that.
    pub(super) fn would_be(&self, shell: &Shell) -> Result<Key, (Field, String)> {
        let edit = self.wanted_edit(shell)?;
        match (self.edited_key(), self.policy(shell)) {
            (Some(key), Some(policy)) => {
                edit.apply(key, policy, shell.now).map_err(|error| (field_of(&error), error.to_string()))
            }
            _ => Err((Field::Name, "the policies are not read yet: try again in a moment".into())),
        }
    }

    pub(super) fn ask_edit(&self, shell: &Shell) -> Option<Asking> {
        let Purpose::Edit(editing) = &self.purpose else { return None };
        let edit = self.wanted_edit(shell).ok().filter(|edit| !edit.is_empty())?;
        Some(edits::asking(vec![editing.key.id], edit, editing.shown.clone()))
    }

    /// Whether there is anything to save; said where there is not.
    pub(super) fn changes_something(&self, shell: &mut Shell) -> bool {
        let Some(key) = self.edited_key() else { return true };
        let same = self.would_be(shell).is_ok_and(|new| new == *key);
        if same {
            shell.toast(Severity::Info, "Nothing was changed yet.");
        }
        !same
    }

    pub(super) fn edit_answered(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match self.wish.settle(shell, id, reply, Reply::try_as_edit) {
            Some(Ok(edited)) => edits::done(shell, &edited),
            Some(Err(failure)) => {
                self.not_created(&failure);
                if failure.kind == FailureKind::Moved {
                    self.stage = Stage::Edit;
                    self.form.go_to(Focus::Name);
                    return self.read_key(shell).into_iter().collect();
                }
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

/// What a save would change nothing of.
pub(super) fn nothing(edited: &[Edited]) -> Option<String> {
    let same = edited.iter().all(|one| one.changed.is_empty());
    same.then(|| "Nothing would change: it is already so.".into())
}

/// Name, description, networks, owner, address, tags and what is planned, as they stand in their fields.
fn texts_of(key: &Key) -> [String; 8] {
    let [owner, mail] = owner_texts(key.owner.as_ref());
    let (name, description) = (key.name.to_string(), key.description.to_string());
    let at = |at: Option<Instant>| {
        at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)).unwrap_or_default()
    };
    let [begins, ends] = [key.not_before, key.planned.as_ref().map(|plan| plan.at)].map(at);
    [name, description, key.allow.to_string(), owner, mail, key.tags.to_string(), begins, ends]
}
