//! Who may use this database, and in which role.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::operator::{self, Operator, Permission};
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::text;
use crate::domain::when::Here;
use crate::tui::effect::{Effect, Outcomes, Reply, Request};
use crate::tui::input::{self, Input};
use crate::tui::listing::{Chunk, Empty, Listing, Part, Rows, Source, Taken};
use crate::tui::opening::{Change, Made, Opening, Question};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::list::{column, list_area};
use crate::tui::widgets::text_field::TextField;
use crate::tui::words::{ScreenId, Severity};

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
struct Operators;

impl Source for Operators {
    type Row = Operator;
    type Id = String;
    type Filter = String;

    const SCREEN: ScreenId = ScreenId::Operators;
    const ABOUT: Subjects = Subjects::OPERATORS;
    const FILTER: Option<&'static str> = Some("a part of the name, or a role");

    fn id(row: &Operator) -> String {
        row.name.as_str().to_owned()
    }

    fn parse(text: &str, _: Here) -> Result<String, QueryError> {
        Ok(text.trim().to_lowercase())
    }

    fn fits(filter: &String, row: &Operator) -> bool {
        row.name.to_lowercase().contains(filter) || row.role.as_str() == filter
    }

    fn reads_same(_: &String, _: &String) -> bool {
        true
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Operator>>> {
        Some(reply.try_as_operators()?.map(Chunk::whole))
    }

    fn made(made: &Made) -> Option<String> {
        if let Made::Operator(name) = made { Some(name.clone()) } else { None }
    }

    fn request(&self, _: &String, _: Part<'_, Operator>, _: u32) -> Request {
        Request::Operators
    }
}

/// The operators, and the name of a new one while it is typed.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Operators>,
    name: Option<TextField>,
}

impl Screen for State {
    its_rows!();

    fn context(&self) -> Context {
        if self.name.is_some() { Context::Prompt } else { self.rows.context() }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.name.is_some() {
            self.type_name(shell, input);
            return Vec::new();
        }
        let place = self.place(shell);
        match self.rows.take(shell, input, place) {
            Taken::Done(effects) => effects,
            Taken::Left(action) => self.act(shell, action),
        }
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match (action, self.rows.selected()) {
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
            (Action::Leaves, Some(row)) => shell.open(Opening::Leaver(row.name.as_str().to_owned())),
            (Action::RemoveOperator, Some(row))
                if shell.refuse_unless(Permission::ChangeOperators, "remove operators") =>
            {
                shell.open(Opening::Confirm(Question {
                    title: format!("Remove {}?", row.name),
                    words: "All rights on this database are taken away. What was done stays in the audit, and keys \
                            that this person created go on working."
                        .into(),
                    verb: "Remove",
                    change: Change::RemoveOperator(row.name.as_str().to_owned()),
                    done: format!("{} has no rights any more; b on one of their keys shows all of them", row.name),
                    undo: Some(Change::Role { operator: row.name.as_str().to_owned(), role: row.role }),
                }));
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        match &self.name {
            Some(field) => draw_name(field, shell, frame, Rect { height: 1, ..area }),
            None => {
                let words = " viewers read, operators manage keys and accounts, admins manage everything";
                self.rows.draw_bar(shell, frame, area, Line::styled(words, shell.styles.of(Role::Muted)));
            }
        }
        let columns =
            [column("Operator", 0), column("Role", 10), column("Since", 10), column("Added by", 20)];
        let cells = |row: &Operator| {
            vec![
                (row.name.as_str().to_owned(), Role::Text),
                (row.role.as_str().to_owned(), Role::Accent),
                (times::day(row.created_at, shell.utc), Role::Muted),
                (row.created_by.as_str().to_owned(), Role::Muted),
            ]
        };
        let empty = Empty { unfit: "No operator matches the filter.", none: "No operator." };
        self.rows.draw(shell, frame, list_area(area), &columns, cells, empty);
    }
}

impl State {
    fn type_name(&mut self, shell: &mut Shell, input: Input) {
        let Some(field) = &mut self.name else { return };
        match input {
            Input::Paste(pasted) => {
                field.paste(&pasted.line());
            }
            Input::Key(input::Key { action: Some(Action::CancelPrompt), .. }) => self.name = None,
            Input::Key(input::Key { action: Some(Action::Accept), hurried: false, .. }) => {
                match text::check_name(field.value()) {
                    Ok(name) => {
                        self.name = None;
                        ask(shell, &name, operator::Role::Viewer, None);
                    }
                    Err(why) => shell.toast(Severity::Warning, why.to_string()),
                }
            }
            Input::Key(key) => {
                field.key(key.event);
            }
            Input::Scroll { .. } | Input::Click(_) => {}
        }
    }
}

fn draw_name(field: &TextField, shell: &Shell, frame: &mut Frame, area: Rect) {
    let label = " Name of the new operator, as the database or the system knows it: ";
    let columns = u16::try_from(label.len()).unwrap_or(0);
    let (text, cursor) = field.visible(area.width.saturating_sub(columns + 1));
    let line = Line::from(vec![
        Span::styled(label, shell.styles.of(Role::LabelFocus)),
        Span::styled(text, shell.styles.of(Role::InputFocus)),
    ]);
    frame.render_widget(line, area);
    let x = (area.x + columns + cursor).min(area.right().saturating_sub(1));
    frame.set_cursor_position(Position { x, y: area.y });
}

/// Asks whether somebody shall have a role.
fn ask(shell: &mut Shell, name: &str, role: operator::Role, before: Option<operator::Role>) {
    let words = match (before, role) {
        (None, _) => {
            "They may read everything and change nothing. Give them another role afterwards if they need it."
                .to_owned()
        }
        (Some(before), role) => format!("From {} to {}.", before.as_str(), role.as_str()),
    };
    let question = Question {
        title: format!("Make {name} {}?", role_words(role)),
        words,
        verb: "Yes",
        change: Change::Role { operator: name.to_owned(), role },
        done: format!("{name} is {} now", role_words(role)),
        undo: Some(match before {
            Some(role) => Change::Role { operator: name.to_owned(), role },
            None => Change::RemoveOperator(name.to_owned()),
        }),
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
