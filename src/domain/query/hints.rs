//! What to say when a filter is wrong.

use super::FIELDS;
use crate::domain::text::SafeText;

/// What may stand after the colon, in words.
pub(super) fn accepted(field: &str) -> &'static str {
    match field {
        "status" => "active, planned, paused, suspended, refused, expired, abandoned, revoked or ended",
        "account" | "issuer" => "a slug, or several with commas",
        "by" => "an operator's name",
        "name" => "a part of the name, or \"the whole name\"",
        "owner" => "an owner or an address, or none",
        "tag" => "a tag such as prod, or none",
        "scope" => "a scope such as calls:write, or none",
        "expires" => "never, set, <30d, >90d or <2027-01-31",
        "created" | "revoked" => "<7d, >90d or >2027-01-31",
        "used" => "never, ever, <1h, >30d or <2027-01-31",
        "at" => "<7d, >90d, >2027-01-31, or a day such as 2027-01-31",
        "idle" => "a span such as 30d, 12h, 2w, 3mo or 1y",
        "rotation" => "due",
        "violates" => "policy",
        "overlap" => "old, new or open",
        "network" => "any or set",
        "creator" => "gone or here",
        "acknowledged" | "replaced" | "replaces" => "yes or no",
        _ => "the id, or its first or last characters",
    }
}

/// What to say about a field that does not exist; `term` is the whole term as it was typed.
pub(super) fn unknown_field(name: &str, term: &str) -> String {
    let name = &*SafeText::new(name);
    if matches!(name, "description" | "text" | "preview" | "key") {
        return format!(
            "there is no field {name}: write the words alone; they are looked for in name, description, owner, tags, preview and ID"
        );
    }
    match nearest(name, FIELDS.iter().map(|field| field.name)) {
        Some(near) => format!("there is no field {name}: did you mean {near}:?"),
        None => {
            let all = FIELDS.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
            let term = SafeText::new(term.replace('"', ""));
            format!("there is no field {name}: there are {all} and id; as text write \"{term}\"")
        }
    }
}

/// The word that is at most two slips of the finger away, if there is one.
pub(in crate::domain) fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if typed.chars().count() < 2 {
        return None;
    }
    words
        .map(|word| (if word.starts_with(typed) { 0 } else { strsim::levenshtein(typed, word) }, word))
        .filter(|(slips, word)| *slips <= 2 && *slips < word.len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, word)| word)
}
