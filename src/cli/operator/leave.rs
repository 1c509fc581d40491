//! `keyrack operator leave`: the role goes, and what was theirs gets another owner.

use clap::Args;
use serde_json::{Value, json};

use super::super::count;
use super::super::failure::{Exit, Failure, Result};
use super::super::output::{Column, Record, object};
use super::super::prompt;
use super::super::session::{Session, insist};
use crate::domain::key::KeyId;
use crate::domain::manifest::Manifest;
use crate::service::{Leave, Leaver, Theirs, new_operation};

#[derive(Debug, Args)]
#[command(
    after_help = "Removes the role, and on PostgreSQL shows the statements that lock the login. Lists the keys that the person created\n\
                  or owns, by account, with their last use. Without --give-to every key stays as it is."
)]
pub struct Arguments {
    /// Who leaves
    name: String,
    /// The new owner of the keys that the person owns: a name or a team
    #[arg(long, value_name = "NAME")]
    give_to: Option<String>,
    /// The new owner's address
    #[arg(long, value_name = "ADDRESS", requires = "give_to")]
    give_to_mail: Option<String>,
    /// Also give away keys that the person created and nobody owns
    #[arg(long, requires = "give_to")]
    with_created: bool,
}

/// A key of theirs, and what becomes of it.
struct Line {
    theirs: Theirs,
    given: bool,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let leaver = service.leaver(&arguments.name).await?;
    let gives = arguments.give_to.is_some();
    let given = |one: &Theirs| gives && (one.owned || (arguments.with_created && one.key.owner.is_none()));
    let give: Vec<KeyId> = leaver.keys.iter().filter(|one| given(one)).map(|one| one.key.id).collect();
    let shown = Manifest::of(leaver.keys.iter().map(|one| &one.key), leaver.now);
    let leave = Leave {
        name: leaver.name.clone(),
        keys: leaver.keys.iter().map(|one| one.key.id).collect(),
        give: give.clone(),
        to: arguments.give_to.clone().unwrap_or_default(),
        to_mail: arguments.give_to_mail.clone(),
        shown: Some(std::sync::Arc::new(shown)),
    };
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        service.trying().leave(new_operation(), leave.clone()).await?;
    }
    let lines: Vec<Line> =
        leaver.keys.iter().map(|theirs| Line { given: given(theirs), theirs: theirs.clone() }).collect();
    let what = sentence(&leaver, &leave);
    if prompt::must_ask(&session.global) {
        for line in lines.iter().take(20) {
            let (key, fate) = (&line.theirs.key, if line.given { "give" } else { "keep" });
            super::super::say(&format!(
                "  {fate}  {}  {:?}  {}",
                key.account,
                key.name.as_str(),
                key.preview
            ));
        }
        if lines.len() > 20 {
            super::super::say(&format!("  … and {} more", lines.len() - 20));
        }
    }
    if !prompt::confirm(&session.global, &what).await? {
        return Err(Failure::new(Exit::Failure, "nothing was changed"));
    }
    let left = if session.global.dry_run {
        None
    } else {
        let operation = new_operation();
        Some(insist(|| service.leave(operation, leave.clone())).await?)
    };
    if session.format().for_people() {
        session.outcome().list(&lines, leaver.now)?;
    } else {
        session.printer().facts(&facts(&leaver, &leave, &lines, left.is_some()))?;
    }
    match (&left, leaver.role) {
        (None, _) => session.remark(&format!("Would {}. Nothing was changed.", lower(&what))),
        (Some(left), role) => {
            let role = match role {
                Some(role) => format!("{} was {role} and has no role any more. ", leaver.name),
                None => format!("{} has no role. ", leaver.name),
            };
            let (given, kept) = (count(left.given.len() as u64, "key"), count(left.kept as u64, "key"));
            let to = if left.given.is_empty() {
                String::new()
            } else {
                format!("{given} given to {}, ", leave.to)
            };
            session.remark(&format!("{role}{to}{kept} kept."));
        }
    }
    if let Some(login) = &leaver.login {
        session.remark(&format!(
            "Their login can still connect. Lock it as the database's administrator: {login}"
        ));
    }
    Ok(())
}

/// `Take all rights from bob and give 12 keys to Grace`.
fn sentence(leaver: &Leaver, leave: &Leave) -> String {
    let name = &leaver.name;
    let give = (!leave.give.is_empty())
        .then(|| format!("give {} to {}", count(leave.give.len() as u64, "key"), leave.to));
    match (leaver.role, give) {
        (Some(_), Some(give)) => format!("Take all rights on this database from {name} and {give}"),
        (Some(_), None) => format!("Take all rights on this database from {name}"),
        (None, Some(give)) => format!("{name} has no role any more: {give}"),
        (None, None) => format!("Record that {name} left and has no role"),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn facts(leaver: &Leaver, leave: &Leave, lines: &[Line], done: bool) -> Vec<(&'static str, Value)> {
    let keys: Vec<Value> = lines.iter().map(|line| object(line, leaver.now)).collect();
    let to = (!leave.give.is_empty()).then_some(&leave.to);
    vec![
        ("name", json!(leaver.name)),
        ("role", json!(leaver.role)),
        ("removed", json!(done && leaver.role.is_some())),
        ("login_command", json!(leaver.login)),
        ("given_to", json!(to)),
        ("given", json!(leave.give.len())),
        ("kept", json!(lines.len() - leave.give.len())),
        ("keys", Value::Array(keys)),
    ]
}

impl Record for Line {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("ACCOUNT", 2, "account", |line, _| line.theirs.key.account.as_str().into()),
        Column::new("NAME", 3, "name", |line, _| line.theirs.key.name.as_str().into()),
        Column::new("KEY", 4, "preview", |line, _| line.theirs.key.preview.as_str().into()),
        Column::<Self>::new("LAST USED", 5, "last_used_at", |line, _| line.theirs.key.last_used_at.into())
            .missing("never"),
        Column::new("OWNS", 7, "owned", |line, _| line.theirs.owned.into()),
        Column::new("MADE", 6, "created", |line, _| line.theirs.created.into()),
        Column::new("THEN", 8, "fate", |line, _| if line.given { "give" } else { "keep" }.into()),
        Column::wide("ID", 1, "id", |line, _| line.theirs.key.id.to_string().into()),
    ];
}
