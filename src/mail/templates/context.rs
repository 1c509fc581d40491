//! What a template gets to see. Every text that came from the database is cleaned before.

use chrono::{Duration, TimeZone, Utc};
use minijinja::{Value, context};

use super::{NoticeLine, NoticeMail, ReminderLine, ReminderMail};
use crate::domain::Instant;
use crate::domain::notice::Occasion;
use crate::domain::secret::find_secret;
use crate::domain::text::SafeText;
use crate::domain::when::{Zone, ahead_in_full};

/// The most characters of a name. Names are shorter; what is longer came past the rules.
const NAME_MAX: usize = 200;

/// The names of [`super`]'s list, with their values.
pub(super) fn of(mail: &ReminderMail, subject: Option<&str>) -> Value {
    let keys: Vec<Value> = mail.keys.iter().map(|line| key(line, mail.now)).collect();
    let first = keys.first().cloned().unwrap_or_default();
    let noun = noun(mail.keys.iter().map(|line| line.noun.as_str()));
    let values = context! {
        count => keys.len(),
        nouns => format!("{noun}s"),
        accounts => accounts(mail.keys.iter().map(|line| line.account.as_str())),
        recipient => safe(&mail.recipient),
        overlap => mail.keys.iter().all(|line| line.rotation_overlap),
        keys,
        first,
        noun,
    };
    with_subject(values, subject)
}

/// The names of a notice, with their values.
pub(super) fn notice(mail: &NoticeMail, subject: Option<&str>) -> Value {
    let keys: Vec<Value> = mail.keys.iter().map(noticed).collect();
    let noun = noun(mail.keys.iter().map(|line| line.noun.as_str()));
    let values = context! {
        count => keys.len(),
        nouns => format!("{noun}s"),
        accounts => accounts(mail.keys.iter().map(|line| line.account.as_str())),
        recipient => safe(&mail.recipient),
        exposed => mail.occasion == Occasion::Exposed,
        replaced => mail.occasion == Occasion::Replaced,
        reason => mail.reason.as_deref().map(safe),
        first => keys.first().cloned().unwrap_or_default(),
        keys,
        noun,
    };
    with_subject(values, subject)
}

fn noticed(line: &NoticeLine) -> Value {
    let noun = safe(&line.noun);
    let instant = |at| Zone::UTC.exact(at);
    let since = match (line.ended_at, line.ends_at) {
        (Some(at), _) => format!(" since {}", instant(at)),
        (None, Some(at)) => format!(", works until {}", instant(at)),
        (None, None) => String::new(),
    };
    context! {
        name => safe(&line.name),
        account => safe(&line.account),
        account_slug => safe(&line.account_slug),
        issuer => safe(&line.issuer),
        label => capital(&noun),
        noun,
        preview => safe(&line.preview),
        id => safe(&line.id),
        state => format!("{}{since}", safe(&line.status)),
        tried => line.tried.as_deref().map(safe),
        last_used_at => line.last_used_at.map_or_else(|| "never used".to_owned(), instant),
    }
}

fn with_subject(values: Value, subject: Option<&str>) -> Value {
    match subject {
        Some(subject) => context! { subject, ..values },
        None => values,
    }
}

/// What all of them are called; `key` where that differs.
fn noun<'a>(mut nouns: impl Iterator<Item = &'a str>) -> String {
    let first = nouns.next().unwrap_or("key");
    if nouns.all(|noun| noun == first) { safe(first) } else { "key".into() }
}

fn key(line: &ReminderLine, now: Instant) -> Value {
    let noun = safe(&line.noun);
    let (within, when) = if line.expires_at <= now {
        let when = if line.planned { "was revoked" } else { "has expired" };
        ("just now".to_owned(), when.to_owned())
    } else {
        let within = ahead_in_full(line.expires_at, now);
        let when = format!("{} {within}", if line.planned { "is revoked" } else { "expires" });
        (within, when)
    };
    let instant = |at| Zone::UTC.exact(at);
    context! {
        name => safe(&line.name),
        account => safe(&line.account),
        account_slug => safe(&line.account_slug),
        issuer => safe(&line.issuer),
        label => capital(&noun),
        noun,
        preview => safe(&line.preview),
        id => safe(&line.id),
        ends => if line.planned { "Revoked" } else { "Expires" },
        expires_at => instant(line.expires_at),
        expires_day => line.expires_at.format("%Y-%m-%d").to_string(),
        created_at => instant(line.created_at),
        last_used_at => line.last_used_at.map_or_else(|| "never used".to_owned(), instant),
        used => line.last_used_at.is_some(),
        days_left => (line.expires_at - now).num_days(),
        within,
        when,
        overlap => line.rotation_overlap,
    }
}

fn accounts<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = Vec::new();
    for account in all {
        let name = safe(account);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} other accounts", rest.len()),
    }
}

/// Safe text of bounded length, without anything that looks like a whole secret (VG-03).
fn safe(text: &str) -> String {
    let mut text = SafeText::new(text).to_string();
    while let Some(found) = find_secret(&text) {
        text.replace_range(found, "…");
    }
    short(&text, NAME_MAX)
}

/// The text, or its beginning with an ellipsis, of at most this many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn capital(noun: &str) -> String {
    let mut rest = noun.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Reminders that a template must get along with: one key, never used; and several of two products.
pub(super) fn samples() -> [ReminderMail; 2] {
    let now = Utc.timestamp_opt(1_800_000_000, 0).single().unwrap_or_default();
    let line = |name: &str, noun: &str, days: i64, used: bool| ReminderLine {
        name: name.into(),
        account: "Acme".into(),
        account_slug: "acme".into(),
        issuer: "Example".into(),
        noun: noun.into(),
        preview: "ex_••••••••abcd".into(),
        id: "01900000-0000-7000-8000-000000000000".into(),
        expires_at: now + Duration::days(days),
        planned: used,
        created_at: now - Duration::days(60),
        last_used_at: used.then(|| now - Duration::hours(5)),
        rotation_overlap: used,
    };
    let mail = |keys| ReminderMail { recipient: "it@acme.example".into(), now, keys };
    [
        mail(vec![line("CI", "token", 7, false)]),
        mail(vec![line("CI", "token", 1, true), line("CRM <sync> & \"more\"", "API key", 30, false)]),
    ]
}
