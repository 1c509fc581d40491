//! `keyrack migrate`: the schema, brought up to date. No other command does so, so that older programs are not locked out by the way.

use super::failure::Result;
use super::files;
use super::session::Session;
use crate::service::{Location, Service, StoreError};

pub async fn run(session: &Session) -> Result {
    if session.global.dry_run {
        return attempt(session).await;
    }
    let service = session.service().await?;
    let facts = service.facts().await?;
    session.remark(&format!("{} has schema version {}.", service.location(), facts.schema.0));
    session.printer().facts(&[("database", service.location().into()), ("schema", facts.schema.0.into())])
}

/// On a dry run not even the file of a new database is made.
async fn attempt(session: &Session) -> Result {
    let location = session.location()?;
    if let Location::Sqlite(path) = &location
        && !path.exists()
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let (what, made) = match folder {
            Some(folder) => (folder, files::can_be_filled(folder)),
            None => (path.as_path(), files::can_be_made(path)),
        };
        made.map_err(|error| StoreError::Unreachable(format!("{}: {error}", what.display())))?;
    }
    let what = match Service::try_migrate(&location).await? {
        (Some(found), newest) if found == newest => {
            session.remark(&format!("{location} has schema version {found} already. Nothing was changed."));
            return Ok(());
        }
        (Some(found), newest) => format!("bring the schema of {location} from version {found} to {newest}"),
        (None, newest) => format!("make {location} a new database with schema version {newest}"),
    };
    session.would(|| what);
    Ok(())
}
