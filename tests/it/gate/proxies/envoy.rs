//! Proxies that ask in ways of their own: Envoy, Traefik, ingress-nginx; and what a policy lets pass besides.

use super::*;

pub(super) const ENVOY: Proxy = Proxy { name: "envoy", start: Server::envoy, names: "rewritten" };
const TRAEFIK: Proxy = Proxy { name: "traefik", start: Server::traefik, names: "rewritten" };

on_both! {
    async fn behind_envoy_every_answer_reaches_the_client(db) {
        every_answer_reaches_the_client(&db, &ENVOY).await;
    }

    async fn behind_envoy_a_client_has_its_own_query_and_headers_and_no_more(db) {
        let office = office(&db, preset("voxpria")).await;
        no_client_chooses_the_issuer(&office, &db, &ENVOY).await;
        no_spelling_slips_past_a_scope(&office, &db, &ENVOY).await;
        too_many_headers_are_the_clients_fault(&office, &db, &ENVOY).await;
        // What the API does not switch to is ended by Envoy; here it gets to know who asks.
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let Some(site) = Site::build(&db, &ENVOY) else { return };
        let upgrade = |protocol: &str, key: &str| {
            let headers = [("Authorization", key), ("Connection", "Upgrade"), ("Upgrade", protocol)];
            site.send("GET", "/api/v1/calls", &headers, "")
        };
        assert_eq!((upgrade("websocket", "Bearer vx_nothing").status, site.api.count()), (401, 0));
        upgrade("websocket", &key);
        assert_eq!(site.api.count(), 1);
        let h2c = upgrade("h2c", &key);
        assert!(!h2c.body.contains("h2c"), "{h2c:?}");
    }

    async fn behind_traefik_keys_pass_and_refusals_reach_the_client(db) {
        let office = office(&db, preset("voxpria")).await;
        let created = keep(&office, scoped("acme", "calls:read")).await;
        let Some(site) = Site::build(&db, &TRAEFIK) else { return };
        let key = bearer(&created.secret);
        let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
            site.send(method, path, &[&[("Host", "api.example.com")], headers].concat(), "")
        };
        let forged = [
            ("Authorization", key.as_str()),
            ("X-Keyrack-Account", "globex"),
            ("X-Forwarded-Uri", "/api/v1/credits"),
            ("X-Forwarded-Method", "GET"),
        ];
        // Traefik takes a moment to read its own settings.
        let begun = std::time::Instant::now();
        let answer = loop {
            let answer = ask("GET", "/api/v1/calls?issuer=voicegram", &forged);
            if answer.status != 404 || begun.elapsed() > std::time::Duration::from_secs(20) {
                break answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        };
        assert_eq!(answer.status, 200, "{answer:?}");
        let head = answer.json()["head"].as_str().unwrap().to_ascii_lowercase();
        assert!(head.contains("\r\nx-keyrack-account: acme\r\n") && !head.contains("globex"), "{head}");
        let passed = site.api.count();
        assert_eq!(ask("GET", "/api/v1/calls", &[]).status, 401);
        let scope = ask("POST", "/api/v1/calls", &[("Authorization", &key), ("X-Forwarded-Method", "GET")]);
        assert_eq!((scope.status, scope.header("content-type")), (403, Some("application/json")), "{scope:?}");
        assert_eq!(ask("GET", "/api/v1/credits", &[("Authorization", &key), ("X-Forwarded-Uri", "/api/v1/calls")]).status, 403);
        office.revoke_keys(new_operation(), &[created.key.id], None).await.unwrap();
        assert_eq!(ask("GET", "/api/v1/calls", &[("Authorization", &key)]).status, 401);
        assert_eq!(site.api.count(), passed, "what was refused never reached the API");
    }

    async fn ingress_nginx_and_envoy_ask_in_their_own_ways(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let mut gate = Gate::start(&db, &["--header-names", "rewritten"]);
        let ingress = |method: &str, url: &str, key: &str| {
            let asked = [
                ("X-Original-Method", method),
                ("X-Original-URL", url),
                ("X-Forwarded-For", "198.51.100.1"),
                ("Authorization", key),
            ];
            gate.get("/auth/ingress-nginx?issuer=voxpria", &asked)
        };
        let calls = "https://api.example.com/api/v1/calls?a=/b";
        assert_eq!(ingress("GET", calls, &key).status, 200);
        assert_eq!(ingress("POST", calls, &key).status, 403);
        let unknown = ingress("GET", calls, "Bearer vx_nothing");
        assert!(unknown.status == 401 && unknown.header("www-authenticate").is_some(), "{unknown:?}");
        let odd = ingress("GET", "https://api.example.com?x/api/v1/calls", &key);
        assert_eq!((odd.status, &odd.json()["error"]["code"]), (403, &"bad_proxy".into()));
        let below = |method: &str, path: &str| {
            let asked = [("X-Forwarded-For", "198.51.100.1"), ("Authorization", key.as_str())];
            send(gate.address, method, &format!("/auth{path}"), &asked, "").status
        };
        for (method, path, status) in [
            ("GET", "/api/v1/calls?issuer=voicegram", 200),
            ("HEAD", "/api/v1/calls", 200),
            ("POST", "/api/v1/calls", 403),
            ("DELETE", "/api/v1/calls/7", 403),
            ("GET", "/api/v1/credits", 403),
            ("GET", "//api/v1/calls", 400),
            ("GET", "/api/v1/calls%2f7", 400),
            ("GET", "/nothing", 403),
            ("GET", "/api/v1/calls#", 400),
            ("GET", "/api/v1/calls#/../credits", 400),
            ("GET", "/api/v1/calls?a#b", 400),
            ("GET", "/api/v1/calls%23", 400),
        ] {
            assert_eq!(below(method, path), status, "{method} {path}");
        }
        gate.wait_for_log("X-Original-URL isn't a valid http or https address");
    }

    async fn preflights_and_encoded_slashes_and_hashes_pass_where_the_policy_says_so(db) {
        let mut policy = preset("voxpria");
        let office = office(&db, policy.clone()).await;
        let key = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let gate = Gate::start(&db, &[]);
        let ask = |method: &str, path: &str, more: &[(&str, &str)]| {
            let asked = [("X-Forwarded-Method", method), ("X-Forwarded-Uri", path), ("X-Forwarded-For", "198.51.100.1")];
            gate.get("/auth", &[&asked[..], more].concat()).status
        };
        let preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")];
        let with_key = [("Authorization", key.as_str())];
        assert_eq!(ask("OPTIONS", "/api/v1/calls", &preflight), 401);
        assert_eq!(ask("GET", "/api/v1/calls/a%2Fb", &with_key), 400);
        policy.gate.preflights = true;
        for route in policy.routes.iter_mut().filter(|route| route.path.contains('{') || route.path.contains("**")) {
            route.encoded = vec!['/'];
        }
        office.apply_policy(new_operation(), policy.clone()).await.unwrap();
        assert_eq!(ask("OPTIONS", "/api/v1/calls", &preflight), 200);
        for (method, more) in [("GET", &preflight[..]), ("POST", &preflight), ("OPTIONS", &preflight[..1]), ("OPTIONS", &[])] {
            assert_eq!(ask(method, "/api/v1/calls", more), 401, "{method} {more:?}");
        }
        assert_eq!(ask("OPTIONS", "/api/../calls", &preflight), 401, "a path in doubt never passes");
        let wrong = [&preflight[..], &[("Authorization", "Bearer vx_nothing")]].concat();
        assert_eq!(ask("OPTIONS", "/api/v1/calls", &wrong), 401, "who sends a key is judged by it");
        assert_eq!(ask("GET", "/api/v1/calls/a%2Fb", &with_key), 200);
        let below = |path: &str| gate.get(&format!("/auth{path}"), &[("X-Forwarded-For", "198.51.100.1"), with_key[0]]).status;
        assert_eq!((below("/api/v1/calls/a%2Fb"), below("/api/v1/calls/a%23b"), below("/api/v1/calls/a#b")), (200, 400, 400));
        for path in ["/api/v1/calls/a%2F..%2Fb", "/api/v1/calls/a%252Fb", "/api/v1%2Fcalls/7", "/api/v1/calls/a%23b"] {
            assert_eq!(ask("GET", path, &with_key), 400, "{path}");
        }
        // An encoded # where a route takes it; one that is not encoded never, and by no door.
        for route in policy.routes.iter_mut().filter(|route| route.path.contains('{') || route.path.contains("**")) {
            route.encoded = vec!['#'];
        }
        office.apply_policy(new_operation(), policy).await.unwrap();
        for path in ["/api/v1/calls/a%23b", "/api/v1/calls/%23"] {
            assert_eq!((ask("GET", path, &with_key), below(path)), (200, 200), "{path}");
        }
        for path in ["/api/v1/calls/a#b", "/api/v1/calls/a%2Fb", "/api/v1/calls%23", "/api/v1/calls/%2523", "/api/v1/calls/a%23/../b"] {
            assert_eq!((ask("GET", path, &with_key), below(path)), (400, 400), "{path}");
        }
    }
}
