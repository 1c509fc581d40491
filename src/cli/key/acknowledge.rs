//! `keyrack key acknowledge`: the secret was taken over.

use super::super::failure::Result;
use super::super::session::{Session, insist};
use super::the_key;
use crate::service::new_operation;

pub async fn run(id: &str, session: &Session) -> Result {
    let service = session.service().await?;
    let key = the_key(service, id).await?;
    let operation = new_operation();
    let same = key.acknowledged_at.is_some();
    let key = insist(|| service.acknowledge_key(operation, key.id)).await?;
    if session
        .settled(same, || format!("acknowledge key {:?} of {} ({})", key.name.as_str(), key.account, key.id))
    {
        return Ok(());
    }
    session.outcome().one(&key, service.now().await?)
}
