//! What a template gets to see. Every text that came from the database is cleaned before.

use std::collections::BTreeSet;

use chrono::{Duration, TimeZone, Utc};
use minijinja::{Value, context};

use super::help::{Place, ask, shared};
use super::{KeyLine, NoticeLine, NoticeMail, ReminderLine, ReminderMail};
use crate::domain::Instant;
use crate::domain::notice::Occasion;
use crate::domain::secret::find_secret;
use crate::domain::text::SafeText;
use crate::domain::when::{Zone, ahead_in_full};

/// The most characters of a name. Names are shorter; what is longer came past the rules.
const NAME_MAX: usize = 200;

/// The names of [`super`]'s list, with their values.
pub(super) fn of(mail: &ReminderMail, subject: Option<&str>) -> Value {
    let usual = mail.contact.as_deref();
    let keys = mail.keys.iter().map(|line| key(line, usual, mail.now)).collect();
    let values = context! {
        overlap => mail.keys.iter().all(|line| line.rotation_overlap),
        ..letter(&mail.recipient, keys, mail.keys.iter().map(|line| &line.key), usual)
    };
    with_subject(values, subject)
}

/// The names of a notice, with their values.
pub(super) fn notice(mail: &NoticeMail, subject: Option<&str>) -> Value {
    let usual = mail.contact.as_deref();
    let keys = mail.keys.iter().map(|line| noticed(line, usual)).collect();
    let values = context! {
        exposed => mail.occasion == Occasion::Exposed,
        replaced => mail.occasion == Occasion::Replaced,
        reason => mail.reason.as_deref().map(safe),
        working => mail.keys.iter().filter(|line| line.ended_at.is_none()).count(),
        tried => mail.keys.iter().any(|line| line.tried.is_some()),
        ..letter(&mail.recipient, keys, mail.keys.iter().map(|line| &line.key), usual)
    };
    with_subject(values, subject)
}

/// What both kinds of letters say of all their keys.
fn letter<'a>(
    recipient: &str,
    keys: Vec<Value>,
    lines: impl Iterator<Item = &'a KeyLine> + Clone,
    usual: Option<&'a str>,
) -> Value {
    let noun = noun(lines.clone().map(|line| line.noun.as_str()));
    let slugs: BTreeSet<&str> = lines.clone().map(|line| line.account_slug.as_str()).collect();
    let asked = lines.clone().map(|line| Place { issuer: &line.issuer, contact: line.asked(usual) });
    context! {
        count => keys.len(),
        nouns => format!("{noun}s"),
        label => capital(&noun),
        accounts => accounts(lines.clone().map(|line| line.account.as_str())),
        account_count => slugs.len(),
        recipient => safe(recipient),
        link => shared(lines.clone().map(|line| line.link.as_deref())).map(clean),
        linked => lines.clone().filter(|line| line.link.is_some()).count(),
        contact => shared(lines.map(|line| line.asked(usual))).map(clean),
        ask => clean(&ask(asked)),
        first => keys.first().cloned().unwrap_or_default(),
        keys,
        noun,
    }
}

/// What both kinds of letters say of each key.
fn placed(line: &KeyLine, usual: Option<&str>) -> Value {
    let noun = safe(&line.noun);
    context! {
        name => safe(&line.name),
        preview => safe(&line.preview),
        id => safe(&line.id),
        account => safe(&line.account),
        account_slug => safe(&line.account_slug),
        issuer => safe(&line.issuer),
        label => capital(&noun),
        noun,
        link => line.link.as_deref().map(clean),
        contact => line.asked(usual).map(clean),
        last_used_at => line.last_used_at.map_or_else(|| "never used".to_owned(), |at| Zone::UTC.exact(at)),
        last_used => line.last_used_at.map_or_else(|| "never".to_owned(), |at| Zone::UTC.with_weekday(at)),
        used => line.last_used_at.is_some(),
    }
}

fn noticed(line: &NoticeLine, usual: Option<&str>) -> Value {
    let status = safe(&line.status);
    let (words, at) = match (line.ended_at, line.ends_at) {
        (Some(at), _) if matches!(status.as_str(), "revoked" | "expired") => {
            (format!("{status} on"), Some(at))
        }
        (Some(at), _) => (format!("{status}, worked until"), Some(at)),
        (None, Some(at)) => (format!("{status}, works until"), Some(at)),
        (None, None) => (status, None),
    };
    let at = at.map(|at| Zone::UTC.with_weekday(at));
    context! {
        state => at.iter().fold(words.clone(), |words, at| format!("{words} {at}")),
        state_words => words,
        state_at => at,
        tried => line.tried.as_deref().map(safe),
        ..placed(&line.key, usual)
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

fn key(line: &ReminderLine, usual: Option<&str>, now: Instant) -> Value {
    let (within, when) = if line.expires_at <= now {
        let when = if line.planned { "was revoked" } else { "has expired" };
        ("just now".to_owned(), when.to_owned())
    } else {
        let within = ahead_in_full(line.expires_at, now);
        let when = format!("{} {within}", if line.planned { "is revoked" } else { "expires" });
        (within, when)
    };
    context! {
        ends => if line.planned { "Revoked" } else { "Expires" },
        expires => Zone::UTC.with_weekday(line.expires_at),
        expires_at => Zone::UTC.exact(line.expires_at),
        expires_day => line.expires_at.format("%Y-%m-%d").to_string(),
        expires_weekday => line.expires_at.format("%a").to_string(),
        created => Zone::UTC.with_weekday(line.created_at),
        created_at => Zone::UTC.exact(line.created_at),
        days_left => (line.expires_at - now).num_days(),
        within,
        when,
        overlap => line.rotation_overlap,
        ..placed(&line.key, usual)
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
    short(&clean(text), NAME_MAX)
}

/// The same, of any length: what a policy says.
fn clean(text: &str) -> String {
    let mut text = SafeText::new(text).to_string();
    while let Some(found) = find_secret(&text) {
        text.replace_range(found, "…");
    }
    text
}

/// The links of a letter, as they stand in it.
pub(super) fn links<'a>(all: impl Iterator<Item = Option<&'a str>>) -> BTreeSet<String> {
    all.flatten().map(clean).collect()
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
        key: KeyLine {
            name: name.into(),
            account: "Acme".into(),
            account_slug: "acme".into(),
            issuer: "Example".into(),
            noun: noun.into(),
            preview: "ex_••••••••abcd".into(),
            id: "01900000-0000-7000-8000-000000000000".into(),
            last_used_at: used.then(|| now - Duration::hours(5)),
            link: used.then(|| "https://app.example.com/acme/keys".into()),
            contact: used.then(|| "keys@example.com".into()),
        },
        expires_at: now + Duration::days(days),
        planned: used,
        created_at: now - Duration::days(60),
        rotation_overlap: used,
    };
    let mail = |keys| ReminderMail { recipient: "it@acme.example".into(), now, contact: None, keys };
    [
        mail(vec![line("CI", "token", 7, false)]),
        mail(vec![line("CI", "token", 1, true), line("CRM <sync> & \"more\"", "API key", 30, false)]),
    ]
}
