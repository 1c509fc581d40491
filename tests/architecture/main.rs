//! Who may import whom, and what a source file may look like. Fails with the file and the line.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod circles;
mod floors;
mod house;
mod made_up;
mod pages;
mod portable;
mod reading;
mod rooms;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use house::House;

/// A source file of `src/`, by its path below the package.
#[derive(Clone)]
struct Source {
    path: String,
    lines: Vec<String>,
}

/// What a line of code must not hold, anywhere but in the given places.
const MARKS: &[(&str, &[&str], &str)] = &[
    ("#[allow(", &[], "say why: #[expect(lint, reason = \"…\")]"),
    ("#![allow(", &[], "say why: #![expect(lint, reason = \"…\")]"),
    ("Utc::now(", &["src/clock.rs"], "the time comes in as an argument"),
    ("Local::now(", &["src/clock.rs"], "the time comes in as an argument"),
    ("SystemTime::now(", &["src/clock.rs"], "the time comes in as an argument"),
    ("now_v7(", &[], "the time comes in as an argument"),
    ("todo!(", &[], "nothing half done"),
    ("unimplemented!(", &[], "nothing half done"),
    ("dbg!(", &[], "no traces of the search for a fault"),
];

const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO",
    "UPDATE ",
    "DELETE FROM",
    "CREATE TABLE",
    "ALTER TABLE",
    "BEGIN IMMEDIATE",
    "PRAGMA ",
];

const NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "common", "misc"];

/// A file longer than this is refused; longer than [`LONG`], it is mentioned.
const TOO_LONG: usize = 400;
const LONG: usize = 300;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // What a fuzzer builds lies beside its targets.
            if !path.ends_with("target") {
                files(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn sources_below(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    files(&root().join(folder), &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| Source {
            lines: std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect(),
            path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
        })
        .collect()
}

fn sources() -> Vec<Source> {
    sources_below("src")
}

impl Source {
    /// Whether it belongs to a room, by the beginning of its path (`src/store` is `src/store.rs` and `src/store/…`).
    fn in_any(&self, rooms: &[&str]) -> bool {
        rooms.iter().any(|room| {
            self.path == *room
                || self
                    .path
                    .strip_prefix(room)
                    .is_some_and(|rest| room.ends_with('/') || rest.starts_with(['/', '.']))
        })
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The lines that hold code, with their numbers: comments are left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().filter_map(|(i, line)| {
            let code = line.trim_start();
            (!code.starts_with("//")).then_some((i + 1, line.as_str()))
        })
    }
}

/// Whether `line` names `word` as a word of its own: `sqlx` in `sqlx::query`, not in `sqlx_like`.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part)
            && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn house() -> House {
    let texts = sources().into_iter().map(|source| (source.path, source.lines.join("\n"))).collect();
    let (house, unread) = House::read(&texts, "keyrack");
    assert!(unread.is_empty(), "no module declares {unread:?}");
    house
}

#[test]
fn rooms_name_only_what_is_listed() {
    let crates = dependencies("[dependencies]").into_iter().map(|name| name.replace('-', "_")).collect();
    none(&rooms::trespasses(&house(), rooms::ROOMS, &crates));
}

#[test]
fn files_import_each_other_in_no_circle() {
    let circles = circles::of(&circles::edges(&house()));
    none(&circles.into_iter().map(|circle| circle.picture).collect::<Vec<_>>());
}

#[test]
fn the_console_is_built_in_floors_without_a_way_up() {
    none(&floors::climbs(&circles::edges(&house())));
}

/// The names in one table of `Cargo.toml`.
fn dependencies(table: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lines = text.lines().skip_while(|line| *line != table).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim_matches('"'));
    names.filter(|name| !name.starts_with([' ', '#'])).map(str::to_owned).collect()
}

#[test]
fn each_dependency_is_named_somewhere() {
    let code = |folder: &str| -> Vec<String> {
        let sources = sources_below(folder);
        sources.iter().flat_map(|source| source.code().map(|(_, line)| without_strings(line))).collect()
    };
    let (program, tests) = (code("src"), [code("tests"), code("benches")].concat());
    let said = |lines: &[&[String]], name: &str| {
        let name = name.replace('-', "_");
        lines.iter().flat_map(|lines| lines.iter()).any(|line| names(line, &name))
    };
    let idle = dependencies("[dependencies]").into_iter().filter(|name| !said(&[&program], name));
    let tests =
        dependencies("[dev-dependencies]").into_iter().filter(|name| !said(&[&program, &tests], name));
    none(&idle.chain(tests).map(|name| format!("Cargo.toml: {name} is named nowhere")).collect::<Vec<_>>());
}

#[test]
fn in_the_console_only_the_worker_calls_the_service() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.in_any(&["src/tui"]) && !source.is_test()) {
        if source.in_any(&["src/tui/worker"]) {
            continue;
        }
        for (number, line) in
            source.code().filter(|(_, line)| names(line, "service.") || line.contains("service()."))
        {
            faults.push(format!("{}:{number}: calls the service: {}", source.path, line.trim()));
        }
    }
    none(&faults);
}

#[test]
fn no_line_holds_what_the_house_forbids() {
    let mut faults = Vec::new();
    for source in sources() {
        for (number, line) in source.code() {
            for (mark, places, why) in MARKS {
                if line.contains(mark) && !source.in_any(places) {
                    faults.push(format!("{}:{number}: {mark} is not for here: {why}", source.path));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn only_the_store_speaks_sql() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.in_any(&["src/store"]) && !source.is_test()) {
        for (number, line) in source.code() {
            for word in SQL.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{number}: SQL ({word}) outside the store", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn a_file_reads_in_one_sitting() {
    let mut faults = Vec::new();
    for source in sources().iter().chain(&sources_below("tests")) {
        let lines = source.lines.len();
        if lines > TOO_LONG {
            faults.push(format!("{}:{lines}: {lines} lines; {TOO_LONG} are the most", source.path));
        } else if lines > LONG {
            println!("{}: {lines} lines; about {LONG} are meant", source.path);
        }
    }
    none(&faults);
}

#[test]
fn files_have_names_that_say_something() {
    let mut faults = Vec::new();
    for source in sources().iter().chain(&sources_below("tests")) {
        for part in source.path.trim_end_matches(".rs").split('/') {
            if part == "mod" {
                faults.push(format!("{}:1: write foo.rs beside foo/ instead of mod.rs", source.path));
            }
            if NAMES.contains(&part) {
                faults.push(format!("{}:1: {part} says nothing", source.path));
            }
        }
        for (number, line) in source.code() {
            let module = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name = module.strip_prefix("mod ").and_then(|rest| rest.split([' ', ';', '{']).next());
            if name.is_some_and(|name| NAMES.contains(&name)) {
                faults.push(format!("{}:{number}: {module}", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn both_databases_have_migrations_of_the_same_names() {
    let names = |kind: &str| -> BTreeSet<String> {
        std::fs::read_dir(root().join("migrations").join(kind))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, postgres);
}

#[test]
fn the_top_level_holds_what_it_must_and_nothing_else() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "migrations",
        "tests",
        "benches",
        "docs",
        "themes",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "dist",
    ];
    // What the build and the tools of a developer leave there is not ours to judge.
    let tracked = std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(tracked) = tracked.ok().filter(|output| output.status.success()) else { return };
    let text = String::from_utf8(tracked.stdout).unwrap();
    let tops: BTreeSet<&str> = text.split('\0').filter_map(|path| path.split('/').next()).collect();
    let strangers: Vec<_> = tops
        .into_iter()
        .filter(|top| !top.is_empty() && !top.starts_with('.') && !known.contains(top))
        .collect();
    assert!(
        strangers.iter().all(|top| ["clippy.toml", "rustfmt.toml"].contains(top)),
        "not known at the top level: {strangers:?}"
    );
}

/// The line without what stands between double quotes.
fn without_strings(line: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    let mut escaped = false;
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

#[test]
fn each_test_that_the_page_on_security_names_is_there() {
    let page = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    none(&pages::unknown_tests(&page));
}

#[test]
fn the_wall_sees_words_and_no_parts_of_words() {
    assert!(names("use sqlx::Row;", "sqlx"));
    assert!(!names("use sqlx_like::Row;", "sqlx"));
    assert!(!names("let my_sqlx = 1;", "sqlx"));
    assert_eq!(without_strings(r#"call("only \" sqlx", x)"#), "call(, x)");
}
