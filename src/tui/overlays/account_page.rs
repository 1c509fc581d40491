//! Everything about one account: who looks after it, what it may have, its keys, and what was done lately.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::reader;
use crate::config::keymap::{Action, Context};
use crate::domain::issuer::Plan;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::{SafeText, thousands};
use crate::service::{AccountPage, Count};
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Opening, Part};
use crate::tui::screens::{accounts, audit};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::shown;

#[cfg(test)]
mod tests;

/// What it shows changes with these.
const ABOUT: Subjects = Subjects::ACCOUNTS.and(Subjects::KEYS).and(Subjects::ISSUERS).and(Subjects::AUDIT);

/// The page, once it was read.
#[derive(Debug)]
pub struct State {
    number: u64,
    slug: String,
    reading: Latest,
    page: reader::State,
    read: Option<Box<AccountPage>>,
}

/// Reads everything about the account with this slug.
pub fn open(shell: &mut Shell, number: u64, slug: String) -> Opened {
    let page = reader::page(title(&slug), vec![Part::Words("reading…".into())]);
    let mut state = State { number, slug, reading: Latest::default(), page, read: None };
    let effects = state.ask(shell);
    Opened::new(state, effects)
}

fn title(slug: &str) -> String {
    format!("Account {}", SafeText::new(slug))
}

impl State {
    /// Reads it, or reads it again once the reading under way is answered.
    fn ask(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.reading
            .ask(shell, To::Overlay(self.number), Request::AccountPage(self.slug.clone()))
            .into_iter()
            .collect()
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::AccountPage
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match (input.action(), &self.read) {
            (Some(Action::Open), _) => {
                shell.close();
                shell.filter(format!("account:{}", self.slug));
            }
            (Some(Action::ChangeAccount), Some(read)) => {
                shell.open(Opening::ChangeAccount(read.summary.account.clone()));
            }
            (Some(Action::ToggleStanding), Some(read))
                if shell.refuse_unless(Permission::ChangeAccounts, "suspend or reinstate accounts") =>
            {
                shell.open(Opening::Confirm(accounts::question(&read.summary)));
            }
            (Some(Action::Freeze), _) => {
                shell.open(Opening::Hold { of: format!("account:{}", self.slug), lift: None });
            }
            (Some(Action::CloseSweep), _) => shell.close(),
            (Some(Action::ChangeAccount | Action::ToggleStanding), _) => {}
            _ => return self.page.input(shell, input),
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("account show").word(self.slug.clone()))
    }

    fn changed(&mut self, shell: &mut Shell, subjects: Subjects) -> Vec<Effect> {
        if subjects.meet(ABOUT) { self.ask(shell) } else { Vec::new() }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let Reply::AccountPage(outcome) = reply else { return Vec::new() };
        let Some(settled) = self.reading.settle(shell, id) else { return Vec::new() };
        match outcome {
            Ok(read) => {
                self.page.set(parts(shell, &read));
                self.read = Some(read);
            }
            // What was read before goes on standing there.
            Err(failure) if self.read.is_some() => shell.failed(&failure),
            Err(failure) => self.page.set(vec![Part::Words(failure.text.to_string())]),
        }
        settled.next.into_iter().collect()
    }

    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        match action {
            Action::Open => Some("its keys".into()),
            Action::Freeze => shell.may(Permission::ChangeHolds).then(|| label.into()),
            Action::ChangeAccount | Action::ToggleStanding => {
                (self.read.is_some() && shell.may(Permission::ChangeAccounts)).then(|| label.into())
            }
            action => self.page.label(shell, action, label),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.page.draw(shell, frame, area);
    }
}

fn parts(shell: &Shell, read: &AccountPage) -> Vec<Part> {
    let account = &read.summary.account;
    let admins: Vec<&str> = account.admins.iter().map(SafeText::as_str).collect();
    let mut parts = vec![
        Part::Fact("Name", account.label().into_owned()),
        Part::Fact("Issuer", SafeText::new(account.issuer.as_str()).to_string()),
        Part::Fact("Standing", account.standing.as_str().to_owned()),
        Part::Fact("Admins", admins.join(", ")),
        Part::Fact("Plan", plan(account.plan.as_ref(), read.plan.as_ref())),
        Part::Fact("Created", shown::time(account.created_at, shell)),
        Part::Space,
        Part::Heading("Keys".into()),
    ];
    if read.states.is_empty() {
        parts.push(Part::Words("It has no key yet.".into()));
    }
    parts.extend(read.states.iter().map(|(status, count)| Part::Fact(status.as_str(), counted(*count))));
    parts.extend([Part::Space, Part::Heading("Limits".into())]);
    let active = thousands(read.summary.active_keys + read.summary.suspended_keys);
    parts.push(Part::Fact("Active keys", used(&active, read.caps.active_keys)));
    let made = used(&counted(read.made), read.caps.creations_per_minute);
    parts.push(Part::Fact("Created in a minute", made));
    parts.extend([Part::Space, Part::Heading("Ends next".into())]);
    if read.next.is_empty() {
        parts.push(Part::Words("No key that works has an expiry.".into()));
    }
    parts.extend(aligned(read.next.iter().map(|key| {
        let end = key.ends_at().map_or_else(String::new, |end| shown::time(end, shell));
        [end, key.preview.to_string(), key.label().into_owned()]
    })));
    parts.extend([Part::Space, Part::Heading("Done lately".into())]);
    parts.extend(aligned(read.latest.iter().map(|row| {
        let who = format!("{} {}", row.actor, row.action);
        [shown::past(row.at, shell), who, audit::subject(row)]
    })));
    parts
}

/// Lines whose first two parts are columns.
fn aligned(rows: impl Iterator<Item = [String; 3]>) -> Vec<Part> {
    let rows: Vec<_> = rows.collect();
    let wide = |n: usize| rows.iter().map(|row| row[n].width()).max().unwrap_or_default();
    let (first, second) = (wide(0), wide(1));
    let pad = |text: &str, to: usize| format!("{text}{}", " ".repeat(to - text.width()));
    let line =
        |[one, two, three]: &[String; 3]| format!("{}  {}  {three}", pad(one, first), pad(two, second));
    rows.iter().map(|row| Part::Words(line(row))).collect()
}

/// `12 of 500`, where there is a limit.
fn used(number: &str, cap: Option<u32>) -> String {
    match cap {
        Some(cap) => format!("{number} of {}", thousands(u64::from(cap))),
        None => format!("{number}, no limit"),
    }
}

fn counted(count: Count) -> String {
    format!("{}{}", thousands(count.number()), count.or_more())
}

/// The plan's name, and what it allows.
fn plan(name: Option<&SafeText>, plan: Option<&Plan>) -> String {
    let Some(name) = name else { return "none".into() };
    let Some(plan) = plan else { return format!("{name}, which the policy no longer has") };
    let each = [(plan.requests_per_minute, "a minute"), (plan.requests_per_hour, "an hour")];
    let allows = each.into_iter().filter_map(|(number, per)| {
        number.map(|number| format!("{} requests {per}", thousands(u64::from(number))))
    });
    std::iter::once(name.to_string()).chain(allows).collect::<Vec<_>>().join(", ")
}
