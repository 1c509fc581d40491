//! The gate: the door at which services ask whether a request may pass. It speaks HTTP/1.1, and gRPC with Envoy ([`grpc`]);
//! TLS is the proxy's.
//!
//! A request goes through [`server`] (connections, their limits, the spelling of headers), [`routes`], a handler ([`auth`]
//! for proxies, [`direct`] and [`watch`] for callers themselves, [`health`] for operators) and [`door`], which knows the order
//! in which everything is asked. What may pass is decided in [`crate::domain::verdict`]; that nothing it rests on is out
//! of date is proven by [`crate::service::Gate`].
//!
//! The only room that names axum, hyper, tonic, prost, prometheus-client, utoipa, redis and crc16.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch as channel;

use crate::clock::Clock;
use crate::config::ConfigError;
use crate::domain::listening::ListenPlace;
use crate::service::{self, Gate, Location};

mod answer;
mod asker;
mod auth;
pub(crate) mod brake;
mod build;
mod caller;
mod crowd;
mod direct;
mod door;
mod grpc;
mod health;
mod leaks;
pub mod limiter;
pub(crate) mod limits;
mod listener;
mod metrics;
mod neighbours;
pub(crate) mod openapi;
pub(crate) mod origin;
mod reading;
mod refusals;
mod routes;
mod schema;
mod server;
pub(crate) mod settings;
mod stop;
mod watch;
pub mod webhook;
pub(crate) mod wire;

use crowd::Crowd;
use door::Door;
use limiter::{Limiter, Shared};
use listener::{Listener, SocketRights};
use metrics::Metrics;
use routes::Routes;
use server::Way;
pub use settings::Settings;

/// How often windows are saved.
const SAVE: Duration = Duration::from_secs(1);
/// How often the gates on the database are counted.
const COUNT: Duration = Duration::from_secs(5);
/// How often windows that matter no more are looked for.
const SWEEP: Duration = Duration::from_secs(30);

/// Why a gate can't begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} can't be listened on: {1}")]
    Listen(ListenPlace, io::Error),
    #[error("the shared limiter can't be used: {0}")]
    Limiter(#[from] redis::RedisError),
    #[error(transparent)]
    Settings(#[from] ConfigError),
    #[error(transparent)]
    Service(#[from] service::Error),
    #[error("{0} broke, and without it the gate can't work; the log says why. Start it again")]
    Broken(&'static str),
}

/// A gate that listens and is ready to serve.
pub struct Listening {
    door: Arc<Door>,
    listeners: Vec<Listener>,
    grpc: Vec<Listener>,
    admin: Option<Listener>,
}

/// Begins: opens the database, listens on every address, reads the windows of an earlier run, makes the gate known.
///
/// # Errors
/// When an address is taken, the database can't be read, or an issuer is named that is not there.
pub async fn begin(location: &Location, clock: Clock, settings: Settings) -> Result<Listening, Error> {
    let gate = Gate::open(location, clock, settings.own.clone()).await?;
    let policies = gate.policies().await?;
    if let Some(missing) = settings.issuers.slugs().find(|slug| policies.directory.policy(slug).is_none()) {
        let why = format!("this database has no issuer {missing}: `keyrack issuer list` shows them");
        return Err(settings.issuers_said.error(why).into());
    }
    let mut listeners = Vec::new();
    for place in &settings.listen {
        listeners.push(listen(place, &settings.rights).await?);
    }
    let mut grpc = Vec::new();
    for place in &settings.grpc {
        grpc.push(listen(place, &settings.rights).await?);
    }
    let admin = match &settings.admin {
        // What is told there needs no token: it is not given to the proxy's group.
        Some(place) => Some(listen(place, &SocketRights::default()).await?),
        None => None,
    };
    let begun = Instant::now();
    let shared = match settings.limits.clone() {
        Some(address) => Some(Shared::new(address, rand::random(), begun)?),
        None => None,
    };
    let limiter = Limiter::new(shared);
    limiter.look_round().await.map_err(|why| settings.limits_said.error(why))?;
    let door = Arc::new(Door::new(gate, settings, limiter, Arc::new(Metrics::default()), begun));
    door.restore().await?;
    Ok(Listening { door, listeners, grpc, admin })
}

async fn listen(place: &ListenPlace, rights: &SocketRights) -> Result<Listener, Error> {
    let opened = listener::bind(place, rights).await;
    opened.map_err(|error| Error::Listen(place.clone(), error))
}

impl Listening {
    /// Where it listens: a port that was given as 0 is known here.
    pub fn places(&self) -> Vec<ListenPlace> {
        self.listeners.iter().chain(&self.admin).chain(&self.grpc).filter_map(Listener::place).collect()
    }

    /// The gate that it serves by.
    pub fn gate(&self) -> Gate {
        self.door.gate.clone()
    }

    /// Serves until `stop` says so, or a part of the gate breaks without which it can't work; then answers what is open, saves
    /// its windows and signs off.
    ///
    /// # Errors
    /// When something broke.
    pub async fn serve(self, stop: channel::Receiver<bool>) -> Result<(), Error> {
        let Self { door, listeners, grpc, admin } = self;
        let limits = door.settings.connections;
        let crowd = Crowd::new(limits.connections, door.settings.trusted.clone());
        let (end, ending) = channel::channel(false);
        let mut ways = Vec::new();
        for listener in listeners {
            ways.push((
                listener,
                Way::Http(Routes::requests(&door, &ending, admin.is_none())),
                Some(Arc::clone(&crowd)),
            ));
        }
        for listener in grpc {
            ways.push((listener, Way::Grpc(Arc::clone(&door)), None));
        }
        if let Some(listener) = admin {
            ways.push((listener, Way::Http(Routes::operators(&door)), None));
        }
        let serving: Vec<_> = ways
            .into_iter()
            .map(|(listener, way, crowd)| {
                let (metrics, guard) =
                    (Arc::clone(&door.metrics), door.gate.guard("a listener", ending.clone()));
                let ending = ending.clone();
                tokio::spawn(async move {
                    server::serve(listener, way, limits, crowd, metrics, ending).await;
                    drop(guard);
                })
            })
            .collect();
        let telling = door.settings.webhook.clone().map(|settings| {
            let (gate, ending) = (door.gate.clone(), ending.clone());
            let guard = gate.guard("the webhook", ending.clone());
            tokio::spawn(async move {
                webhook::run(gate, settings, ending).await;
                drop(guard);
            })
        });
        let (own, guard) = (Arc::clone(&door), door.gate.guard("the keeper of windows", ending.clone()));
        let mut keeping = tokio::spawn(async move {
            keep(own, ending).await;
            drop(guard);
        });
        let mut stop = stop;
        tokio::select! {
            () = stop::stopped(&mut stop) => {}
            () = door.gate.breaks() => {}
        }
        end.send_replace(true);
        for task in serving {
            // One that broke was told of by its guard.
            let _ = task.await;
        }
        let telling = async {
            if let Some(telling) = telling {
                let _ = telling.await;
            }
        };
        let saving = async {
            let _ = (&mut keeping).await;
            while door.save(true).await {}
        };
        let last = async { tokio::join!(telling, saving) };
        if tokio::time::timeout(door.gate.last_patience(), last).await.is_err() {
            tracing::warn!("the database gives no answer: windows of limits are as they were last saved");
            keeping.abort();
        }
        door.gate.close().await;
        door.gate.broken().map_or(Ok(()), |what| Err(Error::Broken(what)))
    }
}

/// Saves windows and forgets idle ones, until the program ends.
async fn keep(door: Arc<Door>, mut stop: channel::Receiver<bool>) {
    let mut save = tokio::time::interval(SAVE);
    let mut count = tokio::time::interval(COUNT);
    let mut sweep = tokio::time::interval(SWEEP);
    let mut said = neighbours::Said::default();
    save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop::stopped(&mut stop) => return,
            _ = save.tick() => {
                door.save(false).await;
            }
            _ = count.tick() => neighbours::look(&door, &mut said).await,
            _ = sweep.tick() => door.limiter.own().sweep(door.gate.now().timestamp_micros()),
        }
    }
}
