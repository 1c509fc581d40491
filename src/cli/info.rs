//! `keyrack info`: what this is, what holds, and who decided it.

use super::failure::{Result, clean};
use super::output::{Column, Record};
use super::session::Session;
use crate::service::Location;

/// A fact, and where it comes from.
pub struct Fact {
    name: &'static str,
    value: String,
    source: String,
}

impl Fact {
    fn new(name: &'static str, value: impl Into<String>, source: impl Into<String>) -> Self {
        Self { name, value: clean(&value.into()), source: clean(&source.into()) }
    }
}

/// What is said of the usual database before it is made.
pub const NOT_YET: &str =
    "not created yet: `keyrack`, `keyrack migrate` or `keyrack issuer add PRESET` creates it";

pub async fn run(session: &Session) -> Result {
    let mut facts = vec![Fact::new("version", env!("CARGO_PKG_VERSION"), "")];
    for (name, value, source) in session.settings.rows() {
        facts.push(Fact::new(name, value, source.to_string()));
    }
    for mistake in &session.settings.mail.mistakes {
        facts.push(Fact::new("mail.mistake", mistake.to_string(), ""));
    }
    for mistake in &session.settings.gate.mistakes {
        facts.push(Fact::new("gate.mistake", mistake.to_string(), ""));
    }
    for file in &session.settings.files {
        facts.push(Fact::new("settings-file", file.display().to_string(), ""));
    }
    facts.extend(database(session).await);
    session.printer().list(&facts, session.clock.now()).map(drop)
}

/// What the database says of itself and of the person; looking at one that is not there doesn't make it.
async fn database(session: &Session) -> Vec<Fact> {
    let service = match session.service().await {
        Ok(service) => service,
        Err(failure) => {
            let location = session.location();
            let unmade =
                !session.is_named() && matches!(&location, Ok(Location::Sqlite(path)) if !path.exists());
            let state = if unmade { NOT_YET.to_owned() } else { failure.to_string() };
            return vec![Fact::new("state", state, "database")];
        }
    };
    let mut facts = vec![Fact::new("state", format!("open: {}", service.location()), "database")];
    if let Ok(known) = service.facts().await {
        facts.push(Fact::new("server", known.server, "database"));
        facts.push(Fact::new("schema", known.schema.0.to_string(), "database"));
    }
    if let Ok(me) = service.whoami().await {
        facts.push(Fact::new("who", me.identity.name, "database"));
        facts.push(Fact::new(
            "role",
            me.role.map_or("none", crate::domain::operator::Role::as_str),
            "database",
        ));
        facts.push(Fact::new("person", me.identity.person.to_string(), "sshd, sudo and the environment"));
        facts.push(Fact::new("host", me.identity.host, "this machine"));
        facts.push(Fact::new("client", me.identity.client.unwrap_or_default(), "claimed by the environment"));
    }
    facts
}

impl Record for Fact {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", 1, "name", |fact, _| fact.name.into()),
        Column::new("VALUE", 2, "value", |fact, _| fact.value.as_str().into()),
        Column::new("FROM", 3, "source", |fact, _| fact.source.as_str().into()),
    ];
}
