//! `keyrack operator`: who may use this database, and as what.

use clap::Subcommand;
use strum::VariantNames;

mod leave;

use super::failure::{Exit, Failure, Result};
use super::output::{Column, Record, Tone};
use super::prompt;
use super::session::Session;
use crate::domain::Instant;
use crate::domain::operator::{Operator, Role};
use crate::domain::query::{Term, Test};
use crate::service::new_operation;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List operators
    #[command(visible_alias = "ls")]
    List,
    /// Give somebody a role: viewer, operator or admin
    Set {
        /// SQLite: the name of the operating system's user; PostgreSQL: the login
        name: String,
        /// viewer: read only; operator: also manages keys and accounts; admin: also manages issuers and operators
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Remove all rights of somebody
    #[command(visible_alias = "rm")]
    Remove { name: String },
    /// Offboard somebody: remove their role, list their keys, and give the keys they own to somebody else
    Leave(leave::Arguments),
}

pub async fn run(command: Command, session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    match command {
        Command::Leave(arguments) => leave::run(arguments, session).await,
        Command::List => session.printer().list(&service.operators().await?, now).map(drop),
        Command::Set { name, role } => {
            let before = service.operators().await?;
            let operator = service.set_operator(new_operation(), &name, role).await?;
            if !operator.login {
                session.remark(&format!(
                    "Nobody can be {} yet: there is no {} of that name. Check the spelling.",
                    operator.name,
                    if service.location().starts_with("postgres") { "login" } else { "user on this machine" },
                ));
            }
            if session
                .settled(before.contains(&operator), || format!("make {} {}", operator.name, operator.role))
            {
                return Ok(());
            }
            session.outcome().one(&operator, now)
        }
        Command::Remove { name } => {
            if prompt::must_ask(&session.global) {
                // Nobody is asked about what is refused anyway.
                service.trying().remove_operator(new_operation(), &name).await?;
            }
            if !prompt::confirm(&session.global, &format!("Take all rights on this database from {name}"))
                .await?
            {
                return Err(Failure::new(Exit::Failure, "nothing was changed"));
            }
            service.remove_operator(new_operation(), &name).await?;
            if session.would(|| format!("take all rights from {name}")) {
                return Ok(());
            }
            let by = Term { negated: false, test: Test::CreatedBy(vec![name.clone()]) };
            session.remark(&format!(
                "{name} isn't an operator any more. Keys that {name} created: keyrack key list --filter '{by} status:active'"
            ));
            session.printer().facts(&[("name", name.into()), ("removed", true.into())])
        }
    }
}

fn role(text: &str) -> std::result::Result<Role, String> {
    text.parse().map_err(|_| format!("write one of {}", Role::VARIANTS.join(", ")))
}

impl Record for Operator {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("ROLE", 2, "role", |operator, _| operator.role.as_str().into()),
        Column::new("NAME", 1, "name", |operator, _| operator.name.as_str().into()),
        Column::wide("LOGIN", 5, "login", |operator, _| operator.login.into()),
        Column::new("SINCE", 3, "created_at", |operator, _| operator.created_at.into()),
        Column::new("MADE BY", 4, "created_by", |operator, _| operator.created_by.as_str().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        (self.role == Role::Viewer).then_some(Tone::Quiet)
    }
}
