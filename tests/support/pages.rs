//! The documentation: the README, and the pages of `docs` in the order of their summary.

use std::path::{Path, PathBuf};

/// A page's path below the project, and its text.
pub type Page = (PathBuf, String);

fn read(path: &str) -> Page {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    (path.into(), text.unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// The README first.
pub fn pages() -> Vec<Page> {
    let summary = read("docs/SUMMARY.md").1;
    let targets = summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    let pages = targets.map(|target| read(&format!("docs/{target}")));
    std::iter::once(read("README.md")).chain(pages).collect()
}

/// One page of `docs`.
pub fn page(name: &str) -> String {
    read(&format!("docs/{name}")).1
}

/// All of them, one after the other.
pub fn text() -> String {
    pages().into_iter().map(|(_, text)| text + "\n").collect()
}
