//! The pages of `docs/commands` are what the program's help says. `KEYRACK_WRITE_PAGES=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::program;

/// A command's help without what all commands take.
fn help(words: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let text = program::stdout(home.path(), [words, &["--help"]].concat());
    let (before, rest) =
        text.split_once("\nGlobal options:\n").unwrap_or_else(|| panic!("{words:?}: {text}"));
    let examples = rest.find("\nExamples:").map_or("", |at| &rest[at..]);
    let lines: Vec<&str> = before.lines().chain(examples.lines()).map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// The commands right below one, and what each is for.
fn below(help: &str) -> Vec<(String, String)> {
    let Some(at) = help.find("\nCommands:\n") else { return Vec::new() };
    let lines = help[at..].lines().skip(2).take_while(|line| !line.is_empty());
    let mut found: Vec<(String, String)> = Vec::new();
    for line in lines {
        match (line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')), found.last_mut()) {
            (Some(entry), _) => {
                let (name, about) = entry.split_once(' ').unwrap_or((entry, ""));
                found.push((name.to_owned(), about.trim().to_owned()));
            }
            // It goes on.
            (None, Some((_, about))) => write!(about, " {}", line.trim()).unwrap(),
            (None, None) => {}
        }
    }
    found.retain(|(name, _)| name != "help");
    found
}

/// Writes a command, and all below it.
fn tell(page: &mut String, words: &[&str], depth: usize) {
    let help = help(words);
    let title = format!("keyrack {}", words.join(" "));
    let _ = write!(page, "{} {title}\n\n```text\n{help}\n```\n\n", "#".repeat(depth));
    for (name, _) in below(&help) {
        tell(page, &[words, &[name.as_str()]].concat(), (depth + 1).min(3));
    }
}

#[test]
fn the_pages_of_commands_are_the_programs_help() {
    let home = tempfile::tempdir().unwrap();
    let top = program::stdout(home.path(), ["--help"]);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let folder = docs.join("commands");
    let write = std::env::var_os("KEYRACK_WRITE_PAGES").is_some();
    let commands = below(&top);
    assert!(commands.len() > 20, "{commands:?}");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut pages: Vec<String> = Vec::new();
    for (name, _) in &commands {
        let mut page = String::new();
        tell(&mut page, &[name], 1);
        let (page, file) = (page.trim_end().to_owned() + "\n", folder.join(format!("{name}.md")));
        if write {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &page).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            there == page,
            "docs/commands/{name}.md is out of date: run this test with KEYRACK_WRITE_PAGES=1"
        );
        assert!(
            summary.contains(&format!("- [keyrack {name}](commands/{name}.md)")),
            "{name} isn't in the summary"
        );
        pages.push(format!("{name}.md"));
    }
    // No page of a command that is gone.
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    files.sort();
    pages.sort();
    assert_eq!(files, pages);
}
