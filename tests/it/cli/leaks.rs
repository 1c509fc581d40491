//! `keyrack leak sweep`, as whoever is on call uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::support::database::Database;
use crate::support::people::{as_person, make_kept, office, preset};
use crate::support::script::{Script, text, texts};
use base64ct::{Base64, Encoding};
use keyrack::domain::leak::Form;
use keyrack::domain::operator::Role;
use keyrack::domain::secret::SentKey;
use keyrack::service::{Error, LeakOrder, LeakSource, RevokeKeys, new_operation};
use serde_json::Value;

/// Sweeps and answers the findings, with the exit code.
#[track_caller]
fn swept(keyrack: &Script<'_>, code: i32, args: &[&str]) -> Vec<Value> {
    let args = [&["leak", "sweep", "--json"], args].concat();
    let output = keyrack.run(&args);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}:\n{stdout}{stderr}");
    match serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")) {
        Value::Array(findings) => findings,
        other => panic!("no array: {other}"),
    }
}

/// Source, line and kind of each.
fn places(findings: &[Value]) -> Vec<(String, u64, String)> {
    let place = |one: &Value| {
        let file = Path::new(text(one, "source")).file_name().unwrap().to_string_lossy().into_owned();
        (file, one["line"].as_u64().unwrap_or(0), text(one, "kind").to_owned())
    };
    findings.iter().map(place).collect()
}

fn place(file: &str, line: u64, kind: &str) -> (String, u64, String) {
    (file.into(), line, kind.into())
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            write!(text, "{:016x}", self.next()).unwrap();
        }
        text.truncate(digits);
        text
    }

    /// A line as logs have them.
    fn line(&mut self) -> String {
        let (n, id) = (self.next(), self.hex(12));
        match n % 8 {
            0 => format!(
                "2026-11-28T{:02}:{:02}:07Z INFO http: GET /v1/calls/{id}?page={}&sort=created_at 200 {}ms",
                n % 24,
                n % 60,
                n % 99,
                n % 700
            ),
            1 => format!(
                "{{\"level\":\"info\",\"request_id\":\"{}\",\"user_agent\":\"curl/8.5\",\"path\":\"/api/v2/usage_stats\",\"status\":{}}}",
                self.hex(32),
                200 + n % 300
            ),
            2 => format!(
                "10.{}.{}.7 - - [28/Nov/2026] \"POST /login HTTP/1.1\" 302 {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
                n % 256,
                n % 199,
                n % 9999
            ),
            3 => format!("kernel: [{}.{id}] eth0: renamed from veth_{}", n % 99999, self.hex(7)),
            4 => format!(
                "Nov 28 host sshd[{}]: Accepted publickey for deploy: RSA SHA256:{}",
                n % 32768,
                Base64::encode_string(self.hex(32).as_bytes())
            ),
            5 => format!("digest: sha256:{} size: {}", self.hex(64), n % 123_456),
            6 => format!(
                "/usr/lib/python3/dist-packages/service_{}/handlers/call_router.py:{}: Warning: api_key is deprecated = {}",
                n % 40,
                n % 900,
                n % 7
            ),
            _ => format!(
                "level=debug msg=\"cache_miss for gw_name\" key=user_{}_{} trace={}-{}",
                n % 500,
                n % 77,
                self.hex(8),
                self.hex(4)
            ),
        }
    }
}

/// The secret in each of six disguises.
fn disguised(secret: &str, how: usize) -> String {
    let (a, b) = secret.split_at(secret.len() / 2);
    match how % 6 {
        0 => format!("Authorization: Bearer {secret}"),
        1 => format!("GET /hook?token={}&x=1 HTTP/1.1", secret.replace('_', "%5F")),
        2 => format!("{{\"body\":\"{{\\\"key\\\":\\\"{}\\\"}}\"}}", secret.replace('_', "\\u005f")),
        3 => format!("Authorization: Basic {}", Base64::encode_string(format!("user:{secret}").as_bytes())),
        4 => format!("token=3D{}=\r\n{b} end", a.replace('_', "=5F")),
        _ => format!("> {a}\n> {b}\n>"),
    }
}

on_both! {
    async fn kr_01_every_planted_key_is_found_in_six_disguises_and_none_is_invented(db) {
        // The whole: KEYRACK_LEAKS=10000 of them in 100 MB.
        let number: usize = std::env::var("KEYRACK_LEAKS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
        let mut policy = preset("voicegram");
        (policy.caps.active_keys, policy.caps.creations_per_minute) = (None, None);
        let service = office(&db, policy).await;
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let folder = db.dir().join("logs");
        std::fs::create_dir(&folder).unwrap();
        let mut planted: BTreeMap<String, (String, u64)> = BTreeMap::new();
        let per_file = number.div_ceil(10).max(6);
        let mut secrets = Vec::new();
        for file in 0..number.div_ceil(per_file) {
            let name = format!("app-{file}.log");
            let (mut log, mut lines) = (String::new(), 0);
            for n in 0..per_file.min(number - file * per_file) {
                let until = (n + 1) * 10_000;
                while log.len() < until {
                    log.push_str(&chance.line());
                    log.push('\n');
                    lines += 1;
                }
                let made = make_kept(&service, "acme", &format!("key {file} {n}")).await;
                planted.insert(made.key.id.to_string(), (name.clone(), lines + 1));
                let shown = disguised(made.secret.expose(), n);
                lines += shown.matches('\n').count() as u64 + 1;
                log.push_str(&shown);
                log.push('\n');
                secrets.push(made.secret.expose().to_owned());
            }
            std::fs::write(folder.join(name), log).unwrap();
        }
        let keyrack = Script::on(&db);
        let begun = std::time::Instant::now();
        let findings = swept(&keyrack, 6, &[folder.to_str().unwrap()]);
        println!("{number} keys found in {:?}", begun.elapsed());
        let mut found = BTreeMap::new();
        for one in &findings {
            assert_eq!((text(one, "kind"), text(one, "status"), text(one, "account")), ("ours", "active", "acme"), "{one}");
            let place = places(std::slice::from_ref(one)).remove(0);
            assert!(found.insert(text(one, "id").to_owned(), (place.0, place.1)).is_none(), "told twice: {one}");
        }
        assert_eq!(found, planted);
        // Nobody's eyes see a secret.
        let (stdout, stderr) = texts(&keyrack.run(&["leak", "sweep", folder.to_str().unwrap()]));
        assert!(secrets.iter().all(|secret| !stdout.contains(&secret[20..]) && !stderr.contains(&secret[20..])));
        let last = stderr.lines().last().unwrap().to_owned();
        assert!(last.starts_with("Found: ") && last.contains(" of which work"), "{last}");

        // One decision ends them all, once.
        let args = [folder.to_str().unwrap(), "--revoke", "--reason", "logs were public", "--ticket", "INC-7"];
        assert!(failed_with(&keyrack, 2, &args).contains("--yes"));
        let tried = keyrack.run(&[&["leak", "sweep", "--dry-run"], &args[..]].concat());
        assert_eq!(tried.status.code(), Some(6));
        assert!(texts(&tried).1.contains("Nothing was changed"));
        let ended = swept(&keyrack, 0, &[&args[..], &["--yes"]].concat());
        assert!(ended.len() == number && ended.iter().all(|one| text(one, "status") == "revoked"));
        let rows = db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke' AND detail LIKE '%INC-7%'").await;
        assert_eq!(usize::try_from(rows).unwrap(), number);
        let one = service.key(text(&ended[0], "id").parse().unwrap()).await.unwrap();
        assert_eq!(one.revoke_reason.as_deref(), Some("logs were public"));
        swept(&keyrack, 0, &[&args[..], &["--yes"]].concat());
        assert_eq!(usize::try_from(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await).unwrap(), number);
    }

    async fn files_of_every_kind_are_searched_and_what_cannot_be_is_told(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let made = keyrack.create("acme", "one");
        let secret = text(&made, "secret");
        let folder = db.dir().join("all");
        std::fs::create_dir_all(folder.join("deep/er")).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write("a.txt", format!("x\ny {secret}\n").as_bytes());
        write("b.bin", &[b"\x7fELF\0\xff\xfe\0\n\n", secret.as_bytes(), b"\0\x80"].concat());
        let wide = |of: fn(u16) -> [u8; 2], bom: [u8; 2]| {
            let text = format!("сервис\n\n{secret}\n");
            [&bom[..], &text.encode_utf16().flat_map(of).collect::<Vec<u8>>()].concat()
        };
        write("c16le.txt", &wide(u16::to_le_bytes, [0xff, 0xfe]));
        write("d16be.txt", &wide(u16::to_be_bytes, [0xfe, 0xff]));
        let gz = |bytes: &[u8]| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gz.write_all(bytes).unwrap();
            gz.finish().unwrap()
        };
        write("deep/e.log.gz", &[gz(b"one\n"), gz(format!("{secret}\n").as_bytes())].concat());
        let cut = gz([secret.as_bytes(), b"\n", &[b'x'; 9000]].concat().as_slice());
        write("deep/er/f.gz", &gz(&gz(secret.as_bytes())));
        write("deep/er/g.gz", &cut[..cut.len() - 9]);
        // Far into a file, across the windows it is read in.
        let mut long = "filler of a line that goes on and on\n".repeat(60_000);
        long.push_str(secret);
        write("long.log", long.as_bytes());
        std::os::unix::fs::symlink(folder.join("a.txt"), folder.join("link")).unwrap();
        std::os::unix::fs::symlink(&folder, folder.join("deep/loop")).unwrap();
        let fifo = rustix::fs::mknodat(rustix::fs::CWD, folder.join("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0);
        fifo.unwrap();

        let args = [folder.to_str().unwrap(), "/nowhere/at/all"];
        let findings = swept(&keyrack, 6, &args);
        assert_eq!(places(&findings), [
            place("a.txt", 2, "ours"), place("b.bin", 3, "ours"), place("c16le.txt", 3, "ours"),
            place("d16be.txt", 3, "ours"), place("e.log.gz", 2, "ours"), place("f.gz", 1, "ours"), place("g.gz", 1, "ours"),
            place("long.log", 60_001, "ours"),
        ]);
        let (_, said) = texts(&keyrack.run(&[&["leak", "sweep"], &args[..]].concat()));
        for part in ["/nowhere/at/all: can't be read", "g.gz: can't be read", "3 links or special files skipped", "2 could not be read"] {
            assert!(said.contains(part), "{part}:\n{said}");
        }
        // Nothing of ours, but not everything was seen.
        assert_eq!(swept(&keyrack, 1, &["/nowhere/at/all"]), Vec::<Value>::new());
        write("clean.txt", b"nothing here");
        assert_eq!(swept(&keyrack, 0, &[folder.join("clean.txt").to_str().unwrap()]), Vec::<Value>::new());
        // Standard input, named or not.
        for args in [&["leak", "sweep", "--json"][..], &["leak", "sweep", "-", "--json"]] {
            let output = keyrack.run_with_input(args, format!("a\n\n{secret}"));
            assert_eq!(output.status.code(), Some(6));
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((text(&found[0], "source"), &found[0]["line"], &found[0]["column"]), ("-", &3.into(), &1.into()));
        }
    }

    async fn each_kind_is_told_and_reports_name_their_own_places(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let (one, gone) = (keyrack.create("acme", "one"), keyrack.create("globex", "gone"));
        keyrack.ok(&["key", "revoke", text(&gone, "id"), "--yes"]);
        let (secret, dead) = (text(&one, "secret"), text(&gone, "secret"));
        let strange = format!("{}{}", &secret[..secret.len() - 4], if secret.ends_with("0000") { "1111" } else { "0000" });
        let log = format!(
            "{secret}\n{dead}\n{strange}\n{}\n{}\nghp_{}\nsha256 {}\n",
            &secret[..40], text(&one, "preview"), "a1".repeat(18), "0f".repeat(32),
        );
        let file = db.dir().join("all.txt");
        std::fs::write(&file, log).unwrap();
        let findings = swept(&keyrack, 6, &[file.to_str().unwrap()]);
        let kinds: Vec<&str> = findings.iter().map(|one| text(one, "kind")).collect();
        assert_eq!(kinds, ["ours", "ours", "unknown", "damaged", "damaged", "foreign"]);
        assert_eq!((text(&findings[0], "status"), text(&findings[1], "status")), ("active", "revoked"));
        assert_eq!((text(&findings[0], "id"), text(&findings[0], "name")), (text(&one, "id"), "one"));
        assert_eq!(findings[4]["candidates"], serde_json::json!([one["id"]]));
        assert_eq!((text(&findings[5], "provider"), &findings[5]["id"]), ("GitHub token", &Value::Null));

        let hash = {
            use sha2::Digest;
            sha2::Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let report = db.dir().join("report.json");
        let entry = |secret: &str, more: &str| {
            format!("{{\"RuleID\":\"generic\",\"StartLine\":9,\"File\":\"src/a.py\",\"Commit\":\"c0\",\"Match\":\"k={secret}\",\"Secret\":\"{secret}\"{more}}}")
        };
        let tail = &secret[secret.len() - 4..];
        let entries = [
            entry(secret, ""), entry("REDACTED", ""), entry(&format!("****{tail}"), ""),
            entry("REDACTED", &format!(",\"Fingerprint\":\"sha256:{hash}\"")), entry("s3cr3t-of-somebody", ""),
        ];
        std::fs::write(&report, format!("[{}]", entries.join(","))).unwrap();
        for form in ["auto", "gitleaks"] {
            let findings = swept(&keyrack, 6, &[report.to_str().unwrap(), "--report", form]);
            let kinds: Vec<&str> = findings.iter().map(|one| text(one, "kind")).collect();
            assert_eq!(kinds, ["ours", "redacted", "redacted", "ours", "foreign"]);
            let place = places(&findings).into_iter().map(|(file, line, _)| (file, line)).collect::<BTreeSet<_>>();
            assert_eq!(place, BTreeSet::from([("a.py".to_owned(), 9)]));
            // Four characters are a hint, not a proof.
            assert_eq!((&findings[2]["id"], &findings[2]["candidates"]), (&Value::Null, &serde_json::json!([one["id"]])));
            assert_eq!((text(&findings[4], "provider"), text(&findings[4], "commit")), ("generic", "c0"));
        }
        // As a text, it is where it stands.
        let as_text = swept(&keyrack, 6, &[report.to_str().unwrap(), "--report", "text"]);
        assert!(as_text.iter().all(|one| text(one, "source").ends_with("report.json")));
        let (stdout, stderr) = texts(&keyrack.run(&["leak", "sweep", report.to_str().unwrap(), file.to_str().unwrap()]));
        assert!(!format!("{stdout}{stderr}").contains(&secret[12..]) && !stdout.contains("s3cr3t"), "{stdout}{stderr}");
    }

    async fn kr_01_what_works_is_paused_in_one_decision_and_a_longer_pause_stays(db) {
        let service = office(&db, preset("voicegram")).await;
        let mut made = Vec::new();
        for name in ["one", "two", "gone"] {
            made.push(make_kept(&service, "acme", name).await);
        }
        let keyrack = Script::on(&db);
        let ids: Vec<String> = made.iter().map(|made| made.key.id.to_string()).collect();
        keyrack.ok(&["key", "pause", &ids[1], "--for", "2d", "--yes"]);
        keyrack.ok(&["key", "revoke", &ids[2], "--yes"]);
        let file = db.dir().join("app.log");
        let lines = made.iter().map(|made| format!("token={}\n", made.secret.expose()));
        std::fs::write(&file, lines.collect::<String>()).unwrap();
        let file = file.to_str().unwrap();
        let refused = failed_with(&keyrack, 2, &[file, "--pause", "soon"]);
        assert!(refused.contains("--pause: "), "{refused}");
        failed_with(&keyrack, 2, &[file, "--pause", "1h", "--revoke"]);
        failed_with(&keyrack, 6, &[file, "--pause", "1h", "--dry-run"]);
        assert_eq!(keyrack.keys("status:paused").len(), 1);
        let status = |found: &[Value]| found.iter().map(|one| text(one, "status").to_owned()).collect::<Vec<_>>();
        let found = swept(&keyrack, 0, &[file, "--pause", "1h", "--reason", "in a log", "--yes"]);
        assert_eq!(status(&found), ["paused", "paused", "revoked"]);
        let until = |id: &str| keyrack.json(&["key", "show", id])["paused_until"].as_str().unwrap().to_owned();
        assert!(until(&ids[0]) < until(&ids[1]));
        // There is nothing left to pause, and what is paused can be revoked.
        swept(&keyrack, 0, &[file, "--pause", "30m", "--yes"]);
        let found = swept(&keyrack, 0, &[file, "--revoke", "--yes"]);
        assert_eq!(status(&found), ["revoked", "revoked", "revoked"]);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn viewers_sweep_and_operators_revoke(db) {
        let service = office(&db, preset("voicegram")).await;
        let made = make_kept(&service, "acme", "one").await;
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        let sweep = async |name: &str, db: &Database| {
            let person = as_person(db, name).await;
            let given = SentKey::exact(made.secret.expose().as_bytes());
            let since = person.now().await.unwrap();
            let order = LeakOrder { sources: vec![LeakSource::Given(given)], form: Form::Auto, since };
            let sweep = person.sweep_leaks(order, |_| {}).await.unwrap();
            let now = person.now().await.unwrap();
            assert_eq!(sweep.working(now), [made.key.id]);
            let order = RevokeKeys {
                keys: vec![made.key.id],
                reason: Some("leaked".into()),
                ticket: Some("INC-1".into()),
                shown: None,
            };
            person.revoke_order(new_operation(), order).await
        };
        assert!(matches!(sweep("vera", &db).await, Err(Error::NotPermitted { needs: Role::Operator, .. })));
        assert!(!sweep("otto", &db).await.unwrap()[0].already);
    }

    async fn kr_01_the_admins_of_what_was_found_are_told_with_it_or_alone(db) {
        let service = office(&db, preset("voxpria")).await;
        let (made, dead) = (make_kept(&service, "acme", "hub").await, make_kept(&service, "acme", "dead").await);
        service.revoke_keys(new_operation(), &[dead.key.id], None).await.unwrap();
        let keyrack = Script::on(&db);
        let (log, letters) = (db.dir().join("log"), db.dir().join("letters"));
        std::fs::write(&log, format!("a {}\nb {}\n", made.secret.expose(), dead.secret.expose())).unwrap();
        let (log, folder) = (log.to_str().unwrap(), letters.to_str().unwrap());
        let sent = || std::fs::read_dir(&letters).map_or(0, Iterator::count);
        let dry = failed_with(&keyrack, 6, &[log, "--tell", "--mail-dir", folder, "--dry-run"]);
        assert!(dry.contains("send 1 letter") && sent() == 0, "{dry}");
        let found = swept(&keyrack, 6, &[log, "--tell", "--reason", "INC-7", "--mail-dir", folder, "--yes"]);
        assert_eq!((found.len(), sent()), (2, 1), "what works is told of, and standard output is the findings");
        // The same letter of the same day is the same file.
        let letter = || {
            let letter = std::fs::read_dir(&letters).unwrap().next().unwrap().unwrap().path();
            std::fs::read_to_string(letter).unwrap()
        };
        let first = letter();
        assert!(first.contains("hub") && first.contains("INC-7") && !first.contains("dead"), "{first}");
        let ended = swept(&keyrack, 0, &[log, "--revoke", "--tell", "--mail-dir", folder, "--yes"]);
        assert!(ended.iter().all(|one| text(one, "status") == "revoked"), "{ended:?}");
        assert!(letter().contains("revoked") && sent() == 1, "{}", letter());
        let none = failed_with(&keyrack, 0, &[log, "--tell", "--mail-dir", folder, "--yes"]);
        assert!(none.contains("nobody was notified"), "{none}");
    }
}

#[track_caller]
fn failed_with(keyrack: &Script<'_>, code: i32, args: &[&str]) -> String {
    let args = [&["leak", "sweep"], args].concat();
    let output = keyrack.run(&args);
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}
