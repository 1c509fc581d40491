//! The form of a key: configure, review, create (VP-23), empty or filled in from another key; or change one that there is
//! (KR-10). The secret of a new one then goes to the reveal.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::account::AccountSummary;
use crate::domain::audit;
use crate::domain::expiry::Expiry;
use crate::domain::issuer::Policy;
use crate::domain::key::Key;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::service::{Alike, CreateKey};
use crate::tui::completing::Completing;
use crate::tui::effect::{Effect, Failure, Reply, Request, RequestId, To};
use crate::tui::form::Form;
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Made, Opening};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::widgets::scope_grid::ScopeGrid;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};

mod check;
mod chooser;
mod edit;
mod fields;
mod fill;
mod press;
#[cfg(test)]
mod tests;
mod view;

use chooser::Chooser;
use edit::Editing;
pub use edit::edit;
use fields::Focus;
pub use fill::like;

/// What the form is for.
#[derive(Debug)]
enum Purpose {
    New,
    /// A new key like another one, once that was read.
    Like(Option<Box<Alike>>),
    /// Changing a key.
    Edit(Box<Editing>),
}

/// Everything filled in so far.
#[derive(Debug)]
pub struct State {
    number: u64,
    purpose: Purpose,
    wish: Wish,
    account: Option<AccountSummary>,
    chooser: Option<Chooser>,
    accounts: Latest,
    /// The account, or the key to be like, that the form was opened for, until it is known.
    wanted: Option<RequestId>,
    name: TextField,
    description: TextField,
    scopes: ScopeGrid,
    expiry: usize,
    custom: TextField,
    allow: TextField,
    owner: TextField,
    mail: TextField,
    tags: TextField,
    /// From when on it works.
    begins: TextField,
    /// When it is revoked.
    ends: TextField,
    /// What the owner or the tag may become that is typed.
    completing: Completing,
    /// Budgets of its own, where the key has some that it is to be like.
    limits: TextField,
    form: Form<Focus>,
    stage: Stage,
    /// Whether missing things are shown as errors yet.
    checked: bool,
    /// Whether Esc was pressed once with something filled in.
    leaving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Edit,
    Review,
}

/// What an expiry can be chosen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// As it is.
    Keep,
    One(Expiry),
    /// Another, in words.
    Other,
}

/// Opens the form, for an account if one is given; without one the chooser comes first.
pub fn open(shell: &mut Shell, number: u64, account: Option<String>) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "create keys") {
        return Opened::refused();
    }
    // Without an issuer there is no account, and without an account no key: the step that is missing comes first.
    if shell.issuers.as_ref().is_some_and(Vec::is_empty) {
        shell.open(Opening::Preset { first_run: true });
        return Opened::refused();
    }
    let mut state = State::new(shell, number);
    let effects = match account {
        Some(slug) => {
            let (id, effect) = shell.ask(To::Overlay(number), Request::Account(slug));
            state.wanted = Some(id);
            vec![effect]
        }
        None => state.choose_account(shell),
    };
    Opened::new(state, effects)
}

impl State {
    fn new(shell: &mut Shell, number: u64) -> Self {
        Self {
            number,
            purpose: Purpose::New,
            wish: Wish::new(shell, number),
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
            owner: TextField::default(),
            mail: TextField::default(),
            tags: TextField::default(),
            begins: TextField::default(),
            ends: TextField::default(),
            limits: TextField::default(),
            completing: Completing::default(),
            form: Form::new(Focus::Account),
            stage: Stage::Edit,
            checked: false,
            leaving: false,
        }
    }

    /// The key that it changes.
    fn edited_key(&self) -> Option<&Key> {
        if let Purpose::Edit(editing) = &self.purpose { Some(&editing.key) } else { None }
    }

    fn policy<'s>(&self, shell: &'s Shell) -> Option<&'s Policy> {
        let issuer = match (&self.account, self.edited_key()) {
            (_, Some(key)) => &key.issuer,
            (account, None) => &account.as_ref()?.account.issuer,
        };
        Some(&shell.issuer(issuer)?.policy)
    }

    fn set_account(&mut self, shell: &Shell, account: AccountSummary) {
        let other_issuer =
            self.account.as_ref().is_none_or(|present| present.account.issuer != account.account.issuer);
        self.account = Some(account);
        self.chooser = None;
        self.wish.edited();
        if self.form.on(Focus::Account) {
            self.form.go_to(Focus::Name);
        }
        if let (true, Some(policy)) = (other_issuer, self.policy(shell)) {
            let choices = &policy.expiry.choices;
            self.scopes = ScopeGrid::new(&policy.scopes);
            self.expiry = choices.iter().position(|choice| *choice == policy.expiry.default).unwrap_or(0);
        }
        if let (true, Purpose::Like(Some(like))) = (other_issuer, &self.purpose) {
            let request = like.request.clone();
            self.fill(shell, &request);
        }
    }

    /// What an expiry can be chosen from.
    fn choices(&self, shell: &Shell) -> Vec<Choice> {
        let Some(policy) = self.policy(shell) else { return Vec::new() };
        let edit = self.edited_key().is_some();
        let keep = edit.then_some(Choice::Keep);
        let other = (edit || policy.expiry.custom).then_some(Choice::Other);
        let offered = policy.expiry.choices.iter().map(|choice| Choice::One(*choice));
        keep.into_iter().chain(offered).chain(other).collect()
    }

    /// Whether an expiry in words is chosen.
    fn is_custom(&self, shell: &Shell) -> bool {
        self.choices(shell).get(self.expiry) == Some(&Choice::Other)
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.chooser.is_some() { Context::Picker } else { Context::Form }
    }

    fn asks(&self) -> bool {
        self.chooser.is_none() && self.form.on_button()
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    /// The review is what one commits to.
    fn asking(&self, shell: &Shell) -> Option<Asking> {
        if self.edited_key().is_some() {
            return self.ask_edit(shell).filter(|_| self.stage == Stage::Review);
        }
        let request = self.request(shell).filter(|_| self.stage == Stage::Review)?;
        Some(Box::new(move |operation| Request::Create(Box::new(CreateKey { operation, ..request.clone() }))))
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        edit::nothing(&reply.try_as_edit()?.ok()?)
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        if self.wish.under_way() { Vec::new() } else { self.read_key(shell).into_iter().collect() }
    }

    fn forewarned(&mut self, failure: &Failure) {
        self.not_created(failure);
    }

    fn question(&self, _: &Shell) -> (Context, usize) {
        (self.context(), usize::from(self.stage == Stage::Review))
    }

    /// From the fields one comes to the review, which has to be read itself.
    fn answers(&self, action: Action) -> bool {
        self.stage == Stage::Review && matches!(action, Action::Submit | Action::Press | Action::Toggle)
    }

    fn typing(&self) -> bool {
        self.chooser.is_some() || self.writing()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
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
            Reply::Known(found) => self.completing.settle(shell, id, found),
            Reply::Alike(found) if self.wanted == Some(id) => self.found_alike(shell, found),
            Reply::Key(found) if self.is_news(id) => {
                self.take_news(shell, found);
                Vec::new()
            }
            reply if self.edited_key().is_some() => self.edit_answered(shell, id, reply),
            reply => {
                let settled = self.wish.settle(shell, id, reply, Reply::try_as_create);
                match settled {
                    Some(Ok(created)) => {
                        shell.close();
                        shell.changed(Subjects::of(audit::Action::KeyCreate));
                        shell.made(Made::Key(created.key.id));
                        shell.open(Opening::Reveal { created, replaces: None });
                    }
                    Some(Err(failure)) => self.not_created(&failure),
                    None => {}
                }
                Vec::new()
            }
        }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.chooser.is_some() { self.input_chooser(shell, input) } else { self.input_form(shell, input) }
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        match (&self.purpose, self.edited_key()) {
            (_, Some(key)) => Some(Typed::new("key show").word(key.id.to_string())),
            (Purpose::Like(Some(like)), _) => {
                Some(Typed::new("key create").option("--like", like.of.id.to_string()))
            }
            _ => Some(Typed::new("key create --help")),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
