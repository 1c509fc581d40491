//! The door for gRPC: it decides as the one for HTTP does, believes the listed proxies alone, and stands what a proxy that
//! was taken over would send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::net::{TcpStream, UnixStream};

use crate::support::database::{Database, skip};
use crate::support::gate::{Gate, bearer};
use crate::support::grpc::{Ask, CHECK, Channel, HEALTH, Reply, answered, field, framed};
use crate::support::http::Answer;
use crate::support::line::Line;
use crate::support::people::{account, keep, make_kept, office, preset, scoped};
use keyrack::domain::network::Networks;
use keyrack::domain::secret::PlainKey;
use keyrack::service::{CreateKey, new_operation};

const REWRITTEN: [&str; 4] = ["--header-names", "rewritten", "--listen-grpc", "127.0.0.1:0"];

fn gate(db: &Database, args: &[&str]) -> (Gate, SocketAddr) {
    let mut gate = Gate::start(db, &[&REWRITTEN, args].concat());
    let address = gate.last_address();
    (gate, address)
}

/// The headers of an answer by HTTP without those of HTTP itself, in order.
fn plain(answer: &Answer) -> Vec<(String, String)> {
    let own = ["date", "content-length", "connection", "content-type", "cache-control"];
    let mut all: Vec<_> =
        answer.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    all.sort();
    all
}

/// The same of an answer by gRPC.
fn told(reply: &Reply) -> Vec<(String, String)> {
    let own = ["content-type", "cache-control"];
    let all = reply.headers.iter().chain(&reply.more).filter(|(name, _)| !own.contains(&name.as_str()));
    let mut all: Vec<_> = all.cloned().collect();
    all.sort();
    all
}

/// Asks at both doors, and holds one against the other.
#[track_caller]
fn same(gate: &Gate, reply: &Reply, ask: &Ask<'_>) {
    let mut asked = vec![
        ("X-Forwarded-Method", ask.method),
        ("X-Forwarded-Uri", ask.path),
        ("X-Forwarded-Host", ask.host),
    ];
    if let Some(source) = ask.source {
        asked.push(("X-Forwarded-For", source));
    }
    asked.extend(
        ask.headers.iter().copied().filter(|(name, _)| !name.eq_ignore_ascii_case("x-forwarded-for")),
    );
    let target = ask.issuer.map_or("/auth".into(), |slug| format!("/auth?issuer={slug}"));
    let answer = gate.get(&target, &asked);
    assert_eq!(reply.grpc, 0, "{ask:?}: {reply:?}");
    assert_eq!(reply.code == 0, answer.status == 200, "{ask:?}: {reply:?} and {answer:?}");
    if answer.status != 200 {
        assert_eq!((reply.status, &reply.body), (u64::from(answer.status), &answer.body), "{ask:?}");
        assert!(
            reply.removed.is_empty() && reply.header("content-type") == Some("application/json"),
            "{reply:?}"
        );
    } else {
        assert!(reply.headers.iter().all(|(name, _)| name.starts_with("x-keyrack-")), "{reply:?}");
    }
    assert_eq!(told(reply), plain(&answer), "{ask:?}");
}

on_both! {
    async fn by_grpc_it_decides_as_by_http_in_the_same_words(db) {
        let mut policy = preset("voxpria");
        policy.limits.clear();
        policy.gate.preflights = true;
        let office = office(&db, policy).await;
        office.apply_policy(new_operation(), preset("voiceinfra")).await.unwrap();
        office.create_account(new_operation(), account("voiceinfra", "initech")).await.unwrap();
        let reads = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let there = CreateKey { allow: Networks::parse("203.0.113.0/24").unwrap(), ..scoped("acme", "calls:read") };
        let there = bearer(&keep(&office, there).await.secret);
        let revoked = keep(&office, scoped("acme", "calls:read")).await;
        office.revoke_keys(new_operation(), &[revoked.key.id], None).await.unwrap();
        let revoked = bearer(&revoked.secret);
        let infra = make_kept(&office, "initech", "one").await.secret;
        for freshness in ["proof", "lease=2s"] {
            let (gate, address) = gate(&db, &["--freshness", freshness, "--unknown-keys", "0"]);
            let channel = Channel::open(address).await.unwrap();
            let key = ("authorization", reads.as_str());
            let get = |path| Ask::new("GET", path, &[key]);
            let with = |headers: &[(&'static str, &str)]| -> Vec<(String, String)> {
                headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
            };
            let preflight = with(&[("origin", "https://a.example"), ("access-control-request-method", "GET")]);
            let preflight: Vec<(&str, &str)> = preflight.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let mut asks = vec![
                get("/api/v1/calls"),
                get("/api/v1/calls?to=%2B49"),
                get("/api/v1/credits"),
                get("/nowhere"),
                get("/api/v1/calls/../credits"),
                get("//api/v1/calls"),
                get("/api/v1/calls%2f7"),
                get("/api/v1/calls#a"),
                get("/api/v1/calls/"),
                get("/API/v1/calls"),
                get("api/v1/calls"),
                get(""),
                get("*"),
                get("http://api.example.com/api/v1/calls"),
                Ask::new("POST", "/api/v1/calls", &[key]),
                Ask::new("get", "/api/v1/calls", &[key]),
                Ask::new("", "/api/v1/calls", &[key]),
                Ask::new("GET", "/api/v1/calls", &[]),
                Ask::new("GET", "/api/v1/calls", &[key, key]),
                Ask::new("GET", "/api/v1/calls", &[key, ("x-api-key", infra.expose())]),
                Ask::new("GET", "/api/v1/calls", &[("authorization", "Bearer vx_nothing")]),
                Ask::new("GET", "/api/v1/calls", &[("authorization", revoked.as_str())]),
                Ask::new("GET", "/api/v1/calls", &[("authorization", there.as_str())]),
                Ask::new("GET", "/v1/agents", &[("x-api-key", infra.expose())]),
                Ask::new("OPTIONS", "/api/v1/calls", &preflight),
                Ask::new("OPTIONS", "/api/v1/calls", &preflight[..1]),
            ];
            for issuer in ["voxpria", "voiceinfra", "voicegram"] {
                asks.push(Ask { issuer: Some(issuer), ..get("/api/v1/calls") });
            }
            for source in [Some("203.0.113.9"), Some("2001:db8::1")] {
                asks.push(Ask { source, ..Ask::new("GET", "/api/v1/calls", &[("authorization", there.as_str())]) });
            }
            let merged: Vec<Ask<'_>> = asks.iter().filter(|ask| ask.headers != [key, key]).cloned().map(|ask| Ask { raw: false, ..ask }).collect();
            for ask in asks.into_iter().chain(merged) {
                let reply = channel.check(&ask).await;
                same(&gate, &reply, &ask);
            }
            let reply = channel.check(&get("/api/v1/calls")).await;
            assert_eq!((reply.code, reply.header("x-keyrack-account"), reply.removed.len()), (0, Some("acme"), 0), "{reply:?}");
            let twice = format!("{reads},{reads}");
            let joined = Ask { raw: false, ..Ask::new("GET", "/api/v1/calls", &[("authorization", &twice)]) };
            assert_eq!(channel.check(&joined).await.status, 401, "two that were made one are none");
            assert!(gate.metric("keyrack_gate_requests_total{entrance=\"grpc\",issuer=\"voxpria\",verdict=\"allowed\"} ") >= 2.0);
        }
    }

    async fn by_grpc_the_client_is_who_is_connected_to_the_proxy(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = CreateKey { allow: Networks::parse("198.51.100.1").unwrap(), ..scoped("acme", "calls:read") };
        let key = bearer(&keep(&office, key).await.secret);
        let (_gate, address) = gate(&db, &["--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "10.0.0.0/8"]);
        let channel = Channel::open(address).await.unwrap();
        for (source, chain, passes) in [
            (Some("198.51.100.1"), None, true),
            (Some("198.51.100.1"), Some("203.0.113.7"), true),
            (Some("203.0.113.7"), Some("198.51.100.1"), false),
            (Some("10.0.0.1"), Some("203.0.113.7, 198.51.100.1"), true),
            (Some("10.0.0.1"), Some("198.51.100.1, 203.0.113.7"), false),
            (Some("10.0.0.1"), None, false),
            (Some("no address"), Some("198.51.100.1"), false),
            (None, Some("198.51.100.1"), false),
        ] {
            let mut headers = vec![("authorization", key.as_str())];
            headers.extend(chain.map(|chain| ("x-forwarded-for", chain)));
            let reply = channel.check(&Ask { source, ..Ask::new("GET", "/api/v1/calls", &headers) }).await;
            assert_eq!(reply.code == 0, passes, "{source:?} {chain:?}: {reply:?}");
        }
    }

    async fn a_budget_is_one_at_both_doors_and_a_revocation_is_seen_by_the_next_question(db) {
        let office = office(&db, preset("voicegram")).await;
        let created = make_kept(&office, "acme", "one").await;
        let key = bearer(&created.secret);
        let (gate, address) = gate(&db, &[]);
        let channel = Channel::open(address).await.unwrap();
        let ask = Ask::new("GET", "/api/v1/voicegrams/recent", &[("authorization", key.as_str())]);
        for n in 0..30 {
            let reply = channel.check(&ask).await;
            assert_eq!(reply.header("x-ratelimit-remaining"), Some((59 - 2 * n).to_string().as_str()), "{reply:?}");
            let answer = gate.auth_with("GET", "/api/v1/voicegrams/recent", &created.secret);
            assert_eq!(answer.number("x-ratelimit-remaining"), 58 - 2 * n);
        }
        let spent = channel.check(&ask).await;
        assert!(spent.status == 429 && spent.header("retry-after").is_some() && spent.header("ratelimit").is_some(), "{spent:?}");
        office.revoke_keys(new_operation(), &[created.key.id], None).await.unwrap();
        let revoked = channel.check(&ask).await;
        assert!(revoked.status == 401 && revoked.header("www-authenticate").is_some(), "{revoked:?}");
    }

    async fn what_is_no_question_lets_nothing_pass(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let (mut gate, address) = gate(&db, &[]);
        let channel = Channel::open(address).await.unwrap();
        let good = Ask::new("GET", "/api/v1/calls", &[("authorization", key.as_str())]);
        assert_eq!(channel.check(&good).await.code, 0);
        // Questions that lack something, or contradict themselves.
        let http = |extra: Vec<u8>| field(1, field(4, field(2, [field(2, "GET"), field(4, "/api/v1/calls"), extra].concat())));
        let raw = |name: &str, value: &str| field(13, field(1, [field(1, name), field(3, value)].concat()));
        let merged = |name: &str, value: &str| field(3, [field(1, name), field(2, value)].concat());
        for (message, word) in [
            (Vec::new(), "attributes is missing"),
            (field(1, ""), "attributes.request.http is missing"),
            (field(1, field(4, "")), "attributes.request.http is missing"),
            (http([raw("authorization", &key), merged("authorization", &key)].concat()), "each header has two different values"),
            (http([raw("authorization", &key), raw(":path", "/api/v1/credits")].concat()), "the path has two different values"),
            (http([merged("authorization", &key), merged(":method", "POST")].concat()), "the method has two different values"),
            (http([merged("authorization", &key), merged("host", "other")].concat()), "the host has two different values"),
            (http(raw("authorization", "Bearer a\nb")), "can't be read"),
        ] {
            let reply = channel.ask(&message).await;
            assert_eq!((reply.grpc, reply.status), (0, 403), "{word}: {reply:?}");
            assert!(reply.code != 0 && reply.body.contains("bad_proxy"), "{reply:?}");
            gate.wait_for_log(word);
        }
        // Bytes that are no message, and frames that are none.
        let whole = framed(&good.message());
        for body in [&[0, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF][..], &whole[..whole.len() - 1], &[1, 0, 0, 0, 0], &[0, 0xFF, 0xFF, 0xFF, 0xFF], b"", b"GET"] {
            let (status, message) = channel.send(CHECK, body.to_vec().into()).await.unwrap();
            assert!(status != 0 && message.is_empty(), "{body:?}: {status}");
        }
        let big = Ask::new("GET", "/api/v1/calls", &[("authorization", key.as_str()), ("cookie", &"a".repeat(200_000))]).message();
        let (status, message) = channel.send(CHECK, framed(&big)).await.unwrap();
        assert!(status != 0 && message.is_empty(), "{status}");
        for path in ["/", "/auth", "/envoy.service.auth.v3.Authorization/check", "/envoy.service.auth.v2.Authorization/Check"] {
            assert_eq!(channel.send(path, whole.clone()).await.unwrap(), (12, Vec::new()), "{path}");
        }
        assert_eq!(channel.send(HEALTH, framed(&field(1, "other"))).await.unwrap().0, 5);
        assert_eq!(channel.health().await, Some(true));
        assert_eq!(channel.check(&good).await.code, 0);
    }

    async fn who_is_no_listed_proxy_is_let_go_at_once(db) {
        office(&db, preset("voxpria")).await;
        let mut gate = Gate::with_token(&db, &[&REWRITTEN[..], &["--trusted-proxy", "192.0.2.0/24"]].concat());
        let address = gate.last_address();
        assert!(Channel::open(address).await.is_none());
        gate.wait_for_log("a connection for gRPC was closed: the caller is not among the trusted proxies");
        assert!(gate.metric("keyrack_gate_turned_away_total ") >= 1.0);
        // By a socket: whoever may open it, where the settings say so.
        let socket = db.dir().join("grpc.sock");
        let place = format!("unix:{}", socket.display());
        let doubting = Gate::start(&db, &["--listen-grpc", &place]);
        assert!(Channel::on(UnixStream::connect(&socket).await.unwrap()).await.is_none());
        doubting.stop();
        let believing = Gate::start(&db, &["--listen-grpc", &place, "--trusted-proxy", "unix"]);
        let channel = Channel::on(UnixStream::connect(&socket).await.unwrap()).await.unwrap();
        assert_eq!(channel.check(&Ask::new("GET", "/api/v1/calls", &[])).await.status, 401);
        believing.stop();
        assert!(!socket.exists());
    }

    async fn what_is_asked_is_answered_at_the_end(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let (gate, address) = gate(&db, &[]);
        let channel = Channel::open(address).await.unwrap();
        let ask = Ask::new("GET", "/api/v1/calls", &[("authorization", key.as_str())]);
        let (answer, mut body) = channel.begin(CHECK).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        gate.signal(Signal::TERM);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(TcpStream::connect(address).await.is_err(), "nobody new");
        body.send_data(framed(&ask.message()), true).unwrap();
        let (grpc, message) = answered(answer).await.unwrap();
        assert!(grpc == 0 && !message.is_empty());
        let (status, log) = tokio::task::spawn_blocking(|| gate.ended()).await.unwrap();
        assert!(status.success() && !log.contains("cut off"), "{log}");
    }

    async fn a_flood_of_streams_and_resets_holds_up_neither_door(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let (gate, address) = gate(&db, &[]);
        flood(&gate, address, &key).await;
    }
}

/// Ten connections with a thousand open questions each, and as many that are taken back at once; both doors answer meanwhile.
async fn flood(gate: &Gate, address: SocketAddr, key: &PlainKey) {
    let value = bearer(key);
    let ask = Ask::new("GET", "/api/v1/me", &[("authorization", value.as_str())]);
    let mut open = Vec::new();
    for _ in 0..10 {
        let channel = Channel::open(address).await.unwrap();
        for _ in 0..1_000 {
            let (answer, mut body) = channel.begin(CHECK).await.unwrap();
            // The beginning of a frame whose rest never comes.
            body.send_data([0, 0, 0][..].into(), false).unwrap();
            open.push((answer, body));
        }
    }
    let mut taken_back = 0;
    for _ in 0..10 {
        let channel = Channel::open(address).await.unwrap();
        for _ in 0..1_000 {
            let (answer, mut body) = channel.begin(CHECK).await.unwrap();
            let _ = body.send_data(framed(&ask.message()), true);
            body.send_reset(h2::Reason::CANCEL);
            drop(answer);
            taken_back += 1;
        }
        // Whoever takes questions back costs nobody else an answer by the same connection.
        let reply = channel.check(&ask).await;
        assert!(reply.grpc == 0 && [0, 403, 429, 503].contains(&reply.status), "{reply:?}");
    }
    assert!(open.len() == 10_000 && taken_back == 10_000, "{taken_back}");
    let begun = Instant::now();
    let channel = Channel::open(address).await.unwrap();
    for _ in 0..20 {
        let reply = channel.check(&ask).await;
        assert!(reply.grpc == 0 && [403, 429].contains(&reply.status) || reply.code == 0, "{reply:?}");
        assert!([200, 429].contains(&gate.me(key).status));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(gate.metric("keyrack_gate_panics_total ") < 1.0);
    let status = std::fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kibibytes < 600 * 1024, "{resident}");
    // What is not sent to its end is given up.
    let (answer, _body) = open.pop().unwrap();
    let (status, message) = answered(answer).await.unwrap();
    assert!(status != 0 && message.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_it_says_503_and_that_it_serves_no_more() {
    let Some(db) = Database::postgres().await else {
        return skip("gRPC without a database", "PostgreSQL is not installed");
    };
    let office = office(&db, preset("voxpria")).await;
    let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
    let line = Line::to(&db);
    let told = [&REWRITTEN[..], &["--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.0/8"]].concat();
    let mut gate = Gate::by(&line.address(None), &db, &told, &[]);
    let channel = Channel::open(gate.last_address()).await.unwrap();
    let ask = Ask::new("GET", "/api/v1/calls", &[("authorization", key.as_str())]);
    assert_eq!(channel.check(&ask).await.code, 0);
    line.hold(true);
    let gone = channel.check(&ask).await;
    assert!(
        gone.status == 503 && gone.header("retry-after").is_some() && gone.body.contains("unavailable"),
        "{gone:?}"
    );
    let begun = Instant::now();
    while channel.health().await != Some(false) {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
