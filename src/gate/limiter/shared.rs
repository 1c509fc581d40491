//! Windows that several gates share, in a Redis or Valkey: one script decides about all budgets of a request in one step,
//! by the server's own clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ConnectionInfo, IntoConnectionInfo, RedisResult, Script};

use crate::domain::limit::{Charge, Quota, State};

/// A request waits for no longer than this.
const PATIENCE: Duration = Duration::from_millis(250);
/// After a failure the server is left alone for so long, so that not every request has to wait.
const REST: Duration = Duration::from_millis(200);
/// Something odd among the windows is told again after so many milliseconds.
const ODD_EVERY: u64 = 10_000;

/// Where the server is, with its password.
#[derive(Clone, derive_more::Debug)]
#[debug("{}", _0.addr())]
pub struct Address(ConnectionInfo);

/// Why a server's address was refused.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error(
        "{0:?} is no address of a Redis: write redis://host:6379/0 or redis+unix:///run/redis/redis.sock"
    )]
    Form(String),
    #[error(
        "the limiter's address has a password in it. Take it out, put it into a file of mode 0600 and name that with `limits-password-file`"
    )]
    Password,
}

impl Address {
    /// Reads `redis://host:6379/0`. A password comes from elsewhere.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, AddressError> {
        // The refusal does not repeat what may be a password.
        let shown = || text.split('@').next_back().unwrap_or_default().chars().take(80).collect();
        let info = text.into_connection_info().map_err(|_| AddressError::Form(shown()))?;
        if info.redis_settings().password().is_some() {
            return Err(AddressError::Password);
        }
        let settings = info.redis_settings().clone();
        Ok(Self(match password {
            Some(password) => info.set_redis_settings(settings.set_password(password)),
            None => info,
        }))
    }
}

/// The shared windows.
pub struct Shared {
    connection: ConnectionManager,
    script: Script,
    /// Names each request of this gate.
    gate: u64,
    requests: AtomicU64,
    begun: Instant,
    /// Milliseconds since `begun` until which the server is left alone.
    rests_until: AtomicU64,
    /// Milliseconds since `begun` at which something odd was told last; 0: never.
    odd_told_at: AtomicU64,
}

impl Shared {
    /// Prepares the connection; it is made with the first question, and made anew whenever it breaks. `gate` is a random
    /// number of this gate's own.
    pub fn new(address: Address, gate: u64, begun: Instant) -> RedisResult<Self> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(PATIENCE);
        let connection = ConnectionManager::new_lazy_with_config(Client::open(address.0)?, settings)?;
        Ok(Self {
            connection,
            script: Script::new(include_str!("window.lua")),
            gate,
            requests: AtomicU64::new(0),
            begun,
            rests_until: AtomicU64::new(0),
            odd_told_at: AtomicU64::new(0),
        })
    }

    /// Counts a request, or only looks. Answers what is left and the server's time in microseconds; `None` if the server
    /// can't be asked.
    pub async fn ask(&self, charges: &[Charge], count: bool) -> Option<(Option<Quota>, i64)> {
        if self.rests() {
            return None;
        }
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let asking = async {
            match self.decide(charges, count, request).await {
                // The server was restarted, or cut a connection that was idle for long: a new one knows. Under the same
                // name, what was counted already is not counted twice.
                Err(error)
                    if !error.is_timeout() && (error.is_io_error() || error.is_connection_dropped()) =>
                {
                    self.decide(charges, count, request).await
                }
                decided => decided,
            }
        };
        let numbers = match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(numbers)) => numbers,
            // What lies under one of these names is no window: that concerns nobody else.
            Ok(Err(error)) if matches!(error.code(), Some("WRONGTYPE" | "ERR")) => {
                return self.odd(charges, &error.to_string());
            }
            Ok(Err(error)) => return self.failed(&error.to_string()),
            Err(_) => return self.failed("no answer in time"),
        };
        read(charges, &numbers).or_else(|| self.odd(charges, "an answer that the script does not give"))
    }

    async fn decide(&self, charges: &[Charge], count: bool, request: u64) -> RedisResult<Vec<i64>> {
        let mut call = self.script.prepare_invoke();
        call.arg(u8::from(count)).arg(format!("{:x}-{request:x}", self.gate));
        for charge in charges {
            call.key(format!("keyrack:{}", charge.bucket)).arg(charge.budgets.len());
            for budget in &charge.budgets {
                call.arg(budget.seconds).arg(budget.requests);
            }
        }
        call.invoke_async(&mut self.connection.clone()).await
    }

    /// Whether the server answers.
    pub async fn is_reachable(&self) -> bool {
        let ping = redis::cmd("PING");
        let mut connection = self.connection.clone();
        let asked = ping.query_async::<String>(&mut connection);
        matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(_)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn rests(&self) -> bool {
        self.now() < self.rests_until.load(Ordering::Relaxed)
    }

    /// Says, now and then, under which names something lies that is no window.
    fn odd<T>(&self, charges: &[Charge], why: &str) -> Option<T> {
        let (now, told_at) = (self.now(), self.odd_told_at.load(Ordering::Relaxed));
        let is_due = told_at == 0 || now >= told_at + ODD_EVERY;
        if is_due && self.odd_told_at.swap(now.max(1), Ordering::Relaxed) == told_at {
            let names: Vec<_> = charges.iter().map(|charge| format!("keyrack:{}", charge.bucket)).collect();
            let names = names.join(" ");
            tracing::warn!(
                why,
                names,
                "the shared limiter can't count for these: remove what lies there with DEL"
            );
        }
        None
    }

    fn failed<T>(&self, why: &str) -> Option<T> {
        let until = self.now() + u64::try_from(REST.as_millis()).unwrap_or(0);
        self.rests_until.store(until, Ordering::Relaxed);
        tracing::warn!(why, "the shared limiter can't be asked");
        None
    }
}

/// Reads what the script answers.
fn read(charges: &[Charge], numbers: &[i64]) -> Option<(Option<Quota>, i64)> {
    let (&[now, allowed], states) = numbers.split_first_chunk::<2>()?;
    let budgets = charges.iter().flat_map(|charge| charge.budgets.iter().map(move |budget| (charge, budget)));
    let mut pairs = states.chunks_exact(2);
    let mut left = Vec::new();
    for (charge, budget) in budgets {
        let &[count, room] = pairs.next()? else { return None };
        let count = u32::try_from(count).ok()?;
        left.push(State::new(charge.bucket.word(), *budget, count, room, now));
    }
    Some((Quota::new(left, allowed == 1), now))
}

#[cfg(test)]
mod tests;
