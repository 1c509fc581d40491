//! The triggers and functions of PostgreSQL's schema as the migrations' text has them, for a login that can make no schema
//! of its own. Only statements that stand by themselves are read: what a block makes is not told of.

use std::collections::BTreeMap;

use super::Things;
use crate::domain::audit::finding::{Finding, Kind};

/// `trigger x on y` with nothing, `function x(…)` with its body.
pub(super) fn things<'a>(migrations: impl Iterator<Item = &'a str>) -> Things {
    let mut things = BTreeMap::new();
    for statement in migrations.flat_map(statements) {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let mut rest =
            words.iter().skip_while(|word| ["OR", "REPLACE", "CREATE", "CONSTRAINT"].contains(word));
        match (words.first(), rest.next()) {
            (Some(&"CREATE"), Some(&"TRIGGER")) => {
                let table = words.iter().skip_while(|word| **word != "ON").nth(1);
                if let (Some(name), Some(table)) = (rest.next(), table) {
                    things.insert(format!("trigger {name} on {table}"), String::new());
                }
            }
            (Some(&"CREATE"), Some(&"FUNCTION")) => {
                let name = rest.next().and_then(|name| name.split('(').next());
                if let (Some(name), Some(body)) = (name, body(statement)) {
                    things.insert(format!("function {name}("), body.to_owned());
                }
            }
            (Some(&"DROP"), _) => {
                let named = |word: &str| {
                    words
                        .iter()
                        .skip_while(|one| **one != word)
                        .skip(1)
                        .find(|one| !["IF", "EXISTS"].contains(*one))
                        .copied()
                };
                if let Some(name) = named("TRIGGER") {
                    things.retain(|thing, _| !thing.starts_with(&format!("trigger {name} on ")));
                } else if let Some(name) = named("FUNCTION") {
                    let name = name.split('(').next().unwrap_or(name);
                    things.remove(&format!("function {name}("));
                }
            }
            _ => {}
        }
    }
    things
}

/// Where what was found is neither what the schema's version has nor what the newest has.
pub(super) fn differences(expected: &[Things], found: &Things) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(first) = expected.first() else { return findings };
    for (name, audit) in first {
        // A name without its arguments: any function of that name.
        let there: Vec<(&String, &String)> = match name.strip_prefix("function ") {
            Some(_) => found.iter().filter(|(one, _)| one.starts_with(name.as_str())).collect(),
            None => found.get_key_value(name).into_iter().collect(),
        };
        let fits = |things: &Things| match things.get(name) {
            None => true,
            Some(body) => there.iter().any(|(_, definition)| definition.ends_with(body.as_str())),
        };
        if !expected.iter().any(fits) {
            let table = there.first().map_or("missing".to_owned(), |(_, definition)| super::cut(definition));
            findings.push(Finding::new(
                super::kind(name),
                name.trim_end_matches('('),
                super::cut(audit),
                table,
            ));
        }
        let firing = name.replacen("trigger ", "firing of ", 1);
        if let Some(state) = found.get(&firing).filter(|state| name.starts_with("trigger ") && *state != "on")
        {
            findings.push(Finding::new(Kind::Trigger, firing, "on", state));
        }
    }
    for (name, state) in found.iter().filter(|(name, _)| name.starts_with("firing of references on ")) {
        if state != "on" {
            findings.push(Finding::new(Kind::Trigger, name, "on", state));
        }
    }
    findings
}

/// What stands between the first dollar quotes.
fn body(statement: &str) -> Option<&str> {
    let (_, rest) = statement.split_once('$')?;
    let (tag, rest) = rest.split_once('$')?;
    rest.split_once(&format!("${tag}$")).map(|(body, _)| body)
}

/// The statements of a text, without comments before them.
fn statements(text: &str) -> Vec<&str> {
    let (mut all, mut begin, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = text[at..].find(['\'', '$', ';', '-']) {
        at += next;
        let rest = &text[at..];
        let quote = |mark: &str| rest[mark.len()..].find(mark).map_or(rest.len(), |end| end + 2 * mark.len());
        at += if rest.starts_with("--") {
            let line = rest.find('\n').map_or(rest.len(), |end| end + 1);
            if text[begin..at].trim().is_empty() {
                begin = at + line;
            }
            line
        } else if rest.starts_with('\'') {
            quote("'")
        } else if let Some((tag, _)) = rest.strip_prefix('$').and_then(|rest| rest.split_once('$')) {
            let is_tag = tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if is_tag { quote(&format!("${tag}$")) } else { 1 }
        } else if rest.starts_with(';') {
            all.push(text[begin..at].trim());
            begin = at + 1;
            1
        } else {
            1
        };
    }
    all
}
