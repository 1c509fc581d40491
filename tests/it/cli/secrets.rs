//! A secret on the command line: shown once, alone, to where it was asked for, and acknowledged only then.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::forms::forms;
use crate::support::people::{office, preset};
use crate::support::script::{Script, failed, text, texts};
use keyrack::domain::secret::{Body, PlainKey};
use serde_json::Value;

on_both! {
    async fn vg_11_the_secret_stands_alone_on_standard_output_and_is_never_given_again(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let output = keyrack.run(&["key", "create", "--account", "acme", "--name", "deploy"]);
        let (stdout, stderr) = texts(&output);
        assert!(output.status.success(), "{stderr}");
        let secret = stdout.strip_suffix('\n').unwrap();
        assert!(secret.starts_with("vg_pat_") && secret.len() == 71 && !secret.contains('\n'), "{stdout:?}");
        assert!(!stderr.contains(secret), "the talk holds the secret");
        assert!(stderr.contains("fully privileged"), "{stderr}");
        let key = &keyrack.keys("")[0];
        assert!(key["acknowledged_at"].is_string());
        assert!(text(key, "preview").ends_with(&secret[67..]));
        assert!(!keyrack.ok(&["key", "show", text(key, "id"), "--output", "wide"]).contains(secret));
    }

    async fn key_create_as_json_has_the_promised_members(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let made = keyrack.create("acme", "deploy");
        for member in ["id", "account", "name", "preview", "secret", "expires_at", "scopes"] {
            assert!(made.get(member).is_some(), "{member} is missing in {made}");
        }
        assert!(text(&made, "secret").starts_with("vg_pat_"));
        assert!(text(&made, "check").contains("curl") && !text(&made, "check").contains(text(&made, "secret")));
    }

    async fn a_secret_goes_into_a_private_file_that_is_never_overwritten(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let args = ["key", "create", "--account", "acme", "--name", "deploy", "--out", "secret.txt"];
        assert_eq!(keyrack.ok(&args), "");
        let path = db.dir().join("secret.txt");
        let secret = std::fs::read_to_string(&path).unwrap();
        assert!(secret.starts_with("vg_pat_"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(keyrack.keys("")[0]["acknowledged_at"].is_string());
        let refused = keyrack.refused(2, &args);
        assert!(refused.contains("not overwritten"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), secret);
        assert_eq!(keyrack.keys("").len(), 1, "no key is made whose secret has no place");
        let told: Value = keyrack.json(&["key", "create", "--account", "acme", "--name", "two", "--out", "two.txt"]);
        assert_eq!((&told["secret"], text(&told, "secret_file")), (&Value::Null, "two.txt"));
    }

    async fn a_file_for_a_key_that_is_refused_does_not_stay(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.ok(&["account", "suspend", "acme"]);
        keyrack.refused(5, &["key", "create", "--account", "acme", "--name", "x", "--out", "secret.txt"]);
        assert!(!db.dir().join("secret.txt").exists());
    }

    async fn vp_27_a_secret_that_nobody_took_leaves_an_unacknowledged_key_and_says_so(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        for json in [&[][..], &["--json"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let args = [&["key", "create", "--account", "acme", "--name", "lost"], json].concat();
            let output = keyrack.command(&args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
            let stderr = failed(1, &args, &output);
            assert!(stderr.contains("10 minutes") && stderr.contains("keyrack key revoke "), "{stderr}");
        }
        let keys = keyrack.keys("");
        assert_eq!(keys.len(), 2);
        assert!(keys.iter().all(|key| key["acknowledged_at"].is_null()));
        crate::support::people::age(&db, 601).await;
        assert_eq!(keyrack.keys("status:abandoned").len(), 2);
    }

    async fn no_key_is_made_when_standard_output_leads_nowhere(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let args = ["key", "create", "--account", "acme", "--name", "lost"];
        let output = keyrack.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        assert!(failed(1, &args, &output).contains("no key was created"));
        assert_eq!(keyrack.keys("").len(), 0);
    }

    async fn a_key_can_be_acknowledged_later(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let args = ["key", "create", "--account", "acme", "--name", "late"];
        keyrack.command(&args).stdout(writer).stderr(Stdio::null()).status().unwrap();
        let id = text(&keyrack.keys("acknowledged:no")[0], "id").to_owned();
        keyrack.ok(&["key", "acknowledge", &id]);
        assert_eq!(keyrack.keys("acknowledged:no").len(), 0);
    }

    async fn vi_12_a_successor_is_handed_over_before_the_old_key_ends(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let old = keyrack.json(&["key", "create", "--account", "acme", "--name", "web", "--scope", "calls:write"]);
        let new = keyrack.json(&["key", "rotate", text(&old, "id"), "--overlap", "1h"]);
        assert_ne!(new["secret"], old["secret"]);
        for same in ["account", "name", "scopes", "issuer"] {
            assert_eq!(new[same], old[same], "{same}");
        }
        let shown = |id| keyrack.json(&["key", "show", id]);
        let (was, is) = (shown(text(&old, "id")), shown(text(&new, "id")));
        assert_eq!((&was["successor"], &is["predecessor"]), (&new["id"], &old["id"]));
        assert_eq!(text(&was, "status"), "active");
        assert!(was["expires_at"].is_string(), "the old key ends by itself: {was}");
        let last = keyrack.json(&["key", "rotate", text(&new, "id"), "--overlap", "none", "--yes"]);
        assert_eq!(text(&shown(text(&new, "id")), "status"), "revoked");
        assert_eq!(text(&shown(text(&last, "id")), "status"), "active");
        keyrack.refused(2, &["key", "rotate", text(&last, "id"), "--overlap", "none"]);
        keyrack.refused(2, &["key", "rotate", text(&last, "id"), "--overlap", "3d"]);
    }

    async fn va_14_a_key_is_found_by_its_secret_name_preview_id_or_last_four(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let made = keyrack.create("acme", "Front desk");
        keyrack.create("globex", "Other");
        let secret = text(&made, "secret");
        let found = |output: std::process::Output| {
            let keys: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(keys.len(), 1, "{keys:?}");
            keys[0]["id"].clone()
        };
        assert_eq!(found(keyrack.run_with_input(&["key", "find", "--json"], format!("  {secret} \n"))), made["id"]);
        let id = text(&made, "id");
        for text in ["front desk", text(&made, "preview"), id, &id[24..], &secret[secret.len() - 4..]] {
            assert_eq!(found(keyrack.run(&["key", "find", text, "--json"])), made["id"], "{text}");
        }
        let other = if secret.as_bytes()[10] == b'A' { 'B' } else { 'A' };
        let unknown = format!("{}{other}{}", &secret[..10], &secret[11..]);
        let output = keyrack.run_with_input(&["key", "find"], &unknown);
        assert!(!failed(3, &["key", "find"], &output).contains(&unknown));
    }

    async fn whatever_stands_around_a_secret_every_door_finds_it(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let made = keyrack.create("acme", "Front desk");
        let secret = text(&made, "secret");
        let (a, b) = secret.split_at(20);
        for form in [
            format!("Authorization: Bearer {secret}"),
            format!("export KEY='{secret}';"),
            format!("{{\"key\": \"{secret}\"}},"),
            format!("+key: {secret}"),
            format!("https://x.example/?k={}&b=1", secret.replace('_', "%5F")),
            format!("\u{feff}{secret}."),
            format!("> {a}=\r\n> {b}\r\n"),
            format!("x{secret}\n{secret}"),
            format!("{}{secret}", "words ".repeat(20_000)),
        ] {
            let found = keyrack.run_with_input(&["key", "find", "--json"], &form);
            let keys: Value = serde_json::from_slice(&found.stdout).unwrap_or_else(|error| panic!("{error}: {form:.80}"));
            assert_eq!((keys.as_array().unwrap().len(), &keys[0]["id"]), (1, &made["id"]), "{form:.80}");
            assert_eq!(keys[0]["admins"][0], "it@acme.example");
            let told = keyrack.run_with_input(&["key", "revoke", "--secret-stdin", "--dry-run"], &form);
            assert!(texts(&told).1.contains("Would revoke this key"), "{form:.80}: {}", texts(&told).1);
            let told = keyrack.run_with_input(&["explain"], &form);
            assert!(texts(&told).0.contains("Front desk") && !texts(&told).0.contains(secret), "{form:.80}");
        }
    }

    async fn every_form_in_which_a_secret_is_handed_over_passes_at_every_door(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let made = keyrack.create("acme", "Front desk");
        let secret = text(&made, "secret");
        // The form is no matter of the database: on PostgreSQL every third.
        for form in forms(secret).into_iter().step_by(if db.is_postgres() { 3 } else { 1 }) {
            let found = keyrack.run_with_input(&["key", "find", "--json"], &form);
            let keys: Value = serde_json::from_slice(&found.stdout).unwrap_or_else(|error| panic!("{error}: {form:.80}"));
            assert_eq!((keys.as_array().unwrap().len(), &keys[0]["id"]), (1, &made["id"]), "{form:.80}");
            let told = keyrack.run_with_input(&["key", "revoke", "--secret-stdin", "--dry-run"], &form);
            assert!(texts(&told).1.contains("Would revoke this key"), "{form:.80}: {}", texts(&told).1);
            let told = keyrack.run_with_input(&["explain"], &form);
            assert!(texts(&told).0.contains("Front desk") && !texts(&told).0.contains(secret), "{form:.80}");
        }
    }

    async fn what_is_not_here_is_said_with_the_databases_name(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let name = db.open().await.location();
        let unknown = PlainKey::make("gw_", Body::Base62Checksum, &[3; 32]);
        for args in [&["key", "find"][..], &["key", "revoke", "--secret-stdin", "--yes"]] {
            let told = failed(3, args, &keyrack.run_with_input(args, unknown.expose()));
            let words = format!("A VozAgent API key by its format, not in this database ({name})");
            assert!(told.contains(&words) && !told.contains(unknown.expose()), "{told}");
        }
    }

    async fn of_many_keys_that_fit_the_first_are_shown_and_all_are_counted(db) {
        let service = office(&db, preset("voiceinfra")).await;
        service.demo(300, 1, |_| {}).await.unwrap();
        let keyrack = Script::on(&db);
        let (found, told) = texts(&keyrack.run(&["key", "find", "e", "--json"]));
        let found: Vec<Value> = serde_json::from_str(&found).unwrap();
        assert_eq!(found.len(), 20);
        let all = told.split("20 of ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        assert!(all.parse::<u32>().is_ok_and(|all| all > 20), "{told}");
        let args = ["key", "revoke", "--secret-stdin", "--yes"];
        let told = failed(2, &args, &keyrack.run_with_input(&args, "e"));
        assert!(told.contains("It contains no complete secret") && told.contains(" and others: name the key"), "{told}");
    }

    async fn of_several_secrets_explain_takes_none_and_names_their_keys(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let (one, other) = (keyrack.create("acme", "one"), keyrack.create("acme", "other"));
        let both = format!("{}\n{}\n", text(&one, "secret"), text(&other, "secret"));
        let told = keyrack.run_with_input(&["explain"], &both);
        assert!(!told.status.success() && told.stdout.is_empty());
        let told = texts(&told).1;
        for key in [&one, &other] {
            assert!(told.contains(text(key, "id")) && !told.contains(text(key, "secret")), "{told}");
        }
    }

    async fn an_id_is_found_whatever_stands_around_it(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let (one, other) = (keyrack.create("acme", "one"), keyrack.create("acme", "other"));
        let (first, second) = (text(&one, "id"), text(&other, "id"));
        for around in [
            format!("<{first}>"),
            format!("level=warn key={first} refused"),
            format!("{{\"key\":\"{}\"}}", first.to_uppercase()),
            format!("see https://x.example/keys/{first}/ and\nthat is all"),
            format!("{}{first}", "words ".repeat(5_000)),
        ] {
            let found = keyrack.run_with_input(&["key", "find", "--json"], &around);
            let keys: Value = serde_json::from_slice(&found.stdout).unwrap_or_else(|error| panic!("{error}: {around:.80}"));
            assert_eq!((keys.as_array().unwrap().len(), &keys[0]["id"]), (1, &one["id"]), "{around:.80}");
        }
        let found = keyrack.run_with_input(&["key", "find", "--json"], format!("{first} and {second}"));
        assert_eq!(serde_json::from_slice::<Vec<Value>>(&found.stdout).unwrap().len(), 2);
        let args = ["key", "revoke", "--secret-stdin", "--yes"];
        let told = failed(2, &args, &keyrack.run_with_input(&args, format!("{first} and {second}")));
        assert!(told.contains("It contains no complete secret") && told.contains(second), "{told}");
    }

    async fn a_secret_without_its_prefix_is_found_or_said_to_be_cut_off(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let made = keyrack.create("acme", "one");
        let body = text(&made, "secret").strip_prefix("gw_").unwrap();
        for given in [body.to_owned(), format!("w_{body}"), format!("KEY={body};")] {
            let found = keyrack.run_with_input(&["key", "find", "--json"], &given);
            let keys: Vec<Value> = serde_json::from_slice(&found.stdout).unwrap();
            assert_eq!(keys[0]["id"], made["id"], "{given}");
        }
        let unknown = PlainKey::make("gw_", Body::Base62Checksum, &[3; 32]);
        let told = keyrack.run_with_input(&["key", "find"], &unknown.expose()[3..]);
        let told = failed(3, &["key", "find"], &told);
        assert!(told.contains("cut off at its beginning: its prefix is missing"), "{told}");
        assert!(!told.contains(&unknown.expose()[3..]), "{told}");
    }

    async fn all_the_secrets_of_a_text_are_revoked_and_the_rest_is_told(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let (one, other) = (keyrack.create("acme", "one"), keyrack.create("acme", "other"));
        let (first, second) = (text(&one, "secret"), text(&other, "secret"));
        let args = ["key", "revoke", "--secret-stdin", "--yes", "--reason", "leaked"];
        let report = format!("{first}\n{second}\n{first}\n{}\n", &first[..40]);
        let output = keyrack.run_with_input(&args, &report);
        assert_eq!(output.status.code(), Some(3), "{:?}", texts(&output));
        assert!(texts(&output).1.contains("Line 4, column 1: a VozAgent"), "{}", texts(&output).1);
        assert_eq!(keyrack.keys("status:revoked").len(), 2);
        let card = keyrack.run_with_input(&["key", "find"], first);
        let card = texts(&card).0;
        for words in ["leaked", "it@acme.example", "Scopes", "Expires", "Last used"] {
            assert!(card.contains(words), "{words}: {card}");
        }
    }

    async fn nothing_but_a_whole_secret_revokes_from_standard_input(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let made = keyrack.create("acme", "deploy");
        let (secret, preview) = (text(&made, "secret"), text(&made, "preview"));
        let args = ["key", "revoke", "--secret-stdin", "--yes"];
        let damaged = format!("{}{}", &secret[..20], &secret[21..]);
        for given in [
            "deploy".to_owned(),
            secret[secret.len() - 4..].to_owned(),
            text(&made, "id").to_owned(),
            preview.to_owned(),
            format!("{damaged}\nseen as {preview}"),
        ] {
            let told = failed(2, &args, &keyrack.run_with_input(&args, &given));
            assert!(told.contains("It contains no complete secret") && told.contains(text(&made, "id")), "{told}");
            assert_eq!(told.contains("checksum is wrong"), given.contains(&damaged), "{told}");
        }
        assert_eq!(keyrack.keys("status:active").len(), 1);
    }

    async fn no_text_breaks_the_search_or_hides_a_secret(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let made = keyrack.create("acme", "Front desk");
        let secret = text(&made, "secret").as_bytes();
        let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for before in [
            &b"\x1b]0;M\xfcnchen\x07 $ env\n\x1b[0m"[..],
            b"\x1b]0;never ended ",
            b"\x1b[38;5;12",
            b"\x1b]8;;https://x.example/?key=",
            &noise,
        ] {
            let text = [before, b"\n", secret, b"\x1b\\\n"].concat();
            let output = keyrack.run_with_input(&["key", "find", "--json"], &text);
            let keys: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
            assert_eq!(keys[0]["id"], made["id"]);
        }
    }

    async fn what_is_not_found_is_named(db) {
        let keyrack = Script::furnished(&db, "vozagent");
        let secret = text(&keyrack.create("acme", "one"), "secret").to_owned();
        let foreign = format!("ghp_{}", "a1".repeat(18));
        let strange = "gw_".to_owned() + &"0".repeat(43);
        let mistyped = format!("{}{}", &secret[..20], &secret[21..]);
        for (given, words) in [
            (foreign.as_str(), "looks like a GitHub token"),
            (&mistyped, "checksum is wrong: a character is missing or mistyped"),
            (&secret[..30], "cut off"),
            (&strange[..40], "cut off"),
            ("gw_••••••••zzzz", "masked preview"),
        ] {
            let told = keyrack.run_with_input(&["key", "find"], given);
            let told = failed(3, &["key", "find"], &told);
            assert!(told.contains(words) && !told.contains(given.trim_start_matches("gw_")), "{words}: {told}");
        }
    }

    async fn a_secret_in_an_argument_is_refused_and_not_repeated(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let secret = text(&keyrack.create("acme", "x"), "secret").to_owned();
        let spaced = format!("Bearer {secret} ");
        let option = format!("--{secret}");
        let reason = format!("--reason=leaked {secret}");
        for args in [
            &["key", "find", &secret][..],
            &["key", "find", &spaced],
            &["key", "find", "x", &secret],
            &["key", "find", &option],
            &["key", "show", &secret],
            &["key", "revoke", &secret],
            &["key", "revoke", &reason, "x"],
            &["key", "list", &secret],
            &["key", "list", "--filter", &secret],
            &["key", "list", "--after", &secret],
            &["key", "list", "--sort", &secret],
            &["key", "create", "--account", "acme", "--name", &secret],
            &["key", "create", "--account", "acme", "--name", "x", "--expires", &secret],
            &["account", "show", &secret],
            &["operator", "set", &secret, "viewer"],
            &[&secret],
        ] {
            let told = keyrack.refused(2, args);
            assert!(told.contains("standard input") && !told.contains(&secret), "{told}");
        }
    }

    async fn vg_03_the_most_talkative_log_is_private_and_holds_no_secret(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let log = db.dir().join(".local/state/keyrack/keyrack.log");
        let args = ["key", "create", "--account", "acme", "--name", "deploy"];
        let output = keyrack.command(&args).env("KEYRACK_LOG", "trace").output().unwrap();
        let secret = crate::support::script::succeeded(&args, &output).trim().to_owned();
        let mut find = keyrack.command(&["key", "revoke", "--secret-stdin", "--yes"]);
        let mut child = find.env("KEYRACK_LOG", "trace").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), secret.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let written = std::fs::read_to_string(&log).unwrap();
        assert!(written.lines().count() > 20, "{written}");
        assert!(!written.contains(&secret[secret.len() - 30..]), "the log holds the secret");
        assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
