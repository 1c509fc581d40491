//! The program as a script uses it: arguments in, JSON and an exit code out, on one database.

use std::process::Output;

use serde_json::Value;

use super::database::Database;
use super::program;

/// Makes an account of voicegram's.
pub const ACCOUNT: &[&str] =
    &["account", "create", "-i", "voicegram", "-s", "acme", "-n", "Acme", "--admin", "a@acme.example"];

/// The program on one database, with a home of its own.
pub struct Script<'a> {
    db: &'a Database,
}

impl<'a> Script<'a> {
    pub fn on(db: &'a Database) -> Self {
        Self { db }
    }

    /// On a database with this preset's issuer and the accounts `acme` and `globex`.
    pub fn furnished(db: &'a Database, preset: &str) -> Self {
        let script = Self::on(db);
        script.ok(&["issuer", "add", preset]);
        for slug in ["acme", "globex"] {
            let (name, mail) = (format!("{slug} Inc."), format!("it@{slug}.example"));
            script.ok(&[
                "account", "create", "--issuer", preset, "--slug", slug, "--name", &name, "--admin", &mail,
            ]);
        }
        script
    }

    fn with_database(&self, args: &[&str]) -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).chain(["--db".to_owned(), self.db.address()]).collect()
    }

    pub fn command(&self, args: &[&str]) -> std::process::Command {
        program::keyrack(self.db.dir(), self.with_database(args))
    }

    pub fn run(&self, args: &[&str]) -> Output {
        program::run(self.db.dir(), self.with_database(args))
    }

    pub fn run_with_input(&self, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        program::run_with_input(self.db.dir(), self.with_database(args), input.as_ref())
    }

    /// Demands success and answers standard output.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        succeeded(args, &self.run(args))
    }

    /// As [`Self::ok`], with `--json`, read.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--json"]].concat();
        let text = self.ok(&args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}:\n{text}"))
    }

    /// Demands this exit code and nothing on standard output; answers what was said on standard error.
    #[track_caller]
    pub fn refused(&self, code: i32, args: &[&str]) -> String {
        failed(code, args, &self.run(args))
    }

    /// Makes a key and answers its object, with the secret.
    #[track_caller]
    pub fn create(&self, account: &str, name: &str) -> Value {
        self.json(&["key", "create", "--account", account, "--name", name])
    }

    /// The keys that a filter fits.
    #[track_caller]
    pub fn keys(&self, filter: &str) -> Vec<Value> {
        match self.json(&["key", "list", "--filter", filter]) {
            Value::Array(keys) => keys,
            other => panic!("no array: {other}"),
        }
    }
}

#[track_caller]
pub fn succeeded(args: &[&str], output: &Output) -> String {
    let (stdout, stderr) = texts(output);
    assert!(output.status.success(), "{args:?} ended with {}:\n{stdout}{stderr}", output.status);
    stdout
}

#[track_caller]
pub fn failed(code: i32, args: &[&str], output: &Output) -> String {
    let (stdout, stderr) = texts(output);
    assert_eq!(output.status.code(), Some(code), "{args:?}:\n{stdout}{stderr}");
    assert_eq!(stdout, "", "{args:?}: data although it failed");
    assert!(stderr.starts_with("keyrack: ") || stderr.contains("\nkeyrack: "), "{args:?}:\n{stderr}");
    stderr
}

pub fn texts(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// A text member of a JSON object.
#[track_caller]
pub fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_else(|| panic!("no text {member:?} in {object}"))
}
