//! Every promise that `docs/promises.md` lists has a test of its number, and every number that tests carry stands there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::pages::page;

/// The names of all tests.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ["src", "tests", "benches"].map(|name| root.join(name)).into();
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let found = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
                names.extend(found.map(str::to_owned));
            }
        }
    }
    names
}

/// `VG-17` of `vg_17_…`, if a name begins like that.
fn number(name: &str) -> Option<String> {
    let mut parts = name.splitn(3, '_');
    let (issuer, number) = (parts.next()?, parts.next()?);
    let known = ["vg", "vp", "va", "vi", "kr"].contains(&issuer);
    (known && number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()) && parts.next().is_some())
        .then(|| format!("{}-{number}", issuer.to_uppercase()))
}

#[test]
fn every_promise_of_the_page_has_a_test_and_every_number_of_a_test_is_on_the_page() {
    let (page, tests) = (page("promises.md"), tests());
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("| `"))
        .map(|line| line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect())
        .collect();
    assert!(rows.len() > 80, "{}", rows.len());
    for row in &rows {
        let (id, shown) = (row[0], row[row.len() - 1].trim_matches('`'));
        let there = match shown.strip_suffix('…') {
            Some(begin) => tests.iter().any(|name| name.starts_with(begin)),
            None => tests.contains(shown),
        };
        assert!(there, "{id}: no test {shown}");
    }
    let told: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(told.len(), rows.len(), "a number stands there twice");
    let numbers = tests.iter().filter_map(|name| number(name));
    let missing: BTreeSet<String> = numbers.filter(|id| !told.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}
