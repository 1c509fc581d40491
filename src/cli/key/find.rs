//! `keyrack key find`: whose is this?

use clap::Args;

use super::super::failure::{Failure, Result};
use super::super::session::Session;
use super::super::{prompt, restored};
use crate::domain::secret::SentKey;
use crate::service::Search;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A preview, the last four characters, a part of the ID, or a name; never a secret. Without it, secrets
    /// are searched in the text on standard input; at a terminal a hidden prompt asks for one
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let text = arguments.text;
    let given = match &text {
        Some(text) => SentKey::exact(text.as_bytes()),
        None => prompt::secrets(&session.global).await?,
    };
    let search = service.find_keys(given).await?;
    if search.found.is_empty() {
        if let Some(text) = &text
            && let Some(words) = restored::recall_unknown(text, service, session).await
        {
            return Err(Failure::not_found(words));
        }
        return Err(Failure::not_found(nothing(&search, &service.location())));
    }
    let now = service.now().await?;
    let printer = session.printer();
    match search.found.as_slice() {
        [one] if session.format().for_people() => printer.one(one, now)?,
        all => drop(printer.list(all, now)?),
    }
    if let Some(fit) = search.fit {
        session.remark(&format!(
            "{} of {}{} keys that match. Give more of it to see the others.",
            search.found.len(),
            fit.number(),
            fit.or_more()
        ));
    }
    let keys: Vec<_> = search.found.iter().map(|found| found.key.id).collect();
    restored::recall(&keys, service, session).await;
    for sentence in search.told() {
        session.remark(&sentence);
    }
    Ok(())
}

/// Why no key was found, as a failure says it: without its last full stop.
pub fn nothing(search: &Search, database: &str) -> String {
    search.nothing(Some(database)).trim_end_matches('.').to_owned()
}
