//! The customers: their plans, their standing, and how many keys they have.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::account::{AccountSummary, Standing};
use crate::domain::operator::Permission;
use crate::domain::text::SafeText;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::overlays::confirm::{self, Change, Question};
use crate::tui::overlays::{account, preset};
use crate::tui::screens::ScreenId;
use crate::tui::state::Shell;
use crate::tui::view::body;
use crate::tui::widgets::list::{self, Place, Taken, column};
use crate::tui::widgets::text_field::TextField;

#[cfg(test)]
mod tests;

const ME: To = To::Screen(ScreenId::Accounts);
/// Rows read at once, and the most that are kept.
const CHUNK: u32 = 200;
const MOST: usize = 2_000;

/// The accounts that the filter fits.
#[derive(Debug, Default)]
pub struct State {
    rows: Vec<AccountSummary>,
    more: bool,
    going_on: bool,
    loaded: bool,
    place: Place,
    filter: TextField,
    typing: bool,
    pages: Latest,
}

impl State {
    pub fn context(&self) -> Context {
        if self.typing { Context::Prompt } else { Context::Accounts }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell)
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.read(shell, false).into_iter().collect()
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    fn read(&mut self, shell: &mut Shell, go_on: bool) -> Option<Effect> {
        let after = self.rows.last().filter(|_| go_on).map(|row| row.account.slug.clone());
        let limit = if go_on { CHUNK } else { CHUNK.max(u32::try_from(self.rows.len()).unwrap_or(CHUNK)) };
        self.going_on = go_on;
        let filter = self.filter.value().trim().to_owned();
        self.pages.ask(shell, ME, Request::Accounts { filter, after, limit })
    }

    fn selected(&self) -> Option<&AccountSummary> {
        self.rows.get(self.place.at)
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.typing {
            return self.type_filter(shell, input);
        }
        let list = list_area(body(shell.size));
        let shown = usize::from(list.height.saturating_sub(1));
        let count = self.rows.len();
        let place = self.place;
        match self.place.take(&input, count, shown, |at| list::row_at(list, at, place, count)) {
            Taken::Moved => {}
            Taken::Left(action) => return self.act(shell, action),
            Taken::Nothing => return Vec::new(),
        }
        let near_end = self.place.at + 2 * shown >= count;
        if self.more && near_end && count < MOST && !self.pages.busy() {
            return self.read(shell, true).into_iter().collect();
        }
        Vec::new()
    }

    fn type_filter(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let changed = match input {
            Input::Paste(pasted) => self.filter.paste(&pasted.line()),
            Input::Key(key) => match key.action {
                Some(Action::Accept) => {
                    self.typing = false;
                    false
                }
                Some(Action::CancelPrompt) => {
                    self.typing = false;
                    let changed = !self.filter.is_empty();
                    self.filter.clear();
                    changed
                }
                _ => self.filter.key(key.event),
            },
            Input::Scroll { .. } | Input::Click(_) => false,
        };
        if changed {
            self.place = Place::default();
            return self.changed(shell);
        }
        Vec::new()
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Filter => self.typing = true,
            Action::ClearFilter | Action::Back if !self.filter.is_empty() => {
                self.filter.clear();
                return self.changed(shell);
            }
            Action::Open => {
                if let Some(row) = self.selected() {
                    let filter = format!("account:{}", row.account.slug);
                    shell.filter(filter);
                }
            }
            Action::New if shell.issuers.as_ref().is_some_and(Vec::is_empty) => {
                return preset::open(shell, true);
            }
            Action::New => return account::open(shell, None, false),
            Action::ChangeAccount => {
                let chosen = self.selected().map(|row| row.account.clone());
                return chosen.map_or_else(Vec::new, |chosen| account::change(shell, &chosen));
            }
            Action::ToggleStanding => return self.toggle_standing(shell),
            _ => {}
        }
        Vec::new()
    }

    fn toggle_standing(&self, shell: &mut Shell) -> Vec<Effect> {
        let Some(row) = self.selected() else { return Vec::new() };
        let (name, slug) = (row.account.name.clone(), row.account.slug.clone());
        if !shell.refuse_unless(Permission::ChangeAccounts, "suspend or reinstate accounts") {
            return Vec::new();
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
        confirm::open(shell, question)
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let Reply::Accounts(outcome) = reply else { return Vec::new() };
        let Some(settled) = self.pages.settle(shell, id) else { return Vec::new() };
        shell.redraw = true;
        if settled.newest {
            match outcome {
                Ok(rows) => self.arrived(shell, rows),
                Err(failure) => shell.failed(&failure),
            }
        }
        settled.next.into_iter().collect()
    }

    fn arrived(&mut self, shell: &Shell, rows: Vec<AccountSummary>) {
        let selected = self.selected().map(|row| row.account.slug.clone());
        self.loaded = true;
        self.more = rows.len() >= CHUNK as usize;
        if self.going_on {
            self.rows.extend(rows);
        } else {
            self.rows = rows;
        }
        let at = selected.and_then(|slug| self.rows.iter().position(|row| row.account.slug == slug));
        let shown = usize::from(list_area(body(shell.size)).height.saturating_sub(1));
        self.place.go_to(at.unwrap_or(self.place.at), self.rows.len(), shown);
    }

    /// What stands at the right end of the header.
    pub fn summary(&self, _: &Shell) -> String {
        match (self.rows.len(), self.more) {
            (0, _) => String::new(),
            (count, true) => format!("{count}+ accounts"),
            (1, false) => "1 account".into(),
            (count, false) => format!("{count} accounts"),
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        draw_filter(shell, frame, area, &self.filter, self.typing, "every account");
        let list = list_area(area);
        if self.rows.is_empty() {
            let new = shell.keymap.key(Action::New);
            let words = match (self.loaded, self.filter.is_empty()) {
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
        list::draw(frame, styles, list, &columns, &rows, self.place, |_| false);
    }
}

/// The filter's line above a list.
pub fn draw_filter(
    shell: &Shell,
    frame: &mut Frame,
    area: Rect,
    filter: &TextField,
    typing: bool,
    all: &str,
) {
    let styles = &shell.styles;
    let (text, cursor) = filter.visible(area.width.saturating_sub(4));
    let line = if typing || !filter.is_empty() {
        Line::from(vec![
            Span::styled(" / ", styles.of(Role::Accent)),
            Span::styled(text, styles.of(Role::Text)),
        ])
    } else {
        let key = shell.keymap.key(Action::Filter);
        Line::styled(format!(" {all}; {key} filters"), styles.of(Role::Muted))
    };
    frame.render_widget(line, Rect { height: 1.min(area.height), ..area });
    if typing {
        frame.set_cursor_position(Position { x: area.x + 3 + cursor, y: area.y });
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

/// The list below the filter's line.
pub fn list_area(area: Rect) -> Rect {
    let above = 1.min(area.height);
    Rect { y: area.y + above, height: area.height - above, ..area }
}
