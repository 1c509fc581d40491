//! What all lists of keys have in common: how they are read, and what can be done to the keys in them.

use crate::config::keymap::Action;
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::notice::Occasion;
use crate::domain::query::{self, Completion, Query, Sort, Term, Test};
use crate::service::{ExportForm, From, Page, PageRequest, Row};
use crate::tui::effect::{CopyText, Effect, Request, To};
use crate::tui::listing::{Chunk, Listing, Part, Rows, Source, counted, told};
use crate::tui::opening::{About, Change, Opening, Question};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::words::Severity;

/// The filter that shows a key, whatever became of it.
pub fn filter(key: KeyId) -> String {
    About::key(key).filter
}

/// What reads one key, whatever became of it, as a row of the order `sort`.
pub fn one(shell: &Shell, key: KeyId, sort: Sort) -> Option<Request> {
    let query = Query::parse(&filter(key), shell.here()).ok()?;
    Some(Request::Page(PageRequest { query, sort, from: From::Start, limit: 1 }))
}

/// What became of a key that the filter does not fit.
pub fn fate(shell: &Shell, key: &Key) -> String {
    // It happened before one's eyes: seconds tell more than "now".
    let ago = |at: Instant| match (shell.now - at).num_seconds().max(0) {
        seconds @ ..60 => format!("{seconds}s ago"),
        _ => times::ago(at, shell.now),
    };
    match (key.revoked(shell.now), key.expires_at) {
        (Some(revoked), _) if revoked.by.is_some() => {
            format!("revoked{}, {}", revoked.by_whom(), ago(revoked.at))
        }
        (_, Some(at)) if at <= shell.now => format!("expired {}", ago(at)),
        _ => "doesn't fit this list".to_owned(),
    }
}

/// What could stand at the cursor of a filter of keys, a byte of its text. `keys`: those at hand.
pub fn complete<'k>(
    shell: &Shell,
    keys: impl Iterator<Item = &'k Key> + Clone,
    text: &str,
    cursor: usize,
) -> Completion {
    let values = |field: &str| {
        let issuers = shell.issuers.iter().flatten();
        let keys = keys.clone();
        let mut values: Vec<String> = match field {
            "issuer" => issuers.map(|issuer| issuer.slug.clone()).collect(),
            "scope" => {
                issuers.flat_map(|issuer| &issuer.policy.scopes).map(|scope| scope.name.clone()).collect()
            }
            "account" => keys.map(|key| key.account.clone()).collect(),
            "owner" => {
                keys.filter_map(|key| key.owner.as_ref()).map(|owner| owner.name.to_string()).collect()
            }
            "tag" => keys.flat_map(|key| key.tags.iter().map(str::to_owned)).collect(),
            "by" => keys.map(|key| key.created_by.to_string()).collect(),
            _ => Vec::new(),
        };
        values.sort_unstable();
        values.dedup();
        values
    };
    query::complete(text, cursor, values)
}

pub fn from(part: Part<'_, Row>) -> From {
    match part {
        Part::Start => From::Start,
        Part::End => From::End,
        Part::At(row) => From::At(row.cursor.clone()),
        Part::After(row) => From::After(row.cursor.clone()),
        Part::Before(row) => From::Before(row.cursor.clone()),
        Part::Around(row) => From::Around(row.key.id),
    }
}

pub fn chunk(page: Page) -> Chunk<Row> {
    let (more_before, more_after) = (page.more_before, Some(page.more_after));
    Chunk { rows: page.rows, at: page.at, more_before, more_after }
}

/// Carries out what is done to the selected key, or to the marked ones.
pub fn act<S>(rows: &Listing<S>, shell: &mut Shell, action: Action) -> Vec<Effect>
where
    S: Source<Row = Row, Id = KeyId>,
{
    match action {
        Action::Revoke => {
            if let Some(Targets { ids, known, states }) = targets(rows, shell) {
                shell.open(Opening::Revoke { ids, known, states });
            }
            return Vec::new();
        }
        Action::Pause | Action::Resume => {
            if let Some(Targets { ids, known, states }) = targets(rows, shell) {
                let resume = action == Action::Resume;
                shell.open(Opening::Pause { ids, known, states, resume });
            }
            return Vec::new();
        }
        // A freeze is about what the filter says, whichever keys are marked.
        Action::Freeze => {
            shell.open(Opening::Hold { of: rows.filter_text().to_owned(), lift: None });
            return Vec::new();
        }
        Action::EditKey => {
            if let Some(Targets { ids, mut known, .. }) = targets(rows, shell) {
                shell.open(match (ids.len(), known.pop()) {
                    (1, Some(key)) => Opening::Edit(Box::new(key)),
                    _ => Opening::EditMany(ids),
                });
            }
            return Vec::new();
        }
        Action::Rotate if rows.marks().len() > 1 => {
            if let Some(Targets { ids, known, states }) = targets(rows, shell) {
                shell.open(Opening::RotateMany { ids, known, states });
            }
            return Vec::new();
        }
        Action::CopyId => {
            let ids: Vec<String> = rows.chosen().iter().map(KeyId::to_string).collect();
            return if ids.is_empty() {
                Vec::new()
            } else {
                copy(shell, CopyText::Ids(ids.join(" ").into()))
            };
        }
        Action::Export => {
            let ids = rows.chosen();
            if !ids.is_empty() {
                shell.open(Opening::Export(ids));
            }
            return Vec::new();
        }
        Action::ShowReach => {
            shell.open(Opening::Looked { ids: rows.chosen(), looked: None });
            return Vec::new();
        }
        Action::CopyPreview if rows.marks().len() > 1 => {
            let request = Request::Export { keys: rows.chosen(), form: ExportForm::Previews, to: None };
            return vec![shell.ask(To::Shell, request).1];
        }
        _ => {}
    }
    let one = match action {
        Action::Rotate => "Rotating",
        Action::Limit => "Setting limits",
        Action::NewLike => "Creating a key like another",
        Action::Explain => "Explaining",
        Action::TellAdmins => "Telling admins",
        _ => "",
    };
    if !one.is_empty() && !rows.takes_one(shell, one) {
        return Vec::new();
    }
    let Some(key) = rows.selected().map(|row| &row.key) else { return Vec::new() };
    let boxed = || Box::new(key.clone());
    match action {
        Action::Rotate => shell.open(Opening::Rotate(boxed())),
        Action::Limit => shell.open(Opening::Limit(boxed())),
        Action::NewLike => shell.open(Opening::Alike(key.id)),
        Action::Explain => shell.open(Opening::Explain(boxed())),
        Action::CopyPreview => return copy(shell, CopyText::Preview(key.preview.clone())),
        Action::ShowAccountKeys => shell.filter(format!("account:{}", key.account)),
        Action::ShowSameCreator => {
            let test = Test::CreatedBy(vec![key.created_by.as_str().to_owned()]);
            shell.filter(Query { terms: vec![Term { negated: false, test }] }.to_string());
        }
        Action::TellAdmins => tell(shell, key),
        Action::KeyReminders => shell.reminders(format!("key:{}", key.id)),
        // Named by its id, a key is found whatever its status.
        Action::OpenLinked => match key.successor.or(key.predecessor) {
            Some(id) => shell.filter(filter(id)),
            None => {
                shell.toast(Severity::Info, "this key neither replaces another key nor is replaced by one")
            }
        },
        _ => {}
    }
    Vec::new()
}

/// Asks whether to tell the admins of a key's account: of what has ended that it is still used, of what works that it was
/// found exposed.
pub fn tell(shell: &mut Shell, key: &Key) {
    let ended = key.ended(shell.now);
    let replaced = key.is_being_replaced(shell.now);
    let (occasion, says) = match ended {
        Some((how, _)) => {
            (Occasion::AfterEnd, format!("that this key is still tried although it stopped working ({how})"))
        }
        None if replaced => {
            (Occasion::Replaced, "that this key is replaced and stops working when its overlap ends".into())
        }
        None => (Occasion::Exposed, "that this key was found where others can read it".to_owned()),
    };
    let words =
        format!("The admins of {} get a letter now: {says}. {}, {}.", key.account, key.name, key.preview);
    shell.open(Opening::Confirm(Question {
        title: "Tell the account's admins".into(),
        words,
        verb: "Send",
        change: Change::Tell { keys: vec![key.id], occasion },
        done: "sent".into(),
        undo: None,
    }));
}

/// The keys that a question is about: the marked ones, else the selected one. `known`: those of them that are at hand;
/// `states`: how many there are of each state.
pub struct Targets {
    pub ids: Vec<KeyId>,
    pub known: Vec<Key>,
    pub states: String,
}

/// What is to be asked about. What is revoked already is left out, and said to be; `None` where nothing is left. A command
/// that is copied in the question names the filter, where all that it fits is marked.
pub fn targets<S>(rows: &Listing<S>, shell: &mut Shell) -> Option<Targets>
where
    S: Source<Row = Row, Id = KeyId>,
{
    let (over, alive): (Vec<_>, Vec<_>) = rows.marks().iter().partition(|(_, mark)| mark.over);
    if alive.is_empty() && !over.is_empty() {
        shell.toast(Severity::Info, "Every marked key is revoked already.");
        return None;
    }
    let ids = match alive.is_empty() {
        true => rows.chosen(),
        false => alive.iter().map(|(id, _)| **id).collect(),
    };
    if ids.is_empty() {
        return None;
    }
    let known = rows.chosen_rows().into_iter().map(|row| row.key.clone());
    let known = known.filter(|key| ids.contains(&key.id)).collect();
    let mut states = match alive.len() {
        0 | 1 => String::new(),
        _ => format!("Of these: {}.", told(&counted(alive.iter().map(|(_, mark)| *mark)))),
    };
    if !over.is_empty() {
        states.push_str(&format!(" {} more marked are revoked already.", over.len()));
    }
    if ids.len() > 1 {
        for part in S::parts(&rows.filter.meaning) {
            states.push_str(&format!(
                " {part:?} matches every name that contains it. For one exact name: name:\"{part}\"."
            ));
        }
    }
    shell.whole = match rows.source.request(&rows.filter.meaning, Part::Start, 1) {
        Request::Page(page) if rows.is_whole() && !page.query.terms.is_empty() => {
            Some((page.query.to_string(), ids.clone()))
        }
        _ => None,
    };
    Some(Targets { ids, known, states: states.trim_start().to_owned() })
}

fn copy(shell: &mut Shell, text: CopyText) -> Vec<Effect> {
    vec![shell.ask(To::Shell, Request::Copy(text)).1]
}
