use std::collections::HashMap;

use super::messages::{Address, AttributePeer, Pipe, SocketAddress};
use super::*;
use crate::domain::network::Networks;

fn request(headers: &[(&str, &str)]) -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        path: "/a?b".into(),
        host: "h".into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        header_map: None,
    }
}

fn raw(all: &[(&str, &[u8])]) -> HttpRequest {
    let header = |(name, value): &(&str, &[u8])| messages::HeaderValue {
        key: (*name).into(),
        value: String::new(),
        raw_value: value.to_vec(),
    };
    let map = messages::HeaderMap { headers: all.iter().map(header).collect() };
    HttpRequest { header_map: Some(map), ..request(&[]) }
}

#[test]
fn a_thing_that_is_told_in_two_ways_is_refused() {
    assert_eq!(
        headers(&request(&[(":path", "/a?b"), (":method", "GET"), (":authority", "h")])).map(|map| map.len()),
        Ok(0)
    );
    for (name, value, what) in [
        (":path", "/a", "the path"),
        (":path", "", "the path"),
        (":method", "POST", "the method"),
        (":authority", "i", "the host"),
        ("host", "i", "the host"),
    ] {
        assert_eq!(headers(&request(&[(name, value)])), Err(Mistake::Torn(what)));
        assert_eq!(headers(&raw(&[(name, value.as_bytes())])), Err(Mistake::Torn(what)));
    }
    let both = HttpRequest { headers: HashMap::from([("a".into(), "b".into())]), ..raw(&[("a", b"b")]) };
    assert_eq!(headers(&both), Err(Mistake::Torn("each header")));
    let mut two = raw(&[("x-api-key", b"a")]);
    two.header_map.as_mut().unwrap().headers[0].value = "b".into();
    assert_eq!(headers(&two), Err(Mistake::Torn("a header's value")));
}

#[test]
fn headers_that_came_twice_stay_two() {
    let twice = headers(&raw(&[("x-api-key", b"a"), ("x-api-key", b"b"), ("cookie", b"c")])).unwrap();
    assert_eq!((twice.get_all("x-api-key").iter().count(), twice.len()), (2, 2));
    let cased = headers(&request(&[("X-API-Key", "a"), ("x-api-key", "b")])).unwrap();
    assert_eq!(cased.get_all("x-api-key").iter().count(), 2);
    assert_eq!(headers(&raw(&[("authorization", b"a\nb")])), Err(Mistake::Unreadable));
    assert!(headers(&raw(&[("cookie", b"a\nb")])).is_ok(), "what nobody looks at harms nobody");
}

#[test]
fn the_client_is_who_is_connected_or_whom_a_listed_proxy_names() {
    let trusted = Listed::new(Networks::parse("10.0.0.0/8").unwrap());
    let of = |address: Option<Address>, chain: &str| {
        let source = address.map(|address| AttributePeer { address: Some(address) });
        let attributes = AttributeContext { source, ..AttributeContext::default() };
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", chain.parse().unwrap());
        self::address(&attributes, &headers, &trusted).map(|address| address.to_string())
    };
    let at = |address: &str| {
        let socket_address = Some(SocketAddress { address: address.into() });
        Some(Address { socket_address, pipe: None })
    };
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(of(at("198.51.100.1"), "203.0.113.7"), said("198.51.100.1"), "a client names nobody");
    assert_eq!(of(at("::ffff:198.51.100.1"), "203.0.113.7"), said("198.51.100.1"));
    assert_eq!(of(at("10.0.0.1"), "1.1.1.1, 203.0.113.7"), said("203.0.113.7"));
    assert_eq!(of(at("10.0.0.1"), "unknown"), None);
    assert_eq!(of(at("envoy_internal"), "203.0.113.7"), None);
    assert_eq!(of(None, "203.0.113.7"), None);
    let pipe = Some(Address { socket_address: None, pipe: Some(Pipe {}) });
    assert_eq!(of(pipe, "203.0.113.7"), said("127.0.0.1"));
}

#[tokio::test]
async fn an_answer_tells_the_service_its_own_and_the_client_his() {
    let mut passed = Response::new(Body::empty());
    for (name, value) in [("x-keyrack-key", "1"), ("x-ratelimit-limit", "60"), ("content-type", "a")] {
        passed.headers_mut().insert(name, value.parse().unwrap());
    }
    let CheckResponse { status, http_response: Some(HttpResponse::Ok(ok)) } = told(passed).await else {
        panic!()
    };
    let names = |all: &[HeaderValueOption]| -> Vec<String> {
        assert!(all.iter().all(|one| one.append == Some(false) && one.append_action == OVERWRITE));
        all.iter().map(|one| one.header.as_ref().unwrap().key.clone()).collect()
    };
    assert_eq!(status, Some(Status { code: OK }));
    assert_eq!(names(&ok.headers), ["x-keyrack-key"]);
    assert_eq!(names(&ok.response_headers_to_add), ["x-ratelimit-limit"]);
    assert_eq!(
        ok.headers_to_remove,
        ["x-keyrack-account", "x-keyrack-issuer", "x-keyrack-scopes", "x-keyrack-endpoint"]
    );

    let CheckResponse { status, http_response: Some(HttpResponse::Denied(denied)) } = unavailable().await
    else {
        panic!()
    };
    assert_ne!(status, Some(Status { code: OK }));
    assert_eq!(denied.status, Some(HttpStatus { code: 503 }));
    assert!(denied.body.contains("unavailable") && names(&denied.headers).contains(&"retry-after".into()));
}
