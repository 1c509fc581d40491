//! Where a request comes from, and which request a proxy asks about. Headers are believed only from listed proxies (H18).

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use crate::domain::network::{Networks, canonical_address};

/// The headers in which a proxy names the request that it asks about. Each kind of proxy has its own door and only that
/// door's headers count: another kind's may have come from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `X-Forwarded-Method`, `-Uri`, `-Host`: Caddy, Traefik, and HAProxy by our recipe.
    Forwarded,
    /// `X-Original-Method`, `-URI`, `-Host`: nginx by our recipe.
    Nginx,
    /// `X-Original-Method`, `X-Original-URL`: ingress-nginx, by itself.
    Ingress,
}

/// The request that a proxy asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Original<'h> {
    pub method: &'h [u8],
    /// Path and query as the client sent them.
    pub target: &'h [u8],
    pub host: Option<&'h str>,
}

/// Why a proxy's question can't be used. Each means that somebody set the proxy up wrongly, or tries to slip by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    #[error(
        "the caller is not among the trusted proxies: name its network with --trusted-proxy, or `trusted-proxy` in the settings"
    )]
    Untrusted,
    #[error(
        "the proxy does not say which request it asks about: {0} is missing, see the recipes in the documentation"
    )]
    Missing(&'static str),
    #[error("X-Original-URL isn't a valid http or https address")]
    Address,
    #[error("{0} is there more than once: the proxy must overwrite what a client sends")]
    Twice(&'static str),
    #[error("{0} has two different values: it is unknown which one others use")]
    Torn(&'static str),
    #[error("a header that may carry a key or an address can't be read")]
    Unreadable,
    #[error(
        "the question's query is not issuer=SLUG alone: the proxy must drop the client's query, as the recipes in the \
         documentation do"
    )]
    Query,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, derive_more::Display)]
pub enum Peer {
    /// Canonical.
    Address(IpAddr),
    /// Somebody on this machine, by a socket in the file system.
    #[display("a socket")]
    Socket,
}

impl Peer {
    /// The address that counts as this one's: by a socket comes nobody but this machine.
    pub fn address(self) -> IpAddr {
        match self {
            Self::Address(address) => address,
            Self::Socket => IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

/// Networks whose members have a right. Unlike an allow-list, an empty one holds nobody.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    networks: Networks,
    /// Whether those have it who come by a socket, whatever the networks are.
    sockets: bool,
}

impl Listed {
    pub fn new(networks: Networks) -> Self {
        Self { networks, sockets: false }
    }

    /// The same with those who come by a socket.
    pub fn with_sockets(self, sockets: bool) -> Self {
        Self { sockets, ..self }
    }

    pub fn holds(&self, peer: impl Into<Peer>) -> bool {
        match peer.into() {
            Peer::Address(address) => !self.networks.is_empty() && self.networks.allows(address),
            Peer::Socket => self.sockets,
        }
    }
}

/// Who the client is: the peer of the connection, or, if that is a listed proxy, whoever the last of the listed proxies
/// in the chain names. `None`: a listed proxy names somebody who is no address.
pub fn client(peer: impl Into<Peer>, headers: &HeaderMap, trusted: &Listed) -> Option<IpAddr> {
    let peer = peer.into();
    let mut client = canonical_address(peer.address());
    if !trusted.holds(peer) {
        return Some(client);
    }
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        let Ok(list) = value.to_str() else { return None };
        for entry in list.split(',').rev().map(str::trim).filter(|entry| !entry.is_empty()) {
            client = canonical_address(address(entry)?);
            if !trusted.holds(client) {
                return Some(client);
            }
        }
    }
    Some(client)
}

/// An address as proxies write it: bare, in brackets, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let socket = || text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    bare.parse().ok().or_else(socket)
}

/// The request that a proxy asks about.
pub fn original<'h>(
    dialect: Dialect,
    peer: impl Into<Peer>,
    headers: &'h HeaderMap,
    trusted: &Listed,
) -> Result<Original<'h>, Mistake> {
    if !trusted.holds(peer) {
        return Err(Mistake::Untrusted);
    }
    let [method, target, host] = match dialect {
        Dialect::Forwarded => ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"],
        Dialect::Nginx => ["x-original-method", "x-original-uri", "x-original-host"],
        Dialect::Ingress => {
            let [method, address] = ["x-original-method", "x-original-url"];
            let url = one(headers, address)?.ok_or(Mistake::Missing(address))?.as_bytes();
            let (host, target) = apart(url).ok_or(Mistake::Address)?;
            let method = one(headers, method)?.ok_or(Mistake::Missing(method))?.as_bytes();
            return Ok(Original { method, target, host: Some(host) });
        }
    };
    Ok(Original {
        method: one(headers, method)?.ok_or(Mistake::Missing(method))?.as_bytes(),
        target: one(headers, target)?.ok_or(Mistake::Missing(target))?.as_bytes(),
        host: one(headers, host)?.and_then(|value| value.to_str().ok()),
    })
}

/// The request whose target is the rest of the question's own path, as Envoy asks: below `/auth`, with its client's method and
/// `Host`.
pub fn below<'h>(
    method: &'h Method,
    uri: &'h Uri,
    peer: impl Into<Peer>,
    headers: &'h HeaderMap,
    trusted: &Listed,
) -> Result<Original<'h>, Mistake> {
    if !trusted.holds(peer) {
        return Err(Mistake::Untrusted);
    }
    let target = uri.path_and_query().and_then(|target| target.as_str().strip_prefix("/auth"));
    let target = target.ok_or(Mistake::Missing("the path behind /auth"))?;
    Ok(Original { method: method.as_str().as_bytes(), target: target.as_bytes(), host: host(uri, headers) })
}

/// Host and target of an address. A host of anything but letters, digits and `.-_:[]` may hide where the path begins.
fn apart(url: &[u8]) -> Option<(&str, &[u8])> {
    let rest = url.strip_prefix(b"https://").or_else(|| url.strip_prefix(b"http://"))?;
    let end = rest.iter().position(|byte| *byte == b'/')?;
    let (host, target) = rest.split_at(end);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
    let host = Some(host).filter(|host| !host.is_empty() && host.iter().all(plain))?;
    Some((std::str::from_utf8(host).ok()?, target))
}

fn one<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h HeaderValue>, Mistake> {
    let mut all = headers.get_all(HeaderName::from_static(name)).iter();
    let first = all.next();
    if all.next().is_some() { Err(Mistake::Twice(name)) } else { Ok(first) }
}

/// The issuer that the proxy names in the query of its question, if it names one.
///
/// It is to be the proxy's own word. One that hands its client's query on shows in most requests, and is refused: for the
/// gate there is nothing in a query but this. No decoding is needed for a slug; what is none is an issuer that is not there.
pub fn issuer(query: Option<&str>) -> Result<Option<&str>, Mistake> {
    match query {
        // A ? by itself is left where a proxy has dropped the rest.
        None | Some("") => Ok(None),
        Some(query) => {
            let slug = query.strip_prefix("issuer=").filter(|slug| !slug.contains(['&', ';', '?', '=']));
            slug.map(Some).ok_or(Mistake::Query)
        }
    }
}

/// Which host a request is for.
pub fn host<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    uri.authority().map(|authority| authority.as_str()).or_else(|| headers.get(header::HOST)?.to_str().ok())
}

/// A host without its port, to compare with a list of hosts. Compared without regard to case.
pub fn bare_host(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests;
