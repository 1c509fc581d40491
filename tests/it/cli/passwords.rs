//! Passwords that come from a file, on a server that asks for them.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::database::cluster::Cluster;
use crate::support::database::{Database, skip};
use crate::support::program;
use crate::support::script::{failed, succeeded, texts};

/// A server that asks dana for a password, and a database of hers.
async fn asking() -> Option<(Cluster, Database)> {
    let Some(cluster) = Cluster::start(&[]) else {
        skip("passwords", "PostgreSQL is not installed (apt-get install postgresql)");
        return None;
    };
    let db = Database::on(&cluster).await;
    let rules = cluster.sockets().join("data/pg_hba.conf");
    db.execute(&format!("CREATE ROLE dana LOGIN PASSWORD 'x'; ALTER DATABASE {} OWNER TO dana", db.name()))
        .await;
    std::fs::write(&rules, "local all dana scram-sha-256\nlocal all all trust\n").unwrap();
    db.execute("SELECT pg_reload_conf()").await;
    Some((cluster, db))
}

async fn tried() {
    let Some((_cluster, db)) = asking().await else { return };
    let address = db.address_as("dana");
    let (home, args) = (db.dir(), ["migrate", "--db", &address]);
    let (usual, other) = (home.join(".pgpass"), home.join("other"));
    let mode = |mode| std::fs::set_permissions(&usual, PermissionsExt::from_mode(mode)).unwrap();
    let refused = |environment: &[(&str, &str)]| {
        let output = program::keyrack(home, args).envs(environment.iter().copied()).output().unwrap();
        failed(7, &args, &output)
    };
    let told = refused(&[]);
    assert!(told.contains("password") && !told.contains("chmod"), "{told}");
    std::fs::write(&usual, "*:*:*:dana:x\n").unwrap();
    mode(0o644);
    let told = refused(&[]);
    assert!(
        told.contains(".pgpass was not read, because others may read it (mode 0644): run `chmod 600"),
        "{told}"
    );
    let doctor = texts(&program::run(home, ["doctor", "--db", &address]));
    assert!(doctor.0.contains("mode 0644"), "{doctor:?}");
    std::fs::rename(&usual, &other).unwrap();
    let named = other.to_str().unwrap();
    let told = refused(&[("PGPASSFILE", named)]);
    assert!(told.contains("other (PGPASSFILE) was not read, because others may read it"), "{told}");
    let told = refused(&[("PGPASSFILE", "/no/such"), ("PGSERVICE", "keys")]);
    assert!(
        told.contains("/no/such (PGPASSFILE) is not there") && told.contains("PGSERVICE is set"),
        "{told}"
    );
    if rustix::process::getuid().is_root() {
        std::fs::set_permissions(home, PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::set_permissions(&other, PermissionsExt::from_mode(0o600)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program::PROGRAM]).args(args);
        command.env_clear().envs(program::environment(home)).env("PGPASSFILE", named).current_dir(home);
        let told = failed(7, &args, &command.output().unwrap());
        assert!(told.contains("other (PGPASSFILE) can't be read (Permission denied"), "{told}");
    }
    std::fs::rename(&other, &usual).unwrap();
    mode(0o600);
    succeeded(&args, &program::run(home, args));
}

/// Every password that a server takes, by each way that a password may come.
async fn every_password() {
    let Some((_cluster, db)) = asking().await else { return };
    let (home, address) = (db.dir(), db.address_as("dana"));
    let (file, named) = (home.join(".pgpass"), home.join("named"));
    let (args, list) = (["migrate", "--db", &address], ["audit", "list", "--db", &address]);
    let write = |path: &std::path::Path, line: &str| {
        std::fs::write(path, line).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    };
    for password in
        ["x", "a@b:c/d%e#f?g&h i", "back\\slash'quote\"", "пароль-ß-日本", "%40", " lead and trail "]
    {
        db.execute(&format!("ALTER ROLE dana PASSWORD '{}'", password.replace('\'', "''"))).await;
        let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
        let line = format!("# a remark\nother:1:x:y:z\n*:*:*:dana:{escaped}\n");
        write(&file, &line);
        succeeded(&args, &program::run(home, args));
        std::fs::rename(&file, &named).unwrap();
        let with = |name: &str, value: &str| program::keyrack(home, list).env(name, value).output().unwrap();
        succeeded(&list, &with("PGPASSFILE", named.to_str().unwrap()));
        succeeded(&list, &with("PGPASSWORD", password));
        let told = failed(7, &list, &with("PGPASSWORD", "wrong-one"));
        assert!(told.contains("password") && !told.contains("wrong-one"), "{told}");
    }
    // What the address leaves out comes from the environment.
    let folder = address.split_once("host=").unwrap().1;
    let bare = ["audit", "list", "--db", "postgres:///"];
    let output = program::keyrack(home, bare)
        .envs([
            ("PGHOST", folder),
            ("PGUSER", "dana"),
            ("PGDATABASE", &db.name()),
            ("PGPASSWORD", " lead and trail "),
        ])
        .output()
        .unwrap();
    succeeded(&bare, &output);
}

#[test]
fn every_password_gets_in_by_file_and_by_variable() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(every_password());
}

#[test]
fn a_password_in_an_address_is_refused_however_it_is_written_and_never_repeated() {
    let home = tempfile::tempdir().unwrap();
    for address in [
        "postgres://ada:hunter2@localhost/k",
        "postgres://ada:hun%40ter2@localhost/k",
        "postgres://ada:hunter2/x@localhost/k",
        "postgres://ada:hunter2?x@localhost/k",
        "postgres://ada:hunter2#x@localhost/k",
        "postgres://ada:x@hunter2@localhost/k",
        "postgres://ada@localhost/k?password=hunter2",
        "postgres://ada@localhost/k?passw%6Frd=hunter2",
        "postgres://ada@localhost/k?sslmode=require&PASSWORD=hunter2",
    ] {
        let args = ["audit", "list", "--db", address];
        let (stdout, stderr) = texts(&program::run(home.path(), args));
        assert!(stderr.contains("a password in"), "{address}: {stderr}");
        assert!(!stderr.contains("hunter2") && stdout.is_empty(), "{address}: {stdout}{stderr}");
    }
}

#[test]
fn a_file_of_passwords_that_is_not_read_is_told_with_the_reason() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(tried());
}
