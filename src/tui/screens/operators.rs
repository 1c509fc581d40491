//! Who may use this database, and in which role.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::operator::{self, Operator, Permission};
use crate::domain::text;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::{self, Input};
use crate::tui::latest::Latest;
use crate::tui::opening::{Change, Opening, Question};
use crate::tui::shell::Shell;
use crate::tui::view::{body, times};
use crate::tui::widgets::list::{self, Place, Taken, column, list_area};
use crate::tui::widgets::text_field::TextField;
use crate::tui::words::{ScreenId, Severity};

#[cfg(test)]
mod tests;

const ME: To = To::Screen(ScreenId::Operators);

/// The operators, and the name of a new one while it is typed.
#[derive(Debug, Default)]
pub struct State {
    rows: Vec<Operator>,
    loaded: bool,
    place: Place,
    name: Option<TextField>,
    reads: Latest,
}

impl State {
    pub fn context(&self) -> Context {
        if self.name.is_some() { Context::Prompt } else { Context::Operators }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell)
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.reads.ask(shell, ME, Request::Operators).into_iter().collect()
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.name.is_some() {
            return self.type_name(shell, input);
        }
        let list = list_area(body(shell.size));
        let shown = list::page(list);
        let count = self.rows.len();
        let place = self.place;
        match self.place.take(&input, count, shown, |at| list::row_at(list, at, place, count)) {
            Taken::Left(action) => self.act(shell, action),
            Taken::Moved | Taken::Nothing => Vec::new(),
        }
    }

    fn type_name(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Some(field) = &mut self.name else { return Vec::new() };
        match input {
            Input::Paste(pasted) => {
                field.paste(&pasted.line());
            }
            Input::Key(input::Key { action: Some(Action::CancelPrompt), .. }) => self.name = None,
            Input::Key(input::Key { action: Some(Action::Accept), hurried: false, .. }) => {
                match text::check_name(field.value()) {
                    Ok(name) => {
                        self.name = None;
                        let role = operator::Role::Viewer;
                        ask(shell, &name, role, None);
                    }
                    Err(why) => shell.toast(Severity::Warning, why.to_string()),
                }
            }
            Input::Key(key) => {
                field.key(key.event);
            }
            Input::Scroll { .. } | Input::Click(_) => {}
        }
        Vec::new()
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let row = self.rows.get(self.place.at).cloned();
        match (action, row) {
            (Action::New, _) if shell.refuse_unless(Permission::ChangeOperators, "add operators") => {
                self.name = Some(TextField::default());
            }
            (Action::ChangeRole | Action::Open, Some(row))
                if shell.refuse_unless(Permission::ChangeOperators, "change roles") =>
            {
                let roles = operator::Role::ALL;
                let at = roles.iter().position(|role| *role == row.role).unwrap_or(0);
                ask(shell, &row.name, roles[(at + 1) % roles.len()], Some(row.role));
            }
            (Action::RemoveOperator, Some(row))
                if shell.refuse_unless(Permission::ChangeOperators, "remove operators") =>
            {
                let question = Question {
                    title: format!("Remove {}?", row.name),
                    words: "All rights on this database are taken away. What was done stays in the audit, and keys \
                            that this person created go on working."
                        .into(),
                    verb: "Remove",
                    change: Change::RemoveOperator(row.name.as_str().to_owned()),
                    done: format!("{} has no rights any more; b on one of their keys shows all of them", row.name),
                };
                shell.open(Opening::Confirm(question));
            }
            _ => {}
        }
        Vec::new()
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let Reply::Operators(outcome) = reply else { return Vec::new() };
        let Some(settled) = self.reads.settle(shell, id) else { return Vec::new() };
        shell.redraw = true;
        if settled.newest {
            match outcome {
                Ok(rows) => {
                    self.loaded = true;
                    self.rows = rows;
                    let shown = list::page(list_area(body(shell.size)));
                    self.place.go_to(self.place.at, self.rows.len(), shown);
                }
                Err(failure) => shell.failed(&failure),
            }
        }
        settled.next.into_iter().collect()
    }

    /// What stands at the right end of the header.
    pub fn summary(&self, _: &Shell) -> String {
        String::new()
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let top = Rect { height: 1, ..area };
        match &self.name {
            Some(field) => {
                let label = " Name of the new operator, as the database or the system knows it: ";
                let room = area.width.saturating_sub(u16::try_from(label.len()).unwrap_or(0) + 1);
                let (text, cursor) = field.visible(room);
                let line = Line::from(vec![
                    Span::styled(label, styles.of(Role::LabelFocus)),
                    Span::styled(text, styles.of(Role::InputFocus)),
                ]);
                frame.render_widget(line, top);
                let x = area.x + u16::try_from(label.len()).unwrap_or(0) + cursor;
                frame.set_cursor_position(Position { x: x.min(area.right().saturating_sub(1)), y: area.y });
            }
            None => {
                let words = " viewers look, operators keep keys and accounts, admins all";
                frame.render_widget(Line::styled(words, styles.of(Role::Muted)), top);
            }
        }
        let list = list_area(area);
        if self.rows.is_empty() {
            let words = if self.loaded { "  No operator." } else { "  loading…" };
            frame.render_widget(Line::styled(words, styles.of(Role::Muted)), list);
            return;
        }
        let columns =
            [column("Operator", 0), column("Role", 10), column("Since", 10), column("Added by", 20)];
        let rows: Vec<Vec<list::Cell>> = self
            .rows
            .iter()
            .map(|row| {
                vec![
                    (row.name.as_str().to_owned(), Role::Text),
                    (row.role.as_str().to_owned(), Role::Accent),
                    (times::day(row.created_at, shell.utc), Role::Muted),
                    (row.created_by.as_str().to_owned(), Role::Muted),
                ]
            })
            .collect();
        list::draw(frame, styles, list, &columns, &rows, self.place, |_| false);
    }
}

/// Asks whether somebody shall have a role.
fn ask(shell: &mut Shell, name: &str, role: operator::Role, before: Option<operator::Role>) {
    let words = match (before, role) {
        (None, _) => "They may look at everything and change nothing. Give them another role afterwards if they need it.".to_owned(),
        (Some(before), role) => format!("From {} to {}.", before.as_str(), role.as_str()),
    };
    let question = Question {
        title: format!("Make {name} {}?", role_words(role)),
        words,
        verb: "Yes",
        change: Change::Role { operator: name.to_owned(), role },
        done: format!("{name} is {} now", role_words(role)),
    };
    shell.open(Opening::Confirm(question));
}

fn role_words(role: operator::Role) -> &'static str {
    match role {
        operator::Role::Viewer => "a viewer",
        operator::Role::Operator => "an operator",
        operator::Role::Admin => "an admin",
    }
}
