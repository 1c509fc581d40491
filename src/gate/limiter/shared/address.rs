//! Where the windows are that gates share, with the password for it.

use redis::cluster::ClusterClient;
use redis::{ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use crate::domain::counting::CountingPlace;

/// Where the windows are. Shown without the password.
#[derive(Clone, derive_more::Debug)]
pub enum Address {
    #[debug("{}", _0.addr())]
    Server(Box<ConnectionInfo>),
    #[debug("{place}")]
    Cluster { place: CountingPlace, client: Box<ClusterClient> },
}

/// Why a server's address was refused.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error(
        "{0:?} is no address of a Redis: write redis://host:6379/0, redis+unix:///run/redis/redis.sock, or \
         redis-cluster://host:port,host:port"
    )]
    Form(String),
    #[error(
        "the limiter's address has a password in it. Take it out, put it into a file of mode 0600 and name that with `limits-password-file`"
    )]
    Password,
    #[error("the Redis Cluster can't be used: {0}")]
    Cluster(#[from] redis::RedisError),
}

impl AddressError {
    /// The refusal does not repeat what may be a password.
    fn form(text: &str) -> Self {
        Self::Form(text.split('@').next_back().unwrap_or_default().chars().take(80).collect())
    }
}

/// How often a request is sent anew within a cluster, after it was led to another node or lost its connection. Each takes
/// so many milliseconds' pause at most.
const RETRIES: u32 = 3;
const PAUSES: (u64, u64) = (10, 40);

impl Address {
    /// Reads where it is. A password comes from elsewhere.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, AddressError> {
        Self::of(&text.parse().map_err(|_| AddressError::form(text))?, password)
    }

    /// The same of a place that was read.
    pub fn of(place: &CountingPlace, password: Option<&str>) -> Result<Self, AddressError> {
        match place {
            CountingPlace::Server(text) => Self::server(text, password),
            CountingPlace::Cluster { user, nodes } => {
                let seeds = nodes.iter().map(|node| {
                    let mut told = RedisConnectionInfo::default();
                    if let Some(user) = user {
                        told = told.set_username(user);
                    }
                    if let Some(password) = password {
                        told = told.set_password(password);
                    }
                    let at = redis::ConnectionAddr::Tcp(node.host.clone(), node.port);
                    at.into_connection_info().map(|info| info.set_redis_settings(told))
                });
                let seeds = seeds.collect::<Result<Vec<_>, _>>()?;
                let client = ClusterClient::builder(seeds)
                    .retries(RETRIES)
                    .min_retry_wait(PAUSES.0)
                    .max_retry_wait(PAUSES.1)
                    .build()?;
                Ok(Self::Cluster { place: place.clone(), client: Box::new(client) })
            }
        }
    }

    fn server(text: &str, password: Option<&str>) -> Result<Self, AddressError> {
        let info = text.into_connection_info().map_err(|_| AddressError::form(text))?;
        if info.redis_settings().password().is_some() {
            return Err(AddressError::Password);
        }
        let settings = info.redis_settings().clone();
        Ok(Self::Server(Box::new(match password {
            Some(password) => info.set_redis_settings(settings.set_password(password)),
            None => info,
        })))
    }

    /// What it is called where it can't be asked.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Server(info) => info.addr().to_string(),
            Self::Cluster { place, .. } => place.named(", "),
        }
    }
}
