//! Words that readers stumbled over, and what stands in their place.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use crate::{root, sources};

/// Each with what to write instead. Parts of sentences: a word alone may be a name in code or in a form of data.
const RETIRED: &[(&str, &str)] = &[
    ("at once and for good", "immediately; this can't be undone"),
    ("There is no way back", "This can't be undone"),
    ("taken over", "confirmed"),
    ("in safe hands", "confirmed"),
    ("is dead", "was revoked, expired"),
    ("are dead", "were revoked, expired"),
    ("it dies", "it expires"),
    ("key died", "the key expired"),
    ("not die", "not expire"),
    ("that takes the role", "ask an admin for the role"),
    ("superseded by", "replaced by"),
    ("no valid", "isn't a valid"),
    ("Nobody is there to answer", "No terminal to ask on"),
];

/// Where a word of the list says something else, or is quoted.
const SPARED: &[(&str, &str)] = &[
    // What is left alone there is another process.
    ("src/store/", "is dead"),
];

/// The texts of a source: its strings, and the doc comments that clap makes help of.
fn texts(tokens: TokenStream, help: bool, into: &mut Vec<String>) {
    let mut before = None;
    for token in tokens {
        match &token {
            TokenTree::Group(group) => {
                let doc = matches!(&before, Some(TokenTree::Punct(mark)) if matches!(mark.as_char(), '#' | '!'))
                    && group.stream().into_iter().next().is_some_and(|first| first.to_string() == "doc");
                if help || !doc {
                    texts(group.stream(), help, into);
                }
            }
            TokenTree::Literal(literal) if literal.to_string().contains('"') => {
                into.push(literal.to_string())
            }
            _ => {}
        }
        before = Some(token);
    }
}

fn pages(folder: &Path, ends: &str, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, ends, into);
        } else if path.extension().is_some_and(|end| end == ends) {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            into.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_retired_word_is_read_by_anybody() {
    let mut read = vec![("README.md".to_owned(), std::fs::read_to_string(root().join("README.md")).unwrap())];
    pages(&root().join("docs"), "md", &mut read);
    pages(&root().join("docs"), "json", &mut read);
    pages(&root().join("src/mail/templates"), "txt", &mut read);
    pages(&root().join("src/mail/templates"), "html", &mut read);
    for source in sources().into_iter().filter(|source| !source.is_test()) {
        let tokens: TokenStream = source.lines.join("\n").parse().unwrap();
        let mut said = Vec::new();
        texts(tokens, source.in_any(&["src/cli"]), &mut said);
        read.push((source.path, said.join("\n")));
    }
    let spared =
        |path: &str, word: &str| SPARED.iter().any(|(place, of)| path.starts_with(place) && *of == word);
    let mut faults = Vec::new();
    for (path, text) in &read {
        for line in text.lines() {
            for (word, instead) in RETIRED.iter().filter(|(word, _)| line.contains(word)) {
                if !spared(path, word) {
                    faults.push(format!("{path}: {word:?} (write: {instead}): {}", line.trim()));
                }
            }
        }
    }
    crate::none(&faults);
}
