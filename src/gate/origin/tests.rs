use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn trusted(text: &str) -> Listed {
    Listed::new(Networks::parse(text).unwrap())
}

fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in all {
        map.append(*name, value.parse().unwrap());
    }
    map
}

#[test]
fn without_a_list_no_header_moves_the_address() {
    let forged = headers(&[("x-forwarded-for", "10.0.0.1")]);
    assert_eq!(client(ip("203.0.113.7"), &forged, &Listed::default()), Some(ip("203.0.113.7")));
    assert_eq!(client(ip("203.0.113.7"), &forged, &trusted("127.0.0.1")), Some(ip("203.0.113.7")));
}

#[test]
fn behind_listed_proxies_the_rightmost_stranger_is_the_client() {
    let list = trusted("127.0.0.1 10.0.0.0/8");
    for (chain, expected) in [
        ("198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, ::ffff:10.0.0.1", "1.1.1.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ] {
        let chain = headers(&[("x-forwarded-for", chain)]);
        assert_eq!(client(ip("::ffff:127.0.0.1"), &chain, &list), Some(ip(expected)), "{chain:?}");
    }
    assert_eq!(client(ip("127.0.0.1"), &HeaderMap::new(), &list), Some(ip("127.0.0.1")));
    let two = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.1, 10.0.0.1")]);
    assert_eq!(client(ip("127.0.0.1"), &two, &list), Some(ip("198.51.100.1")));
}

#[test]
fn an_address_that_is_none_is_nobody() {
    let list = trusted("127.0.0.1");
    for chain in ["unknown", "198.51.100.1, _hidden", "1.2.3", "\u{e9}"] {
        let chain = headers(&[("x-forwarded-for", chain)]);
        assert_eq!(client(ip("127.0.0.1"), &chain, &list), None, "{chain:?}");
    }
}

#[test]
fn only_a_listed_proxy_may_ask_about_another_request() {
    let asked =
        headers(&[("x-forwarded-method", "POST"), ("x-forwarded-uri", "/a?b"), ("x-forwarded-host", "h:1")]);
    let ask = |peer, list: &Listed| original(Dialect::Forwarded, ip(peer), &asked, list);
    assert_eq!(ask("127.0.0.1", &Listed::default()), Err(Mistake::Untrusted));
    assert_eq!(ask("127.0.0.2", &trusted("127.0.0.1")), Err(Mistake::Untrusted));
    let found = ask("127.0.0.1", &trusted("127.0.0.1")).unwrap();
    assert_eq!(found, Original { method: b"POST", target: b"/a?b", host: Some("h:1") });
}

#[test]
fn one_proxys_headers_count_for_nothing_at_anothers_door() {
    let list = trusted("127.0.0.1");
    let both = headers(&[
        ("x-forwarded-method", "POST"),
        ("x-forwarded-uri", "/secret"),
        ("x-original-method", "GET"),
        ("x-original-uri", "/free"),
    ]);
    let forwarded = original(Dialect::Forwarded, ip("127.0.0.1"), &both, &list).unwrap();
    assert_eq!((forwarded.method, forwarded.target), (b"POST".as_slice(), b"/secret".as_slice()));
    let nginx = original(Dialect::Nginx, ip("127.0.0.1"), &both, &list).unwrap();
    assert_eq!((nginx.method, nginx.target), (b"GET".as_slice(), b"/free".as_slice()));
    let lacking = headers(&[("x-original-method", "GET"), ("x-original-uri", "/free")]);
    let refused = original(Dialect::Forwarded, ip("127.0.0.1"), &lacking, &list);
    assert_eq!(refused, Err(Mistake::Missing("x-forwarded-method")));
}

#[test]
fn a_header_that_came_twice_is_refused_and_not_chosen_from() {
    let list = trusted("127.0.0.1");
    let twice =
        headers(&[("x-original-method", "GET"), ("x-original-uri", "/free"), ("x-original-uri", "/secret")]);
    let refused = original(Dialect::Nginx, ip("127.0.0.1"), &twice, &list);
    assert_eq!(refused, Err(Mistake::Twice("x-original-uri")));
}

#[test]
fn a_host_is_compared_without_its_port() {
    for (host, bare) in [
        ("api.example.com", "api.example.com"),
        ("api.example.com:8443", "api.example.com"),
        ("[::1]:80", "[::1]"),
        ("::1", "::1"),
    ] {
        assert_eq!(bare_host(host), bare);
    }
}

#[test]
fn a_question_names_one_issuer_or_none_and_nothing_else() {
    for (query, slug) in [
        (None, None),
        (Some(""), None),
        (Some("issuer=voxpria"), Some("voxpria")),
        (Some("issuer="), Some("")),
        (Some("issuer=no%20slug"), Some("no%20slug")),
    ] {
        assert_eq!(issuer(query), Ok(slug), "{query:?}");
    }
    for query in [
        "page=2",
        "issuer",
        "Issuer=voxpria",
        "%69ssuer=voxpria",
        "?issuer=voxpria",
        "&issuer=voxpria",
        "issuer=voxpria&",
        "issuer=voxpria&issuer=voicegram",
        "issuer=voxpria;issuer=voicegram",
        "issuer=voxpria&page=2",
        "page=2&issuer=voxpria",
        "issuer=voxpria?issuer=voicegram",
    ] {
        assert_eq!(issuer(Some(query)), Err(Mistake::Query), "{query}");
    }
}

#[test]
fn envoy_asks_with_the_request_itself_below_auth() {
    let list = trusted("127.0.0.1");
    let named =
        headers(&[("host", "api.example.com"), ("x-forwarded-uri", "/free"), ("x-original-uri", "/free")]);
    let ask = |peer, target: &str| {
        let uri: Uri = target.parse().unwrap();
        let found = below(&Method::DELETE, &uri, ip(peer), &named, &list);
        found.map(|found| (String::from_utf8(found.target.to_vec()).unwrap(), found.host.map(str::to_owned)))
    };
    let host = Some("api.example.com".to_owned());
    for (asked, target) in
        [("/auth/v1/calls?x=/auth", "/v1/calls?x=/auth"), ("/auth/", "/"), ("/auth//v1", "//v1")]
    {
        assert_eq!(ask("127.0.0.1", asked), Ok((target.into(), host.clone())), "{asked}");
    }
    assert_eq!(ask("127.0.0.2", "/auth/v1/calls"), Err(Mistake::Untrusted));
}

#[test]
fn ingress_nginx_tells_an_address_and_nothing_hides_in_its_host() {
    let list = trusted("127.0.0.1");
    let ask = |url: &str| {
        let all =
            headers(&[("x-original-method", "POST"), ("x-original-url", url), ("x-original-uri", "/free")]);
        let found = original(Dialect::Ingress, ip("127.0.0.1"), &all, &list);
        found.map(|found| (String::from_utf8(found.target.to_vec()).unwrap(), found.host.map(str::to_owned)))
    };
    for (url, host, target) in [
        ("https://api.example.com/v1/calls?a=b", "api.example.com", "/v1/calls?a=b"),
        ("http://api.example.com:8443/", "api.example.com:8443", "/"),
        ("https://[::1]:80//x", "[::1]:80", "//x"),
    ] {
        assert_eq!(ask(url), Ok((target.into(), Some(host.into()))), "{url}");
    }
    for url in [
        "/v1/calls",
        "ftp://x/y",
        "https:///y",
        "https://x",
        "https://x?y/z",
        "https://a@b/z",
        "https://x#y/z",
    ] {
        assert_eq!(ask(url), Err(Mistake::Address), "{url}");
    }
}
