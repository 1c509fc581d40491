//! `keyrack key find`: whose is this?

use clap::Args;

use super::super::failure::{Failure, Result};
use super::super::prompt;
use super::super::session::Session;
use crate::domain::key::Key;
use crate::service::{Needle, Service};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A preview, the last four characters, a part of the id, or a name; never a secret. Without it, a secret is read
    /// from standard input or at a hidden prompt
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let found = match arguments.text {
        Some(text) => session.service().await?.find_keys(Needle::Text(text)).await?,
        None => {
            let service = session.service().await?;
            by_secret(service, session).await?
        }
    };
    if found.is_empty() {
        return Err(Failure::not_found(
            "no key of this database fits. Was all of it given, and is this the right database (`keyrack info`)?",
        ));
    }
    let now = session.service().await?.now().await?;
    session.printer().list(&found, now)?;
    Ok(())
}

/// The keys that answer to what a person gives in secret: a whole secret, or the little that they have of it.
pub async fn by_secret(service: &Service, session: &Session) -> Result<Vec<Key>> {
    let given = prompt::secret(&session.global).await?;
    Ok(service.find_keys(Needle::from_input(given)).await?)
}
