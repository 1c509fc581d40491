//! PostgreSQL: a pool that never hands out a connection with a transaction left open on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};

use super::location::Fit;
use super::login::Kind;
use super::wire::{Link, Links};
use super::{Access, Error, Location, Pools, Result, Store, migrate};

mod server;

use server::{SETTINGS, Server, Sharing};

/// How long to try for a connection before saying that the database can't be reached.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that was used so recently is taken as it is.
const FRESH: Duration = Duration::from_millis(100);
/// How long a host may take to say what it is.
const ANSWER: Duration = Duration::from_secs(2);

/// When a pool was pointed to another host: its connections that are older lead to the one before. A process has one
/// database, and where it has more, connections that are made anew do no harm.
static MOVED: Mutex<Option<Instant>> = Mutex::new(None);

/// Also what keeps the server from keeping what it confirms.
pub(super) async fn open(url: &str, access: Access) -> Result<(Pools, Option<&'static str>, Option<i64>)> {
    let (links, server) = connect(url).await?;
    let newer = migrate::postgres(&links, access).await?;
    Ok((Pools::Postgres(links), server.weakness(), newer))
}

/// Connections without a look at what is in the database.
pub(super) async fn bare(url: &str) -> Result<Links> {
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
async fn connect(url: &str) -> Result<(Links, Server)> {
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

async fn connect_to(options: PgConnectOptions, url: &str) -> Result<(Links, Server)> {
    let server = Arc::new(Mutex::new(Server::default()));
    // Not before it is known that what is said to a connection stays with it.
    let settles = Arc::new(AtomicBool::new(false));
    let (told, settling) = (Arc::clone(&server), Arc::clone(&settles));
    let connecting = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(ACQUIRE)
        .after_connect(move |conn, _| {
            let (told, settles) = (Arc::clone(&told), settling.load(Relaxed));
            Box::pin(async move {
                let server = Server::ask(conn).await?;
                *told.lock() = server;
                if settles {
                    conn.execute(SETTINGS).await?;
                }
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
    let server = server.lock().clone();
    let mut first = pool.acquire().await?;
    let shared = match Sharing::of(Location::pooled(url)?, &server, &mut first, &options).await? {
        Sharing::No => {
            first.execute(SETTINGS).await?;
            settles.store(true, Relaxed);
            false
        }
        Sharing::Transactions => {
            // It may wait for an answer that doesn't come.
            drop(first.detach());
            pool.set_connect_options(options.clone().statement_cache_capacity(0));
            true
        }
        Sharing::Statements => return Err(Error::Pooled),
    };
    let links = Links::new(pool, shared, settles);
    if let Some(options) = options.get_options().filter(|options| !options.is_empty()) {
        server::keeps(&links, options).await?;
    }
    Ok((links, server))
}

/// A connection of its own to the server that the pool is on, and whether that takes changes.
async fn connect_alone(links: &Links) -> sqlx::Result<(PgConnection, bool)> {
    let mut connection = PgConnection::connect_with(&links.connect_options()).await?;
    let server = Server::ask(&mut connection).await?;
    if !links.is_shared() {
        connection.execute(SETTINGS).await?;
    }
    Ok((connection, !server.standby))
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
pub(super) async fn choose_another(links: &Links, url: &str, better: bool) -> bool {
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
            let server = Server::ask(&mut connection).await?;
            let sharing = Sharing::of(Location::pooled(url)?, &server, &mut connection, &options).await?;
            drop(connection);
            Ok::<_, Error>((wanted.judge(server.standby, server.read_only), server.read_only, sharing))
        };
        match timeout(ANSWER, tried).await {
            Ok(Ok((Fit::No, ..) | (_, _, Sharing::Statements))) => {}
            Ok(Ok((_, true, _))) if better => {}
            Ok(Ok((Fit::Best, _, sharing))) => {
                second = Some((options, sharing));
                break;
            }
            Ok(Ok((Fit::WouldDo, _, sharing))) if second.is_none() => second = Some((options, sharing)),
            _ => {}
        }
    }
    let Some((options, sharing)) = second else { return false };
    let present = links.connect_options();
    let place = |of: &PgConnectOptions| (of.get_host().to_owned(), of.get_port(), of.get_socket().cloned());
    // Its connections are made anew by the pool itself.
    if place(&options) == place(&present) {
        return false;
    }
    tracing::warn!(host = options.get_host(), "the database is looked for on another host");
    links.point_to(options, sharing == Sharing::Transactions);
    *MOVED.lock() = Some(Instant::now());
    true
}

/// Where changes are to be made, in words for who asked for one on a server that takes none.
async fn takes_none(links: &Links, link: &mut Link) -> Error {
    let at = address(&links.connect_options());
    // Only some logins are told whom a standby follows.
    const FOLLOWS: &str =
        "SELECT pg_is_in_recovery(), (SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver)";
    let (standby, primary): (bool, Option<String>) =
        sqlx::query_as(FOLLOWS).fetch_one(link).await.unwrap_or_default();
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

impl Store {
    /// What a failed try for a connection means; and where the address names several hosts, another one is tried next.
    pub(super) async fn explain(&self, pool: &Links, error: sqlx::Error) -> Error {
        let Location::Postgres(url) = &self.location else { return error.into() };
        let error = explain(&pool.connect_options(), url, error).await;
        if let Error::Unreachable(_) = &error {
            choose_another(pool, url, false).await;
        }
        error
    }

    /// A connection of its own to the server that takes the changes: where the address names several hosts, whichever that
    /// is now.
    pub(super) async fn primary(&self, pool: &Links) -> Result<PgConnection> {
        let (connection, takes) = match connect_alone(pool).await {
            Ok(connected) => connected,
            Err(error) => return Err(self.explain(pool, error).await),
        };
        match &self.location {
            Location::Postgres(url) if !takes && choose_another(pool, url, true).await => {
                Ok(connect_alone(pool).await?.0)
            }
            // Whoever asks it is told that it follows another one.
            _ => Ok(connection),
        }
    }

    /// What a wish to change something comes to on a server that takes none: where the address names one that does, the wish
    /// is to be tried again there.
    pub(super) async fn elsewhere(&self, pool: &Links, link: &mut Link) -> Error {
        if let Location::Postgres(url) = &self.location
            && choose_another(pool, url, true).await
        {
            return Error::Unreachable("another server takes the changes now".into());
        }
        takes_none(pool, link).await
    }
}
