//! What is wrong with the form as it stands.

use super::{Choice, Focus, Purpose, State};
use crate::domain::account::Standing;
use crate::domain::budget::Budgets;
use crate::domain::expiry::{Expiry, check_expiry};
use crate::domain::key::OperationId;
use crate::domain::network::Networks;
use crate::domain::owner::{Owner, Tags};
use crate::domain::plan::{Part, Plan};
use crate::domain::text;
use crate::service::{CreateKey, Field};
use crate::tui::edits::parts;
use crate::tui::shell::Shell;
use crate::tui::widgets::text_field::TextField;

impl State {
    /// The expiry as it stands, or what is wrong with it.
    pub(super) fn chosen_expiry(&self, shell: &Shell) -> Result<Expiry, String> {
        let Some(policy) = self.policy(shell) else { return Err("choose an account first".into()) };
        let expiry = match self.choices(shell).get(self.expiry) {
            Some(Choice::One(choice)) => *choice,
            _ => policy.expiry.read(self.custom.value(), shell.here()).map_err(|error| error.to_string())?,
        };
        check_expiry(&policy.expiry, expiry, shell.here()).map_err(|error| error.to_string())?;
        Ok(expiry)
    }

    /// What is wrong with a field as it stands; an empty one only once the form was to go on.
    pub(super) fn error(&self, shell: &Shell, field: Field) -> Option<String> {
        if let Some(why) = self.wish.refusal(field) {
            return Some(why.as_str().to_owned());
        }
        if self.edited_key().is_some() && !self.half_typed(shell, field) {
            return self.would_be(shell).err().filter(|(at, _)| *at == field).map(|(_, why)| why);
        }
        match field {
            Field::Account if self.checked && self.account.is_none() => Some("choose an account".into()),
            Field::Account => self
                .account
                .as_ref()
                .filter(|account| account.account.standing == Standing::Suspended)
                .map(|_| {
                    "this account is suspended: no key can be created for it until it is reinstated".into()
                }),
            Field::Name if self.name.value().trim().is_empty() => {
                self.checked.then(|| "a name is required: say what the key is for".into())
            }
            Field::Name if self.is_name_of_other() => {
                Some("that is the name of the key it is copied from: choose another".into())
            }
            Field::Name => text::check_name(self.name.value()).err().map(|error| error.to_string()),
            Field::Description => {
                text::check_description(self.description.value()).err().map(|error| error.to_string())
            }
            Field::Scopes if self.checked && !self.scopes.is_empty() && self.scopes.scopes().is_empty() => {
                Some("tick at least one scope: a key without scopes can do nothing".into())
            }
            Field::Expiry if self.is_custom(shell) && self.custom.is_empty() => {
                self.checked.then(|| "write when it expires: 90d, 12w, 2027-01-31".into())
            }
            Field::Expiry => self.account.is_some().then(|| self.chosen_expiry(shell).err()).flatten(),
            Field::Allow => Networks::parse(self.allow.value()).err().map(|error| error.to_string()),
            Field::Owner => self.chosen_owner().err(),
            Field::Tags => self.chosen_tags().err(),
            Field::NotBefore | Field::RevokeAt => {
                self.chosen_plan(shell).err().filter(|(at, _)| *at == field).map(|(_, why)| why)
            }
            Field::Budgets => Budgets::parse(self.limits.value()).err().map(|error| error.to_string()),
            _ => None,
        }
    }

    /// Whether an empty field says for itself that something is missing, once it was to go on.
    fn half_typed(&self, shell: &Shell, field: Field) -> bool {
        match field {
            Field::Name => true,
            Field::Description => true,
            Field::Expiry => self.is_custom(shell) && self.custom.is_empty(),
            _ => false,
        }
    }

    fn is_name_of_other(&self) -> bool {
        matches!(&self.purpose, Purpose::Like(Some(like)) if like.of.name.as_str() == self.name.value().trim())
    }

    fn chosen_owner(&self) -> Result<Option<Owner>, String> {
        Owner::checked(self.owner.value(), Some(self.mail.value())).map_err(|error| error.to_string())
    }

    fn chosen_tags(&self) -> Result<Tags, String> {
        Tags::checked(parts(self.tags.value())).map_err(|error| error.to_string())
    }

    /// What is planned of a new key, or at which field it can't be.
    pub(super) fn chosen_plan(&self, shell: &Shell) -> Result<Plan, (Field, String)> {
        let read = |field, part: Part, text: &TextField| {
            let text = Some(text.value().trim()).filter(|text| !text.is_empty());
            let at = text.map(|text| part.read(text, shell.here())).transpose();
            at.map_err(|error| (field, error.to_string()))
        };
        let plan = Plan {
            not_before: read(Field::NotBefore, Part::NotBefore, &self.begins)?,
            revoke_at: read(Field::RevokeAt, Part::RevokeAt, &self.ends)?,
        };
        let expires_at = self.chosen_expiry(shell).ok().and_then(|expiry| expiry.instant(shell.now));
        plan.check(expires_at, shell.now).map_err(|(part, error)| match part {
            Part::NotBefore => (Field::NotBefore, error.to_string()),
            Part::RevokeAt => (Field::RevokeAt, error.to_string()),
        })?;
        Ok(plan)
    }

    /// Whether every field is right; otherwise the cursor goes to the first that is not.
    pub(super) fn is_right(&mut self, shell: &Shell) -> bool {
        self.checked = true;
        let fields = [
            (Field::Account, Focus::Account),
            (Field::Name, Focus::Name),
            (Field::Description, Focus::Description),
            (Field::Scopes, Focus::Scopes),
            (Field::Expiry, if self.is_custom(shell) { Focus::Custom } else { Focus::Expiry }),
            (Field::Allow, Focus::Allow),
            (Field::Owner, Focus::Owner),
            (Field::Tags, Focus::Tags),
            (Field::NotBefore, Focus::NotBefore),
            (Field::RevokeAt, Focus::RevokeAt),
            (Field::Budgets, Focus::Limits),
        ];
        let wrong = fields.into_iter().find(|(field, _)| self.error(shell, *field).is_some());
        wrong.inspect(|(_, focus)| self.form.go_to(*focus)).is_none()
    }

    /// The request under no operation's id yet.
    pub(super) fn request(&self, shell: &Shell) -> Option<CreateKey> {
        let account = self.account.as_ref()?.account.slug.clone();
        let (name, description) = (self.name.value().trim(), self.description.value().trim());
        let (name, description) = (name.to_owned(), description.to_owned());
        let (scopes, expiry) = (self.scopes.scopes(), self.chosen_expiry(shell).ok()?);
        let allow = Networks::parse(self.allow.value()).ok()?;
        let operation = OperationId::nil();
        Some(CreateKey {
            operation,
            account,
            name,
            description,
            scopes,
            expiry,
            plan: self.chosen_plan(shell).ok()?,
            allow,
            owner: self.chosen_owner().ok()?,
            tags: self.chosen_tags().ok()?,
            limits: Budgets::parse(self.limits.value()).ok()?,
        })
    }
}
