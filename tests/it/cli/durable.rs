//! What is confirmed is on the disk, however the server is set; and a server that can't promise it is told of.

use crate::support::database::cluster::{Cluster, Server};
use crate::support::database::{Database, skip};
use crate::support::people::{make_kept, office, preset};
use crate::support::pooler::Pooler;
use crate::support::program;
use crate::support::pty::{PATIENCE, Start};
use crate::support::script::{Script, texts};
use keyrack::service::new_operation;

fn with_cluster<F: Future<Output = ()>>(settings: &[&str], body: impl FnOnce(Cluster) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match Cluster::start(settings) {
        Some(cluster) => runtime.block_on(body(cluster)),
        None => skip("durable", "PostgreSQL is not installed (apt-get install postgresql)"),
    }
}

#[test]
fn what_was_confirmed_outlives_a_killed_server_that_would_not_wait() {
    with_cluster(&["synchronous_commit=off", "wal_writer_delay=10s"], |cluster| async move {
        let db = Database::on(&cluster).await;
        let server = Server::of(&cluster);
        for round in 0..4 {
            let service = if round == 0 { office(&db, preset("voicegram")).await } else { db.open().await };
            let key = make_kept(&service, "acme", &format!("key {round}")).await.key.id;
            match round {
                0 => {}
                // The setting comes again, by one way or another, while connections are open.
                1 => {
                    db.execute("ALTER SYSTEM SET synchronous_commit = off").await;
                    db.execute("SELECT pg_reload_conf()").await;
                }
                2 => db.execute(&format!("ALTER DATABASE {} SET synchronous_commit = off", db.name())).await,
                _ => db.execute("ALTER ROLE ada SET synchronous_commit = off").await,
            }
            service.revoke_keys(new_operation(), &[key], Some("leaked")).await.unwrap();
            server.kill();
            server.start("-c synchronous_commit=off -c wal_writer_delay=10s");
            let service = db.open().await;
            assert!(service.key(key).await.unwrap().revoked_at.is_some(), "round {round}");
            service.close().await;
        }
    });
}

#[test]
fn what_was_confirmed_behind_a_pooler_outlives_a_killed_server() {
    with_cluster(&["synchronous_commit=off", "wal_writer_delay=10s"], |cluster| async move {
        let db = Database::on(&cluster).await;
        let server = Server::of(&cluster);
        let service = office(&db, preset("voicegram")).await;
        for round in 0..3 {
            let key = make_kept(&service, "acme", &format!("key {round}")).await.key.id;
            let Some(pooler) = Pooler::start(&db, "session") else { return };
            let (address, id) = (pooler.address(&db), key.to_string());
            // The pooler's connection is used again, and has forgotten what the one before set.
            program::stdout(db.dir(), ["--db", &address, "key", "list"]);
            program::stdout(db.dir(), ["--db", &address, "key", "revoke", &id, "--yes"]);
            server.kill();
            server.start("-c synchronous_commit=off -c wal_writer_delay=10s");
            let again = db.open().await;
            assert!(again.key(key).await.unwrap().revoked_at.is_some(), "round {round}");
            again.close().await;
        }
    });
}

#[test]
fn a_server_that_waits_for_its_standbys_goes_on_doing_so() {
    with_cluster(&["synchronous_commit=remote_apply"], |cluster| async move {
        let db = Database::on(&cluster).await;
        let service = office(&db, preset("voicegram")).await;
        assert_eq!(service.facts().await.unwrap().weakness, None);
        db.execute("CREATE TABLE said (word text); GRANT INSERT ON said TO PUBLIC").await;
        db.execute(
            "CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
             INSERT INTO said VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$; \
             CREATE TRIGGER say AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION say()",
        )
        .await;
        make_kept(&service, "acme", "hub").await;
        assert!(db.texts("SELECT DISTINCT word FROM said").await.iter().all(|word| word == "remote_apply"));
    });
}

#[test]
fn a_server_that_can_lose_what_it_confirms_is_told_of() {
    for (setting, words) in
        [("fsync=off", "fsync is off"), ("full_page_writes=off", "full_page_writes is off")]
    {
        with_cluster(&[setting], |cluster| async move {
            let db = Database::on(&cluster).await;
            let keyrack = Script::furnished(&db, "voicegram");
            let key = keyrack.create("acme", "hub");
            let (told, warned) =
                texts(&keyrack.run(&["key", "revoke", key["id"].as_str().unwrap(), "--yes"]));
            assert!(warned.contains(&format!("warning: {words}")), "at the start: {told}{warned}");
            assert!(warned.contains(&format!("the revocation may be lost: {words}")), "{told}{warned}");
            let doctor = keyrack.run(&["doctor"]);
            assert_eq!(doctor.status.code(), Some(6));
            let (found, cures) = texts(&doctor);
            assert!((found.clone() + &cures).contains(words) && (found + &cures).contains("turn on fsync"));
            let mut terminal = Start::new(db.dir()).on(&db.address()).size(120, 30).spawn();
            terminal.wait_for(words);
            terminal.press("q");
            assert!(terminal.wait_for_exit(PATIENCE).success());
        });
    }
}

#[test]
fn a_sound_server_is_not_warned_of() {
    with_cluster(&[], |cluster| async move {
        let db = Database::on(&cluster).await;
        let keyrack = Script::furnished(&db, "voicegram");
        assert!(!texts(&keyrack.run(&["key", "list"])).1.contains("warning"));
        assert!(keyrack.ok(&["doctor"]).contains("on disk before it is confirmed"));
    });
}

#[test]
fn kr_21_a_change_that_no_standby_has_is_not_confirmed_when_time_is_over() {
    with_cluster(&[], |cluster| async move {
        let db = Database::on(&cluster).await;
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "one").await.key.id.to_string();
        // The wait for a standby is not over with a statement's time, on any way there.
        db.execute("ALTER ROLE ada SET statement_timeout = '1s'").await;
        db.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
        db.execute("SELECT pg_reload_conf()").await;
        let Some(pooler) = Pooler::start(&db, "transaction") else { return };
        for address in [db.address(), pooler.address(&db)] {
            let args = ["key", "revoke", &key, "--yes", "--db", &address];
            let mut waiting = program::keyrack(db.dir(), args)
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(4)).await;
            let ended = waiting.try_wait().unwrap();
            waiting.kill().unwrap();
            let told = texts(&waiting.wait_with_output().unwrap());
            let confirmed = ended.is_some_and(|status| status.success());
            assert!(!confirmed, "{address} confirmed what no standby has: {told:?}");
        }
        db.execute("ALTER SYSTEM RESET synchronous_standby_names").await;
        db.execute("SELECT pg_reload_conf()").await;
    });
}

#[test]
fn a_server_with_a_standby_that_nobody_waits_for_is_told_by_the_doctor() {
    with_cluster(&[], |cluster| async move {
        let db = Database::on(&cluster).await;
        Script::furnished(&db, "voicegram");
        let keyrack = Script::on(&db);
        let doctor = async || texts(&keyrack.run(&["doctor"])).0;
        assert!(!doctor().await.contains("synchronous_standby_names"), "alone it loses nothing to others");
        // An address with another host says that there is one.
        let two = db.address().replace("?host=", "?host=/no/such/folder,");
        let told = texts(&program::run(db.dir(), ["doctor", "--db", &two])).0;
        assert!(told.contains("synchronous_standby_names is empty"), "{told}");
        let standby = Cluster::following(&cluster).unwrap();
        let told = doctor().await;
        assert!(told.contains("synchronous_standby_names is empty"), "{told}");
        db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        db.execute("SELECT pg_reload_conf()").await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert!(!doctor().await.contains("standbys"), "{}", doctor().await);
        db.execute("ALTER ROLE ada SET synchronous_commit = 'local'").await;
        let told = doctor().await;
        assert!(told.contains("synchronous_commit is local"), "{told}");
        drop(standby);
    });
}
