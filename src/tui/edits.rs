//! What an edit changes, in words, and what is said once it is done.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::effect::{Effect, Request};
use super::receipts;
use super::shell::Shell;
use super::tracked::Deed;
use super::view::times;
use super::widgets::facts::Fact;
use super::wish::Asking;
use super::words::Severity;
use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::audit;
use crate::domain::edit::{Edit, in_words, reaches_gates};
use crate::domain::key::KeyId;
use crate::domain::manifest::Manifest;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::service::Edited;

/// Said of what lets a key do more than before.
pub const WIDER: &str = "▲ can do more than before";

/// What changes of one key: a fact for each field, those that widen it marked.
pub fn facts(shell: &Shell, changed: &Map<String, Value>, widened: &[&str]) -> Vec<Fact> {
    let styles = &shell.styles;
    let fact = |(field, pair): (&String, &Value)| {
        let words = change(shell, field, &pair[0], &pair[1]);
        let name = heading(field);
        match widened.contains(&field.as_str()) {
            true => Fact::new(styles, name, format!("{words}  {WIDER}")).role(styles, Role::Warning),
            false => Fact::new(styles, name, words),
        }
    };
    changed.iter().map(fact).collect()
}

/// A field's heading.
pub fn heading(field: &str) -> &'static str {
    match field {
        "name" => "Name",
        "description" => "Description",
        "owner" => "Owner",
        "owner_mail" => "Owner mail",
        "tags" => "Tags",
        "scopes" => "Scopes",
        "allow" => "Allow from",
        "expires_at" => "Expires",
        "not_before" => "Works from",
        "revoke_at" => "Revoked at",
        "plan_reason" => "Reason",
        _ => "",
    }
}

/// `Main → Billing`; of a list what comes and what goes: `+calls:write -calls:read`.
fn change(shell: &Shell, field: &str, old: &Value, new: &Value) -> String {
    if let (Value::Array(was), Value::Array(now)) = (old, new)
        && !was.is_empty()
        && !now.is_empty()
    {
        let signed = |sign, some: &[Value], other: &[Value]| {
            let some = some.iter().filter(|one| !other.contains(one)).filter_map(Value::as_str);
            some.map(|one| format!("{sign}{one}")).collect::<Vec<_>>()
        };
        return [signed('+', now, was), signed('-', was, now)].concat().join(" ");
    }
    let words = |value: &Value| {
        let is_time = ["expires_at", "not_before", "revoke_at"].contains(&field);
        let at = value.as_str().filter(|_| is_time).and_then(|text| text.parse::<Instant>().ok());
        match at {
            Some(at) => format!("{}, {}", times::exact(at, shell.utc), times::relative(at, shell.now)),
            None => in_words(field, value),
        }
    };
    format!("{} → {}", words(old), words(new))
}

/// What changes these keys.
pub fn asking(keys: Vec<KeyId>, edit: Edit, shown: Arc<Manifest>) -> Asking {
    let edit = Box::new(edit);
    Box::new(move |operation| {
        let (keys, edit, shown) = (keys.clone(), edit.clone(), Some(shown.clone()));
        Request::Edit { operation, keys, edit, shown }
    })
}

/// Closes the form and says what was edited; where gates decide by it, they are asked, and their answer is told in the last
/// line.
pub fn done(shell: &mut Shell, edited: &[Edited]) -> Vec<Effect> {
    shell.changed(Subjects::of(audit::Action::KeyEdit));
    shell.close();
    let changed: Vec<&Edited> = edited.iter().filter(|one| !one.changed.is_empty()).collect();
    let what = match changed.as_slice() {
        [] => {
            shell.toast(Severity::Info, "Nothing was changed: it is already so.");
            return Vec::new();
        }
        [one] => one.key.name.as_str().to_owned(),
        many => format!("{} keys", thousands(many.len() as u64)),
    };
    let verb = if changed.len() == 1 { "was" } else { "were" };
    shell.toast(Severity::Good, format!("{what} {verb} edited"));
    let hard = changed.iter().filter(|one| reaches_gates(&one.changed));
    let hard: Vec<KeyId> = hard.map(|one| one.key.id).collect();
    if hard.is_empty() { Vec::new() } else { vec![receipts::begin(shell, Deed::Edited, what, hard).1] }
}

/// The words of a list, with blanks or commas between them.
pub fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty())
}
