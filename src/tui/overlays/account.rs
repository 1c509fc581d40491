//! The form for a new account, and for changing one.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Context;
use crate::domain::account::{Account, check_slug};
use crate::domain::audit;
use crate::domain::issuer::Issuer;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::{self, SafeText, hyphened};
use crate::service::{ChangeAccount, CreateAccount, Field};
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Made, Opening};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;
mod view;

/// Everything filled in so far.
#[derive(Debug)]
pub struct State {
    issuer: usize,
    name: TextField,
    slug: TextField,
    /// Whether the slug was written by hand. Until then it follows the name.
    own_slug: bool,
    admins: TextField,
    plan: usize,
    form: Form<Focus>,
    checked: bool,
    wish: Wish,
    purpose: Purpose,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// `first_run`: the form for a key follows.
    Create { first_run: bool },
    /// The account with this slug is changed; slug and issuer stay.
    Change(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Issuer,
    Name,
    Slug,
    Admins,
    Plan,
}

/// Opens the form. `issuer`: the one chosen at first. `first_run`: the form for a key follows.
pub fn open(shell: &mut Shell, number: u64, issuer: Option<&str>, first_run: bool) -> Opened {
    if !shell.refuse_unless(Permission::ChangeAccounts, "create accounts") {
        return Opened::refused();
    }
    let issuers = shell.issuers.as_deref().unwrap_or_default();
    if issuers.is_empty() {
        shell.open(Opening::Preset { first_run: true });
        return Opened::refused();
    }
    let place = issuer.and_then(|slug| issuers.iter().position(|issuer| issuer.slug == slug)).unwrap_or(0);
    let state = State {
        issuer: place,
        name: TextField::default(),
        slug: TextField::default(),
        own_slug: false,
        admins: TextField::default(),
        plan: 0,
        form: Form::new(Focus::Name),
        checked: false,
        wish: Wish::new(shell, number),
        purpose: Purpose::Create { first_run },
    };
    Opened::new(state, Vec::new())
}

/// Opens the form to change an account.
pub fn change(shell: &mut Shell, number: u64, account: &Account) -> Opened {
    if !shell.refuse_unless(Permission::ChangeAccounts, "change accounts") {
        return Opened::refused();
    }
    let issuers = shell.issuers.as_deref().unwrap_or_default();
    let Some(issuer) = issuers.iter().position(|issuer| issuer.slug == account.issuer) else {
        shell.toast(Severity::Info, "the account's issuer is still being read; try again in a moment");
        return Opened::refused();
    };
    let plans = &issuers[issuer].policy.plans;
    let plan =
        account.plan.as_ref().and_then(|plan| plans.iter().position(|known| known.name == plan.as_str()));
    let admins: Vec<&str> = account.admins.iter().map(SafeText::as_str).collect();
    let state = State {
        issuer,
        name: TextField::with(&account.name),
        slug: TextField::with(&account.slug),
        own_slug: true,
        admins: TextField::with(&admins.join(", ")),
        plan: plan.map_or(0, |plan| plan + 1),
        form: Form::new(Focus::Admins),
        checked: false,
        wish: Wish::new(shell, number),
        purpose: Purpose::Change(account.slug.clone()),
    };
    Opened::new(state, Vec::new())
}

impl State {
    fn field_mut(&mut self) -> Option<&mut TextField> {
        match self.form.field()? {
            Focus::Name => Some(&mut self.name),
            Focus::Slug => Some(&mut self.slug),
            Focus::Admins => Some(&mut self.admins),
            Focus::Issuer | Focus::Plan => None,
        }
    }

    fn chosen<'s>(&self, shell: &'s Shell) -> Option<&'s Issuer> {
        shell.issuers.as_deref()?.get(self.issuer)
    }

    fn plans(&self, shell: &Shell) -> usize {
        self.chosen(shell).map_or(0, |issuer| issuer.policy.plans.len())
    }

    /// The fields in the order of the screen.
    fn order(&self, shell: &Shell) -> Vec<Focus> {
        let mut order = Vec::new();
        if matches!(self.purpose, Purpose::Change(_)) {
            order.extend([Focus::Name, Focus::Admins]);
        } else {
            if shell.issuers.as_deref().is_some_and(|issuers| issuers.len() > 1) {
                order.push(Focus::Issuer);
            }
            order.extend([Focus::Name, Focus::Slug, Focus::Admins]);
        }
        if self.plans(shell) > 0 {
            order.push(Focus::Plan);
        }
        order
    }

    fn admins(&self) -> Vec<String> {
        self.admins
            .value()
            .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn error(&self, field: Field) -> Option<String> {
        if let Some(why) = self.wish.refusal(field) {
            return Some(why.as_str().to_owned());
        }
        match field {
            Field::Name if self.name.value().trim().is_empty() => {
                self.checked.then(|| "a name is required".into())
            }
            Field::Name => text::check_name(self.name.value()).err().map(|error| error.to_string()),
            Field::Slug if self.slug.is_empty() && !self.checked => None,
            Field::Slug => check_slug(self.slug.value()).err().map(|error| error.to_string()),
            Field::Admins if self.admins().is_empty() => {
                self.checked.then(|| "at least one mail address, for reminders".into())
            }
            Field::Admins => {
                let bad = self.admins().into_iter().find(|admin| !admin.contains('@'));
                bad.filter(|_| self.checked || !self.form.on(Focus::Admins))
                    .map(|bad| format!("{bad:?} isn't a mail address"))
            }
            _ => None,
        }
    }

    /// The slug follows the name until somebody writes one.
    fn follow_name(&mut self) {
        if !self.own_slug {
            self.slug = TextField::with(&hyphened(self.name.value(), 63));
        }
    }

    fn edited(&mut self) {
        self.wish.edited();
        match self.form.field() {
            Some(Focus::Name) => self.follow_name(),
            Some(Focus::Slug) => self.own_slug = true,
            _ => {}
        }
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.checked = true;
        let fields = [(Field::Name, Focus::Name), (Field::Slug, Focus::Slug), (Field::Admins, Focus::Admins)];
        if let Some((_, focus)) = fields.into_iter().find(|(field, _)| self.error(*field).is_some()) {
            self.form.go_to(focus);
            return Vec::new();
        }
        self.send_wish(shell)
    }

    fn left_right(&mut self, shell: &Shell, by: isize) {
        match self.form.field() {
            Some(Focus::Issuer) => {
                let last = shell.issuers.as_deref().map_or(0, |issuers| issuers.len().saturating_sub(1));
                self.issuer = self.issuer.saturating_add_signed(by).min(last);
                self.plan = 0;
            }
            Some(Focus::Plan) => self.plan = self.plan.saturating_add_signed(by).min(self.plans(shell)),
            _ => return,
        }
        self.wish.edited();
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, shell: &Shell) -> Option<Asking> {
        let (name, admins) = (self.name.value().trim().to_owned(), self.admins());
        let slug = self.slug.value().to_owned();
        if name.is_empty() || slug.is_empty() || admins.is_empty() {
            return None;
        }
        let issuer = self.chosen(shell)?;
        let plan =
            self.plan.checked_sub(1).and_then(|plan| Some(issuer.policy.plans.get(plan)?.name.clone()));
        if let Purpose::Change(_) = self.purpose {
            let change = ChangeAccount { name: Some(name), admins: Some(admins), plan: Some(plan) };
            return Some(Box::new(move |operation| {
                let (account, change) = (slug.clone(), change.clone());
                Request::ChangeAccount { operation, account, change }
            }));
        }
        let request = CreateAccount { issuer: issuer.slug.clone(), slug, name, admins, plan };
        Some(Box::new(move |operation| Request::CreateAccount { operation, request: request.clone() }))
    }

    fn asks(&self) -> bool {
        self.form.on_button()
    }

    fn typing(&self) -> bool {
        matches!(self.form.field(), Some(Focus::Name | Focus::Slug | Focus::Admins))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) => {
                if self.field_mut().is_some_and(|field| field.paste(&pasted.line())) {
                    self.edited();
                }
            }
            Input::Key(key) => {
                let order = self.order(shell);
                match self.form.press(key, &order, self.typing()) {
                    Pressed::Close => shell.close(),
                    Pressed::Go => return self.send(shell),
                    Pressed::Sideways(by) => self.left_right(shell, by),
                    Pressed::Text(event) => {
                        if self.field_mut().is_some_and(|field| field.key(event)) {
                            self.edited();
                        }
                    }
                    Pressed::Nothing => {}
                }
            }
            Input::Scroll { .. } | Input::Click(_) => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let settled = self.wish.settle(shell, id, reply, |reply| match (&self.purpose, reply) {
            (Purpose::Create { .. }, Reply::CreateAccount(outcome))
            | (Purpose::Change(_), Reply::ChangeAccount(outcome)) => Some(outcome),
            _ => None,
        });
        match settled {
            Some(Ok(account)) => {
                let done = match self.purpose {
                    Purpose::Create { .. } => "is there",
                    Purpose::Change(_) => "is changed",
                };
                shell.toast(Severity::Good, format!("account {} {done}", account.name));
                shell.close();
                shell.changed(Subjects::of(audit::Action::AccountChange));
                if let Purpose::Create { .. } = self.purpose {
                    shell.made(Made::Account(account.slug.clone()));
                }
                if let Purpose::Create { first_run: true } = self.purpose {
                    shell.open(Opening::Create { account: Some(account.slug) });
                }
            }
            Some(Err(Failure { kind: FailureKind::Field(field), .. })) => match field {
                Field::Name => self.form.go_to(Focus::Name),
                Field::Slug => self.form.go_to(Focus::Slug),
                Field::Admins => self.form.go_to(Focus::Admins),
                Field::Plan => self.form.go_to(Focus::Plan),
                _ => {}
            },
            Some(Err(_)) | None => {}
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(match &self.purpose {
            Purpose::Create { .. } => Typed::new("account create --help"),
            Purpose::Change(slug) => {
                Typed::new("account change").word(slug).option("--name", self.name.value())
            }
        })
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
