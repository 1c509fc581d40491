//! Who is behind a login that several share: by a real sshd, on both databases.

use keyrack::domain::audit::Verdict;
use serde_json::{Value, json};

use crate::support::database::Database;
use crate::support::script::{Script, succeeded, texts};
use crate::support::sshd::Sshd;

/// What a sign that this machine can check is worth here: a server takes nobody's word, and an sshd that isn't root's proves nothing.
fn checked(db: &Database) -> &'static str {
    // Where the file system doesn't tell when a file was made, nothing is checked.
    let tells =
        tempfile::NamedTempFile::new_in("/tmp").unwrap().as_file().metadata().unwrap().created().is_ok();
    match (rustix::process::getuid().is_root() && tells, db.is_postgres()) {
        (false, _) => "claimed",
        (true, true) => "reported",
        (true, false) => "checked",
    }
}

/// Has somebody rename a key, and answers who the audit says that was.
#[track_caller]
fn renamed(sshd: &Sshd, name: &str, db: &Database, before: &str, key: &str, to: &str) -> Value {
    sshd.keyrack(name, db, before, &["key", "edit", key, "--name", to, "--yes"]);
    newest(db)
}

#[track_caller]
fn newest(db: &Database) -> Value {
    let rows = Script::on(db).json(&["audit", "list", "--filter", "action:key.edit", "--limit", "1"]);
    rows[0].clone()
}

on_both! {
    async fn kr_16_two_people_behind_one_login_are_told_apart_in_the_audit(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "one")["id"].as_str().unwrap().to_owned();
        let Some(sshd) = Sshd::start("kr_16_two_people", db.dir()) else { return };
        let (ada, grace) = (sshd.person("ada"), sshd.person("grace"));
        assert_ne!(ada, grace);
        let of_ada = renamed(&sshd, "ada", &db, "", &key, "by ada");
        let of_grace = renamed(&sshd, "grace", &db, "", &key, "by grace");
        assert_eq!(of_ada["actor"], of_grace["actor"], "one login");
        for (row, person) in [(&of_ada, &ada), (&of_grace, &grace)] {
            assert_eq!(row["person"], json!([{ "mark": "ssh-key", "value": person, "proof": checked(&db) }]), "{row}");
            assert_eq!(row["client"], "127.0.0.1");
        }
        // In every view of it.
        let found = keyrack.json(&["audit", "list", "--filter", &format!("person:{ada}")]);
        assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
        let words = format!("SSH key {grace} ({}", if checked(&db) == "checked" { "checked)" } else { "claimed" });
        for args in [&["audit", "list", "-o", "csv"][..], &["key", "show", &key], &["incident", "report", "--filter", "account:acme", "--json"]] {
            let output = keyrack.run(args);
            let told = succeeded(args, &output) + &texts(&output).1;
            assert!(told.contains(&grace) && told.contains(&ada), "{args:?}: {told}");
            assert!(args[0] != "key" || told.contains(&words), "{args:?}: {told}");
        }
        let events = keyrack.ok(&["events", "follow", "--from", "1", "--once"]);
        let of_edits: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = of_edits.iter().rfind(|event| event["kind"] == "changed").unwrap();
        assert_eq!(last["person"], of_grace["person"]);
        // It hangs in the chain.
        let service = db.open().await;
        assert!(matches!(service.verify_audit(|_| ()).await.unwrap(), Verdict::Intact { .. }));
        keyrack.ok(&["audit", "verify"]);
        let seq = of_grace["seq"].as_i64().unwrap();
        db.execute_past_triggers("audit", &format!("UPDATE audit SET person = replace(person, '{grace}', '{ada}') WHERE seq = {seq}")).await;
        assert!(matches!(service.verify_audit(|_| ()).await.unwrap(), Verdict::Broken { seq: at, .. } if at == seq));
    }

    async fn kr_16_a_certificate_tells_its_principal_its_id_and_who_signed_it(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "one")["id"].as_str().unwrap().to_owned();
        let Some(sshd) = Sshd::start("kr_16_a_certificate", db.dir()) else { return };
        let print = sshd.certified("hedy", "hedy@corp.example", "support");
        let row = renamed(&sshd, "hedy", &db, "", &key, "by hedy");
        let says = format!("hedy@corp.example for support, signed by {}", sshd.fingerprint("authority"));
        let wanted = json!([
            { "mark": "ssh-key", "value": print, "proof": checked(&db) },
            { "mark": "certificate", "value": says, "proof": checked(&db) },
        ]);
        assert_eq!(row["person"], wanted, "{row}");
    }

    async fn kr_16_a_forged_ssh_user_auth_is_told_as_claimed(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "one")["id"].as_str().unwrap().to_owned();
        let Some(sshd) = Sshd::start("kr_16_a_forged", db.dir()) else { return };
        let grace = sshd.person("grace");
        sshd.person("ada");
        let claimed = json!([{ "mark": "ssh-key", "value": grace, "proof": "claimed" }]);
        let written = sshd.written("grace");
        let place = format!("/tmp/sshauth.forged{}", std::process::id() + u32::from(db.is_postgres()) * 10_000_000);
        // A file of one's own, at sshd's place too; what sshd wrote, written anew; and a file of a session before.
        let other = db.dir().join("forged");
        let forgeries = [
            format!("sleep 0.1; umask 077; echo '{written}' > {o}; SSH_USER_AUTH={o}", o = other.display()),
            format!("sleep 0.1; umask 077; echo '{written}' > {place}; SSH_USER_AUTH={place}"),
            format!("sleep 0.1; echo '{written}' > $SSH_USER_AUTH;"),
            format!("sleep 0.1; rm $SSH_USER_AUTH; umask 077; echo '{written}' > $SSH_USER_AUTH;"),
            format!("exec env SSH_USER_AUTH={place}"),
        ];
        for (number, before) in forgeries.iter().enumerate() {
            let row = renamed(&sshd, "ada", &db, before, &key, &format!("forged {number}"));
            assert_eq!(row["person"], claimed, "{before}");
        }
        std::fs::remove_file(&place).unwrap();
        // What isn't there, waits, or holds something else tells nothing and stops nothing.
        for before in ["SSH_USER_AUTH=/nowhere", "SSH_USER_AUTH=/dev/tty", "SSH_USER_AUTH=/etc/passwd", "SSH_USER_AUTH=/tmp"] {
            let row = renamed(&sshd, "ada", &db, before, &key, before);
            assert_eq!(row["person"], json!([]), "{before}");
        }
        // Nothing of the environment gives a right, and SUDO_USER alone is a claim.
        let row = renamed(&sshd, "ada", &db, "unset SSH_USER_AUTH; SUDO_USER=somebody", &key, "sudo");
        assert_eq!(row["person"], json!([{ "mark": "user", "value": "somebody", "proof": "claimed" }]));
        assert_eq!(row["actor"], newest(&db)["actor"]);
    }
}

#[test]
fn kr_16_a_client_of_postgresql_says_who_it_is_and_proves_nothing() {
    crate::support::database::run_on_postgres("kr_16_a_client_of_postgresql", async |db| {
        crate::support::people::office(&db, crate::support::people::preset("voicegram")).await;
        let row = |person: &str| {
            format!(
                "INSERT INTO audit (at, actor, host, operation, action, subject, detail, person) VALUES (now(), 'ada', 'h', gen_random_uuid(), \
                 'sweep.begin', 'x', '{{}}', {person})"
            )
        };
        db.execute(&row("'claimed user grace'")).await;
        for forged in ["'checked user grace'", "E'claimed user x\\nchecked user grace'"] {
            let refused = db.try_execute(&row(forged)).await.unwrap_err().to_string();
            assert!(refused.contains("audit_person"), "{refused}");
        }
    });
}

on_both! {
    async fn kr_16_a_database_of_the_version_before_takes_changes_without_the_person(db) {
        db.migrate_to(25).await;
        let Some(sshd) = Sshd::start("kr_16_a_database_of_the_version_before", db.dir()) else { return };
        sshd.person("ada");
        sshd.keyrack("ada", &db, "", &["issuer", "add", "voicegram"]);
        let keyrack = Script::on(&db);
        keyrack.ok(&["audit", "verify"]);
        assert_eq!(keyrack.json(&["audit", "list", "--limit", "1"])[0]["person"], json!([]));
        keyrack.ok(&["migrate"]);
        sshd.keyrack("ada", &db, "", &["issuer", "add", "voxpria"]);
        assert_ne!(keyrack.json(&["audit", "list", "--limit", "1"])[0]["person"], json!([]));
        keyrack.ok(&["audit", "verify"]);
    }
}
