//! `keyrack explain`, `keyrack alerts` and `keyrack key limit`, as a person runs them.

use std::process::Output;

use crate::support::database::Database;
use crate::support::people::{office, preset, settings, wanted};
use crate::support::program::{run, run_with_input};
use keyrack::clock::Clock;
use keyrack::domain::scope::Scopes;
use keyrack::domain::usage::Tolerance;
use keyrack::service::{Created, Gate, GateSettings, Outcome, Service, Use, new_operation};

/// A key that stays, with a scope.
async fn made(service: &Service) -> Created {
    let mut request = wanted("acme", "hub");
    request.scopes = Scopes::parse("calls:read");
    let made = service.create_key(request).await.unwrap();
    service.acknowledge_key(new_operation(), made.key.id).await.unwrap();
    made
}

fn explain(db: &Database, input: impl AsRef<[u8]>, more: &[&str]) -> Output {
    let address = db.address();
    let mut args = vec!["--db", address.as_str(), "explain", "--json"];
    args.extend(more);
    run_with_input(db.dir(), args, input.as_ref())
}

/// The first step that failed, and the exit code.
fn found(output: &Output, secret: &str) -> (Option<String>, Option<i32>) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!out.contains(secret) && !err.contains(secret), "the secret was shown");
    let steps: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    let failed = steps.as_array().unwrap().iter().find(|step| step["mark"] == "failed");
    (failed.map(|step| step["reason"].as_str().unwrap().to_owned()), output.status.code())
}

on_both! {
    async fn explain_tells_why_by_the_rules_of_the_gate(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = made(&service).await;
        let secret = made.secret.expose().to_owned();
        let ask = |input: &str, more: &[&str]| found(&explain(&db, input, more), &secret);
        let refused = |reason: &str| (Some(reason.to_owned()), Some(6));
        let line = format!("{secret}\n");
        assert_eq!(ask(&line, &["--path", "/api/v1/calls", "--address", "203.0.113.7"]), (None, Some(0)));
        assert_eq!(ask(&line, &["--header-style", "bearer", "--path", "/api/v1/calls"]), (None, Some(0)));
        assert_eq!(ask(&line, &["--path", "/api/v1/calls", "--method", "POST"]), refused("scope"));
        assert_eq!(ask(&line, &["--scope", "webhooks:manage"]), refused("scope"));
        assert_eq!(ask(&format!(" {secret} \n"), &[]), refused("spaces"));
        assert_eq!(ask(&secret[..secret.len() - 3], &[]), refused("truncated"));
        assert_eq!(ask(made.key.preview.as_str(), &[]), refused("preview"));
        assert_eq!(ask("nothing_that_anybody_knows", &[]), refused("unknown-prefix"));
        for bytes in [b"\xff\xfe\x80\n".to_vec(), [secret.as_bytes(), b"\xff\n"].concat()] {
            for style in ["bare", "bearer", "api-key"] {
                let told = found(&explain(&db, &bytes, &["--header-style", style]), &secret);
                assert_eq!(told, refused("not-text"), "{style}");
            }
        }
        service.revoke_keys(new_operation(), &[made.key.id], Some("leaked")).await.unwrap();
        assert_eq!(ask(&line, &[]), refused("revoked"));
        let id = made.key.id.to_string();
        let output = explain(&db, "", &[&id]);
        assert_eq!(found(&output, &secret), refused("revoked"));
        assert!(String::from_utf8_lossy(&output.stdout).contains("(leaked)"));
    }

    async fn vi_01_explain_says_that_the_header_is_the_wrong_one(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = service.create_key(wanted("acme", "hub")).await.unwrap();
        let secret = made.secret.expose().to_owned();
        let ask = |style: &str| found(&explain(&db, &secret, &["--header-style", style]), &secret);
        assert_eq!(ask("api-key"), (None, Some(0)));
        assert_eq!(ask("bearer"), (Some("wrong-header".into()), Some(6)));
        assert_eq!(ask("api-key-lower"), (Some("header-spelling".into()), Some(6)));
        furnish_other(&service).await;
        let other = found(&explain(&db, &secret, &["--issuer", "voicegram"]), &secret);
        assert_eq!(other, (Some("other-issuer".into()), Some(6)));
        assert_eq!(explain(&db, &secret, &["--issuer", "nobody"]).status.code(), Some(3));
    }

    async fn vp_09_alerts_are_listed_and_acknowledged_on_the_command_line(db) {
        let service = office(&db, preset("voxpria")).await;
        let tolerance = Tolerance { address: 1, ..Tolerance::default() };
        let gate = Gate::open(&db.location(), Clock::System, GateSettings { tolerance, ..settings("east") }).await.unwrap();
        gate.failed("203.0.113.7".parse().ok(), None);
        gate.failed("203.0.113.8".parse().ok(), None);
        gate.close().await;
        assert_eq!(service.open_alerts().await.unwrap(), 2);
        let address = db.address();
        let alerts = |more: &[&str]| {
            let mut args = vec!["--db", address.as_str(), "alerts"];
            args.extend(more);
            run(db.dir(), args)
        };
        let listed: serde_json::Value = serde_json::from_slice(&alerts(&["list", "--json"]).stdout).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), 2);
        assert_eq!(listed[0]["kind"], "failed-authentications");
        assert!(listed[0]["words"].as_str().unwrap().contains("203.0.113."));
        let number = listed[0]["id"].to_string();
        assert_eq!(alerts(&["ack", &number]).status.code(), Some(0));
        assert_eq!(service.open_alerts().await.unwrap(), 1);
        assert_eq!(alerts(&["ack", "999"]).status.code(), Some(3));
        assert_eq!(alerts(&["ack", "--all"]).status.code(), Some(0));
        let table = alerts(&["list"]);
        assert!(String::from_utf8_lossy(&table.stderr).contains("No alert waits"));
        let all: serde_json::Value = serde_json::from_slice(&alerts(&["list", "--all", "--json"]).stdout).unwrap();
        assert_eq!(all.as_array().unwrap().len(), 2);
        assert!(all[0]["acknowledged_by"].is_string());
    }

    async fn vp_09_the_use_of_a_key_is_reviewed_on_the_command_line(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = made(&service).await;
        let gate = crate::support::people::gate(&db, "east").await;
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        for outcome in [Outcome::Allowed, Outcome::Allowed, Outcome::Limited] {
            gate.used(Use { known: &known, outcome, at: gate.now(), from: None, endpoint: None });
        }
        gate.close().await;
        let (address, id) = (db.address(), made.key.id.to_string());
        let output = run(db.dir(), ["--db", &address, "--json", "key", "usage", &id, "--by", "day"]);
        let spans: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let sum = |what: &str| spans.as_array().unwrap().iter().map(|span| span[what].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("allowed"), sum("refused"), sum("limited")), (2, 0, 1));
    }

    async fn budgets_of_a_key_are_set_shown_and_cleared_on_the_command_line(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = made(&service).await;
        let (address, id) = (db.address(), made.key.id.to_string());
        let limit = |more: &[&str]| {
            let mut args = vec!["--db", address.as_str(), "--json", "key", "limit", id.as_str()];
            args.extend(more);
            run(db.dir(), args)
        };
        let set: serde_json::Value = serde_json::from_slice(&limit(&["100/1m", "5000/1h"]).stdout).unwrap();
        assert_eq!(set["limits"], serde_json::json!(["100/1m", "5000/1h"]));
        assert_eq!(limit(&["many"]).status.code(), Some(2));
        assert_eq!(limit(&[]).status.code(), Some(2));
        let shown = run(db.dir(), ["--db", address.as_str(), "key", "show", id.as_str()]);
        assert!(String::from_utf8_lossy(&shown.stdout).contains("100/1m 5000/1h"));
        assert_eq!(limit(&["--clear"]).status.code(), Some(0));
        assert!(service.key(made.key.id).await.unwrap().limits.is_empty());
    }
}

async fn furnish_other(service: &Service) {
    service.apply_policy(new_operation(), preset("voicegram")).await.unwrap();
}
