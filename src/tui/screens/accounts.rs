//! The customers: their plans, their standing, and how many keys they have.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::account::{AccountSummary, Standing};
use crate::domain::operator::Permission;
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::domain::when::Here;
use crate::tui::effect::{Effect, Outcomes, Reply, Request};
use crate::tui::listing::{Chunk, Empty, Listing, Part, Rows, Source};
use crate::tui::opening::{Change, Made, Opening, Question};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::widgets::list::{self, column, list_area, number};
use crate::tui::words::{ScreenId, count};

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
struct Accounts;

impl Source for Accounts {
    type Row = AccountSummary;
    type Id = String;
    type Filter = String;

    const SCREEN: ScreenId = ScreenId::Accounts;
    const ABOUT: Subjects = Subjects::ACCOUNTS.and(Subjects::ISSUERS);
    const FILTER: Option<&'static str> = Some("a part of the slug, the name or the issuer");

    fn id(row: &AccountSummary) -> String {
        row.account.slug.clone()
    }

    fn parse(text: &str, _: Here) -> Result<String, QueryError> {
        Ok(text.trim().to_owned())
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<AccountSummary>>> {
        match reply {
            Reply::Accounts(outcome) => Some(outcome.map(Chunk::forward)),
            Reply::Account(outcome) => Some(outcome.map(|row| Chunk::whole(vec![row]))),
            _ => None,
        }
    }

    fn fate(_: &Shell, _: &AccountSummary) -> String {
        "not in this list".to_owned()
    }

    fn one(&self, _: &Shell, slug: &String) -> Option<Request> {
        Some(Request::Account(slug.clone()))
    }

    fn made(made: &Made) -> Option<String> {
        if let Made::Account(name) = made { Some(name.clone()) } else { None }
    }

    fn request(&self, filter: &String, part: Part<'_, AccountSummary>, limit: u32) -> Request {
        let after = part.after().map(Self::id);
        Request::Accounts { filter: filter.clone(), after, limit }
    }
}

/// The accounts that the filter fits.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Accounts>,
}

impl Screen for State {
    its_rows!();

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match (action, self.rows.selected()) {
            (Action::New, _) if shell.issuers.as_ref().is_some_and(Vec::is_empty) => {
                shell.open(Opening::Preset { first_run: true });
            }
            (Action::New, _) => shell.open(Opening::Account { issuer: None, first_run: false }),
            (Action::Open, Some(row)) => shell.open(Opening::AccountPage(row.account.slug.clone())),
            (Action::Freeze, Some(row)) => {
                shell.open(Opening::Hold { of: format!("account:{}", row.account.slug), lift: None });
            }
            (Action::ChangeAccount, Some(row)) => shell.open(Opening::ChangeAccount(row.account.clone())),
            (Action::ToggleStanding, Some(row))
                if shell.refuse_unless(Permission::ChangeAccounts, "suspend or reinstate accounts") =>
            {
                shell.open(Opening::Confirm(question(row)));
            }
            _ => {}
        }
        Vec::new()
    }

    fn summary(&self, _: &Shell) -> String {
        self.rows.counted("account")
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.rows.draw_bar(shell, frame, area, Listing::<Accounts>::idle(shell, "every account"));
        let (wide, widest) = (area.width >= 100, area.width >= 150);
        let mut columns = vec![
            column("Account", 20),
            column("Name", 0),
            column("Issuer", 11),
            column("Standing", 9),
            number("Keys", 5),
            number("Ends 30d", 8),
        ];
        if wide {
            columns.push(column("Plan", 14));
        }
        if widest {
            columns.push(column("Admins", 40));
        }
        let none = format!("No account yet. {} creates the first.", shell.keymap.key(Action::New));
        let empty = Empty { unfit: "No account matches the filter.", none: &none };
        self.rows.draw(shell, frame, list_area(area), &columns, |row| cells(row, wide), empty);
    }
}

/// Shall the account be suspended, or reinstated?
pub fn question(row: &AccountSummary) -> Question {
    let (name, account) = (&row.account.name, row.account.slug.clone());
    let undo = Some(Change::Standing { account: account.clone(), standing: row.account.standing });
    match row.account.standing {
        Standing::Good => Question {
            title: format!("Suspend {name}?"),
            words: format!(
                "No key can be created for it until it is reinstated. Gates refuse {} of it that {} now.",
                count(row.active_keys, "key"),
                if row.active_keys == 1 { "works" } else { "work" }
            ),
            verb: "Suspend",
            change: Change::Standing { account, standing: Standing::Suspended },
            done: format!("{name} is suspended"),
            undo,
        },
        Standing::Suspended => Question {
            title: format!("Reinstate {name}?"),
            words: format!(
                "Keys can be created for it again, and {} of it pass{} the gates again.",
                count(row.suspended_keys, "key"),
                if row.suspended_keys == 1 { "es" } else { "" }
            ),
            verb: "Reinstate",
            change: Change::Standing { account, standing: Standing::Good },
            done: format!("{name} is reinstated"),
            undo,
        },
    }
}

fn cells(row: &AccountSummary, wide: bool) -> Vec<list::Cell> {
    let account = &row.account;
    let safe = |text: &str| SafeText::new(text).as_str().to_owned();
    let standing = if account.standing == Standing::Good { Role::Muted } else { Role::Danger };
    let expiring = if row.expiring_keys > 0 { Role::Warning } else { Role::Muted };
    let mut cells = vec![
        (safe(&account.slug), Role::Text),
        (account.label().into_owned(), Role::Text),
        (safe(&account.issuer), Role::Muted),
        (account.standing.as_str().to_owned(), standing),
        ((row.active_keys + row.suspended_keys).to_string(), Role::Text),
        (row.expiring_keys.to_string(), expiring),
    ];
    if wide {
        let plan = account.plan.as_ref().map_or("–", |plan| plan.as_str()).to_owned();
        let admins: Vec<&str> = account.admins.iter().map(|admin| admin.as_str()).collect();
        cells.push((plan, Role::Muted));
        cells.push((admins.join(", "), Role::Muted));
    }
    cells
}
