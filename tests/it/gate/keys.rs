//! Which keys a gate takes, and how they may be sent: asked over the wire, on both databases.

use crate::support::gate::{Gate, bearer};
use crate::support::people::{account, keep, make_kept, office, preset, scoped};
use keyrack::domain::expiry::Expiry;
use keyrack::service::{CreateKey, Service, new_operation};

on_both! {
    async fn vg_12_the_scheme_is_read_in_any_case_and_the_secret_is_not(db) {
        let office = office(&db, preset("voicegram")).await;
        let key = make_kept(&office, "acme", "zapier").await.secret;
        let gate = Gate::start(&db, &[]);
        let plain = key.expose();
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let answer = gate.get("/api/v1/me", &[("Authorization", &format!("{scheme} {plain}"))]);
            assert_eq!(answer.status, 200, "{scheme}: {answer:?}");
        }
        for value in [plain.to_uppercase(), format!("Bearer {}", plain.to_uppercase()), plain.to_owned(), format!("Basic {plain}")] {
            let answer = gate.get("/api/v1/me", &[("Authorization", &value)]);
            assert_eq!(answer.status, 401, "{value}: {answer:?}");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"), "{challenge}");
        }
    }

    async fn vg_13_me_tells_who_the_caller_is(db) {
        let office = office(&db, preset("voxpria")).await;
        let wanted = CreateKey { name: "Production Server – Main App".into(), expiry: Expiry::Days(90), ..scoped("acme", "calls:read credits:read") };
        let created = keep(&office, wanted).await;
        let gate = Gate::start(&db, &[]);
        let answer = gate.me(&created.secret);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{answer:?}");
        let me = answer.json();
        assert_eq!(me["account"]["id"], "acme");
        assert_eq!(me["issuer"], "voxpria");
        assert_eq!(me["key"]["id"], created.key.id.to_string());
        assert_eq!(me["key"]["name"], "Production Server – Main App");
        assert_eq!(me["key"]["scopes"], serde_json::json!(["calls:read", "credits:read"]));
        let expires = chrono::DateTime::parse_from_rfc3339(me["key"]["expires_at"].as_str().unwrap()).unwrap();
        assert_eq!(Some(expires.to_utc()), created.key.expires_at);
        assert!(!answer.body.contains(created.secret.expose()));
    }

    async fn vp_01_bearer_and_vp_02_x_api_key_give_the_same(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let other = keep(&office, scoped("acme", "calls:read")).await.secret;
        let gate = Gate::start(&db, &[]);
        let ask = |headers: &[(&str, &str)]| gate.auth("GET", "/api/v1/calls", headers);
        for name in ["X-API-Key", "x-api-key", "X-Api-Key"] {
            let answer = ask(&[(name, key.expose())]);
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
        }
        let by_bearer = ask(&[("Authorization", &bearer(&key))]);
        let by_header = ask(&[("X-API-Key", key.expose())]);
        for name in ["x-keyrack-key", "x-keyrack-account", "x-keyrack-scopes", "x-keyrack-endpoint"] {
            assert!(by_bearer.header(name).is_some(), "{name}");
            assert_eq!(by_bearer.header(name), by_header.header(name));
        }
        let both = ask(&[("Authorization", &bearer(&key)), ("X-API-Key", key.expose())]);
        assert_eq!(both.status, 200, "the same key twice");
        let unequal = ask(&[("Authorization", &bearer(&key)), ("X-API-Key", other.expose())]);
        assert_eq!((unequal.status, unequal.json()["error"]["code"].as_str()), (400, Some("bad_request")));
    }

    async fn vp_02_two_unequal_keys_are_a_bad_request(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let gate = Gate::start(&db, &[]);
        let nonsense = [("Authorization", "Bearer nonsense".to_owned()), ("X-API-Key", key.expose().to_owned())];
        let headers: Vec<(&str, &str)> = nonsense.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(gate.auth("GET", "/api/v1/calls", &headers).status, 400);
    }

    async fn vp_24_the_check_call_of_the_seed_works(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "credits:read")).await.secret;
        let gate = Gate::start(&db, &[]);
        let headers = [("Authorization", &*bearer(&key)), ("Content-Type", "application/json")];
        let answer = gate.auth("GET", "/api/v1/credits", &headers);
        assert_eq!((answer.status, answer.header("x-keyrack-endpoint")), (200, Some("credits")), "{answer:?}");
    }

    async fn va_10_the_preview_is_no_key_and_va_11_nor_is_one_with_blanks(db) {
        let office = office(&db, preset("vozagent")).await;
        let created = make_kept(&office, "acme", "zapier").await;
        let mut gate = Gate::start(&db, &[]);
        let plain = created.secret.expose();
        for (value, reason) in [
            (created.key.preview.as_str().to_owned(), "preview"),
            (format!("{plain} x"), "spaces"),
            (format!(" {plain}"), "spaces"),
            (plain[..20].to_owned(), "truncated"),
        ] {
            let answer = gate.auth("GET", "/zapier", &[("Authorization", &format!("Bearer {value}"))]);
            assert_eq!(answer.status, 401, "{reason}: {answer:?}");
            gate.wait_for_log(&format!("reason=\"{reason}\""));
        }
        let log = gate.log();
        assert!(!log.contains(&plain[..20]), "no part of a key is in the log:\n{log}");
    }

    async fn va_12_a_cheap_call_verifies_a_key(db) {
        let office = office(&db, preset("vozagent")).await;
        let key = make_kept(&office, "acme", "zapier").await.secret;
        let gate = Gate::start(&db, &[]);
        assert_eq!(gate.me(&key).status, 200);
        let question = serde_json::json!({ "key": key.expose(), "method": "GET", "path": "/agents" }).to_string();
        let verdict = gate.verify(&question);
        assert_eq!((verdict.status, verdict.json()["allowed"].as_bool()), (200, Some(true)), "{verdict:?}");
        assert_eq!(verdict.json()["caller"]["account"]["id"], "acme");
    }

    async fn vi_01_a_bearer_header_is_not_accepted(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "crm").await.secret;
        let mut gate = Gate::start(&db, &[]);
        let by = |name: &str, value: &str| gate.auth("POST", "/v1/calls/outbound", &[(name, value)]).status;
        assert_eq!(by("X-API-Key", key.expose()), 200);
        assert_eq!(by("Authorization", &bearer(&key)), 401);
        gate.wait_for_log("wrong-header");
    }

    async fn vi_02_the_name_of_the_header_is_case_sensitive(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "crm").await.secret;
        let gate = Gate::start(&db, &[]);
        for (name, status) in [("X-API-Key", 200), ("x-api-key", 401), ("X-Api-Key", 401), ("X-API-KEY", 401)] {
            let answer = gate.auth("POST", "/v1/calls/outbound", &[(name, key.expose())]);
            assert_eq!(answer.status, status, "{name}: {answer:?}");
        }
        // On one connection each request is held against its own spelling.
        let mut connection = gate.connect();
        for (name, status) in [("X-API-Key", 200), ("x-api-key", 401), ("X-API-Key", 200)] {
            connection.send(&crate::support::http::request("GET", "/api/v1/me", &[(name, key.expose())], ""));
            assert_eq!(connection.answer().unwrap().status, status, "{name}");
        }
        let rewritten = Gate::start(&db, &["--header-names", "rewritten"]);
        let answer = rewritten.auth("POST", "/v1/calls/outbound", &[("x-api-key", key.expose())]);
        assert_eq!(answer.status, 200, "what a proxy has rewritten can't be held against the client");
    }

    async fn what_a_request_rarely_needs_it_does_not_carry_about(db) {
        office(&db, preset("voxpria")).await;
        let settings = keyrack::service::GateSettings::default();
        let gate = keyrack::service::Gate::open(&db.location(), keyrack::clock::Clock::System, settings).await.unwrap();
        // Each request's state is copied a few times on its way, room for a reading of the database included.
        let bytes = size_of_val(&gate.known(keyrack::domain::secret::HashedKey([0; 32])));
        assert!(bytes < 512, "{bytes} bytes");
        gate.close().await;
    }

    async fn keys_of_other_issuers_count_for_nothing_where_one_is_named(db) {
        let office = office(&db, preset("voxpria")).await;
        furnish_other(&office).await;
        let (ours, theirs) = (keep(&office, scoped("acme", "calls:read")).await.secret, make_kept(&office, "initech", "x").await.secret);
        let gate = Gate::start(&db, &["--issuer", "voxpria"]);
        assert_eq!(gate.me(&ours).status, 200);
        let refused = gate.me(&theirs);
        assert_eq!((refused.status, refused.body.as_str()), (401, preset("voxpria").answers.unauthorized.as_str()));
        let open = Gate::start(&db, &[]);
        assert_eq!((open.me(&ours).status, open.me(&theirs).status), (200, 200));
        let ask = |issuer: &str| {
            let key = bearer(&theirs);
            let headers = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/me"), ("Authorization", &key)];
            open.get(&format!("/auth?issuer={issuer}"), &headers).status
        };
        assert_eq!((ask("voicegram"), ask("voxpria"), ask("nobody"), ask("")), (200, 401, 401, 401));
        let hosts = Gate::start(&db, &["--issuer", "a.example=voxpria", "--issuer", "b.example=voicegram"]);
        let at = |host: &str| hosts.get("/api/v1/me", &[("Host", host), ("Authorization", &bearer(&theirs))]).status;
        assert_eq!((at("a.example"), at("b.example"), at("B.example:8100"), at("c.example")), (401, 200, 200, 401));
    }
}

/// A second issuer, with an account.
async fn furnish_other(office: &Service) {
    office.apply_policy(new_operation(), preset("voicegram")).await.unwrap();
    office.create_account(new_operation(), account("voicegram", "initech")).await.unwrap();
}
