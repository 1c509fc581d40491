//! Completion: what can stand at the cursor.

/// A field of the filter language, for completion, help and error messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldHelp {
    /// What stands before the colon.
    pub name: &'static str,
    /// Values worth offering. Not all that are possible.
    pub values: &'static [&'static str],
    /// One line on what the field asks.
    pub meaning: &'static str,
}

/// All fields, in the order that help shows them in.
pub const FIELDS: [FieldHelp; 21] = [
    FieldHelp {
        name: "status",
        values: &[
            "active",
            "planned",
            "paused",
            "suspended",
            "refused",
            "expired",
            "abandoned",
            "revoked",
            "ended",
        ],
        meaning: "the state that a request would meet now; ended: expired, abandoned or revoked",
    },
    FieldHelp { name: "account", values: &[], meaning: "the account's slug; several with commas" },
    FieldHelp { name: "issuer", values: &[], meaning: "the issuer's slug; several with commas" },
    FieldHelp {
        name: "expires",
        values: &["<7d", "<30d", "<90d", ">90d", "never", "set"],
        meaning: "<30d: expires within the next 30 days; also a date",
    },
    FieldHelp {
        name: "created",
        values: &["<1h", "<1d", "<7d", "<30d", ">90d", ">1y"],
        meaning: "<7d: within the last 7 days; >90d: longer ago; also a date",
    },
    FieldHelp {
        name: "revoked",
        values: &["<1h", "<1d", "<7d", "<30d", ">90d"],
        meaning: "<7d: within the last 7 days, by hand or by plan; also a date",
    },
    FieldHelp {
        name: "used",
        values: &["never", "ever", "<1h", "<1d", ">30d", ">90d"],
        meaning: "<1h: within the last hour; >30d: longer ago; also a date",
    },
    FieldHelp {
        name: "idle",
        values: &["30d", "60d", "90d", "180d"],
        meaning: "not used for this long, counted from creation if never used",
    },
    FieldHelp {
        name: "scope",
        values: &["none"],
        meaning: "holds the scope, such as calls:write; none: holds no scope",
    },
    FieldHelp {
        name: "owner",
        values: &["none"],
        meaning: "the owner, by name or mail address; none: no owner",
    },
    FieldHelp { name: "tag", values: &["none"], meaning: "has the tag; none: has no tag" },
    FieldHelp {
        name: "rotation",
        values: &["due"],
        meaning: "past its policy's rotation period and not replaced",
    },
    FieldHelp {
        name: "violates",
        values: &["policy"],
        meaning: "its policy would refuse it today, and it was not replaced",
    },
    FieldHelp {
        name: "network",
        values: &["any", "set"],
        meaning: "any: works from any address; set: only from the networks that it names",
    },
    FieldHelp {
        name: "acknowledged",
        values: &["yes", "no"],
        meaning: "whether somebody confirmed the secret",
    },
    FieldHelp { name: "replaced", values: &["yes", "no"], meaning: "whether it was replaced in a rotation" },
    FieldHelp {
        name: "replaces",
        values: &["yes", "no"],
        meaning: "whether it replaces another key after a rotation",
    },
    FieldHelp {
        name: "overlap",
        values: &["old", "new", "open"],
        meaning: "old: replaced, and works beside its replacement; new: that replacement; open: either",
    },
    FieldHelp {
        name: "name",
        values: &[],
        meaning: "a part of the name; in quotation marks, or with =, all of it",
    },
    FieldHelp { name: "by", values: &[], meaning: "the operator who created the key" },
    FieldHelp {
        name: "creator",
        values: &["gone", "here"],
        meaning: "gone: the person who created the key no longer has a role; here: still has one",
    },
];

/// What can replace a part of a filter: bytes `start..end` of the text by one of `candidates`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    pub start: usize,
    pub end: usize,
    /// In the order to offer them in. A field ends in its colon; a value is quoted where it must be.
    pub candidates: Vec<String>,
}

/// What fits at byte `cursor` of `text`: field names at the beginning of a term, values after a colon. `values` knows
/// what the database holds (accounts, issuers, operators, scopes) for the field it is given; it may know nothing.
///
/// No candidates inside quotation marks or in plain text that begins like no field.
pub fn complete(text: &str, cursor: usize, values: impl Fn(&str) -> Vec<String>) -> Completion {
    let cursor = text.floor_char_boundary(cursor.min(text.len()));
    let before = &text[..cursor];
    if before.matches('"').count() % 2 == 1 {
        return Completion { start: cursor, end: cursor, candidates: Vec::new() };
    }
    let word = before
        .rfind(char::is_whitespace)
        .map_or(0, |i| i + before[i..].chars().next().map_or(0, char::len_utf8));
    let word = word + usize::from(before[word..].starts_with('-'));
    let end = text[cursor..].find(char::is_whitespace).map_or(text.len(), |i| cursor + i);
    match before[word..].split_once(':') {
        None => {
            let typed = before[word..].to_ascii_lowercase();
            let names = FIELDS.iter().map(|field| field.name);
            let candidates =
                names.filter(|name| name.starts_with(&typed)).map(|name| format!("{name}:")).collect();
            // The rest of a word that goes on after the cursor belongs to it, but a value after a colon does not.
            let end = text[cursor..end].find(':').map_or(end, |i| cursor + i + 1);
            Completion { start: word, end, candidates }
        }
        Some((name, value)) => {
            let start = cursor - value.len() + value.rfind(',').map_or(0, |i| i + 1);
            let end = text[cursor..end].find(',').map_or(end, |i| cursor + i);
            let typed = text[start..cursor].to_lowercase();
            let name = name.to_ascii_lowercase();
            let fixed = FIELDS.iter().find(|field| field.name == name).map_or(&[][..], |field| field.values);
            let mut candidates: Vec<String> = fixed
                .iter()
                .map(|v| (*v).to_owned())
                .chain(values(&name))
                .filter(|v| v.to_lowercase().starts_with(&typed))
                .collect();
            let mut seen = std::collections::HashSet::new();
            candidates.retain(|candidate| seen.insert(candidate.clone()));
            for candidate in &mut candidates {
                if candidate.contains(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '\\')) {
                    *candidate = format!("\"{}\"", candidate.replace('\\', "\\\\").replace('"', "\\\""));
                }
            }
            Completion { start, end, candidates }
        }
    }
}
