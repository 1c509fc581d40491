//! Who may ask what strangers shall not know: about keys that others sent, and what the gate has done.
//!
//! A proxy on this machine that nobody listed looks like this machine, and brings whoever comes to it. So the address of this
//! machine proves nothing: the gate's token does, or the listener that operators have for themselves.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use zeroize::Zeroizing;

use super::answer;
use super::caller::Caller;
use super::door::Door;
use super::origin::{Peer, bare_host, client, host};
use crate::domain::secret::HashedKey;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Verdicts on keys, with their reasons.
    Verdicts,
    /// What the gate has done.
    Metrics,
}

/// The answer to somebody who may not ask; the log says what is lacking.
pub fn refusal(
    door: &Door,
    caller: Caller,
    matter: Matter,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let lacks = lack(door, caller, matter, host(uri, headers), headers)?;
    door.log(|| tracing::warn!(peer = %caller.peer, path = uri.path(), "a question was refused: {lacks}"));
    let message =
        "This address can't ask here, or the gate's token is missing or wrong. The gate's log says more.";
    Some(answer::error(StatusCode::FORBIDDEN, "forbidden", message))
}

fn lack(
    door: &Door,
    caller: Caller,
    matter: Matter,
    host: Option<&str>,
    headers: &HeaderMap,
) -> Option<&'static str> {
    let (rule, peer) = (&door.settings.verify, caller.peer);
    if caller.apart && matter == Matter::Metrics {
        return strange_host(peer, host);
    }
    let trusted = door.settings.trusted.holds(peer);
    let passed_on =
        ["x-forwarded-for", "forwarded", "via", "x-real-ip"].iter().any(|name| headers.contains_key(*name));
    let asks = if trusted {
        client(peer, headers, &door.settings.trusted)
    } else {
        (!passed_on).then_some(peer.address())
    };
    if !asks.is_some_and(|asks| rule.from.holds(asks)) {
        return Some(
            "the address is not in a network of --verify-from, or a proxy that isn't a --trusted-proxy forwarded it",
        );
    }
    match rule.token {
        // Hashes are compared: how long that takes says nothing about the token.
        Some(wanted) if token(headers).is_some_and(|token| HashedKey::of(&token) == wanted) => None,
        Some(_) => Some("the token of --verify-token-file is missing or wrong"),
        None if caller.apart => strange_host(peer, host),
        None if peer.address().is_loopback() || trusted => Some(
            "without a token nobody may ask here from this machine or through a proxy: give the gate a token with \
             --verify-token-file, or ask at --admin-listen",
        ),
        None => None,
    }
}

/// Whoever comes from this machine and asks for another host comes through a proxy, or a browser that was led here.
fn strange_host(peer: Peer, host: Option<&str>) -> Option<&'static str> {
    let here = |host: &str| {
        let name = bare_host(host).trim_end_matches('.');
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        name.eq_ignore_ascii_case("localhost")
            || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    };
    let strange = peer.address().is_loopback() && host.is_some_and(|host| !here(host));
    strange
        .then_some("it came from this machine for a Host that is not this machine, so a proxy forwarded it")
}

fn token(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| Zeroizing::new(token.trim_ascii().to_vec()))
}
