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

#[test]
fn a_file_of_passwords_that_is_not_read_is_told_with_the_reason() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(tried());
}
