//! The gate's own API: its description, the verdicts for services, health, metrics, and who may ask what.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use crate::support::gate::{Gate, WITH_TOKEN, bearer};
use crate::support::http::Connection;
use crate::support::people::{keep, make_kept, office, preset, scoped};
use crate::support::program;
use keyrack::domain::network::Networks;
use keyrack::service::{CreateKey, new_operation};
use serde_json::{Value, json};

/// Every `$ref` below a value.
fn references<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            into.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

on_both! {
    async fn vg_14_an_openapi_3_1_document_describes_every_endpoint_request_and_response(db) {
        office(&db, preset("voxpria")).await;
        let gate = Gate::start(&db, &[]);
        let answer = gate.get("/openapi.json", &[]);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        let document = answer.json();
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
        let mut refs = Vec::new();
        references(&document, &mut refs);
        assert!(!refs.is_empty());
        for reference in refs {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        let paths = document["paths"].as_object().unwrap();
        let known: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        let all = [
            "/api/v1/me", "/api/v1/verify", "/api/v1/watch", "/auth", "/auth/ingress-nginx", "/auth/nginx", "/auth/{path}", "/healthz", "/leaks/github", "/leaks/revoke", "/metrics", "/openapi.json", "/readyz",
        ];
        assert_eq!(known, BTreeSet::from(all));
        let mut ids = BTreeSet::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
                assert!(operation["summary"].is_string(), "{path} has no summary");
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.values().all(|response| response["description"].is_string()), "{path}");
                if method == "post" {
                    assert!(operation["requestBody"]["content"]["application/json"]["schema"].is_object(), "{path}");
                }
                // It is there, and what it answers is described.
                let headers = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/"), ("X-Original-Method", "GET"), ("X-Original-URI", "/")];
                let answer = gate.send(&method.to_uppercase(), path, &headers, if method == "post" { "{}" } else { "" });
                let described = responses.get(&answer.status.to_string()).unwrap_or_else(|| panic!("{path}: {answer:?} is not described"));
                let content = described["content"].as_object();
                if let Some(kinds) = content.filter(|_| !answer.body.is_empty()) {
                    let kind = answer.header("content-type").unwrap();
                    assert!(kinds.keys().any(|known| kind.starts_with(known.as_str())), "{path}: {kind}");
                }
            }
        }
        let elsewhere = gate.get("/nowhere", &[]);
        assert_eq!((elsewhere.status, elsewhere.json()["error"]["code"].as_str()), (404, Some("not_found")));
    }

    async fn va_12_a_service_gets_a_verdict_on_a_key_that_it_was_sent(db) {
        let office = office(&db, preset("voxpria")).await;
        let allow = Networks::parse("203.0.113.0/24").unwrap();
        let created = keep(&office, CreateKey { allow, ..scoped("acme", "calls:read") }).await;
        let gate = Gate::start(&db, &[]);
        let ask = |question: Value| gate.verify(&question.to_string());
        let key = created.secret.expose();
        let verdict = |question: Value| {
            let answer = ask(question);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        };
        let good = verdict(json!({ "key": key, "method": "GET", "path": "/api/v1/calls?x=1", "address": "203.0.113.7" }));
        assert_eq!((&good["allowed"], &good["endpoint"], &good["reason"]), (&json!(true), &json!("calls"), &Value::Null), "{good}");
        assert_eq!((&good["caller"]["account"]["id"], &good["answer"]["status"]), (&json!("acme"), &json!(200)));
        assert_eq!(good["limits"][0], json!({ "per": "key", "requests": 100, "seconds": 60, "remaining": 99, "reset": good["limits"][0]["reset"] }));
        let scope = verdict(json!({ "key": key, "scope": "calls:read", "endpoint": "calls", "address": "203.0.113.7" }));
        assert_eq!(scope["allowed"], true);
        for (question, reason, status) in [
            (json!({ "key": key, "scope": "calls:write", "address": "203.0.113.7" }), "scope", 403),
            (json!({ "key": key, "method": "POST", "path": "/api/v1/calls", "address": "203.0.113.7" }), "scope", 403),
            (json!({ "key": key, "scope": "calls:read", "address": "198.51.100.1" }), "address", 401),
            (json!({ "key": key, "scope": "calls:read" }), "address", 401),
            (json!({ "key": key, "issuer": "voicegram", "address": "203.0.113.7" }), "other-issuer", 401),
            (json!({ "key": "", "scope": "calls:read" }), "empty", 401),
            (json!({ "key": format!("{key} ") }), "spaces", 401),
            (json!({ "key": &key[..key.len() - 1] }), "truncated", 401),
            (json!({ "key": key, "method": "get", "path": "/api/v1/calls", "address": "203.0.113.7" }), "bad-path", 400),
        ] {
            let told = verdict(question.clone());
            assert_eq!((&told["allowed"], &told["reason"], &told["answer"]["status"]), (&json!(false), &json!(reason), &json!(status)), "{question}");
            assert_eq!(told["caller"], Value::Null);
        }
        for question in [json!({}), json!({ "key": 1 }), json!({ "key": key, "method": "GET" }), json!({ "key": key, "path": "/x", "method": "GET", "scope": "a:b" }), json!({ "key": key, "address": "here" }), json!({ "key": key, "unheard": 1 })] {
            let answer = ask(question.clone());
            assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (400, Some("bad_request")), "{question}");
            assert!(!answer.body.contains(key), "{answer:?}");
        }
        assert_eq!(gate.verify(&"x".repeat(20_000)).status, 413);
        office.revoke_keys(new_operation(), &[created.key.id], None).await.unwrap();
        let revoked = verdict(json!({ "key": key, "scope": "calls:read", "address": "203.0.113.7" }));
        assert_eq!((&revoked["allowed"], &revoked["reason"]), (&json!(false), &json!("revoked")));
    }

    async fn only_who_is_listed_may_ask(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let question = json!({ "key": key.expose(), "scope": "calls:read" }).to_string();
        let verify = |gate: &Gate, headers: &[(&str, &str)]| gate.send("POST", "/api/v1/verify", headers, &question).status;

        // Nobody is a trusted proxy unless he is named; the word of others counts for nothing.
        let mut bare = Gate::bare(&db, &[]);
        let asked = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("X-Original-Method", "GET"), ("X-Original-URI", "/api/v1/calls")];
        let value = bearer(&key);
        let with_key = [asked.as_slice(), &[("Authorization", value.as_str())]].concat();
        for path in ["/auth", "/auth/nginx"] {
            let answer = bare.get(path, &with_key);
            assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (403, Some("bad_proxy")), "{answer:?}");
        }
        bare.wait_for_log("--trusted-proxy");
        assert_eq!(verify(&bare, &[]), 403, "a proxy that nobody named looks like this machine");
        bare.wait_for_log("--verify-token-file");
        let trusting = Gate::start(&db, &[]);
        assert_eq!((verify(&trusting, &[]), verify(&trusting, &[WITH_TOKEN])), (403, 200));
        assert_eq!(verify(&trusting, &[WITH_TOKEN, ("X-Forwarded-For", "198.51.100.1")]), 403);
        let lacking = trusting.get("/auth", &with_key[2..]);
        assert_eq!(lacking.status, 403, "a proxy that does not say what it asks about");
        let twice = trusting.get("/auth", &[with_key.as_slice(), &[("X-Forwarded-Uri", "/api/v1/credits")]].concat());
        assert_eq!(twice.status, 403, "a proxy that lets its client speak for it");

        assert_eq!(verify(&trusting, &[("Authorization", "Bearer wrong horse battery")]), 403);
        let token = Gate::with_token(&db, &[]);
        for passed_on in ["X-Forwarded-For", "Forwarded", "Via"] {
            assert_eq!(verify(&token, &[WITH_TOKEN, (passed_on, "127.0.0.1")]), 403, "through a proxy that nobody named");
        }
        let far = Gate::start(&db, &["--verify-from", "203.0.113.0/24"]);
        assert_eq!(verify(&far, &[WITH_TOKEN]), 403);
    }

    async fn what_tells_reasons_is_for_a_token_or_for_the_listener_of_operators(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let question = json!({ "key": key.expose(), "scope": "calls:read" }).to_string();
        let admin = std::net::SocketAddr::from(([127, 0, 0, 1], crate::support::http::free_port()));
        let asked = |to: std::net::SocketAddr, host: &str, headers: &str| {
            let requests = [("GET", "/metrics", ""), ("POST", "/api/v1/verify", question.as_str())];
            requests.map(|(method, path, body)| {
                let mut connection = Connection::open(to);
                let length = body.len();
                let head = format!("{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}");
                connection.send(head.as_bytes());
                connection.answer().unwrap().status
            })
        };
        let token = "Authorization: Bearer correct horse battery\r\n";
        let (here, elsewhere) = (format!("Host: {admin}\r\n"), "Host: api.example.com\r\n");
        let apart = Gate::bare(&db, &["--admin-listen", &admin.to_string()]);
        assert_eq!(asked(apart.address, &here, ""), [404, 403]);
        for (host, headers, statuses) in [
            (here.as_str(), "", [200, 200]),
            ("Host: localhost\r\n", "", [200, 200]),
            ("Host: [::1]:9\r\n", "", [200, 200]),
            (elsewhere, "", [403, 403]),
            ("Host: localhost.example.com\r\n", "", [403, 403]),
            ("Host: 127.0.0.1.example.com\r\n", "", [403, 403]),
            (&format!("{here}{here}"), "", [400, 400]),
            (&format!("{here}{elsewhere}"), "", [400, 400]),
        ] {
            assert_eq!(asked(admin, host, headers), statuses, "{host}{headers}");
        }
        drop(apart);
        let together = Gate::with_token(&db, &[]);
        for (host, headers, statuses) in [
            (here.as_str(), "", [403, 403]),
            (here.as_str(), token, [200, 200]),
            (elsewhere, token, [200, 200]),
            (here.as_str(), "Authorization: Bearer correct horse batter\r\n", [403, 403]),
            (&format!("{here}{here}"), token, [400, 400]),
        ] {
            assert_eq!(asked(together.address, host, headers), statuses, "{host}{headers}");
        }
    }

    async fn operators_see_how_the_gate_is(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let port = crate::support::http::free_port();
        let admin: std::net::SocketAddr = ([127, 0, 0, 1], port).into();
        let gate = Gate::start(&db, &["--admin-listen", &admin.to_string(), "--log-form", "json"]);
        assert_eq!(gate.me(&key).status, 200);
        assert_eq!(gate.auth("GET", "/api/v1/calls", &[]).status, 401);
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(gate.get(path, &[]).status, 404, "{path} is for operators alone here");
            assert_eq!(crate::support::http::send(admin, "GET", path, &[], "").status, 200, "{path}");
        }
        let text = crate::support::http::send(admin, "GET", "/metrics", &[], "").body;
        for line in [
            r#"keyrack_gate_requests_total{entrance="me",issuer="voxpria",verdict="allowed"} 1"#,
            r#"keyrack_gate_requests_total{entrance="auth",issuer="voxpria",verdict="missing"} 1"#,
            "keyrack_gate_database_up 1",
            "keyrack_gate_limiter_windows 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let (_, log) = gate.stop();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
        let refusal = lines.iter().find(|line| line["reason"] == "missing").unwrap();
        assert_eq!((&refusal["path"], &refusal["address"], &refusal["method"]), (&json!("/api/v1/calls"), &json!("198.51.100.1"), &json!("GET")));
    }

    async fn what_can_not_be_used_is_refused_before_it_listens(db) {
        office(&db, preset("voxpria")).await;
        let refused = |args: &[&str]| {
            let address = db.address();
            let output = program::run(db.dir(), [&["gate", "--db", &address, "--listen", "127.0.0.1:0"], args].concat());
            assert_eq!(output.status.code(), Some(2), "{args:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        assert!(refused(&["--issuer", "voicegram"]).contains("has no issuer voicegram"));
        assert!(refused(&["--trusted-proxy", "proxy.example"]).contains("network"));
        assert!(refused(&["--limits", "redis://:hunter22@localhost"]).contains("password"));
        let open = db.dir().join("open");
        std::fs::write(&open, "correct horse battery").unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refused(&["--verify-token-file", open.to_str().unwrap()]).contains("chmod 600"));
    }

    async fn keys_of_a_gate_never_show_in_its_log(db) {
        let office = office(&db, preset("voicegram")).await;
        let created = make_kept(&office, "acme", "one").await;
        let gate = Gate::start(&db, &[]);
        let plain = created.secret.expose();
        gate.me(&created.secret);
        gate.auth("GET", &format!("/api/v1/me?token={plain}"), &[("Authorization", &format!("Bearer {plain}x"))]);
        gate.auth("GET", "/elsewhere", &[("Authorization", &bearer(&created.secret))]);
        gate.get(&format!("/{plain}"), &[]);
        gate.verify(&format!("{{\"key\":\"{plain}\",,}}"));
        let (_, log) = gate.stop();
        let body = &plain["vg_pat_".len()..];
        assert!((0..body.len() - 12).all(|at| !log.contains(&body[at..at + 12])), "{log}");
    }
}
