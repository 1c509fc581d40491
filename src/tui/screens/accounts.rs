//! The customers: their plans, their standing, and how many keys they have.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::account::{AccountSummary, Standing};
use crate::domain::operator::Permission;
use crate::domain::text::SafeText;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::opening::{Change, Opening, Question};
use crate::tui::rows::{Order, Rows, is_full};
use crate::tui::shell::Shell;
use crate::tui::view::body;
use crate::tui::widgets::filter_line::FilterLine;
use crate::tui::widgets::list::{self, Place, Taken, column, list_area};
use crate::tui::words::ScreenId;

#[cfg(test)]
mod tests;

const ME: To = To::Screen(ScreenId::Accounts);

/// The accounts that the filter fits.
#[derive(Debug, Default)]
pub struct State {
    rows: Rows<AccountSummary>,
    filter: FilterLine,
}

impl State {
    pub fn context(&self) -> Context {
        if self.filter.typing { Context::Prompt } else { Context::Accounts }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell)
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let request = self.request();
        self.rows.read(shell, ME, request).into_iter().collect()
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    fn request(&self) -> impl FnOnce(Option<&AccountSummary>, u32) -> Request + use<> {
        let filter = self.filter.value().trim().to_owned();
        move |last, limit| {
            let after = last.map(|row| row.account.slug.clone());
            Request::Accounts { filter, after, limit }
        }
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.filter.typing {
            if !self.filter.take(&input) {
                return Vec::new();
            }
            self.rows.place = Place::default();
            return self.changed(shell);
        }
        let list = list_area(body(shell.size));
        let page = list::page(list);
        let (count, place) = (self.rows.len(), self.rows.place);
        match self.rows.place.take(&input, count, page, |at| list::row_at(list, at, place, count)) {
            Taken::Moved => {}
            Taken::Left(action) => return self.act(shell, action),
            Taken::Nothing => return Vec::new(),
        }
        let request = self.request();
        self.rows.read_on(shell, ME, (count, page), request).into_iter().collect()
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Filter => self.filter.typing = true,
            Action::ClearFilter | Action::Back if !self.filter.is_empty() => {
                self.filter.clear();
                return self.changed(shell);
            }
            Action::Open => {
                if let Some(row) = self.rows.selected() {
                    let filter = format!("account:{}", row.account.slug);
                    shell.filter(filter);
                }
            }
            Action::New if shell.issuers.as_ref().is_some_and(Vec::is_empty) => {
                shell.open(Opening::Preset { first_run: true });
            }
            Action::New => shell.open(Opening::Account { issuer: None, first_run: false }),
            Action::ChangeAccount => {
                if let Some(row) = self.rows.selected() {
                    shell.open(Opening::ChangeAccount(row.account.clone()));
                }
            }
            Action::ToggleStanding => self.toggle_standing(shell),
            _ => {}
        }
        Vec::new()
    }

    fn toggle_standing(&self, shell: &mut Shell) {
        let Some(row) = self.rows.selected() else { return };
        let (name, slug) = (row.account.name.clone(), row.account.slug.clone());
        if !shell.refuse_unless(Permission::ChangeAccounts, "suspend or reinstate accounts") {
            return;
        }
        let question = match row.account.standing {
            Standing::Good => Question {
                title: format!("Suspend {name}?"),
                words: format!(
                    "No new key can be made for it until it is reinstated. Its {} active keys are refused by gates.",
                    row.active_keys
                ),
                verb: "Suspend",
                change: Change::Standing { account: slug, standing: Standing::Suspended },
                done: format!("{name} is suspended"),
            },
            Standing::Suspended => Question {
                title: format!("Reinstate {name}?"),
                words: "Keys can be made for it again.".into(),
                verb: "Reinstate",
                change: Change::Standing { account: slug, standing: Standing::Good },
                done: format!("{name} is reinstated"),
            },
        };
        shell.open(Opening::Confirm(question));
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let Reply::Accounts(outcome) = reply else { return Vec::new() };
        let Some(answered) = self.rows.answered(shell, id, outcome) else { return Vec::new() };
        if let Some(rows) = answered.page {
            let (more, page) = (is_full(&rows), list::page(list_area(body(shell.size))));
            self.rows.arrived(rows, more, Order::Other, page, |row| row.account.slug.clone());
        }
        answered.next.into_iter().collect()
    }

    /// What stands at the right end of the header.
    pub fn summary(&self, _: &Shell) -> String {
        match (self.rows.len(), self.rows.more) {
            (0, _) => String::new(),
            (count, true) => format!("{count}+ accounts"),
            (1, false) => "1 account".into(),
            (count, false) => format!("{count} accounts"),
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        self.filter.draw(shell, frame, area, "every account");
        let list = list_area(area);
        if self.rows.is_empty() {
            let new = shell.keymap.key(Action::New);
            let words = match (self.rows.loaded, self.filter.is_empty()) {
                (false, _) => "  loading…".to_owned(),
                (true, true) => format!("  No account yet. {new} creates the first."),
                (true, false) => "  No account fits the filter.".to_owned(),
            };
            frame.render_widget(Line::styled(words, styles.of(Role::Muted)), list);
            return;
        }
        let (wide, widest) = (area.width >= 100, area.width >= 150);
        let mut columns = vec![
            column("Account", 20),
            column("Name", 0),
            column("Issuer", 11),
            column("Standing", 9),
            column("Keys", 5),
            column("30 DAYS", 7),
        ];
        if wide {
            columns.push(column("Plan", 14));
        }
        if widest {
            columns.push(column("Admins", 40));
        }
        let rows: Vec<Vec<list::Cell>> = self.rows.iter().map(|row| cells(row, wide)).collect();
        list::draw(frame, styles, list, &columns, &rows, self.rows.place, |_| false);
    }
}

fn cells(row: &AccountSummary, wide: bool) -> Vec<list::Cell> {
    let account = &row.account;
    let safe = |text: &str| SafeText::new(text).as_str().to_owned();
    let standing = if account.standing == Standing::Good { Role::Muted } else { Role::Danger };
    let expiring = if row.expiring_keys > 0 { Role::Warning } else { Role::Muted };
    let mut cells = vec![
        (safe(&account.slug), Role::Text),
        (account.name.as_str().to_owned(), Role::Text),
        (safe(&account.issuer), Role::Muted),
        (account.standing.as_str().to_owned(), standing),
        (row.active_keys.to_string(), Role::Text),
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
