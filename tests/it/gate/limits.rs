//! Budgets and allow-lists at a real gate, on both databases.

use crate::support::gate::{Gate, bearer};
use crate::support::http::Answer;
use crate::support::people::{account, keep, make_kept, office, preset, scoped};
use keyrack::domain::network::Networks;
use keyrack::service::{CreateAccount, CreateKey, new_operation};

fn is_allowed(answer: &Answer) -> bool {
    assert!([200, 401, 403].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

on_both! {
    async fn vg_20_sixty_requests_a_minute_per_account_and_endpoint(db) {
        let office = office(&db, preset("voicegram")).await;
        let (one, two) = (make_kept(&office, "acme", "one").await, make_kept(&office, "acme", "two").await);
        let stranger = make_kept(&office, "globex", "other").await;
        let gate = Gate::start(&db, &[]);
        for n in 0..60 {
            // Two keys of one account use one budget.
            let key = if n % 2 == 0 { &one } else { &two };
            let answer = gate.auth_with("GET", "/api/v1/voicegrams/recent", &key.secret);
            assert_eq!((answer.status, answer.number("x-ratelimit-limit"), answer.number("x-ratelimit-remaining")), (200, 60, 59 - n));
        }
        for key in [&one, &two] {
            let answer = gate.auth_with("GET", "/api/v1/voicegrams/recent", &key.secret);
            assert_eq!(answer.status, 429, "{answer:?}");
            assert_eq!(answer.json()["error"]["code"], "rate_limited");
            assert!((1..=60).contains(&answer.number("retry-after")), "{answer:?}");
            assert_eq!(answer.number("x-ratelimit-remaining"), 0);
            let reset = answer.number("x-ratelimit-reset") - chrono_now();
            assert!((0..=61).contains(&reset), "{reset}");
            assert!(answer.header("ratelimit").unwrap().contains("r=0"), "{answer:?}");
            assert!(answer.header("ratelimit-policy").unwrap().contains("q=60;w=60"), "{answer:?}");
        }
        assert_eq!(gate.auth_with("GET", "/api/v1/voicegrams/recent", &stranger.secret).status, 200, "another account");
    }

    async fn vg_21_each_endpoint_has_a_budget_of_its_own(db) {
        let office = office(&db, preset("voicegram")).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let gate = Gate::start(&db, &[]);
        for _ in 0..60 {
            assert_eq!(gate.me(&key).status, 200);
        }
        assert_eq!(gate.me(&key).status, 429);
        assert_eq!(gate.auth_with("GET", "/api/v1/me", &key).status, 429, "the same endpoint behind a proxy");
        let answer = gate.auth_with("GET", "/api/v1/voicegrams/recent", &key);
        assert_eq!((answer.status, answer.number("x-ratelimit-remaining")), (200, 59));
    }

    async fn vp_07_an_address_outside_the_allow_list_costs_no_quota_and_no_last_use(db) {
        let office = office(&db, preset("voxpria")).await;
        let allow = Networks::parse("203.0.113.0/24 2001:db8:7::/48").unwrap();
        let created = keep(&office, CreateKey { allow, ..scoped("acme", "calls:read") }).await;
        let gate = Gate::start(&db, &[]);
        let from = |address: &str| {
            let key = bearer(&created.secret);
            let headers =
                [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("X-Forwarded-For", address), ("Authorization", &key)];
            gate.get("/auth", &headers)
        };
        for address in ["198.51.100.1", "2001:db8:8::1", "::ffff:198.51.100.1", "203.0.113.7, 198.51.100.1", "nonsense"] {
            let answer = from(address);
            assert_eq!(answer.status, 401, "{address}: {answer:?}");
            assert_eq!(answer.header("x-ratelimit-limit"), None, "{address}");
        }
        let first = from("203.0.113.7");
        assert_eq!((first.status, first.number("x-ratelimit-remaining")), (200, 99), "refused ones cost nothing");
        assert!(is_allowed(&from("2001:db8:7:1::5")) && is_allowed(&from("::ffff:203.0.113.9")));
        gate.stop();
        let key = office.key(created.key.id).await.unwrap();
        assert!(!key.last_used_from.unwrap().as_str().starts_with("198."));
    }

    async fn vp_11_the_window_slides_for_each_key_by_itself(db) {
        let office = office(&db, preset("voxpria")).await;
        let (one, two) = (keep(&office, scoped("acme", "calls:read")).await.secret, keep(&office, scoped("acme", "calls:read")).await.secret);
        let gate = Gate::start(&db, &[]);
        for n in 0..100 {
            let answer = gate.auth_with("GET", "/api/v1/calls", &one);
            assert_eq!((answer.status, answer.number("x-ratelimit-remaining")), (200, 99 - n));
        }
        assert_eq!(gate.auth_with("GET", "/api/v1/calls", &one).status, 429);
        assert_eq!(gate.auth_with("GET", "/api/v1/calls", &two).status, 200);
    }

    async fn vp_12_the_plan_gives_the_budgets(db) {
        let office = office(&db, preset("voxpria")).await;
        let gate = Gate::start(&db, &[]);
        for (plan, minute, hour) in
            [(Some("Free Trial"), 100, 1_000), (Some("Starter"), 500, 5_000), (Some("Professional"), 2_500, 25_000), (None, 100, 1_000)]
        {
            let slug = plan.map_or("none".to_owned(), |plan| plan.to_lowercase().replace(' ', "-"));
            let wanted = CreateAccount { plan: plan.map(str::to_owned), ..account("voxpria", &slug) };
            office.create_account(new_operation(), wanted).await.unwrap();
            let key = keep(&office, scoped(&slug, "calls:read")).await.secret;
            let answer = gate.auth_with("GET", "/api/v1/calls", &key);
            let policy = answer.header("ratelimit-policy").unwrap_or_else(|| panic!("{plan:?}: {answer:?}"));
            assert_eq!(policy, format!("\"key-60\";q={minute};w=60, \"key-3600\";q={hour};w=3600"), "{plan:?}");
        }
    }

    async fn vp_13_every_answer_to_a_key_carries_the_limits(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let gate = Gate::start(&db, &[]);
        let answers = [
            (200, gate.auth_with("GET", "/api/v1/calls", &key)),
            (403, gate.auth_with("POST", "/api/v1/calls", &key)),
            (403, gate.auth_with("GET", "/api/v1/unheard-of", &key)),
            (200, gate.me(&key)),
        ];
        for (status, answer) in answers {
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.number("x-ratelimit-limit"), 100, "{answer:?}");
            assert!(answer.number("x-ratelimit-remaining") < 100 && answer.number("x-ratelimit-reset") > 0);
        }
        let scope = gate.auth_with("POST", "/api/v1/calls", &key);
        let challenge = scope.header("www-authenticate").unwrap();
        assert!(challenge.contains("insufficient_scope") && challenge.contains("calls:write"), "{challenge}");
    }
}

fn chrono_now() -> i64 {
    keyrack::clock::Clock::System.now().timestamp()
}
