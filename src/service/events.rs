//! Events: reading them in their order, and the endpoints that are told of them.

use serde_json::json;

use super::change::Change;
use super::permit::permit;
use super::{Error, Field, Result, Service};
use crate::domain::Instant;
use crate::domain::account::check_slug;
use crate::domain::audit::Action;
use crate::domain::endpoint::{Endpoint, NewEndpoint, SecretPlace, check_url, fingerprint, place, retry_at};
use crate::domain::event::Event;
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::store::{Address, Claim, Follow, Progress, Tx};

/// So many endpoints there are at most: each has a task and a connection of the sender's.
const MOST: usize = 100;

impl Service {
    /// The events from number `from` on, the oldest first.
    pub async fn events(&self, from: i64, limit: u32) -> Result<Vec<Event>> {
        self.look().await?;
        let rows = self.inner.store.audit_from(from, limit).await?;
        Ok(rows.into_iter().map(Event::of).collect())
    }

    /// The number of the newest event; 0 where nothing happened yet.
    pub async fn newest_event(&self) -> Result<i64> {
        Ok(self.inner.store.audit_head().await?.map_or(0, |(seq, _)| seq))
    }

    /// Says when there may be news.
    pub fn follow(&self) -> Follow {
        self.inner.store.follow()
    }

    /// All endpoints, by name.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.look().await?;
        Ok(self.inner.store.endpoints().await?)
    }

    /// Where an endpoint's events are sent. That takes an admin, or a sender.
    pub async fn endpoint_address(&self, name: &str) -> Result<Address> {
        self.look().await?;
        self.inner.store.endpoint_address(name).await?.ok_or_else(|| no_endpoint(name))
    }

    /// Adds an endpoint.
    pub async fn add_endpoint(&self, operation: OperationId, new: NewEndpoint) -> Result<Endpoint> {
        check_slug(&new.name).map_err(|error| Error::invalid(Field::Endpoint, error))?;
        check_url(&new.url).map_err(|error| Error::invalid(Field::Address, error))?;
        if new.url.len() > LONGEST {
            return Err(Error::invalid(Field::Address, format!("it has more than {LONGEST} characters")));
        }
        let (SecretPlace::File(place) | SecretPlace::Credential(place)) = &new.secret;
        if place.is_empty() || place.len() > LONGEST || place.contains(char::is_control) {
            return Err(Error::invalid(Field::Secret, "name a file or a credential"));
        }
        if matches!(&new.secret, SecretPlace::File(path) if !path.starts_with('/')) {
            let why = "give the file's absolute path: the sender runs in another folder";
            return Err(Error::invalid(Field::Secret, why));
        }
        self.change(operation, Add { new }).await
    }

    /// Removes an endpoint: it gets nothing more.
    pub async fn remove_endpoint(&self, operation: OperationId, name: &str) -> Result<()> {
        self.change(operation, Remove { name: name.to_owned() }).await
    }
}

/// What senders do.
impl Service {
    /// Takes an endpoint for half a minute; `None` where another sender has it, or it is not to be tried yet.
    pub async fn claim_endpoint(&self, name: &str, sender: &str) -> Result<Option<Claim>> {
        Ok(self.inner.store.claim_endpoint(name, sender, &self.inner.clock).await?)
    }

    /// The events that an endpoint gets next, those among them that it does not ask for too.
    ///
    /// # Errors
    /// Also when the database's history is not the one that the endpoint was told of.
    pub async fn events_for(&self, claim: &Claim, limit: u32) -> Result<Vec<Event>> {
        let Some(last_id) = &claim.last_id else { return self.events(claim.next, limit).await };
        let mut events = self.events(claim.next - 1, limit + 1).await?;
        match events.first() {
            Some(before) if before.id == *last_id => {}
            _ => {
                return Err(Error::Refused(format!(
                    "event {} is not the one that was sent: the database was restored, or its history changed. Remove the endpoint \
                     and add it again with --from N",
                    claim.next - 1
                )));
            }
        }
        events.remove(0);
        Ok(events)
    }

    /// Takes note that an endpoint has got this event, or, without an answer, that it does not ask for it. False: another
    /// sender has the endpoint by now.
    pub async fn endpoint_got(
        &self,
        claim: &mut Claim,
        event: &Event,
        answer: Option<String>,
    ) -> Result<bool> {
        let progress = Progress { next: event.n + 1, last_id: event.id.clone(), answer };
        let ours = self.inner.store.endpoint_got(claim, &progress, &self.inner.clock).await?;
        if progress.answer.is_some() {
            (claim.failing_since, claim.tries) = (None, 0);
        }
        (claim.next, claim.last_id) = (progress.next, Some(progress.last_id));
        Ok(ours)
    }

    /// Takes note that an endpoint took nothing, and why. Answers when it is tried again.
    pub async fn endpoint_failed(&self, claim: &Claim, why: &str, now: Instant) -> Result<Instant> {
        let again = retry_at(claim.failing_since.unwrap_or(now), claim.tries.saturating_add(1), now);
        let why: String = why.chars().take(TOLD).collect();
        self.inner.store.endpoint_failed(claim, &why, again, &self.inner.clock).await?;
        Ok(again)
    }

    /// Lets other senders have all that this one has.
    pub async fn free_endpoints(&self, sender: &str) -> Result<()> {
        Ok(self.inner.store.free_endpoints(sender).await?)
    }
}

/// No address and no path is longer.
const LONGEST: usize = 2_000;
/// So much of an answer is kept.
const TOLD: usize = 300;

fn no_endpoint(name: &str) -> Error {
    let hint = "See `keyrack events endpoints list`";
    Error::NotFound { kind: "endpoint", name: name.to_owned(), hint }
}

struct Add {
    new: NewEndpoint,
}

impl Change for Add {
    type Answer = Endpoint;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Endpoint> {
        permit(tx, Permission::ChangeEndpoints, "add endpoints of events").await?;
        let new = &self.new;
        let there = tx.endpoint(&new.name).await?;
        if tx.seen().await? {
            return there.ok_or_else(|| no_endpoint(&new.name));
        }
        if there.is_some() {
            let why =
                format!("there is already an endpoint {}: use another name, or remove it first", new.name);
            return Err(Error::Refused(why));
        }
        if tx.count_endpoints().await? >= MOST as u64 {
            return Err(Error::Refused(format!("there can be at most {MOST} endpoints: remove one first")));
        }
        tx.add_endpoint(new).await?;
        let added = tx.endpoint(&new.name).await?.ok_or_else(|| no_endpoint(&new.name))?;
        let detail = json!({
            "place": place(&new.url), "kinds": new.kinds.to_string(), "secret": added.secret, "url_hash": fingerprint(&new.url),
            "from": added.next,
        });
        tx.record(Action::EndpointAdd, new.name.as_str(), detail).await?;
        Ok(added)
    }
}

struct Remove {
    name: String,
}

impl Change for Remove {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        permit(tx, Permission::ChangeEndpoints, "remove endpoints of events").await?;
        let there = tx.endpoint(&self.name).await?;
        if tx.seen().await? {
            return Ok(());
        }
        let there = there.ok_or_else(|| no_endpoint(&self.name))?;
        tx.remove_endpoint(&self.name).await?;
        let detail = json!({ "place": there.place, "next": there.next });
        Ok(tx.record(Action::EndpointRemove, self.name.as_str(), detail).await?)
    }
}
