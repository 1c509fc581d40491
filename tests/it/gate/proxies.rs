//! A gate behind real proxies, set up by the very files that the documentation shows.

use std::net::SocketAddr;
use std::path::Path;

use crate::support::database::{Database, skip};
use crate::support::gate::{Gate, bearer};
use crate::support::http::{Answer, Connection, request, send};
use crate::support::people::{account, keep, make_kept, office, preset, scoped};
use crate::support::servers::{Api, At, Server};
use keyrack::domain::network::Networks;
use keyrack::service::{CreateKey, Service, new_operation};

mod envoy;
mod envoy_grpc;
mod recipes;
mod scopes;
mod sockets;

type Start = fn(&Path, &At, SocketAddr) -> Option<Server>;

/// A proxy and what it does to the names of headers.
struct Proxy {
    name: &'static str,
    start: Start,
    names: &'static str,
}

const NGINX: Proxy = Proxy { name: "nginx", start: Server::nginx, names: "kept" };
const CADDY: Proxy = Proxy { name: "caddy", start: Server::caddy, names: "rewritten" };
const HAPROXY: Proxy = Proxy { name: "haproxy", start: Server::haproxy, names: "rewritten" };

/// A gate, a proxy before it and an API behind that.
struct Site {
    api: Api,
    proxy: Server,
    gate: Gate,
}

impl Site {
    /// `None`, and a word about it, where the proxy is not installed.
    fn build(db: &Database, proxy: &Proxy) -> Option<Self> {
        Self::with(db, proxy, &[])
    }

    /// The same, the gate being told more.
    fn with(db: &Database, proxy: &Proxy, args: &[&str]) -> Option<Self> {
        let gate = Gate::start(db, &[&["--header-names", proxy.names], args].concat());
        let at = gate.address.into();
        Self::of(db, proxy, gate, &at)
    }

    /// The same by a socket, whose callers alone are believed.
    fn by_socket(db: &Database, proxy: &Proxy) -> Option<Self> {
        let socket = db.dir().join(format!("{}.sock", proxy.name));
        let place = format!("unix:{}", socket.display());
        let told = ["--listen", &place, "--trusted-proxy", "unix", "--header-names", proxy.names];
        Self::of(db, proxy, Gate::bare(db, &told), &At::Socket(socket))
    }

    fn of(db: &Database, proxy: &Proxy, gate: Gate, at: &At) -> Option<Self> {
        let api = Api::start();
        let Some(proxy) = (proxy.start)(db.dir(), at, api.address) else {
            skip(proxy.name, &format!("{} is not installed (tests/run --install)", proxy.name));
            return None;
        };
        Some(Self { api, proxy, gate })
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(self.proxy.address, method, path, headers, body)
    }
}

const LIMITS: [&str; 5] =
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit"];

/// What holds behind every proxy.
async fn every_answer_reaches_the_client(db: &Database, proxy: &Proxy) {
    every_answer_of(Site::build, db, proxy).await;
}

async fn every_answer_of(build: fn(&Database, &Proxy) -> Option<Site>, db: &Database, proxy: &Proxy) {
    let office = office(db, preset("voxpria")).await;
    let created = keep(&office, scoped("acme", "calls:read calls:write")).await;
    let narrow = keep(&office, scoped("acme", "calls:read")).await;
    let elsewhere =
        CreateKey { allow: Networks::parse("203.0.113.0/24").unwrap(), ..scoped("acme", "calls:read") };
    let elsewhere = keep(&office, elsewhere).await;
    let Some(mut site) = build(db, proxy) else { return };
    let key = bearer(&created.secret);

    // It passes, and the API learns whose request it is, whatever the client claims.
    let claims = [
        ("Authorization", key.as_str()),
        ("X-Keyrack-Account", "globex"),
        ("X_Keyrack_Account", "globex"),
        ("X-Keyrack_Account", "globex"),
        ("X-Keyrack-Scopes", "all"),
        ("X-Forwarded-For", "203.0.113.77"),
        (
            "Connection",
            "X-Keyrack-Key, X-Keyrack-Account, X-Keyrack-Issuer, X-Keyrack-Scopes, X-Keyrack-Endpoint",
        ),
        ("Connection", "X-Forwarded-Uri, X-Forwarded-Method, X-Original-URI, X-Forwarded-For"),
    ];
    let ask = |claims: &[(&str, &str)]| site.send("POST", "/api/v1/calls?to=%2B49", claims, "{\"to\":1}");
    let mut answer = ask(&claims);
    if proxy.name == "envoy" {
        assert_eq!(answer.status, 400, "Envoy takes nobody who names headers of proxies in Connection");
        let plain: Vec<_> = claims.iter().copied().filter(|(name, _)| *name != "Connection").collect();
        answer = ask(&plain);
    }
    assert_eq!(answer.status, 200, "{answer:?}");
    let echo = answer.json();
    let head = echo["head"].as_str().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /api/v1/calls?to=%2b49 http/1."), "{head}");
    assert_eq!(echo["body"], "{\"to\":1}");
    for line in [
        format!("x-keyrack-key: {}", created.key.id),
        "x-keyrack-account: acme".into(),
        "x-keyrack-issuer: voxpria".into(),
        "x-keyrack-scopes: calls:read calls:write".into(),
        "x-keyrack-endpoint: calls".into(),
    ] {
        assert_eq!(head.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line} in\n{head}");
    }
    assert!(!head.contains("globex") && !head.contains("connection: x-"), "{head}");
    assert!(!head.contains("203.0.113.77"), "the API learns no address from its client: {head}");
    for name in LIMITS {
        assert!(answer.header(name).is_some_and(|value| !value.is_empty()), "{name}: {answer:?}");
    }

    // Refusals, each as the gate words it.
    let passed = site.api.count();
    let answers = preset("voxpria").answers;
    let missing = site.send("GET", "/api/v1/calls", &[], "");
    let scope = site.send("POST", "/api/v1/calls", &[("Authorization", &bearer(&narrow.secret))], "x");
    let address = site.send(
        "GET",
        "/api/v1/calls",
        &[
            ("Authorization", &bearer(&elsewhere.secret)),
            ("X-Forwarded-For", "203.0.113.7"),
            ("X-Real-IP", "203.0.113.7"),
        ],
        "",
    );
    let two = site.send(
        "GET",
        "/api/v1/calls",
        &[("Authorization", &key), ("X-API-Key", narrow.secret.expose())],
        "",
    );
    let hidden = site.send("GET", "/api/v1/calls%2f..%2fcredits", &[("Authorization", &key)], "");
    assert_eq!(
        (missing.status, missing.body.as_str()),
        (401, "{\"error\":{\"code\":\"unauthorized\",\"message\":\"Invalid or missing API key.\"}}")
    );
    assert!(missing.header("www-authenticate").unwrap().contains("invalid_token"), "{missing:?}");
    assert_eq!(
        (scope.status, scope.body.as_str()),
        (403, answers.forbidden.replace("{scope}", "calls:write").as_str())
    );
    assert!(scope.header("www-authenticate").unwrap().contains("insufficient_scope"), "{scope:?}");
    assert_eq!(
        (address.status, address.body.as_str()),
        (401, answers.unauthorized.as_str()),
        "a forged address is not believed"
    );
    assert_eq!((two.status, two.body.as_str()), (400, answers.bad_request.as_str()));
    assert_eq!(hidden.status, 400, "{hidden:?}");
    for (name, answer) in [("missing", &missing), ("scope", &scope), ("two", &two)] {
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}: {answer:?}");
    }

    // The budget is used up: 429 with what the client needs to know.
    let spent = loop {
        let answer = site.send("GET", "/api/v1/calls", &[("Authorization", &key)], "");
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(spent.status, 429, "{spent:?}");
    let wait = spent.number("retry-after");
    assert_eq!(spent.body, answers.rate_limited.replace("{retry-after}", &wait.to_string()));
    assert_eq!((spent.number("x-ratelimit-limit"), spent.number("x-ratelimit-remaining")), (100, 0));
    for name in LIMITS {
        assert!(spent.header(name).is_some(), "{name}: {spent:?}");
    }
    assert_eq!(site.api.count() - passed, 99, "what was refused never reached the API");

    let (before, mut client) = (site.api.connections(), Connection::open(site.proxy.address));
    let asked = request("GET", "/api/v1/calls", &[("Authorization", &bearer(&narrow.secret))], "");
    for _ in 0..30 {
        client.send(&asked);
        assert_eq!(client.answer().unwrap().status, 200);
    }
    assert!(site.api.connections() - before <= 2, "30 requests of one client");

    // Revoked: the next request.
    let reader = bearer(&narrow.secret);
    assert_eq!(site.send("GET", "/api/v1/calls", &[("Authorization", &reader)], "").status, 200);
    office.revoke_keys(new_operation(), &[narrow.key.id], None).await.unwrap();
    let revoked = site.send("GET", "/api/v1/calls", &[("Authorization", &reader)], "");
    assert_eq!((revoked.status, revoked.body), (401, missing.body.clone()));
    site.gate.wait_for_log("reason=\"revoked\"");

    // No gate, no passing.
    let Site { api, proxy, gate } = site;
    gate.stop();
    let passed = api.count();
    let gone = send(proxy.address, "GET", "/api/v1/calls", &[("Authorization", &key)], "");
    assert_eq!((gone.status, api.count()), (503, passed), "{gone:?}");
    assert_eq!(gone.number("retry-after"), 1);
}

/// What a client asks the API for in its query is no matter between the proxy and the gate.
async fn no_client_chooses_the_issuer(office: &Service, db: &Database, proxy: &Proxy) {
    office.apply_policy(new_operation(), preset("voicegram")).await.unwrap();
    office.create_account(new_operation(), account("voicegram", "initech")).await.unwrap();
    let ours = keep(office, scoped("acme", "calls:read")).await.secret;
    let theirs = make_kept(office, "initech", "x").await.secret;
    let Some(bound) = Site::with(db, proxy, &["--issuer", "voxpria"]) else { return };
    for query in ["", "?", "?issuer=voicegram", "?issuer=voxpria", "?issuer=zz&page=2", "??issuer=voicegram"]
    {
        let path = format!("/api/v1/calls{query}");
        let status = |key| bound.send("GET", &path, &[("Authorization", &bearer(key))], "").status;
        assert_eq!((status(&ours), status(&theirs)), (200, 401), "{query}");
    }
    let Some(open) = Site::build(db, proxy) else { return };
    let answer = open.send("GET", "/api/v1/calls?issuer=voicegram", &[("Authorization", &bearer(&ours))], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json()["head"].as_str().unwrap().starts_with("GET /api/v1/calls?issuer=voicegram "));
}

/// Websockets reach the API where the recipe says so; another protocol, in which no gate would be asked, never does.
async fn no_client_changes_the_protocol(office: &Service, db: &Database, proxy: &Proxy, sockets: bool) {
    let key = bearer(&keep(office, scoped("acme", "calls:read")).await.secret);
    let Some(site) = Site::build(db, proxy) else { return };
    let upgrade = |connection: &str, protocol: &str| {
        let headers = [
            ("Authorization", key.as_str()),
            ("Connection", connection),
            ("Upgrade", protocol),
            ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let answer = site.send("GET", "/api/v1/calls", &headers, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["head"].as_str().unwrap().to_ascii_lowercase()
    };
    let socket = upgrade("keep-alive, Upgrade, X-Keyrack-Account", "websocket");
    let opens =
        socket.contains("\r\nupgrade: websocket\r\n") && socket.contains("\r\nconnection: upgrade\r\n");
    assert_eq!(opens, sockets, "{socket}");
    assert!(socket.contains("\r\nx-keyrack-account: acme\r\n"), "{socket}");
    let other = upgrade("Upgrade, HTTP2-Settings", "h2c");
    assert!(!other.contains("h2c"), "{other}");
}

/// A path that the API might read in another way than the gate does not reach it, whatever the proxy makes of it.
async fn no_spelling_slips_past_a_scope(office: &Service, db: &Database, proxy: &Proxy) {
    let credits = bearer(&keep(office, scoped("acme", "credits:read")).await.secret);
    let calls = bearer(&keep(office, scoped("acme", "calls:read")).await.secret);
    let Some(site) = Site::build(db, proxy) else { return };
    spellings_slip_past_no_scope(&site, &credits, &calls);
}

fn spellings_slip_past_no_scope(site: &Site, credits: &str, calls: &str) {
    let ask = |path: &str, key: &str| site.send("GET", path, &[("Authorization", key)], "").status;
    assert_eq!(ask("/api/v1/credits", credits), 200);
    for path in [
        "/api/v1/credits#/../calls",
        "/api/v1/credits/#/../../calls/7",
        "/api/v1/credits?#/../calls",
        "/api/v1/credits%23/../calls",
        "/api/v1/credits%3f/../calls",
        "/api/v1/credits/%c0%ae%c0%ae/calls",
        "/api/v1/credits/..%c0%afcalls",
        "/api/v1/credits\\..\\calls",
        "/api/v1/credits/%5c..%5ccalls",
        "/api/v1/credits/..;/calls",
        "/api/v1/credits/%252e%252e/calls",
        "/api/v1/credits/%00",
    ] {
        assert_eq!(ask(path, credits), 400, "{path}");
    }
    assert_eq!(site.api.count(), 1);
    assert_eq!(ask("/api/v1/calls/M%C3%BCnchen?q=a%23b%00%ff", calls), 200, "what is no trick passes");
}

/// The gate reads so many headers and no more; whoever sent more hears that it was he.
async fn too_many_headers_are_the_clients_fault(office: &Service, db: &Database, proxy: &Proxy) {
    let key = bearer(&keep(office, scoped("acme", "calls:read")).await.secret);
    let Some(site) = Site::build(db, proxy) else { return };
    let names: Vec<String> = (0..120).map(|n| format!("X-Many-{n}")).collect();
    let mut headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    headers.push(("Authorization", &key));
    let answer = site.send("GET", "/api/v1/calls", &headers, "");
    assert!([400, 431].contains(&answer.status), "{answer:?}");
    assert_eq!((answer.header("retry-after"), site.api.count()), (None, 0), "{answer:?}");
}

async fn a_client_has_what_is_its_own(db: &Database, proxy: &Proxy, sockets: bool) {
    let office = office(db, preset("voxpria")).await;
    no_client_chooses_the_issuer(&office, db, proxy).await;
    no_client_changes_the_protocol(&office, db, proxy, sockets).await;
    no_spelling_slips_past_a_scope(&office, db, proxy).await;
    too_many_headers_are_the_clients_fault(&office, db, proxy).await;
}

on_both! {
    async fn behind_nginx_every_answer_reaches_the_client(db) {
        every_answer_reaches_the_client(&db, &NGINX).await;
    }

    async fn behind_caddy_every_answer_reaches_the_client(db) {
        every_answer_reaches_the_client(&db, &CADDY).await;
    }

    async fn behind_haproxy_every_answer_reaches_the_client(db) {
        every_answer_reaches_the_client(&db, &HAPROXY).await;
    }

    async fn behind_nginx_a_client_has_its_own_query_protocol_and_headers_and_no_more(db) {
        a_client_has_what_is_its_own(&db, &NGINX, false).await;
    }

    async fn behind_caddy_a_client_has_its_own_query_protocol_and_headers_and_no_more(db) {
        a_client_has_what_is_its_own(&db, &CADDY, true).await;
    }

    async fn behind_haproxy_a_client_has_its_own_query_protocol_and_headers_and_no_more(db) {
        a_client_has_what_is_its_own(&db, &HAPROXY, true).await;
    }

    async fn a_proxy_that_hands_its_clients_query_on_is_told_so(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let mut gate = Gate::start(&db, &["--issuer", "voxpria"]);
        let ask = |gate: &Gate, query: &str| {
            let asked = [
                ("X-Forwarded-Method", "GET"),
                ("X-Forwarded-Uri", "/api/v1/calls"),
                ("X-Forwarded-For", "198.51.100.1"),
                ("Authorization", key.as_str()),
            ];
            gate.get(&format!("/auth{query}"), &asked)
        };
        for (query, status) in [("", 200), ("?", 200), ("?issuer=voxpria", 200), ("?issuer=voicegram", 401)] {
            assert_eq!(ask(&gate, query).status, status, "{query}");
        }
        for query in ["?page=2", "?Issuer=voxpria", "?%69ssuer=voxpria", "??issuer=voxpria", "?issuer=a&issuer=voxpria"] {
            let answer = ask(&gate, query);
            assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &"bad_proxy".into()), "{query}");
        }
        gate.wait_for_log("the proxy must drop the client's query");
    }

    async fn vi_02_nginx_keeps_the_spelling_of_the_header_and_vi_09_the_body(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "crm").await.secret;
        let Some(site) = Site::build(&db, &NGINX) else { return };
        let body = r#"{"error":{"code":"unauthorized","message":"Invalid or missing API key."}}"#;
        for (name, status) in [("X-API-Key", 200), ("x-api-key", 401), ("X-Api-Key", 401), ("Authorization", 401)] {
            let answer = site.send("POST", "/v1/calls/outbound", &[(name, key.expose())], "{}");
            assert_eq!(answer.status, status, "{name}: {answer:?}");
            if status == 401 {
                assert_eq!(answer.body, body, "{name}");
                assert_eq!(answer.header("www-authenticate"), None, "this issuer takes no Bearer");
            }
        }
        let missing = site.send("GET", "/v1/agents", &[], "");
        assert_eq!((missing.status, missing.body.as_str()), (401, body));
    }

    async fn no_client_reaches_the_gates_own_doors_through_nginx(db) {
        office(&db, preset("voxpria")).await;
        let Some(site) = Site::build(&db, &NGINX) else { return };
        for path in ["/-/gate", "/auth/nginx", "/auth"] {
            let headers = [("X-Original-Method", "GET"), ("X-Original-URI", "/api/v1/calls")];
            assert!([401, 404].contains(&site.send("GET", path, &headers, "").status), "{path}");
        }
        assert_eq!(site.api.count(), 0);
    }
}
