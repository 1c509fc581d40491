//! Callers that mean harm, or know no better: clear answers, bounded memory, and a gate that goes on.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::gate::{Gate, WITH_TOKEN, bearer};
use crate::support::http::{Connection, request};
use crate::support::people::{keep, make_kept, office, preset, scoped};
use chrono::TimeDelta;
use keyrack::domain::account::Standing;
use keyrack::domain::expiry::Expiry;
use keyrack::domain::network::Networks;
use keyrack::domain::secret::{Body, PlainKey};
use keyrack::service::{CreateKey, new_operation};

/// A key of the right form that nobody has made.
pub(super) fn unknown(prefix: &str, body: Body, n: u32) -> PlainKey {
    let mut entropy = [0; 32];
    entropy[..4].copy_from_slice(&n.to_le_bytes());
    PlainKey::make(prefix, body, &entropy)
}

/// Kilobytes of memory that a process holds.
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[track_caller]
fn raw(gate: &Gate, bytes: &[u8]) -> Option<u16> {
    let mut connection = gate.connect();
    connection.send(bytes);
    connection.answer().map(|answer| answer.status)
}

on_both! {
    async fn whatever_the_bytes_the_answer_is_clear(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "crm").await.secret;
        let gate = Gate::start(&db, &[]);
        let plain = key.expose();
        let me = |headers: &str| format!("GET /api/v1/me HTTP/1.1\r\nHost: x\r\n{headers}\r\n").into_bytes();
        let long = |bytes: usize| me(&format!("X-API-Key: {plain}\r\nX-Long: {}\r\n", "a".repeat(bytes)));
        assert_eq!(raw(&gate, &long(60 * 1024)), Some(200), "60 KiB of headers");
        assert_eq!(raw(&gate, &long(70 * 1024)), Some(431));
        assert_eq!(raw(&gate, &me(&"X-Many: 1\r\n".repeat(200))), Some(431));
        let mut bytes = me("X-API-Key: \u{0}");
        assert_eq!(raw(&gate, &bytes), Some(400), "a NUL");
        bytes = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-API-Key: \xff\xfe\x80\r\n\r\n".to_vec();
        assert_eq!(raw(&gate, &bytes), Some(401), "no UTF-8");
        for (bytes, status) in [
            (me(&format!("X-API-Key: {plain}\r\nX-API-Key: {plain}\r\n")), 200),
            (me(&format!("X-API-Key: {plain}\r\nX-API-Key: other\r\n")), 400),
            (me(&format!("X-API-Key: {plain}\r\nx-api-key: {plain}\r\n")), 200),
            (me(&"X-API-Key: 1\r\n".repeat(40)), 400),
            (me("X-API-Key : 1\r\n"), 400),
            (me("X\u{1}API-Key: 1\r\n"), 400),
            (me("\u{fc}: 1\r\n"), 400),
            (me("Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
            (me("Content-Length: -1\r\n"), 400),
            (b"BREW /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 405),
            (b"get /auth HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 403),
            (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 404),
            (b"GET //auth HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 404),
            (b"GET http://evil.example/auth/nginx HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 403),
            (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec(), 400),
            (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(20_000)).into_bytes(), 404),
        ] {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
            assert_eq!(raw(&gate, &bytes), Some(status), "{text:?}");
        }
        // Nothing of all that is left: the gate goes on, and its log harms no terminal.
        assert_eq!(raw(&gate, &me(&format!("X-API-Key: {plain}\r\n"))), Some(200));
        assert_eq!(gate.metric("keyrack_gate_panics_total "), 0.0);
    }

    async fn what_a_stranger_sends_does_no_harm_in_the_log(db) {
        office(&db, preset("voxpria")).await;
        let mut gate = Gate::start(&db, &[]);
        let secret = unknown("vx_", Body::Base62Checksum, 1);
        let path = format!("/\u{9b}2J\u{202e}x/{}?key={}", "b".repeat(5_000), secret.expose());
        gate.auth("GET\u{9b}31m", &path, &[("Authorization", "Bearer \u{9d}0;pwned\u{9c}")]);
        gate.auth("GET", &format!("/{}", secret.expose()), &[]);
        gate.wait_for_log("a path with a key in it");
        let log = gate.log();
        assert!(log.chars().all(|c| c == '\n' || keyrack::domain::text::is_safe(c)), "{log:?}");
        assert!(log.lines().all(|line| line.chars().count() < 800), "{log}");
        assert!(!log.contains(secret.expose()), "{log}");
    }

    async fn requests_in_one_breath_are_answered_in_their_order_each_by_its_own_spelling(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "crm").await.secret;
        let gate = Gate::start(&db, &[]);
        let mut all = Vec::new();
        let mut wanted = Vec::new();
        for n in 0..200 {
            let (name, status) = if n % 3 == 0 { ("x-api-key", 401) } else { ("X-API-Key", 200) };
            let body = if n % 5 == 0 { "\r\n\r\nX-API-Key: x\r\n\r\n" } else { "" };
            all.extend(request("GET", "/api/v1/me", &[(name, key.expose())], body));
            wanted.push(status);
        }
        let mut connection = gate.connect();
        connection.send(&all);
        let statuses: Vec<u16> = wanted.iter().map(|_| connection.answer().unwrap().status).collect();
        assert_eq!(statuses, wanted);
    }

    async fn a_body_in_chunks_ends_the_trust_in_the_connection(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "crm").await.secret;
        let gate = Gate::start(&db, &[]);
        let mut connection = gate.connect();
        let head = format!("GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", key.expose());
        connection.send(head.as_bytes());
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (401, Some("close")), "in doubt is refused");
        let asked = format!("{{\"key\":\"{}\"}}", key.expose());
        let chunked = format!(
            "POST /api/v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{asked}\r\n0\r\n\r\n",
            WITH_TOKEN.1,
            asked.len()
        );
        assert_eq!(raw(&gate, chunked.as_bytes()), Some(411));
    }

    async fn a_flood_of_unknown_keys_is_braked_and_locks_nobody_else_out(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let late = keep(&office, scoped("globex", "calls:read")).await.secret;
        let unseen = keep(&office, scoped("globex", "calls:read")).await.secret;
        let gate = Gate::start(&db, &[]);
        let from = |address: &str, key: &PlainKey| {
            let value = bearer(key);
            let headers = [
                ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("X-Forwarded-For", address), ("Authorization", &value),
            ];
            gate.get("/auth", &headers)
        };
        assert_eq!(from("198.51.100.1", &key).status, 200);
        let begun = Instant::now();
        let statuses: Vec<u16> =
            (0..400).map(|n| from("198.51.100.1", &unknown("vx_", Body::Base62Checksum, n)).status).collect();
        let looked_up = statuses.iter().filter(|status| **status == 401).count();
        let earned = usize::try_from(begun.elapsed().as_secs()).unwrap();
        assert!((60..=62 + earned).contains(&looked_up), "{looked_up}");
        // A second earns one more look: on a slow machine one of these may have it.
        let flood = |n| {
            let some = (n..n + 4).map(|n| from("198.51.100.1", &unknown("vx_", Body::Base62Checksum, n)));
            some.into_iter().find(|answer| answer.status != 401).expect("an address is braked")
        };
        let braked = flood(9_990);
        assert_eq!(braked.status, 429, "{braked:?}");
        assert!((1..=60).contains(&braked.number("retry-after")));
        // One good key resets nothing, and goes on; so does everybody elsewhere.
        assert_eq!(from("198.51.100.1", &key).status, 200);
        assert_eq!(from("198.51.100.2", &late).status, 200);
        assert_eq!(flood(10_000).status, 429);
        assert_eq!(from("198.51.100.1", &unseen).status, 429, "a key that was never seen has to wait there");
        // Without a key, or with half of one, there is nothing to brake: no lookup, the same answer as ever.
        let half = gate.auth("GET", "/api/v1/calls", &[("Authorization", "Bearer vx_half")]);
        assert_eq!((half.status, gate.auth("GET", "/api/v1/calls", &[]).status), (401, 401));
    }

    async fn vi_10_however_often_it_is_tried_no_key_shows_that_it_exists(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let ended = make_kept(&office, "acme", "ended").await;
        office.revoke_keys(new_operation(), &[ended.key.id], None).await.unwrap();
        let soon = Expiry::At(office.now().await.unwrap() + TimeDelta::seconds(2));
        let brief = CreateKey { expiry: soon, ..scoped("acme", "") };
        let brief = keep(&office, brief).await.secret;
        let elsewhere = CreateKey { allow: Networks::parse("203.0.113.0/24").unwrap(), ..scoped("acme", "") };
        let elsewhere = keep(&office, elsewhere).await.secret;
        let suspended = make_kept(&office, "globex", "suspended").await.secret;
        let gate = Gate::start(&db, &[]);
        let from = |address: &str, key: &PlainKey| {
            let headers = [
                ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/v1/agents"), ("X-Forwarded-For", address), ("X-API-Key", key.expose()),
            ];
            gate.get("/auth", &headers)
        };
        // Two of them work somewhere: the gate remembers that they passed.
        assert_eq!(from("203.0.113.9", &elsewhere).status, 200);
        assert_eq!(from("203.0.113.9", &suspended).status, 200);
        office.set_standing(new_operation(), "globex", Standing::Suspended).await.unwrap();
        let begun = Instant::now();
        while from("203.0.113.8", &brief).status != 401 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not expire");
            std::thread::sleep(Duration::from_millis(50));
        }
        let unknown = unknown("vi_", preset("voiceinfra").format.body, 1);
        let mut refused = Vec::new();
        for (n, key) in [&unknown, &ended.secret, &brief, &elsewhere, &suspended].into_iter().enumerate() {
            // As many as are free and one, all within the second in which another one is earned; again if it was not.
            let answers = (0..20).find_map(|again| {
                let (begun, address) = (Instant::now(), format!("198.51.{again}.{n}"));
                let answers: Vec<_> = (0..70).map(|_| from(&address, key).without_date()).collect();
                (begun.elapsed() < Duration::from_millis(900)).then_some(answers)
            });
            let answers = answers.unwrap();
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert_eq!(statuses, [[401].repeat(61), [429].repeat(9)].concat(), "{n}");
            refused.push(answers);
        }
        assert!(refused.iter().all(|answers| *answers == refused[0]), "{refused:?}");
    }

    async fn a_flood_takes_bounded_memory_and_a_readable_log(db) {
        office(&db, preset("voicegram")).await;
        let gate = Gate::start(&db, &[]);
        let flood = |from: u32, count: u32| {
            let threads: Vec<_> = (0..4u32)
                .map(|thread| {
                    let address = gate.address;
                    std::thread::spawn(move || {
                        let mut connection = Connection::open(address);
                        for n in 0..count {
                            let n = from + thread * count + n;
                            let key = unknown("vg_pat_", Body::Hex, n);
                            let network = format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff);
                            let value = bearer(&key);
                            let headers = [
                                ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/me"),
                                ("X-Forwarded-For", network.as_str()), ("Authorization", value.as_str()),
                            ];
                            connection.send(&request("GET", "/auth", &headers, ""));
                            // They are of two sites, and those are braked as well.
                            assert!([401, 429].contains(&connection.answer().unwrap().status));
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        };
        flood(0, 1_000);
        let before = memory(gate.id());
        flood(100_000, 2_500);
        let grown = memory(gate.id()).saturating_sub(before);
        assert!(grown < 8 * 1024, "{grown} kB for 10,000 unknown keys from as many networks");
        let lines = gate.log().lines().count();
        let unlogged = gate.metric("keyrack_gate_unlogged_refusals_total ");
        assert!(lines < 3_000 && unlogged > 5_000.0, "{lines} lines, {unlogged} left out");
    }
}

/// Connects from an address of this machine.
async fn from(source: [u8; 4], to: SocketAddr) -> Connection {
    let own = tokio::net::TcpSocket::new_v4().unwrap();
    own.bind((source, 0).into()).unwrap();
    let stream = own.connect(to).await.unwrap().into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    Connection::on(stream)
}

#[test]
fn strangers_who_say_nothing_keep_no_listed_proxy_out_and_lose_their_places_soon() {
    crate::support::database::run_on_sqlite(|db| async move {
        let office = office(&db, preset("voicegram")).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let gate = Gate::bare(&db, &["--trusted-proxy", "127.0.0.1", "--connections", "400"]);
        let begun = Instant::now();
        let (mut silent, mut proxies) = (Vec::new(), Vec::new());
        for n in 0..800u16 {
            silent.push(from([127, 0, 0, 2 + (n % 8) as u8], gate.address).await);
        }
        for _ in 0..50 {
            proxies.push(from([127, 0, 0, 1], gate.address).await);
        }
        let value = bearer(&key);
        let headers = [
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/api/v1/me"),
            ("X-Forwarded-For", "198.51.100.1"),
            ("Authorization", value.as_str()),
        ];
        for proxy in &mut proxies {
            proxy.send(&request("GET", "/auth", &headers, ""));
            assert_eq!(proxy.answer().map(|answer| answer.status), Some(200));
        }
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}: no place was waited for", begun.elapsed());
        // A blank line says nothing either.
        silent.iter_mut().step_by(2).for_each(|connection| connection.send(b"\r\n"));
        std::thread::sleep(Duration::from_secs(11).saturating_sub(begun.elapsed()));
        let all_ended = silent.iter_mut().all(|connection| connection.ends_within(Duration::from_secs(3)));
        assert!(all_ended, "they said nothing for ten seconds");
        // A closed connection has its place for another second, so that its caller can read what was answered.
        let begun = Instant::now();
        let late = loop {
            let mut late = from([127, 0, 0, 2], gate.address).await;
            late.send(&request("GET", "/api/v1/me", &[("Authorization", &value)], ""));
            let answer = late.answer();
            if answer.is_some() || begun.elapsed() > Duration::from_secs(3) {
                break answer;
            }
        };
        assert_eq!(late.map(|answer| answer.status), Some(200));
        // A proxy may open connections before it needs them.
        let mut early = from([127, 0, 0, 1], gate.address).await;
        assert!(!early.ends_within(Duration::from_secs(12)));
    });
}

#[test]
fn unknown_keys_from_ever_new_networks_of_one_provider_are_braked() {
    crate::support::database::run_on_sqlite(|db| async move {
        let office = office(&db, preset("voicegram")).await;
        let known = make_kept(&office, "acme", "one").await.secret;
        let gate = Gate::start(&db, &["--unknown-keys", "5"]);
        let mut connection = gate.connect();
        let mut ask = |address: &str, key: &PlainKey| {
            let value = bearer(key);
            let headers = [
                ("X-Forwarded-Method", "GET"),
                ("X-Forwarded-Uri", "/api/v1/me"),
                ("X-Forwarded-For", address),
                ("Authorization", value.as_str()),
            ];
            connection.send(&request("GET", "/auth", &headers, ""));
            connection.answer().unwrap().status
        };
        assert_eq!(ask("2001:db8:ffff:1::1", &known), 200);
        let stray = |n| unknown("vg_pat_", Body::Hex, n);
        let begun = Instant::now();
        let site = (0..200).filter(|n| ask(&format!("2001:db8:1:{n:x}::1"), &stray(*n)) == 401).count();
        let earned =
            |each_second: u64| usize::try_from((begun.elapsed().as_secs() + 1) * each_second).unwrap();
        assert!((80..114 + earned(16)).contains(&site), "{site} of a /48");
        let provider =
            (2..1_000).filter(|n| ask(&format!("2001:db8:{n:x}::1"), &stray(1_000 + n)) == 401).count();
        assert!((220..400 + earned(64)).contains(&provider), "{provider} of a /32");
        assert_eq!(ask("2001:db8:ffff:1::2", &known), 200, "a key that passed lately goes on there");
        assert_eq!(ask("2001:db9::1", &stray(9_999)), 401, "elsewhere nobody is braked");
        assert_eq!(ask("198.51.100.7", &stray(9_998)), 401);
    });
}

#[test]
fn slow_callers_wait_in_vain_and_hold_nobody_up() {
    crate::support::database::run_on_sqlite(|db| async move {
        let office = office(&db, preset("voicegram")).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let gate = Gate::start(&db, &["--connections", "300"]);
        let mut slow: Vec<Connection> = (0..250).map(|_| gate.connect()).collect();
        for connection in &mut slow {
            connection.send(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Drip: ");
        }
        assert_eq!(gate.me(&key).status, 200, "there is room for others");
        let begun = Instant::now();
        let mut last = slow.pop().unwrap();
        while begun.elapsed() < Duration::from_secs(8) {
            last.send(b"a");
            std::thread::sleep(Duration::from_millis(500));
        }
        assert!(last.ends_within(Duration::from_secs(10)), "a byte now and then does not help");
        assert!(slow.iter_mut().all(|connection| connection.ends_within(Duration::from_secs(3))));
        assert_eq!(gate.me(&key).status, 200);
    });
}
