//! Request heads: the gate's own reading of them tells the same in any pieces, and nothing else than the HTTP library's.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use keyrack::domain::issuer::RequestLine;
use keyrack::domain::network::Networks;
use keyrack::fuzzing::{Dialect, Heads, Listed, Note, bare_host, client, issuer, original};

use crate::given::{Given, pieces};

pub fn check(bytes: &[u8]) {
    let mut given = Given(bytes);
    let seed = given.byte();
    let stream = given.0;
    let whole = notes(&[stream]);
    assert_eq!(notes(&pieces(stream, seed)), whole, "in other pieces");
    agrees(stream, &whole);
    if let Ok(text) = std::str::from_utf8(stream) {
        origin(text, seed);
    }
    let mut words = stream.splitn(3, |byte| *byte == b' ');
    if let (Some(method), Some(target)) = (words.next(), words.next())
        && let Ok(line) = RequestLine::new(method, target)
    {
        assert!(line.path().starts_with('/') || line.path() == "*", "{:?}", line.path());
    }
}

fn notes(pieces: &[&[u8]]) -> Vec<Note> {
    let mut heads = Heads::default();
    let mut told = Vec::new();
    for piece in pieces {
        heads.follow(piece, |note| told.push(note));
    }
    told
}

/// What is noted of a request is what the parser of the HTTP library makes of it: as many key headers, each spelled so.
/// Where that can't read on, the connection ends, and no note behind it is ever asked for.
fn agrees(mut stream: &[u8], notes: &[Note]) {
    for note in notes {
        let mut room = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut room);
        let Ok(httparse::Status::Complete(length)) = request.parse(stream) else { return };
        if note.is_doubt() {
            return;
        }
        let keys: Vec<bool> = request
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case("x-api-key"))
            .map(|header| header.name == "X-API-Key")
            .collect();
        for (n, exact) in keys.iter().enumerate() {
            assert_eq!(note.is_exact(n, keys.len()), Some(*exact), "key header {n} of {}", keys.len());
        }
        assert_eq!(note.is_exact(0, keys.len() + 1), None, "a key header that nobody sent");
        let named = |name: &str| {
            request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).count()
        };
        assert_eq!(named("transfer-encoding"), 0, "a body in chunks was followed");
        assert!(named("content-length") <= 1);
        let body = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let body = body.map_or(Some(0), |header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
        let Some(rest) = body.and_then(|body: usize| stream.get(length.checked_add(body)?..)) else { return };
        stream = rest;
    }
}

/// Nothing that a client writes moves what the last listed proxy says of it.
fn origin(text: &str, seed: u8) {
    let listed = Listed::new(Networks::parse("127.0.0.1 10.0.0.0/8").unwrap_or_default());
    let (proxy, stranger) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([203, 0, 113, 7]));
    let mut headers = HeaderMap::new();
    for line in text.lines().filter_map(|line| HeaderValue::from_str(line).ok()) {
        headers.append("x-forwarded-for", line);
    }
    assert_eq!(client(stranger, &headers, &listed), Some(stranger), "a stranger's header was believed");
    let seen = client(proxy, &headers, &listed);
    if let Some(seen) = seen.filter(|seen| !listed.holds(*seen)) {
        let mut forged = HeaderMap::new();
        forged.append("x-forwarded-for", HeaderValue::from_static("198.51.100.9, 10.1.1.1, unknown"));
        for value in headers.get_all("x-forwarded-for") {
            forged.append("x-forwarded-for", value.clone());
        }
        assert_eq!(client(proxy, &forged, &listed), Some(seen), "what the client wrote before it moved it");
    }
    let dialect = if seed.is_multiple_of(2) { Dialect::Forwarded } else { Dialect::Nginx };
    assert!(
        original(dialect, stranger, &headers, &listed).is_err(),
        "a stranger asked about another request"
    );
    if let Ok(Some(slug)) = issuer(Some(text)) {
        assert_eq!(format!("issuer={slug}"), text);
        assert!(!slug.contains(['&', ';', '?', '=']));
    }
    assert!(text.starts_with(bare_host(text)));
}
