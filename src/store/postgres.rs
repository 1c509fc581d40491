//! PostgreSQL: a pool that never hands out a connection with a transaction left open on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool, Row};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};

use super::location::Fit;
use super::login::Kind;
use super::{Access, Error, Location, Pools, Result, migrate};

/// How long to try for a connection before saying that the database can't be reached.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that was used so recently is taken as it is.
const FRESH: Duration = Duration::from_millis(100);
/// How long a single question to a pooler may take.
const ANSWER: Duration = Duration::from_secs(2);

/// When a pool was pointed to another host: its connections that are older lead to the one before. A process has one
/// database, and where it has more, connections that are made anew do no harm.
static MOVED: Mutex<Option<Instant>> = Mutex::new(None);

/// What holds for each connection, and what it says of the server. Said by a statement, not while connecting: a pooler
/// refuses that, or silently forgets it. `lock_timeout` is how long to wait for a row that somebody else holds, before
/// saying so or trying again. A server that confirms a commit before it is on its disk is told to wait for that; one that
/// waits for its standbys too goes on doing so.
const GREETING: &str = "SET client_min_messages = error; SET idle_in_transaction_session_timeout = '60s'; \
     SET lock_timeout = '10s'; SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', \
     coalesce(inet_server_port(), 0), current_setting('port')::int, \
     set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false), \
     current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on'";

/// What a server said of itself.
#[derive(Clone, Copy, Default)]
struct Server {
    standby: bool,
    read_only: bool,
    /// The port that the connection came in by; 0: a socket.
    came_by: i32,
    port: i32,
    fsync: bool,
    full_page_writes: bool,
}

impl Server {
    fn name(self) -> &'static str {
        match (self.standby, self.read_only) {
            (true, _) => "a standby",
            (false, true) => "read-only",
            (false, false) => "no standby",
        }
    }

    /// What keeps it from keeping what it confirms, in words.
    fn weakness(self) -> Option<&'static str> {
        match (self.fsync, self.full_page_writes) {
            (false, _) => Some(
                "fsync is off in PostgreSQL's settings, so what it confirms can be lost when its machine fails",
            ),
            (true, false) => Some(
                "full_page_writes is off in PostgreSQL's settings, so its data can be damaged when its machine fails",
            ),
            (true, true) => None,
        }
    }

    /// Whether somebody stands between, as far as ports tell.
    fn is_behind_another(self, options: &PgConnectOptions) -> bool {
        let port = i32::from(options.get_port());
        if socket(options).is_some() { self.came_by != 0 || self.port != port } else { self.came_by != port }
    }
}

/// Also what keeps the server from keeping what it confirms.
pub(super) async fn open(url: &str, access: Access) -> Result<(Pools, Option<&'static str>, Option<i64>)> {
    let (pool, server) = connect(url).await?;
    let newer = migrate::postgres(&pool, access).await?;
    Ok((Pools::Postgres(pool), server.weakness(), newer))
}

/// Connections without a look at what is in the database.
pub(super) async fn bare(url: &str) -> Result<PgPool> {
    Ok(connect(url).await?.0)
}

/// What [`open`] would do to the schema.
pub(super) async fn try_open(url: &str) -> Result<migrate::Tried> {
    let (pool, _) = connect(url).await?;
    let found = migrate::try_postgres(&pool).await;
    pool.close().await;
    found
}

/// Does what of [`open`] can be done while others use the database.
pub(super) async fn prepare(url: &str, progress: super::moving::Progress<'_>) -> Result<()> {
    let (pool, _) = connect(url).await?;
    let done = migrate::prepare_postgres(&pool, progress).await;
    pool.close().await;
    done
}

/// Connects to the first of the hosts that answers and is as wanted.
async fn connect(url: &str) -> Result<(PgPool, Server)> {
    let (hosts, wanted) = (Location::postgres_options(url)?, Location::wanted(url)?);
    let (mut second, mut why) = (None, Vec::new());
    for options in hosts {
        let host = address(&options);
        match connect_to(options, url).await {
            Ok((pool, server)) => match wanted.judge(server.standby, server.read_only) {
                Fit::Best => return Ok((pool, server)),
                Fit::WouldDo if second.is_none() => second = Some((pool, server)),
                Fit::WouldDo => {}
                Fit::No => why.push(format!(
                    "{host} is {}, and target_session_attrs in the address wants another",
                    server.name()
                )),
            },
            Err(Error::Unreachable(error)) => {
                why.push(if error.contains(&host) { error } else { format!("{host}: {error}") });
            }
            Err(error) => return Err(error),
        }
    }
    second.ok_or_else(|| Error::Unreachable(why.join("; ")))
}

async fn connect_to(options: PgConnectOptions, url: &str) -> Result<(PgPool, Server)> {
    let server = Arc::new(Mutex::new(Server::default()));
    let told = Arc::clone(&server);
    let connecting = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(ACQUIRE)
        .after_connect(move |conn, _| {
            let told = Arc::clone(&told);
            Box::pin(async move {
                let server = greet(conn).await?;
                *told.lock() = server;
                Ok(())
            })
        })
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                // The server may have gone meanwhile, or closed it.
                if meta.idle_for > FRESH {
                    conn.ping().await?;
                }
                Ok(MOVED.lock().is_none_or(|moved| meta.age < moved.elapsed()))
            })
        })
        // A cancelled `begin` can leave a transaction open on the connection; whatever is written on it later would be
        // lost although it was acknowledged (H1). So each connection is cleared before it goes back. A ROLLBACK alone has
        // the server log a warning wherever there is none, which is nearly always.
        .after_release(|conn, _| {
            Box::pin(async move {
                conn.execute("BEGIN; ROLLBACK").await?;
                Ok(true)
            })
        })
        .connect_with(options.clone());
    let pool = tokio::select! {
        pool = connecting => match pool {
            Ok(pool) => pool,
            Err(error) => return Err(explain(&options, url, error).await),
        },
        // The pool would go on trying until its time is over.
        why = nobody(&options) => return Err(Error::Unreachable(why)),
    };
    let server = *server.lock();
    if server.is_behind_another(&options) && shares_connections(&pool, &options).await? {
        return Err(Error::Pooled);
    }
    Ok((pool, server))
}

async fn greet(conn: &mut PgConnection) -> sqlx::Result<Server> {
    let row = conn.fetch_one(GREETING).await?;
    Ok(Server {
        standby: row.try_get(0)?,
        read_only: row.try_get(1)?,
        came_by: row.try_get(2)?,
        port: row.try_get(3)?,
        fsync: row.try_get(5)?,
        full_page_writes: row.try_get(6)?,
    })
}

/// A connection of its own to the server that the pool is on.
pub(super) async fn connection(pool: &PgPool) -> Result<PgConnection> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    greet(&mut connection).await?;
    Ok(connection)
}

/// Whether a pooler gives the connection to another client between two transactions. While one client is in a transaction,
/// another one that was served by the same process before, or is served by another one now, shows it.
async fn shares_connections(pool: &PgPool, options: &PgConnectOptions) -> Result<bool> {
    const PID: &str = "SELECT pg_backend_pid()";
    async fn pid(conn: &mut PgConnection, sql: &'static str) -> Option<sqlx::Result<i32>> {
        let row = timeout(ANSWER, conn.fetch_one(sql)).await.ok()?;
        Some(row.and_then(|row| row.try_get(0)))
    }
    let mut one = pool.acquire().await?;
    let mut other = PgConnection::connect_with(options).await?;
    let Some(before) = pid(&mut one, PID).await else { return Ok(false) };
    let shared = match pid(&mut other, "BEGIN; SELECT pg_backend_pid()").await {
        // The pooler has no more connections and waits for one: each client keeps its own.
        None => false,
        // It allows no transactions at all.
        Some(Err(_)) => true,
        Some(Ok(others)) => {
            let before = before?;
            others == before || !matches!(pid(&mut one, PID).await, Some(Ok(now)) if now == before)
        }
    };
    if shared {
        // It may wait for an answer that doesn't come.
        drop(one.detach());
    }
    drop(other);
    Ok(shared)
}

/// An error in getting a connection, with what is known of its cause.
pub(super) async fn explain(options: &PgConnectOptions, url: &str, error: sqlx::Error) -> Error {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        let words = format!("{} gave no connection within {} s", address(options), ACQUIRE.as_secs());
        let why = timeout(Duration::from_millis(500), nobody(options)).await;
        return Error::Unreachable(why.unwrap_or(words));
    }
    let login =
        matches!(&error, sqlx::Error::Database(db) if db.code().is_some_and(|code| code.starts_with("28")));
    let lacks = if login { Kind::Password } else { Kind::Certificate };
    let words: Vec<String> = Location::Postgres(url.to_owned())
        .neglected()
        .into_iter()
        .filter(|one| one.kind == lacks || one.kind == Kind::Service)
        .map(|one| one.to_string())
        .collect();
    match Error::from(error) {
        Error::Unreachable(why) | Error::Other(why) if !words.is_empty() => {
            Error::Unreachable(format!("{why}. {}", words.join(". ")))
        }
        error => error,
    }
}

/// Returns once it is known that nobody listens at the address, with the reason in words.
async fn nobody(options: &PgConnectOptions) -> String {
    let tried = match socket(options) {
        Some(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
            UnixStream::connect(socket).await.map(drop)
        }
        None => TcpStream::connect((options.get_host(), options.get_port())).await.map(drop),
    };
    match tried {
        Err(error) => format!("{}: {error}", address(options)),
        Ok(()) => std::future::pending().await,
    }
}

fn socket(options: &PgConnectOptions) -> Option<&Path> {
    let host = options.get_host();
    options.get_socket().map(PathBuf::as_path).or_else(|| host.starts_with('/').then(|| Path::new(host)))
}

fn address(options: &PgConnectOptions) -> String {
    match socket(options) {
        Some(folder) => folder.display().to_string(),
        None if options.get_host().contains(':') => {
            format!("[{}]:{}", options.get_host(), options.get_port())
        }
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

/// Points the pool to another host of the list: where the one that it is on gives no connections, to any that does;
/// where it takes no changes, to one that does (`better`). Answers whether it did.
pub(super) async fn choose_another(pool: &PgPool, url: &str, better: bool) -> bool {
    let (Ok(hosts), Ok(wanted)) = (Location::postgres_options(url), Location::wanted(url)) else {
        return false;
    };
    if hosts.len() < 2 {
        return false;
    }
    let mut second = None;
    for options in hosts {
        let tried = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let server = greet(&mut connection).await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>((wanted.judge(server.standby, server.read_only), server.read_only))
        };
        match timeout(ANSWER, tried).await {
            Ok(Ok((Fit::No, _))) | Ok(Ok((_, true))) if better => {}
            Ok(Ok((Fit::Best, _))) => {
                second = Some(options);
                break;
            }
            Ok(Ok((Fit::WouldDo, _))) if second.is_none() => second = Some(options),
            _ => {}
        }
    }
    let Some(options) = second else { return false };
    tracing::warn!(host = options.get_host(), "the database is looked for on another host");
    pool.set_connect_options(options);
    *MOVED.lock() = Some(Instant::now());
    true
}

/// Where changes are to be made, in words for who asked for one on a server that takes none.
pub(super) async fn takes_none(pool: &PgPool, conn: &mut PgConnection) -> Error {
    let at = address(&pool.connect_options());
    // Only some logins are told whom a standby follows.
    const FOLLOWS: &str =
        "SELECT pg_is_in_recovery(), (SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver)";
    let (standby, primary): (bool, Option<String>) =
        sqlx::query_as(FOLLOWS).fetch_one(conn).await.unwrap_or_default();
    Error::ReadOnly(if standby {
        let primary = primary.map(|primary| format!(" ({primary})")).unwrap_or_default();
        format!(
            "{at} is a standby, which follows another server. Name the primary{primary} in the database's address, or both hosts, separated by a comma"
        )
    } else {
        format!(
            "{at} takes no changes (default_transaction_read_only). Ask its admin, or name the server that takes changes"
        )
    })
}
