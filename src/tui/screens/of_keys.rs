//! What all lists of keys have in common: how they are read, and what can be done to the keys in them.

use crate::config::keymap::Action;
use crate::domain::key::KeyId;
use crate::domain::query::{Query, Term, Test};
use crate::service::{From, Page, Row};
use crate::tui::effect::{CopyText, Effect, Request, To};
use crate::tui::listing::{Chunk, Listing, Part, Source};
use crate::tui::opening::{About, Opening};
use crate::tui::shell::Shell;
use crate::tui::words::Severity;

/// The filter that shows a key, whatever became of it.
pub fn filter(key: KeyId) -> String {
    About::key(key).filter
}

pub fn from(part: Part<'_, Row>) -> From {
    match part {
        Part::Start => From::Start,
        Part::End => From::End,
        Part::At(row) => From::At(row.cursor.clone()),
        Part::After(row) => From::After(row.cursor.clone()),
        Part::Before(row) => From::Before(row.cursor.clone()),
    }
}

pub fn chunk(page: Page) -> Chunk<Row> {
    Chunk { rows: page.rows, more_before: page.more_before, more_after: Some(page.more_after) }
}

/// Carries out what is done to the selected key, or to the marked ones.
pub fn act<S>(rows: &Listing<S>, shell: &mut Shell, action: Action) -> Vec<Effect>
where
    S: Source<Row = Row, Id = KeyId>,
{
    let ids = rows.chosen();
    if action == Action::Revoke && !ids.is_empty() {
        let known = rows.chosen_rows().into_iter().map(|row| row.key.clone()).collect();
        shell.open(Opening::Revoke { ids, known });
        return Vec::new();
    }
    let Some(key) = rows.selected().map(|row| &row.key) else { return Vec::new() };
    let boxed = || Box::new(key.clone());
    match action {
        Action::Rotate => shell.open(Opening::Rotate(boxed())),
        Action::Limit => shell.open(Opening::Limit(boxed())),
        Action::Explain => shell.open(Opening::Explain(boxed())),
        Action::CopyPreview => return copy(shell, CopyText::Plain(key.preview.clone())),
        Action::CopyId => return copy(shell, CopyText::Plain(key.id.to_string().into())),
        Action::ShowAccountKeys => shell.filter(format!("account:{}", key.account)),
        Action::ShowSameCreator => {
            let test = Test::CreatedBy(vec![key.created_by.as_str().to_owned()]);
            shell.filter(Query { terms: vec![Term { negated: false, test }] }.to_string());
        }
        Action::KeyReminders => shell.reminders(format!("key:{}", key.id)),
        // Named by its id, a key is found whatever its status.
        Action::OpenLinked => match key.successor.or(key.predecessor) {
            Some(id) => shell.filter(filter(id)),
            None => shell.toast(Severity::Info, "this key neither replaces another nor is replaced"),
        },
        _ => {}
    }
    Vec::new()
}

fn copy(shell: &mut Shell, text: CopyText) -> Vec<Effect> {
    vec![shell.ask(To::Shell, Request::Copy(text)).1]
}
