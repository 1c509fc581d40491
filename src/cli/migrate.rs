//! `keyrack migrate`: the schema, brought up to date. No other command does so, so that older programs are not locked out by the way.

use super::count;
use super::failure::Result;
use super::files;
use super::session::Session;
use crate::service::{Lack, Location, Mended, Moving, Service, StoreError};
use indicatif::{ProgressBar, ProgressStyle};

pub async fn run(session: &Session) -> Result {
    if session.global.dry_run {
        return attempt(session).await;
    }
    let bar = if session.global.quiet { ProgressBar::hidden() } else { ProgressBar::new(1) };
    bar.set_style(
        ProgressStyle::default_bar()
            .template("{msg} {human_pos} of {human_len} {wide_bar}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let location = session.location()?;
    let told = Service::prepare(&location, |moving| {
        let (what, done, of) = match moving {
            Moving::Keys { done, of } => ("Moving keys:", done, of),
            Moving::Indexes { done, of } => ("Making indexes:", done, of),
        };
        bar.set_length(of);
        bar.set_position(done);
        bar.set_message(what);
    });
    let told = told.await;
    bar.finish_and_clear();
    told?;
    let service = session.service().await?;
    let mended = service.mend_rights().await?;
    let facts = service.facts().await?;
    session.remark(&format!("{} has schema version {}.", service.location(), facts.schema.0));
    if !mended.roles.is_empty() {
        session.remark(&format!("Granted {} the missing rights.", mended.roles.join(", ")));
    }
    tell_lacks(&mended);
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
    let tried = Service::try_migrate(&location).await?;
    let (newest, rights) = (tried.newest, &tried.rights);
    let mut whats = Vec::new();
    match tried.found {
        Some(found) if found == newest => {}
        Some(found) => whats.push(format!("bring the schema of {location} from version {found} to {newest}")),
        None => whats.push(format!("create a new database with schema version {newest} at {location}")),
    }
    let texts = [(tried.refolded.keys, "key"), (tried.refolded.accounts, "account")];
    let texts: Vec<String> =
        texts.iter().filter(|(many, _)| *many > 0).map(|(many, what)| count(*many, what)).collect();
    if !texts.is_empty() {
        whats.push(format!("spell the texts of {} anew, so that search finds them", texts.join(" and ")));
    }
    if !rights.roles.is_empty() {
        whats.push(format!("grant {} the missing rights", rights.roles.join(", ")));
    }
    if whats.is_empty() {
        session.remark(&format!("{location} has schema version {newest} already. Nothing was changed."));
    } else {
        session.would(|| whats.join(", and "));
    }
    tell_lacks(rights);
    Ok(())
}

/// Says what a DBA must do, whether or not somebody wants to hear of the rest.
fn tell_lacks(mended: &Mended) {
    let login = &mended.login;
    let (lacking, missing): (Vec<&Lack>, Vec<&Lack>) = mended.lacks.iter().partition(|lack| lack.exists);
    if !missing.is_empty() {
        let roles: Vec<&str> = missing.iter().map(|lack| lack.role.as_str()).collect();
        super::say(&format!(
            "keyrack: warning: {login} can't create roles (CREATEROLE), so logins can't get the rights of {}: have a DBA run \
             `{}`, then run `keyrack migrate` again.",
            roles.join(", "),
            made(&missing),
        ));
    }
    for lack in lacking {
        super::say(&format!(
            "keyrack: warning: {lack}, and {login} can't grant it: have the tables' owner run `keyrack migrate`, or a DBA `{}`.",
            lack.cure.join("; ")
        ));
    }
}

/// The statement that makes these roles.
pub fn made(missing: &[&Lack]) -> String {
    missing.iter().filter_map(|lack| lack.cure.first()).map(String::as_str).collect::<Vec<_>>().join("; ")
}
