//! The form for a new key: configure, review, create (VP-23). The secret then goes to the reveal.

use crate::config::keymap::{Action, Context};
use crate::domain::account::{AccountSummary, Standing};
use crate::domain::expiry::{Expiry, check_expiry};
use crate::domain::issuer::Policy;
use crate::domain::key::OperationId;
use crate::domain::network::Networks;
use crate::domain::operator::Permission;
use crate::domain::text::{self, SafeText};
use crate::service::{CreateKey, Field};
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId, To};
use crate::tui::input::{Input, Key};
use crate::tui::latest::Latest;
use crate::tui::state::{Severity, Shell};
use crate::tui::widgets::picker;
use crate::tui::widgets::scope_grid::ScopeGrid;
use crate::tui::widgets::text_field::TextField;

use super::Overlay;
use super::reveal;

#[cfg(test)]
mod tests;
mod view;

/// How many accounts are offered at once; typing narrows them.
const ACCOUNTS: u32 = 50;

/// Everything filled in so far.
#[derive(Debug)]
pub struct State {
    /// Made once, so that sending again after a lost connection doubles nothing. A refusal ends the wish.
    operation: OperationId,
    account: Option<AccountSummary>,
    chooser: Option<Chooser>,
    accounts: Latest,
    /// The account that the form was opened for, until it is known.
    wanted: Option<RequestId>,
    name: TextField,
    description: TextField,
    scopes: ScopeGrid,
    expiry: usize,
    custom: TextField,
    allow: TextField,
    focus: Focus,
    stage: Stage,
    /// What the service said of a field.
    refused: Option<(Field, SafeText)>,
    /// What the service said of the whole.
    failure: Option<SafeText>,
    /// Whether missing things are shown as errors yet.
    checked: bool,
    /// Whether Esc was pressed once with something filled in.
    leaving: bool,
    sent: Option<RequestId>,
}

/// Choosing an account by typing a part of its name.
#[derive(Debug, Default)]
struct Chooser {
    search: TextField,
    found: Vec<AccountSummary>,
    at: usize,
    loaded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Edit,
    Review,
    Sending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Account,
    Name,
    Description,
    Scopes,
    Expiry,
    Custom,
    Allow,
    Go,
    Cancel,
}

/// Opens the form, for an account if one is given; without one the chooser comes first.
pub fn open(shell: &mut Shell, account: Option<String>) -> Vec<Effect> {
    if !shell.refuse_unless(Permission::ChangeKeys, "create keys") {
        return Vec::new();
    }
    let operation = shell.operation();
    let number = shell.reserve();
    let mut state = State::new(operation);
    let effects = match account {
        Some(slug) => {
            let (id, effect) = shell.ask(To::Overlay(number), Request::Account(slug));
            state.wanted = Some(id);
            vec![effect]
        }
        None => state.choose_account(shell, number),
    };
    shell.open_as(number, Overlay::Create(Box::new(state)));
    effects
}

impl State {
    fn new(operation: OperationId) -> Self {
        Self {
            operation,
            account: None,
            chooser: None,
            accounts: Latest::default(),
            wanted: None,
            name: TextField::default(),
            description: TextField::default(),
            scopes: ScopeGrid::default(),
            expiry: 0,
            custom: TextField::default(),
            allow: TextField::default(),
            focus: Focus::Account,
            stage: Stage::Edit,
            refused: None,
            failure: None,
            checked: false,
            leaving: false,
            sent: None,
        }
    }

    pub fn context(&self) -> Context {
        if self.chooser.is_some() { Context::Picker } else { Context::Form }
    }

    pub fn typing(&self) -> bool {
        self.chooser.is_some() || self.stage == Stage::Edit && self.field().is_some()
    }

    fn field(&self) -> Option<&TextField> {
        match self.focus {
            Focus::Name => Some(&self.name),
            Focus::Description => Some(&self.description),
            Focus::Custom => Some(&self.custom),
            Focus::Allow => Some(&self.allow),
            _ => None,
        }
    }

    fn field_mut(&mut self) -> Option<&mut TextField> {
        match self.focus {
            Focus::Name => Some(&mut self.name),
            Focus::Description => Some(&mut self.description),
            Focus::Custom => Some(&mut self.custom),
            Focus::Allow => Some(&mut self.allow),
            _ => None,
        }
    }

    fn policy<'s>(&self, shell: &'s Shell) -> Option<&'s Policy> {
        Some(&shell.issuer(&self.account.as_ref()?.account.issuer)?.policy)
    }

    fn choose_account(&mut self, shell: &mut Shell, number: u64) -> Vec<Effect> {
        self.chooser = Some(Chooser::default());
        self.search_accounts(shell, number)
    }

    fn search_accounts(&mut self, shell: &mut Shell, number: u64) -> Vec<Effect> {
        let filter = self.chooser.as_ref().map_or("", |chooser| chooser.search.value()).to_owned();
        let request = Request::Accounts { filter, after: None, limit: ACCOUNTS };
        self.accounts.ask(shell, To::Overlay(number), request).into_iter().collect()
    }

    fn set_account(&mut self, shell: &Shell, account: AccountSummary) {
        let other_issuer =
            self.account.as_ref().is_none_or(|present| present.account.issuer != account.account.issuer);
        self.account = Some(account);
        self.chooser = None;
        self.refused = None;
        self.failure = None;
        if self.focus == Focus::Account {
            self.focus = Focus::Name;
        }
        if let (true, Some(policy)) = (other_issuer, self.policy(shell)) {
            let choices = &policy.expiry.choices;
            self.scopes = ScopeGrid::new(&policy.scopes);
            self.expiry = choices.iter().position(|choice| *choice == policy.expiry.default).unwrap_or(0);
        }
    }

    /// The fields in the order of the screen.
    fn order(&self, shell: &Shell) -> Vec<Focus> {
        let mut order = vec![Focus::Account, Focus::Name, Focus::Description];
        if !self.scopes.is_empty() {
            order.push(Focus::Scopes);
        }
        order.push(Focus::Expiry);
        if self.is_custom(shell) {
            order.push(Focus::Custom);
        }
        order.extend([Focus::Allow, Focus::Go, Focus::Cancel]);
        order
    }

    /// Whether the choice after the policy's own is taken: an instant in words.
    fn is_custom(&self, shell: &Shell) -> bool {
        self.policy(shell)
            .is_some_and(|policy| policy.expiry.custom && self.expiry == policy.expiry.choices.len())
    }

    fn move_focus(&mut self, shell: &Shell, by: isize) {
        let order = self.order(shell);
        let at = order.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(order.len() - 1);
        if self.focus == Focus::Name && order[next] != Focus::Name && !self.name.is_empty() {
            self.checked |= self.name.value().trim().is_empty();
        }
        self.focus = order[next];
        if self.focus == Focus::Scopes {
            self.scopes.enter(by < 0);
        }
    }

    /// The expiry as it stands, or what is wrong with it.
    fn chosen_expiry(&self, shell: &Shell) -> Result<Expiry, String> {
        let Some(policy) = self.policy(shell) else { return Err("choose an account first".into()) };
        let expiry = match policy.expiry.choices.get(self.expiry) {
            Some(choice) => *choice,
            None => Expiry::parse(self.custom.value(), shell.now).map_err(|error| error.to_string())?,
        };
        check_expiry(&policy.expiry, expiry, shell.now).map_err(|error| error.to_string())?;
        Ok(expiry)
    }

    /// What is wrong with a field as it stands; an empty one only once the form was to go on.
    fn error(&self, shell: &Shell, field: Field) -> Option<String> {
        if let Some((refused, why)) = &self.refused
            && *refused == field
        {
            return Some(why.as_str().to_owned());
        }
        match field {
            Field::Account if self.checked && self.account.is_none() => Some("choose an account".into()),
            Field::Account => {
                self.account.as_ref().filter(|account| account.account.standing == Standing::Suspended).map(
                    |_| "this account is suspended: no key can be made for it until it is reinstated".into(),
                )
            }
            Field::Name if self.name.value().trim().is_empty() => {
                self.checked.then(|| "a name is required: say what the key is for".into())
            }
            Field::Name => text::check_name(self.name.value()).err().map(|error| error.to_string()),
            Field::Description => {
                text::check_description(self.description.value()).err().map(|error| error.to_string())
            }
            Field::Scopes if self.checked && !self.scopes.is_empty() && self.scopes.scopes().is_empty() => {
                Some("tick at least one scope: a key without any could do nothing".into())
            }
            Field::Expiry if self.is_custom(shell) && self.custom.is_empty() => {
                self.checked.then(|| "write when it ends: 90d, 12w, 2027-01-31".into())
            }
            Field::Expiry => self.account.is_some().then(|| self.chosen_expiry(shell).err()).flatten(),
            Field::Allow => Networks::parse(self.allow.value()).err().map(|error| error.to_string()),
            _ => None,
        }
    }

    /// The request, if every field is right; otherwise the cursor goes to the first that is not.
    fn request(&mut self, shell: &Shell) -> Option<CreateKey> {
        self.checked = true;
        let fields = [
            (Field::Account, Focus::Account),
            (Field::Name, Focus::Name),
            (Field::Description, Focus::Description),
            (Field::Scopes, Focus::Scopes),
            (Field::Expiry, if self.is_custom(shell) { Focus::Custom } else { Focus::Expiry }),
            (Field::Allow, Focus::Allow),
        ];
        if let Some((_, focus)) = fields.into_iter().find(|(field, _)| self.error(shell, *field).is_some()) {
            self.focus = focus;
            return None;
        }
        Some(CreateKey {
            operation: self.operation,
            account: self.account.as_ref()?.account.slug.clone(),
            name: self.name.value().trim().to_owned(),
            description: self.description.value().trim().to_owned(),
            scopes: self.scopes.scopes(),
            expiry: self.chosen_expiry(shell).ok()?,
            allow: Networks::parse(self.allow.value()).ok()?,
        })
    }

    fn go_on(&mut self, shell: &mut Shell, number: u64) -> Vec<Effect> {
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
                    let (id, effect) = shell.ask(To::Overlay(number), Request::Create(request));
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
    fn back(&mut self, shell: &mut Shell) {
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

    pub fn input(&mut self, shell: &mut Shell, number: u64, input: Input) -> Vec<Effect> {
        if self.chooser.is_some() {
            return self.input_chooser(shell, number, input);
        }
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
            Input::Key(key) => self.press(shell, number, key),
            Input::Scroll { .. } | Input::Click(_) => Vec::new(),
        }
    }

    /// Something was changed: what the service said of it holds no longer.
    fn edited(&mut self) {
        self.refused = None;
        self.failure = None;
        self.leaving = false;
    }

    fn press(&mut self, shell: &mut Shell, number: u64, key: Key) -> Vec<Effect> {
        if self.stage != Stage::Edit {
            return self.press_review(shell, number, key);
        }
        match key.action {
            Some(Action::CloseForm) => {
                self.back(shell);
                return Vec::new();
            }
            Some(Action::Submit) if !key.hurried => return self.go_on(shell, number),
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
                return self.choose_account(shell, number);
            }
            Some(Action::Press) if !key.hurried => match self.focus {
                Focus::Go => return self.go_on(shell, number),
                Focus::Cancel => self.back(shell),
                _ => self.move_focus(shell, 1),
            },
            _ => {
                if let Some(field) = self.field_mut() {
                    if field.key(key.event) {
                        self.edited();
                    }
                } else if let (Focus::Account, Some(c)) = (self.focus, key.character()) {
                    let effects = self.choose_account(shell, number);
                    if let Some(chooser) = &mut self.chooser {
                        chooser.search.paste(c.encode_utf8(&mut [0; 4]));
                    }
                    return effects.into_iter().chain(self.search_accounts(shell, number)).collect();
                }
            }
        }
        Vec::new()
    }

    fn press_review(&mut self, shell: &mut Shell, number: u64, key: Key) -> Vec<Effect> {
        match key.action {
            Some(Action::CloseForm) => self.back(shell),
            Some(Action::Submit) if !key.hurried => return self.go_on(shell, number),
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
                    return self.go_on(shell, number);
                }
                self.back(shell);
            }
            _ => {}
        }
        Vec::new()
    }

    fn up_down(&mut self, shell: &Shell, by: isize) {
        if self.focus != Focus::Scopes || !self.scopes.move_row(by) {
            self.move_focus(shell, by);
        }
    }

    fn left_right(&mut self, shell: &Shell, by: isize) {
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

    fn input_chooser(&mut self, shell: &mut Shell, number: u64, input: Input) -> Vec<Effect> {
        let Some(chooser) = &mut self.chooser else { return Vec::new() };
        let count = chooser.found.len();
        let changed = match input {
            Input::Paste(pasted) => chooser.search.paste(&pasted.line()),
            Input::Scroll { lines, .. } => {
                chooser.at = picker::step(chooser.at, lines.signum() as isize, count);
                false
            }
            Input::Click(_) => false,
            Input::Key(key) => match key.action {
                Some(Action::PickUp) => {
                    chooser.at = picker::step(chooser.at, -1, count);
                    false
                }
                Some(Action::PickDown) => {
                    chooser.at = picker::step(chooser.at, 1, count);
                    false
                }
                Some(Action::PickPageUp) => {
                    chooser.at = picker::step(chooser.at, -10, count);
                    false
                }
                Some(Action::PickPageDown) => {
                    chooser.at = picker::step(chooser.at, 10, count);
                    false
                }
                Some(Action::Choose) => {
                    if let Some(account) = chooser.found.get(chooser.at).cloned() {
                        self.set_account(shell, account);
                    }
                    return Vec::new();
                }
                Some(Action::CancelPicker) => {
                    self.chooser = None;
                    if self.account.is_none() && self.name.is_empty() {
                        shell.close();
                    }
                    return Vec::new();
                }
                _ => chooser.search.key(key.event),
            },
        };
        if changed { self.search_accounts(shell, number) } else { Vec::new() }
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Accounts(found) => self.found_accounts(shell, id, found),
            Reply::Account(found) if self.wanted == Some(id) => {
                self.wanted = None;
                match found {
                    Ok(account) => self.set_account(shell, account),
                    Err(failure) => {
                        shell.failed(&failure);
                        shell.close();
                    }
                }
                Vec::new()
            }
            Reply::Create(result) if self.sent == Some(id) => {
                self.sent = None;
                match result {
                    Ok(created) => {
                        shell.close();
                        shell.changed();
                        reveal::open(shell, *created, None)
                    }
                    Err(failure) => {
                        // Only where it is unknown whether the key was made must the wish stay the same one.
                        if !matches!(failure.kind, FailureKind::Unreachable | FailureKind::Other) {
                            self.operation = shell.operation();
                        }
                        self.not_created(&failure);
                        Vec::new()
                    }
                }
            }
            _ => Vec::new(),
        }
    }

    fn found_accounts(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        found: Result<Vec<AccountSummary>, Failure>,
    ) -> Vec<Effect> {
        let Some(settled) = self.accounts.settle(shell, id) else { return Vec::new() };
        if settled.newest
            && let Some(chooser) = &mut self.chooser
        {
            match found {
                Ok(found) => {
                    // The only account there is needs no choosing.
                    let only = !chooser.loaded && chooser.search.is_empty() && found.len() == 1;
                    chooser.loaded = true;
                    chooser.at = 0;
                    chooser.found = found;
                    if only && self.account.is_none() {
                        let account = chooser.found.remove(0);
                        self.set_account(shell, account);
                    }
                }
                Err(failure) => shell.failed(&failure),
            }
        }
        settled.next.into_iter().collect()
    }

    /// Shows a refusal at its place, in the service's own words (VP-28).
    fn not_created(&mut self, failure: &Failure) {
        self.stage = Stage::Review;
        let FailureKind::Field(field) = failure.kind else {
            self.failure = Some(failure.text.clone());
            return;
        };
        self.stage = Stage::Edit;
        self.focus = match field {
            Field::Account => Focus::Account,
            Field::Description => Focus::Description,
            Field::Scopes => Focus::Scopes,
            Field::Expiry => Focus::Expiry,
            Field::Allow => Focus::Allow,
            _ => Focus::Name,
        };
        self.refused = Some((field, failure.text.clone()));
    }
}
