//! Tells endpoints of events: in order, each until it takes it, and none because of another.
//!
//! Every endpoint has a task of its own. It takes the endpoint for itself before it sends, so that several senders share the work and
//! never send the same thing at once; a sender that died is followed by another half a minute later, which begins with the
//! event whose answer is not known: the same event, with the same id.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant as Moment;
use ureq::Agent;

use crate::domain::Instant;
use crate::domain::endpoint::SecretPlace;
use crate::domain::event::Event;
use crate::https::{self, Receiver};
use crate::secret_file::SecretFiles;
use crate::service::{Address, Claim, Result, Service};

/// How long an endpoint may take for one event.
const PATIENCE: Duration = Duration::from_secs(10);
/// And how long where the program ends meanwhile.
const GRACE: Duration = Duration::from_secs(2);
/// An endpoint is taken anew when it was taken this long ago: less than it stays taken, less what one event may take.
const RENEW: Duration = Duration::from_secs(15);
/// How often it is looked for endpoints that came or went, and that another sender left.
const LOOK: Duration = Duration::from_secs(5);
/// After a fault of the database.
const PAUSE: Duration = Duration::from_secs(2);
/// Events read at a time.
const SOME: u32 = 100;
/// A secret that people choose has this many characters at least.
const SHORTEST_SECRET: usize = 8;

/// Whether the program is to end.
pub type Stop = watch::Receiver<bool>;

/// What became of an endpoint's turn.
enum Turn {
    /// It has all that happened.
    Done,
    /// It took nothing, and is tried again then.
    Failed(Instant),
    /// Somebody else has it, or it is gone.
    Elsewhere,
    /// The program ends.
    Stopped,
}

/// Sends what waits, once to each endpoint; answers how many took nothing.
///
/// # Errors
/// When the database can't be read or written.
pub async fn send_once(service: &Service, sender: &str, stop: Stop) -> Result<usize> {
    let names: Vec<String> = service.endpoints().await?.iter().map(|one| one.name.to_string()).collect();
    let turns = names.into_iter().map(|name| {
        let (service, sender, mut stop) = (service.clone(), sender.to_owned(), stop.clone());
        tokio::spawn(async move {
            let done = turn(&service, &https::agent(PATIENCE), &name, &sender, &mut stop).await?;
            Ok::<_, crate::service::Error>((name, done))
        })
    });
    let (mut failed, mut fault, mut left) = (0, None, Vec::new());
    for task in turns.collect::<Vec<_>>() {
        match task.await {
            Ok(Ok((_, Turn::Failed(_)))) | Err(_) => failed += 1,
            Ok(Ok((name, Turn::Elsewhere))) => left.push(name),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => fault = Some(error),
        }
    }
    // What took nothing before, and is not to be tried again yet, took nothing this time either.
    if !left.is_empty() {
        let all = service.endpoints().await?;
        let fails = |name: &String| {
            all.iter().any(|one| one.name.as_str() == name.as_str() && one.failing_since.is_some())
        };
        failed += left.iter().filter(|name| fails(name)).count();
    }
    service.free_endpoints(sender).await?;
    fault.map_or(Ok(failed), Err)
}

/// Sends until `stop` says so.
///
/// # Errors
/// When another file came under the database's name.
pub async fn run(service: Service, sender: String, mut stop: Stop) -> Result<()> {
    let (tell, news) = watch::channel(0);
    let mut tasks: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    let mut follow = service.follow();
    let mut looked: Option<Moment> = None;
    while !*stop.borrow() {
        if let Err(error) = service.check_file() {
            tasks.into_values().for_each(|task| task.abort());
            return Err(error);
        }
        if looked.is_none_or(|at| at.elapsed() >= LOOK) {
            match service.endpoints().await {
                Ok(endpoints) => {
                    looked = Some(Moment::now());
                    tasks.retain(|_, task| !task.is_finished());
                    for name in endpoints.into_iter().map(|one| one.name.to_string()) {
                        tasks.entry(name.clone()).or_insert_with(|| {
                            tracing::info!(endpoint = %name, "sends events");
                            tokio::spawn(serve(
                                service.clone(),
                                name,
                                sender.clone(),
                                news.clone(),
                                stop.clone(),
                            ))
                        });
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the endpoints can't be read; it is tried again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        match service.newest_event().await {
            Ok(newest) => {
                tell.send_if_modified(|known| std::mem::replace(known, newest) != newest);
            }
            Err(error) => {
                tracing::error!(%error, "the database can't be read; it is tried again");
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = follow.next() => {}
        }
    }
    for (_, task) in tasks {
        let _ = task.await;
    }
    if let Err(error) = service.free_endpoints(&sender).await {
        tracing::warn!(%error, "other senders wait half a minute for what this one had");
    }
    Ok(())
}

/// Serves one endpoint until it is gone, or the program ends.
async fn serve(
    service: Service,
    name: String,
    sender: String,
    mut news: watch::Receiver<i64>,
    mut stop: Stop,
) {
    let (agent, mut failing) = (https::agent(PATIENCE), false);
    loop {
        news.mark_unchanged();
        let wait = match turn(&service, &agent, &name, &sender, &mut stop).await {
            Ok(Turn::Done) => {
                if std::mem::take(&mut failing) {
                    tracing::info!(endpoint = %name, "takes events again");
                }
                None
            }
            Ok(Turn::Failed(again)) => {
                failing = true;
                let wait = service.now().await.map(|now| (again - now).to_std().unwrap_or_default());
                Some(wait.unwrap_or(PAUSE))
            }
            Ok(Turn::Elsewhere) => match service.endpoints().await {
                Ok(all) if all.iter().all(|one| one.name.as_str() != name) => {
                    tracing::info!(endpoint = %name, "is gone");
                    return;
                }
                _ => Some(LOOK),
            },
            Ok(Turn::Stopped) => return,
            Err(error) => {
                tracing::error!(endpoint = %name, %error, "the database can't be read or written; it is tried again");
                Some(PAUSE)
            }
        };
        let goes_on = match wait {
            // What is new does not make a receiver well.
            Some(wait) => tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => false,
                () = tokio::time::sleep(wait) => true,
            },
            None => idle(&service, &name, &mut news, &mut stop).await,
        };
        if !goes_on {
            return;
        }
    }
}

/// Waits until there is something to do for an endpoint that has all; false where the program ends. Nothing is written meanwhile.
async fn idle(service: &Service, name: &str, news: &mut watch::Receiver<i64>, stop: &mut Stop) -> bool {
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return false,
            changed = news.changed() => return changed.is_ok(),
            () = tokio::time::sleep(RENEW) => {}
        }
        // Somebody may have removed it, or sent it back.
        let there = service.endpoints().await.ok();
        let own = there.as_ref().map(|all| all.iter().find(|one| one.name.as_str() == name));
        if own.is_some_and(|own| own.is_none_or(|own| own.behind > 0)) {
            return true;
        }
    }
}

/// Sends one endpoint all that waits, until it fails.
async fn turn(service: &Service, agent: &Agent, name: &str, sender: &str, stop: &mut Stop) -> Result<Turn> {
    if *stop.borrow() {
        return Ok(Turn::Stopped);
    }
    let Some(mut claim) = service.claim_endpoint(name, sender).await? else { return Ok(Turn::Elsewhere) };
    let mut taken = Moment::now();
    let fail = async |claim: &Claim, why: String| {
        tracing::warn!(endpoint = %name, event = claim.next, "{why}; it is tried again");
        let now = service.now().await?;
        service.endpoint_failed(claim, &why, now).await.map(Turn::Failed)
    };
    let receiver = match receiver(&claim.address) {
        Ok(receiver) => receiver,
        Err(why) => return fail(&claim, why).await,
    };
    loop {
        let events = match service.events_for(&claim, SOME).await {
            Ok(events) => events,
            Err(error @ crate::service::Error::Refused(_)) => return fail(&claim, error.to_string()).await,
            Err(error) => return Err(error),
        };
        let Some(last) = events.last().cloned() else { return Ok(Turn::Done) };
        for event in events {
            if *stop.borrow() {
                return Ok(Turn::Stopped);
            }
            if !claim.address.kinds.want(&event) {
                // What comes behind it takes note of it too.
                if event.n == last.n && !service.endpoint_got(&mut claim, &event, None).await? {
                    return Ok(Turn::Elsewhere);
                }
                continue;
            }
            if taken.elapsed() >= RENEW {
                match service.claim_endpoint(name, sender).await? {
                    // One that was removed and added again under its name is another one.
                    Some(renewed) if (renewed.next, &renewed.address) == (claim.next, &claim.address) => {
                        claim = renewed;
                    }
                    _ => return Ok(Turn::Elsewhere),
                }
            }
            let now = service.now().await?;
            match deliver(agent, &receiver, &event, now, stop).await {
                Delivered::Taken(answer) => {
                    taken = Moment::now();
                    if !service.endpoint_got(&mut claim, &event, Some(answer)).await? {
                        return Ok(Turn::Elsewhere);
                    }
                }
                Delivered::Not(why) => return fail(&claim, why).await,
                Delivered::Stopped => return Ok(Turn::Stopped),
            }
        }
    }
}

enum Delivered {
    Taken(String),
    Not(String),
    Stopped,
}

/// Sends one event, and waits for the answer.
async fn deliver(
    agent: &Agent,
    receiver: &Receiver,
    event: &Event,
    now: Instant,
    stop: &mut Stop,
) -> Delivered {
    let (agent, receiver, id, body) = (agent.clone(), receiver.clone(), event.id.clone(), event.line());
    let sending = tokio::task::spawn_blocking(move || receiver.post(&agent, (HEADER, &id), &body, now));
    let ended = async {
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        sent = sending => match sent {
            Ok(Ok(status)) => Delivered::Taken(format!("it answered {status}")),
            Ok(Err(why)) => Delivered::Not(why),
            Err(broken) => Delivered::Not(broken.to_string()),
        },
        () = ended => Delivered::Stopped,
    }
}

/// Holds the event's id.
const HEADER: &str = "Keyrack-Event";

/// Sends an event that tells of nothing. Answers the status that took it.
///
/// # Errors
/// Why it was not taken, in words.
pub async fn test(address: &Address, event: Event, now: Instant) -> std::result::Result<u16, String> {
    let receiver = receiver(address)?;
    let sending = tokio::task::spawn_blocking(move || {
        receiver.post(&https::agent(PATIENCE), (HEADER, &event.id), &event.line(), now)
    });
    sending.await.map_err(|broken| broken.to_string())?
}

/// Reads the secret, from where it is on this machine.
fn receiver(address: &Address) -> std::result::Result<Receiver, String> {
    let files = SecretFiles::of_this_process();
    let secret = match &address.secret {
        SecretPlace::File(path) => files.file(path.as_ref(), SHORTEST_SECRET),
        SecretPlace::Credential(name) => files.credential(name, SHORTEST_SECRET),
    };
    let secret = secret.map_err(|error| error.to_string())?;
    Receiver::new(&address.url, Some(secret)).map_err(|error| error.to_string())
}
