//! Where the database is.

use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{Error, Result};

/// A database's address, without a password in it.
#[derive(Clone, PartialEq, Eq, derive_more::Debug, derive_more::Display)]
pub enum Location {
    /// A SQLite file; made if it does not exist.
    #[debug("{}", _0.display())]
    #[display("{}", _0.display())]
    Sqlite(PathBuf),
    /// `postgres://user@host[,host]/database`, passwords from `PGPASSFILE` or `~/.pgpass`.
    #[debug("{_0}")]
    Postgres(String),
}

impl Location {
    /// Reads `postgres://…` (or `postgresql://…`), a path (`~/` is the home folder), `sqlite:PATH` or `file:PATH`.
    ///
    /// A password inside the address is refused: arguments and environments are readable by others. So is what another
    /// program would read as an address and what would be an odd name for a file.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |why: String| Err(Error::Location(why));
        if text.trim().is_empty() {
            return refused(
                "the database's address is empty: give a file name or postgres://user@host/database".into(),
            );
        }
        if text.contains(char::is_control) {
            return refused("the database's address has a control character in it".into());
        }
        if let Some(url) = libpq(text) {
            return refused(format!("the database's address is one of libpq's: write it as {url}"));
        }
        if let Some(why) = meant_otherwise(text) {
            return refused(why);
        }
        let (scheme, rest) = scheme(text).unwrap_or(("", text));
        let path = match scheme.to_ascii_lowercase().as_str() {
            "" => text,
            "postgres" | "postgresql" if rest.starts_with("//") => return postgres(scheme, rest),
            "postgres" | "postgresql" => {
                return refused(
                    "the database's address lacks two slashes: write postgres://user@host/database".into(),
                );
            }
            "sqlite" | "sqlite3" | "file" => file_of_url(rest)?,
            _ => {
                return refused(format!(
                    "{scheme}: isn't a kind of database that keyrack knows: give a file name (./{text} if that is one) or postgres://…"
                ));
            }
        };
        if path.is_empty() || path == ":memory:" {
            return refused("keys in memory would be lost when the program ends: give a file name".into());
        }
        Ok(Self::Sqlite(at_home(path)?))
    }

    /// The connection options of a PostgreSQL location, one for each host that it names, in their order. `verify-full`
    /// unless the address says otherwise or the server is on this machine (H12). Never format what this returns: it may
    /// hold a password from a file.
    pub(super) fn postgres_options(url: &str) -> Result<Vec<PgConnectOptions>> {
        let asked =
            url.contains("sslmode=") || url.contains("ssl-mode=") || std::env::var_os("PGSSLMODE").is_some();
        let one = |url: String| {
            let options = PgConnectOptions::from_str(&url)
                .map_err(|e| Error::Location(format!("the database's address is not understood: {e}")))?;
            let host = options.get_host();
            let local = options.get_socket().is_some()
                || host.starts_with('/')
                || host == "localhost"
                || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
            let options = match (asked, local) {
                (true, _) => options,
                (false, true) => options.ssl_mode(PgSslMode::Prefer),
                (false, false) => options.ssl_mode(PgSslMode::VerifyFull),
            };
            // A pooler refuses what it doesn't know, and the digits are right without being asked for.
            Ok(options.application_name("keyrack").extra_float_digits(None))
        };
        let (urls, _) = hosts(url)?;
        urls.into_iter().map(one).collect()
    }

    /// Which of several hosts is wanted.
    pub(super) fn wanted(url: &str) -> Result<Wanted> {
        hosts(url).map(|(_, wanted)| wanted)
    }

    /// Whether a pooler stands before the server that gives each transaction another connection; `None`: nobody said.
    pub(super) fn pooled(url: &str) -> Result<Option<bool>> {
        let pairs = url.split_once('?').map_or("", |(_, query)| query).split('&');
        match pairs.filter_map(|pair| pair.strip_prefix("pooled=")).next_back() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::Location("pooled in the database's address must be true or false".into())),
        }
    }
}

/// What a server must be like: libpq's `target_session_attrs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nobody said: one that takes changes, or else one that can be read.
    Unsaid,
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// How well a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Best,
    /// If there is no better one.
    WouldDo,
    No,
}

impl Wanted {
    /// How a server does that follows another one or not, and takes changes or not.
    pub(super) fn judge(self, standby: bool, read_only: bool) -> Fit {
        let (fits, otherwise) = match self {
            Self::Unsaid => (!read_only, Fit::WouldDo),
            Self::Any => (true, Fit::No),
            Self::ReadWrite => (!read_only, Fit::No),
            Self::ReadOnly => (read_only, Fit::No),
            Self::Primary => (!standby, Fit::No),
            Self::Standby => (standby, Fit::No),
            Self::PreferStandby => (standby, Fit::WouldDo),
        };
        if fits { Fit::Best } else { otherwise }
    }
}

/// One address for each host of the list that an address may name, as sqlx reads it, and which of them is wanted.
fn hosts(url: &str) -> Result<(Vec<String>, Wanted)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok((vec![url.to_owned()], Wanted::Unsaid));
    };
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (user, named) = authority.rsplit_once('@').map_or(("", authority), |(user, named)| (user, named));
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let mut wanted = Wanted::Unsaid;
    let mut listed = None;
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("target_session_attrs", word)) => {
                wanted = match word {
                    "any" => Wanted::Any,
                    "prefer-standby" => Wanted::PreferStandby,
                    "read-write" => Wanted::ReadWrite,
                    "read-only" => Wanted::ReadOnly,
                    "primary" => Wanted::Primary,
                    "standby" => Wanted::Standby,
                    _ => {
                        return Err(Error::Location(
                            "target_session_attrs in the database's address must be any, read-write, read-only, primary, standby or prefer-standby"
                                .into(),
                        ));
                    }
                }
            }
            Some(("host", names)) if names.contains(',') || names.to_ascii_uppercase().contains("%2C") => {
                listed = Some(names.replace("%2C", ",").replace("%2c", ","));
            }
            Some(("pooled", _)) => {}
            _ => kept.push(pair.to_owned()),
        }
    }
    let named = listed.as_deref().unwrap_or(named);
    let urls = named.split(',').map(|host| {
        let mut more = kept.clone();
        // sqlx would look for a host of that name, brackets included; and it refuses a user without a host, as PostgreSQL's
        // own programs write a socket: `postgres://ada@/keys?host=/run/postgresql`.
        let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((address, port)) => {
                more.push(format!("host={address}"));
                format!("localhost{port}")
            }
            None if host.is_empty() && !user.is_empty() => "localhost".to_owned(),
            None if host.starts_with('/') => {
                more.push(format!("host={host}"));
                "localhost".to_owned()
            }
            None => host.to_owned(),
        };
        let question = if more.is_empty() { "" } else { "?" };
        format!("{scheme}://{user}{host}{path}{question}{}", more.join("&"))
    });
    Ok((urls.collect(), wanted))
}

/// What looks like the address of a server, or like something that a shell replaces, but would make a file.
fn meant_otherwise(text: &str) -> Option<String> {
    let (first, _) = text.split_once('/')?;
    if let Some((_, url)) =
        text.split_once(':').filter(|(_, rest)| scheme(rest).is_some() && scheme(text).is_none())
    {
        return Some(format!("the database's address is another program's: write {url}"));
    }
    if first.starts_with('$') {
        return Some(format!(
            "{first} was not replaced by a shell: write the path in full (or ./{text}, if that is its name)"
        ));
    }
    let is_login = first.split_once('@').is_some_and(|(login, host)| !login.is_empty() && !host.is_empty());
    is_login.then(|| {
        format!("the database's address lacks its beginning: write postgres://{text} (or ./{text}, if that is a file)")
    })
}

/// The scheme and what follows its colon, if a text begins like a URL. Windows and its drives are not thought of.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| !scheme.is_empty())?;
    let known = ["postgres", "postgresql", "sqlite", "sqlite3", "file"];
    let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    (is_known || (rest.starts_with("//") && !scheme.contains('/'))).then_some((scheme, rest))
}

fn postgres(scheme: &str, rest: &str) -> Result<Location> {
    let url = format!("{}:{rest}", scheme.to_ascii_lowercase());
    if has_password(&url) {
        return Err(Error::Location(
            "a password in the database's address can be read by others: put it into ~/.pgpass, a file that PGPASSFILE names, or PGPASSWORD"
                .into(),
        ));
    }
    known_parameters(&url)?;
    Location::pooled(&url)?;
    Location::postgres_options(&url)?;
    Ok(Location::Postgres(url))
}

/// What an address may say behind its question mark. sqlx passes over what it does not know: a typo would go unnoticed, and a
/// service or a file of passwords would be looked for in vain.
fn known_parameters(url: &str) -> Result<()> {
    const READ: &str = "sslmode ssl-mode sslrootcert ssl-root-cert ssl-ca sslcert ssl-cert sslkey ssl-key host hostaddr port \
         dbname user password application_name options statement-cache-capacity target_session_attrs pooled";
    /// Of PostgreSQL's own programs; they change nothing of what is connected to.
    const PASSED_OVER: &str = "connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout \
         client_encoding fallback_application_name gssencmode channel_binding sslcompression sslsni \
         ssl_min_protocol_version ssl_max_protocol_version load_balance_hosts";
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let names = parameters.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    for name in names.filter(|name| !name.is_empty()) {
        let known = |all: &str| all.split_whitespace().any(|known| known == name);
        let why = match name {
            "service" => {
                "keyrack reads no service files: write host, user and database into the address".to_owned()
            }
            "passfile" => "name the file of passwords by PGPASSFILE instead".to_owned(),
            _ if known(READ) || known(PASSED_OVER) || name.starts_with("options[") => continue,
            _ => format!(
                "keyrack doesn't know it; it knows {}",
                READ.split_whitespace().collect::<Vec<_>>().join(", ")
            ),
        };
        return Err(Error::Location(format!("the database's address has a parameter {name}: {why}")));
    }
    Ok(())
}

/// The path in what follows `sqlite:` or `file:`.
fn file_of_url(rest: &str) -> Result<&str> {
    if rest.contains(['?', '#', '%']) {
        return Err(Error::Location(
            "the database's address is a URL with more than a path in it: give the path alone".into(),
        ));
    }
    match rest.strip_prefix("//") {
        Some(path) => Ok(path.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(path)),
        None => Ok(rest),
    }
}

/// The path with `~/` as the home folder, as a shell would have it that never saw the address.
fn at_home(path: &str) -> Result<PathBuf> {
    let Some(rest) = path.strip_prefix('~') else { return Ok(PathBuf::from(path)) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err(Error::Location(format!(
            "{path} is a path in another person's home: write it in full (or ./{path}, if that is its name)"
        )));
    }
    match std::env::home_dir().filter(|home| home.is_absolute()) {
        Some(home) => Ok(home.join(rest.trim_start_matches('/'))),
        None => {
            Err(Error::Location(format!("{path}: there is no home folder (HOME): write the path in full")))
        }
    }
}

/// `host=db dbname=keys` as a URL, without what it may say of a password.
fn libpq(text: &str) -> Option<String> {
    const KNOWN: [&str; 8] = ["host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "service"];
    let mut said = std::collections::HashMap::new();
    let mut rest = text.trim();
    while let Some((name, value)) = rest.split_once('=') {
        let (name, value) = (name.trim(), value.trim_start());
        let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !word || name.is_empty() {
            break;
        }
        let (value, behind) = match value.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        said.insert(name.to_ascii_lowercase(), value);
        rest = behind.trim_start();
    }
    let get = |name: &str| said.get(name).copied().unwrap_or_default();
    if !KNOWN.iter().any(|name| said.contains_key(*name)) {
        return None;
    }
    let user = if get("user").is_empty() { String::new() } else { format!("{}@", get("user")) };
    let host = [get("host"), get("hostaddr")].into_iter().find(|host| !host.is_empty()).unwrap_or_default();
    let (host, socket) = if host.starts_with('/') { ("", host) } else { (host, "") };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let port = if get("port").is_empty() { String::new() } else { format!(":{}", get("port")) };
    let more = [("host", socket), ("sslmode", get("sslmode"))];
    let more: Vec<String> = more
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let question = if more.is_empty() { "" } else { "?" };
    Some(format!("postgres://{user}{host}{port}/{}{question}{}", get("dbname"), more.join("&")))
}

/// The name of a parameter as sqlx reads it: letters may be written in hexadecimal.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the address has a password, as part of the authority or as a parameter.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    // A password with a slash or a question mark in it, which nobody encoded, tears the address apart.
    let torn = authority.contains(':')
        && !authority.contains('@')
        && tail.split('&').any(|part| part.contains('@') && !part.contains('='));
    let in_parameters = tail.split_once('?').is_some_and(|(_, parameters)| {
        parameters.split('&').any(|p| decoded(p).to_ascii_lowercase().starts_with("password="))
    });
    in_authority || in_parameters || torn
}

#[cfg(test)]
mod tests;
