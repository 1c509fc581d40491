//! Each `--json`, and each line of NDJSON, is what its schema in `docs/json` says: in a database where something of everything has
//! happened, and in every other test that reads JSON (`tests/support/schemas.rs`).

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use self::scene::scene;
use crate::support::pages::page;
use crate::support::schemas::{self, LINES};
use crate::support::script::{Script, texts};

mod scene;

/// Commands that print no JSON: services, texts for people, scripts and pages.
const NONE: [&str; 5] = ["reminders watch", "reminders template", "gate", "completions", "man"];

/// Runs commands, and notes which.
pub struct Asker<'a> {
    pub keyrack: &'a Script<'a>,
    asked: RefCell<BTreeSet<String>>,
}

impl Asker<'_> {
    /// Notes the command that begins like this.
    fn note(&self, args: &[&str]) -> String {
        let line = format!("{} ", args.join(" "));
        let words = schemas::commands().into_iter().find(|words| line.starts_with(&format!("{words} ")));
        let words = words.unwrap_or_else(|| panic!("no such command: {line}"));
        self.asked.borrow_mut().insert(words.clone());
        words
    }

    /// What a command prints with `--json`; held against its schema on the way. It may end with 5, where a part is refused, and with
    /// 6: a check that found something.
    #[track_caller]
    pub fn told(&self, args: &[&str]) -> Value {
        let words = self.note(args);
        let output = self.keyrack.run(&[args, &["--json"]].concat());
        let (stdout, stderr) = texts(&output);
        assert!(matches!(output.status.code(), Some(0 | 5 | 6)), "{args:?}: {output:?}");
        assert!(!stdout.is_empty(), "{args:?} printed nothing: {stderr}");
        let told = serde_json::from_str(&stdout).unwrap();
        schemas::fits(&words, &told);
        told
    }

    /// The same of a command that changes nothing, and then its lines.
    #[track_caller]
    pub fn read(&self, args: &[&str]) -> Value {
        let told = self.told(args);
        let output = self.keyrack.run(&[args, &["-o", "ndjson"]].concat());
        assert!(matches!(output.status.code(), Some(0 | 6)), "{args:?}: {output:?}");
        let lines = self.lines_of(args, &texts(&output).0);
        let all = told.as_array().map_or(1, Vec::len);
        assert!(lines > 0 || all == 0, "{args:?}: no line, and {all} in JSON");
        told
    }

    /// Holds lines against the schema; answers how many they are.
    #[track_caller]
    pub fn lines_of(&self, args: &[&str], text: &str) -> usize {
        let words = self.note(args);
        for line in text.lines() {
            let value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{args:?}: {error}: {line}"));
            schemas::line_fits(&words, &value);
        }
        text.lines().count()
    }
}

on_both! {
    async fn every_command_prints_what_its_schema_says(db) {
        let keyrack = Script::on(&db);
        let asker = Asker { keyrack: &keyrack, asked: RefCell::default() };
        scene(&asker, &db).await;
        let asked = asker.asked.into_inner();
        let left: Vec<String> = schemas::commands()
            .into_iter()
            .filter(|words| !asked.contains(words) && !NONE.contains(&words.as_str()))
            .collect();
        assert!(left.is_empty(), "never asked: {left:?}");
    }
}

#[test]
fn every_command_has_a_schema_or_prints_no_json() {
    let commands = schemas::commands();
    assert!(commands.len() > 70, "{commands:?}");
    let wanted = commands.iter().filter(|words| !NONE.contains(&words.as_str()));
    let wanted: BTreeSet<String> = wanted.map(|words| schemas::file(words)).collect();
    let entries = std::fs::read_dir(schemas::folder()).unwrap().map(|entry| entry.unwrap());
    let files: BTreeSet<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, wanted, "a schema for each command, and none besides");
    let page = page("json.md");
    let links: BTreeSet<String> = page
        .split("](json/")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .filter(|file| file.ends_with(".json"))
        .collect();
    assert_eq!(links, wanted, "docs/json.md links each of them");
    for words in NONE.iter().chain(&LINES) {
        assert!(commands.iter().any(|command| command == words), "{words} isn't a command");
        assert!(page.contains(&format!("`keyrack {words}`")), "docs/json.md doesn't tell of {words}");
    }
}

#[test]
fn every_shared_schema_is_used_and_titles_name_their_commands() {
    let mut used = BTreeSet::new();
    let mut there = BTreeSet::new();
    for folder in [schemas::folder(), schemas::folder().join("shared")] {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let Ok(text) = std::fs::read_to_string(&entry) else { continue };
            let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
            let named = text.split("\"$ref\": \"").skip(1).map(|rest| rest.split('"').next().unwrap());
            used.extend(named.map(|file| file.trim_start_matches("shared/").to_owned()));
            let schema: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
            if folder.ends_with("shared") {
                there.insert(name);
            } else {
                let words =
                    schemas::commands().into_iter().find(|words| schemas::file(words) == name).unwrap();
                assert_eq!(schema["title"], format!("keyrack {words} --json"));
                assert!(schema["description"].as_str().is_some_and(|words| words.ends_with('.')), "{name}");
            }
        }
    }
    assert_eq!(used, there);
}
