//! `keyrack migrate`: the schema, brought up to date. Every command does so by itself; this one does only that.

use super::failure::Result;
use super::session::Session;

pub async fn run(session: &Session) -> Result {
    if session.global.dry_run {
        session.remark(&format!("Would bring the schema of {} up to date.", session.location()?));
        return Ok(());
    }
    let service = session.service().await?;
    let facts = service.facts().await?;
    session.remark(&format!("{} has schema version {}.", service.location(), facts.schema.0));
    Ok(())
}
