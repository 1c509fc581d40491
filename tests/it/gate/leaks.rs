//! The doors for leaked keys: GitHub's, signed, and that of whoever holds a key.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use keyrack::domain::issuer::WhenLeaked;
use keyrack::domain::operator::Role;
use keyrack::domain::secret::PlainKey;
use keyrack::domain::usage::What;
use keyrack::service::{AlertRequest, Created, RaisedAlert, Service, new_operation};
use serde_json::{Value, json};

use crate::support::database::Database;
use crate::support::gate::Gate;
use crate::support::http::Answer;
use crate::support::people::{make_kept, office, preset};
use crate::support::script::Script;

/// A pair of keys on P-256 that openssl made.
struct Signer<'a> {
    folder: &'a Path,
    name: &'static str,
}

impl<'a> Signer<'a> {
    fn new(folder: &'a Path, name: &'static str) -> Self {
        let signer = Self { folder, name };
        signer.openssl(&["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", &signer.file()], &[]);
        signer
    }

    fn file(&self) -> String {
        self.folder.join(format!("{}.pem", self.name)).to_str().unwrap().to_owned()
    }

    fn openssl(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut child = Command::new("openssl")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "openssl {args:?}");
        output.stdout
    }

    /// As GitHub's meta endpoint tells of it.
    fn entry(&self) -> Value {
        let pem = self.openssl(&["ec", "-in", &self.file(), "-pubout"], &[]);
        json!({ "key_identifier": self.name, "key": String::from_utf8(pem).unwrap(), "is_current": true })
    }

    fn sign(&self, body: &str) -> String {
        Base64::encode_string(&self.openssl(&["dgst", "-sha256", "-sign", &self.file()], body.as_bytes()))
    }

    fn send(&self, gate: &Gate, body: &str) -> Answer {
        let signature = self.sign(body);
        let headers = [
            ("Content-Type", "application/json"),
            ("Github-Public-Key-Identifier", self.name),
            ("Github-Public-Key-Signature", &signature),
        ];
        gate.send("POST", "/leaks/github", &headers, body)
    }
}

fn keys_file(folder: &Path, signers: &[&Signer<'_>]) -> String {
    let file = folder.join("github.json");
    let entries: Vec<Value> = signers.iter().map(|signer| signer.entry()).collect();
    std::fs::write(&file, json!({ "public_keys": entries }).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn found(secret: &PlainKey) -> Value {
    json!({ "token": secret.expose(), "type": "vx_key", "url": "https://github.com/o/r/blob/1/a.txt", "source": "content" })
}

async fn alerts(service: &Service, created: &Created) -> Vec<RaisedAlert> {
    let request = AlertRequest { key: Some(created.key.id), limit: 10, ..AlertRequest::default() };
    service.alerts(&request).await.unwrap()
}

fn policy(when: WhenLeaked) -> keyrack::domain::issuer::Policy {
    let mut policy = preset("voxpria");
    policy.gate.when_leaked = when;
    policy
}

/// On PostgreSQL the gates of these tests are superusers unless they are given a login of their own.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(15), "not within 15 s: {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

on_both! {
    async fn kr_02_what_github_signed_ends_the_key_and_what_it_did_not_sign_does_nothing(db) {
        let office = office(&db, policy(WhenLeaked::Revoke)).await;
        let (leaked, safe) = (make_kept(&office, "acme", "leaked").await, make_kept(&office, "acme", "safe").await);
        let (signer, other) = (Signer::new(db.dir(), "one"), Signer::new(db.dir(), "two"));
        let file = keys_file(db.dir(), &[&signer]);
        let gate = Gate::start(&db, &["--leaks-github-keys", &file]);
        let unknown = json!({ "token": "vx_nobody", "type": "vx_key", "url": null });
        let body = json!([{ "token": 7 }, found(&leaked.secret), "odd", unknown, { "token": "" }]).to_string();

        // Not signed, signed by another, by a key that isn't there, another body.
        assert_eq!(gate.send("POST", "/leaks/github", &[], &body).status, 401);
        assert_eq!(other.send(&gate, &body).status, 401);
        let signature = signer.sign(&body);
        let headers = [("Github-Public-Key-Identifier", "one"), ("Github-Public-Key-Signature", signature.as_str())];
        assert_eq!(gate.send("POST", "/leaks/github", &headers, &body.replace("vx_key", "vx_kez")).status, 401);
        let twice = [headers[0], headers[1], headers[1]];
        assert_eq!(gate.send("POST", "/leaks/github", &twice, &body).status, 401);
        assert_eq!(office.key(leaked.key.id).await.unwrap().revoked_at, None);

        let answer = signer.send(&gate, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        let labels = answer.json();
        let hash = |text: &str| {
            use sha2::Digest as _;
            sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        assert_eq!(
            labels,
            json!([
                { "token_hash": hash(leaked.secret.expose()), "token_type": "vx_key", "label": "true_positive" },
                { "token_hash": hash("vx_nobody"), "token_type": "vx_key", "label": "false_positive" },
            ])
        );
        assert!(!answer.body.contains(leaked.secret.expose()));
        let revoked = office.key(leaked.key.id).await.unwrap();
        assert!(revoked.revoked_at.is_some());
        let reason = revoked.revoke_reason.clone().unwrap();
        assert!(reason.contains("leak:github: https://github.com/o/r/blob/1/a.txt"), "{reason}");
        assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", leaked.secret.expose())]).status, 401);
        assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", safe.secret.expose())]).status, 200);
        let raised = alerts(&office, &leaked).await;
        assert!(matches!(&raised[0].alert.what, What::Leaked { source, works: false, .. } if source.as_str() == "github"), "{raised:?}");

        // A replay is harmless, and labelled as before.
        let again = signer.send(&gate, &body);
        assert_eq!((again.status, again.json()), (200, labels));
        assert_eq!(office.key(leaked.key.id).await.unwrap(), revoked);
        let keyrack = Script::on(&db);
        let rows = keyrack.json(&["audit", "list", "--filter", &format!("key:{} action:key.revoke", leaked.key.id)]);
        assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
        assert!(rows[0].to_string().contains("leak:github"), "{rows}");
        keyrack.ok(&["audit", "verify"]);

        // The identifier is rotated while the gate runs.
        std::thread::sleep(Duration::from_millis(20));
        keys_file(db.dir(), &[&other]);
        assert_eq!(other.send(&gate, &body).status, 200);
        assert_eq!(signer.send(&gate, &body).status, 401);
        // A file in the making stops nobody.
        std::thread::sleep(Duration::from_millis(20));
        std::fs::write(&file, "{").unwrap();
        assert_eq!(other.send(&gate, &body).status, 200);
        let many: Vec<Value> = (0..1_001).map(|n| json!({ "token": format!("vx_{n}"), "type": "t" })).collect();
        assert_eq!(other.send(&gate, &json!(many).to_string()).status, 413);
        assert_eq!(other.send(&gate, "{}").status, 400);
    }

    async fn kr_02_a_policy_that_wants_to_be_told_is_told_and_the_key_works_on(db) {
        let office = office(&db, policy(WhenLeaked::Notify)).await;
        let leaked = make_kept(&office, "acme", "leaked").await;
        let signer = Signer::new(db.dir(), "one");
        let gate = Gate::start(&db, &["--leaks-github-keys", &keys_file(db.dir(), &[&signer])]);
        for _ in 0..2 {
            assert_eq!(signer.send(&gate, &json!([found(&leaked.secret)]).to_string()).json()[0]["label"], "true_positive");
        }
        assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", leaked.secret.expose())]).status, 200);
        let raised = alerts(&office, &leaked).await;
        assert_eq!(raised.len(), 1);
        assert!(matches!(&raised[0].alert.what, What::Leaked { works: true, .. }));
        assert_eq!(raised[0].alert.severity().as_str(), "critical");
        let rows = Script::on(&db).json(&["audit", "list", "--filter", "action:leak.report"]);
        assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
        let story = Script::on(&db).ok(&["incident", "report", "--since", "1h"]);
        assert!(story.contains("leak.report") && story.contains("leaked"), "{story}");
    }

    async fn kr_02_a_policy_that_pauses_gives_somebody_time_to_decide(db) {
        let office = office(&db, policy(WhenLeaked::Pause)).await;
        let leaked = make_kept(&office, "acme", "leaked").await;
        let signer = Signer::new(db.dir(), "one");
        let gate = Gate::start(&db, &["--leaks-github-keys", &keys_file(db.dir(), &[&signer])]);
        let works = || gate.get("/api/v1/me", &[("X-API-Key", leaked.secret.expose())]).status;
        assert_eq!(works(), 200);
        for _ in 0..2 {
            assert_eq!(signer.send(&gate, &json!([found(&leaked.secret)]).to_string()).json()[0]["label"], "true_positive");
        }
        assert_eq!(works(), 401);
        let key = office.key(leaked.key.id).await.unwrap();
        let now = office.now().await.unwrap();
        assert_eq!((key.status(now), key.revoked_at), (keyrack::domain::key::Status::Paused, None));
        let pause = key.paused.unwrap();
        let left = pause.until - now;
        assert!(left > chrono::TimeDelta::hours(167) && left <= chrono::TimeDelta::days(7), "{left}");
        assert!(pause.reason.unwrap().contains("leak:github: https://github.com/o/r/blob/1/a.txt"));
        let raised = alerts(&office, &leaked).await;
        assert_eq!(raised.len(), 1);
        let sentence = raised[0].alert.sentence();
        assert!(sentence.contains("paused until") && sentence.contains("keyrack key revoke"), "{sentence}");
        let keyrack = Script::on(&db);
        let rows = keyrack.json(&["audit", "list", "--filter", &format!("key:{} action:key.pause", leaked.key.id)]);
        assert!(rows[0].to_string().contains("leak:github"), "{rows}");
        keyrack.ok(&["audit", "verify"]);
        // Who looked into it may let it work again, and it does.
        keyrack.ok(&["key", "resume", &leaked.key.id.to_string(), "--yes"]);
        until("the key works again", async || works() == 200).await;
    }

    async fn kr_02_who_holds_keys_has_them_ended_and_learns_nothing(db) {
        let office = office(&db, policy(WhenLeaked::Revoke)).await;
        let (held, safe) = (make_kept(&office, "acme", "held").await, make_kept(&office, "globex", "safe").await);
        let gate = Gate::start(&db, &["--leaks-revoke", "open"]);
        let send = |keys: &[&str]| {
            let begun = Instant::now();
            (gate.send("POST", "/leaks/revoke", &[], &json!({ "keys": keys }).to_string()), begun.elapsed())
        };
        let (one, one_took) = send(&[held.secret.expose(), "", "odd"]);
        let (none, none_took) = send(&["vx_nobody"]);
        assert_eq!((one.status, &one.body), (202, &none.body));
        assert_eq!(one.without_date(), none.without_date());
        let (least, most) = (one_took.min(none_took), one_took.max(none_took));
        assert!(least >= Duration::from_millis(240) && most < Duration::from_secs(3), "{least:?} {most:?}");
        until("the key is revoked", async || office.key(held.key.id).await.unwrap().revoked_at.is_some()).await;
        assert_eq!(office.key(safe.key.id).await.unwrap().revoked_at, None);
        assert!(matches!(&alerts(&office, &held).await[0].alert.what, What::Leaked { source, .. } if source.as_str() == "holder"));
        let many: Vec<String> = (0..1_001).map(|n| format!("vx_{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(send(&many).0.status, 413);
        assert_eq!(gate.send("POST", "/leaks/revoke", &[], "[]").status, 400);
        assert_eq!(gate.send("POST", "/leaks/revoke", &[], &"x".repeat((1 << 20) + 1)).status, 413);
        assert!(!gate.log().contains(held.secret.expose()));
    }

    async fn kr_02_the_doors_are_shut_unless_they_are_opened_and_behind_the_brake(db) {
        let _office = office(&db, preset("voxpria")).await;
        let shut = Gate::start(&db, &[]);
        for path in ["/leaks/github", "/leaks/revoke"] {
            assert_eq!(shut.send("POST", path, &[], r#"{"keys":[]}"#).status, 404);
        }
        drop(shut);
        let gate = Gate::start(&db, &["--leaks-revoke", "open", "--unknown-keys", "3", "--name", "braked"]);
        let statuses: Vec<u16> = (0..6).map(|_| gate.send("POST", "/leaks/revoke", &[], r#"{"keys":["x"]}"#).status).collect();
        assert_eq!((statuses[0], statuses.last()), (202, Some(&429)), "{statuses:?}");
    }
}

/// The least right: a gate's login ends leaked keys only if an admin said so, and can end no other way even then.
#[test]
fn kr_02_a_gates_login_ends_leaked_keys_only_if_an_admin_lets_it() {
    crate::support::database::run_on_postgres(
        "kr_02_a_gates_login_ends_leaked_keys",
        async |db: Database| {
            let office = office(&db, policy(WhenLeaked::Revoke)).await;
            let (first, second) =
                (make_kept(&office, "acme", "first").await, make_kept(&office, "acme", "second").await);
            db.role("leakgate").await;
            db.grant("keyrack_gate", "leakgate").await;
            let gate = Gate::by(
                &db.address_as("leakgate"),
                &db,
                &["--listen", "127.0.0.1:0", "--leaks-revoke", "open"],
                &[],
            );
            let send = |secret: &PlainKey| {
                gate.send("POST", "/leaks/revoke", &[], &json!({ "keys": [secret.expose()] }).to_string())
                    .status
            };
            assert_eq!(send(&first.secret), 202);
            until("it is told", async || !alerts(&office, &first).await.is_empty()).await;
            assert!(
                matches!(&alerts(&office, &first).await[0].alert.what, What::Leaked { works: true, done, .. } if done.starts_with("not revoked"))
            );
            assert_eq!(office.key(first.key.id).await.unwrap().revoked_at, None);
            office.set_operator(new_operation(), "leakgate", Role::Operator).await.unwrap();
            assert_eq!(send(&second.secret), 202);
            until("it is revoked", async || office.key(second.key.id).await.unwrap().revoked_at.is_some())
                .await;
            let key = office.key(second.key.id).await.unwrap();
            assert_eq!(key.revoked_by.as_deref(), Some("leakgate"));
            let mut own =
                <sqlx::PgConnection as sqlx::Connection>::connect(&db.address_as("leakgate")).await.unwrap();
            for sql in [
                "UPDATE key_auth SET revoked_at = clock_timestamp(), revoked_by = session_user",
                "INSERT INTO audit (at, actor, host, operation, action, subject, detail) VALUES (now(), session_user, 'h', gen_random_uuid(), 'leak.report', 's', '{}')",
                "INSERT INTO keys (id, name, name_key, description, search, preview, tail, created_by) VALUES (gen_random_uuid(), 'n', 'n', '', 'n', 'vx_', 'abcd', session_user)",
            ] {
                assert!(
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut own).await.is_err(),
                    "{sql}"
                );
            }
            Script::on(&db).ok(&["audit", "verify"]);
        },
    );
}
