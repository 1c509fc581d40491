//! Envoy that asks by gRPC: the same answers as over HTTP.

use std::time::{Duration, Instant};

use super::*;
use crate::support::gate::WITH_TOKEN;

const ENVOY: Proxy = Proxy { name: "envoy", start: Server::envoy_grpc, names: "rewritten" };

/// A gate with a place for gRPC, and an Envoy that asks there.
fn site(db: &Database, proxy: &Proxy) -> Option<Site> {
    with(db, proxy, &[])
}

fn with(db: &Database, proxy: &Proxy, args: &[&str]) -> Option<Site> {
    let told = ["--header-names", proxy.names, "--listen-grpc", "127.0.0.1:0"];
    let mut gate = Gate::start(db, &[&told, args].concat());
    let at = gate.last_address().into();
    Site::of(db, proxy, gate, &at)
}

fn by_socket(db: &Database, proxy: &Proxy) -> Option<Site> {
    let socket = db.dir().join("grpc.sock");
    let place = format!("unix:{}", socket.display());
    let told = ["--header-names", proxy.names, "--listen-grpc", &place, "--trusted-proxy", "unix"];
    Site::of(db, proxy, Gate::start(db, &told), &At::Socket(socket))
}

on_both! {
    async fn behind_envoy_by_grpc_every_answer_reaches_the_client(db) {
        every_answer_of(site, &db, &ENVOY).await;
    }

    async fn behind_envoy_by_grpc_and_a_socket_every_answer_reaches_the_client(db) {
        every_answer_of(by_socket, &db, &ENVOY).await;
    }

    async fn behind_a_ring_of_gates_a_key_asks_the_same_one_and_another_once_that_is_gone(db) {
        let office = office(&db, preset("voxpria")).await;
        let names = ["--header-names", "rewritten"];
        let gates = [Gate::start(&db, &[&names[..], &["--name", "east"]].concat()), Gate::start(&db, &[&names[..], &["--name", "west"]].concat())];
        let api = Api::start();
        let Some(envoy) = Server::envoy_ring(db.dir(), [gates[0].address, gates[1].address], api.address) else {
            return skip("a ring of gates", "envoy is not installed (tests/run --install)");
        };
        let count = |gate: &Gate| {
            let text = gate.get("/metrics", &[WITH_TOKEN]).body;
            let allowed = text.lines().filter(|line| line.starts_with("keyrack_gate_requests_total") && line.contains("\"allowed\""));
            allowed.map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()).sum::<u32>()
        };
        let ask = |key: &str| send(envoy.address, "GET", "/api/v1/calls?a=b", &[("Authorization", key)], "");
        let mut told = Vec::new();
        for n in 0..12 {
            let key = CreateKey { name: format!("key {n}"), ..scoped("acme", "calls:read") };
            let key = bearer(&keep(&office, key).await.secret);
            let before = [count(&gates[0]), count(&gates[1])];
            for _ in 0..3 {
                let answer = ask(&key);
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            let by = [count(&gates[0]) - before[0], count(&gates[1]) - before[1]];
            assert!(by == [3, 0] || by == [0, 3], "{by:?}");
            told.push((key, by[0] == 3));
        }
        assert!(told.iter().any(|(_, east)| *east) && told.iter().any(|(_, east)| !east), "both are asked");
        assert_eq!(ask("Bearer vx_nothing").status, 401);
        let [east, west] = gates;
        east.kill();
        for (key, _) in &told {
            let begun = Instant::now();
            while ask(key).status != 200 {
                assert!(begun.elapsed() < Duration::from_secs(10), "{:?}\n{}", ask(key), west.log());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    async fn behind_envoy_by_grpc_no_spelling_slips_past_and_no_header_counts_twice(db) {
        let office = office(&db, preset("voxpria")).await;
        let credits = bearer(&keep(&office, scoped("acme", "credits:read")).await.secret);
        let calls = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let Some(site) = with(&db, &ENVOY, &["--freshness", "lease=1s"]) else { return };
        spellings_slip_past_no_scope(&site, &credits, &calls);
        let passed = site.api.count();
        let twice = site.send("GET", "/api/v1/calls", &[("Authorization", &calls), ("Authorization", &credits)], "");
        // Envoy makes one of two with this name: a key that is none.
        assert_eq!(twice.status, 401, "{twice:?}");
        let (two, other) = (("X-API-Key", credits.trim_start_matches("Bearer ")), ("Authorization", calls.as_str()));
        let forged = [other, ("X-Forwarded-For", "203.0.113.7"), ("X-Keyrack-Endpoint", "credits"), ("Host", "elsewhere.example")];
        let answer = site.send("GET", "/api/v1/calls?issuer=voicegram", &forged, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let head = answer.json()["head"].as_str().unwrap().to_ascii_lowercase();
        assert!(head.contains("\r\nx-keyrack-endpoint: calls\r\n") && !head.contains("credits"), "{head}");
        assert_eq!(site.send("GET", "/api/v1/calls", &[two, other], "").status, 400, "two keys");
        assert_eq!(site.api.count(), passed + 1);
    }
}
