//! The schemas of `docs/json`. They let a reader pass over what comes later; here nothing is unknown, so that a new field is noticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Command, CommandFactory};
use jsonschema::Validator;
use keyrack::cli::Cli;
use serde_json::Value;

/// Commands whose output is a line of JSON each, whatever form is asked for.
pub const LINES: [&str; 2] = ["events follow", "export"];

/// Where the schemas are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json")
}

/// The file of a command's schema.
pub fn file(words: &str) -> String {
    format!("{}.schema.json", words.replace(' ', "-"))
}

/// The words of every command that does something, as help has them.
pub fn commands() -> Vec<String> {
    fn below(command: &Command, words: &str, found: &mut Vec<String>) {
        let mut leaf = true;
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            leaf = false;
            below(sub, format!("{words} {}", sub.get_name()).trim_start(), found);
        }
        if leaf {
            found.push(words.to_owned());
        }
    }
    let mut found = Vec::new();
    below(&Cli::command(), "", &mut found);
    found
}

/// Holds what a command printed against its schema, if it was asked for JSON and printed anything.
#[track_caller]
pub fn hold(args: &[String], printed: &[u8]) {
    let json = |pair: &[String]| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json";
    let asked = args.iter().any(|arg| arg == "--json") || args.windows(2).any(json);
    // Of chosen columns there are fewer than the schema has.
    if !asked || printed.is_empty() || args.iter().any(|arg| arg.starts_with("--columns") || arg == "--ics") {
        return;
    }
    let one = |words: &String| !LINES.contains(&words.as_str()) && folder().join(file(words)).exists();
    let Some(words) = words(args).filter(one) else { return };
    let told: Value = serde_json::from_slice(printed).unwrap_or_else(|error| {
        panic!("{words}: not one JSON document: {error}:\n{}", String::from_utf8_lossy(printed))
    });
    fits(&words, &told);
}

/// Demands that a document is what the command's schema says.
#[track_caller]
pub fn fits(words: &str, told: &Value) {
    check(words, words, told, |schema| schema);
}

/// Demands that a line of NDJSON is what the command's schema says of lines.
#[track_caller]
pub fn line_fits(words: &str, told: &Value) {
    check(words, &format!("a line of {words}"), told, |schema| {
        let line = schema.pointer("/$defs/line").or(schema.get("items")).cloned();
        line.unwrap_or(schema)
    });
}

#[track_caller]
fn check(words: &str, name: &str, told: &Value, part: impl Fn(Value) -> Value) {
    static MADE: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = Arc::clone(made.entry(name.to_owned()).or_insert_with(|| {
        let schema = part(strict(read(&folder().join(file(words)))));
        let options = jsonschema::options().should_validate_formats(true);
        Arc::new(options.build(&schema).unwrap_or_else(|error| panic!("the schema of {name}: {error}")))
    }));
    drop(made);
    let faults: Vec<String> = validator
        .iter_errors(told)
        .map(|error| format!("at {:?}: {error}", error.instance_path().to_string()))
        .collect();
    assert!(faults.is_empty(), "{name} printed what docs/json doesn't say:\n{}\n{told:#}", faults.join("\n"));
}

/// Which command these arguments call.
fn words(args: &[String]) -> Option<String> {
    let matches = Cli::command().try_get_matches_from([&["keyrack".to_owned()], args].concat()).ok()?;
    let (mut words, mut matches) = (Vec::new(), &matches);
    while let Some((name, below)) = matches.subcommand() {
        words.push(name);
        matches = below;
    }
    Some(words.join(" "))
}

/// A schema, with those that it names by their files in their place.
fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    whole(schema, path.parent().unwrap())
}

fn whole(schema: Value, folder: &Path) -> Value {
    match schema {
        Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
            Some(file) => {
                let mut there = read(&folder.join(file));
                there.as_object_mut().unwrap().remove("$schema");
                there
            }
            None => members.into_iter().map(|(name, value)| (name, whole(value, folder))).collect(),
        },
        Value::Array(items) => items.into_iter().map(|item| whole(item, folder)).collect(),
        plain => plain,
    }
}

/// The same, but no object may have a field that is not in it.
fn strict(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let is_object = members.get("type").is_some_and(|kind| kind == "object");
            let named = is_object && members.contains_key("properties");
            let mut members: serde_json::Map<_, _> =
                members.into_iter().map(|(name, value)| (name, strict(value))).collect();
            if named {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            members.into()
        }
        Value::Array(items) => items.into_iter().map(strict).collect(),
        plain => plain,
    }
}
