//! Servers that follow another one, lists of hosts, and files that can only be read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use keyrack::clock::Clock;
use keyrack::service::Service;
use keyrack::store::Location;

use crate::support::database::cluster::Cluster;
use crate::support::database::{Database, skip};
use crate::support::people::{make_kept, wanted};
use crate::support::program;
use crate::support::pty::Start;
use crate::support::script::{Script, failed, succeeded, text, texts};

/// A primary with a key in its database, and a standby that follows it.
struct Two {
    db: Database,
    primary: Cluster,
    standby: Cluster,
    key: String,
}

impl Two {
    async fn start(test: &str) -> Option<Self> {
        let Some(primary) = Cluster::start(&[]) else {
            skip(test, "PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let db = Database::on(&primary).await;
        let keyrack = Script::furnished(&db, "voxpria");
        let key = text(&keyrack.create("acme", "one"), "id").to_owned();
        let standby = Cluster::following(&primary).unwrap();
        Some(Self { db, primary, standby, key })
    }

    /// An address with these hosts, and what else it says.
    fn at(&self, hosts: &[&str], more: &str) -> String {
        format!("postgres://ada@/{}?host={}{more}", self.db.name(), hosts.join(","))
    }

    fn run(&self, args: &[&str], address: &str) -> Output {
        program::run(self.db.dir(), [args, &["--db", address]].concat())
    }

    fn hosts(&self) -> (String, String) {
        (self.primary.sockets().display().to_string(), self.standby.sockets().display().to_string())
    }
}

fn run<F: Future<Output = ()>>(body: F) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(body);
}

#[test]
fn a_standby_is_read_and_says_so_where_something_is_to_be_changed() {
    run(async {
        let Some(two) = Two::start("a_standby_is_read").await else { return };
        let (_, standby) = two.hosts();
        let (address, id) = (two.at(&[&standby], ""), two.key.as_str());
        let reading = [
            &["key", "list", "--json"][..],
            &["key", "show", id, "--json"],
            &["key", "find", "one", "--json"],
            &["key", "usage", id, "--json"],
            &["account", "list", "--json"],
            &["account", "show", "acme", "--json"],
            &["issuer", "list", "--json"],
            &["issuer", "show", "voxpria"],
            &["operator", "list", "--json"],
            &["audit", "list", "--json"],
            &["audit", "verify", "--json"],
            &["alerts", "list", "--json"],
            &["reminders", "list", "--json"],
            &["reminders", "sweeps", "--json"],
        ];
        for args in reading {
            let there = succeeded(args, &two.run(args, &two.db.address()));
            assert_eq!(succeeded(args, &two.run(args, &address)), there, "{args:?}");
        }
        succeeded(&["info"], &two.run(&["info"], &address));
        let explained = two.run(&["explain", id], &address);
        assert!(texts(&explained).0.contains("one"), "{explained:?}");
        let found = texts(&two.run(&["doctor"], &address));
        assert!(found.0.contains("can only be read") && found.0.contains("unbroken"), "{found:?}");
        let writing = [
            &["key", "create", "-a", "acme", "-n", "two"][..],
            &["key", "create", "-a", "acme", "-n", "two", "--dry-run"],
            &["key", "revoke", id, "--yes"],
            &["key", "rotate", id, "--yes"],
            &["account", "suspend", "acme"],
            &["operator", "set", "bob", "viewer"],
            &["issuer", "add", "voicegram"],
            &["reminders", "sweep"],
        ];
        for args in writing {
            let told = failed(4, args, &two.run(args, &address));
            assert!(
                told.contains(&format!(
                    "{standby} is a standby, which follows another server. Name the primary"
                )),
                "{args:?}: {told}"
            );
            assert_eq!(told.trim().lines().count(), 1, "{told}");
        }
        // Whoever may know is told whom it follows.
        two.db.grant("pg_read_all_stats", "ada").await;
        let begun = Instant::now();
        loop {
            let told = failed(4, writing[0], &two.run(writing[0], &address));
            if told.contains(&format!("Name the primary ({}:5432)", two.primary.sockets().display())) {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{told}");
        }
        let mut console = Start::new(two.db.dir()).on(&address).size(120, 30).spawn();
        console.wait_for("read-only database");
        console.wait_for("● active");
        // What is changed on the primary is seen here.
        succeeded(writing[0], &two.run(writing[0], &two.db.address()));
        console.wait_for("two");
        console.press("q");
        console.wait_for_exit(Duration::from_secs(5));
        let gate = ["gate", "--listen", "127.0.0.1:0"];
        let told = texts(&two.run(&gate, &address)).1;
        assert!(told.contains("standby"), "{told}");
    });
}

#[test]
fn of_several_hosts_the_one_that_is_wanted_is_taken_in_bounded_time() {
    run(async {
        let Some(two) = Two::start("of_several_hosts").await else { return };
        let (primary, standby) = two.hosts();
        let (list, create) = (["key", "list"], ["key", "create", "-a", "acme", "-n", "more"]);
        // Whether it can be read and whether it can be changed, by what is asked for.
        for (more, reads, writes) in [
            ("", true, true),
            ("&target_session_attrs=any", true, true),
            ("&target_session_attrs=read-write", true, true),
            ("&target_session_attrs=primary", true, true),
            ("&target_session_attrs=standby", true, false),
            ("&target_session_attrs=read-only", true, false),
            ("&target_session_attrs=prefer-standby", true, true),
        ] {
            let address = two.at(&[&standby, &primary], more);
            assert_eq!(two.run(&list, &address).status.success(), reads, "{more}");
            assert_eq!(two.run(&create, &address).status.success(), writes, "{more}");
        }
        for (hosts, more, writes) in [
            ([&primary, &primary], "&target_session_attrs=prefer-standby", true),
            ([&standby, &standby], "", false),
            ([&primary, &standby], "&target_session_attrs=standby", false),
        ] {
            let address = two.at(&[hosts[0], hosts[1]], more);
            succeeded(&list, &two.run(&list, &address));
            assert_eq!(two.run(&create, &address).status.success(), writes, "{more}");
        }
        let told = failed(7, &list, &two.run(&list, &two.at(&[&standby], "&target_session_attrs=primary")));
        assert!(told.contains("is a standby, and target_session_attrs"), "{told}");
        let told = failed(7, &list, &two.run(&list, &two.at(&[&primary], "&target_session_attrs=standby")));
        assert!(told.contains("is no standby"), "{told}");
        // The first is not there, refuses, or takes connections and never says anything.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = format!("127.0.0.1:{}", silent.local_addr().unwrap().port());
        let closed = format!("127.0.0.1:{}", crate::support::http::free_port());
        for (first, within) in [("/no/such/folder", 3), (&closed, 3), (&silent, 12)] {
            let begun = Instant::now();
            let address = two.at(&[first, &primary], "&sslmode=disable");
            succeeded(&create, &two.run(&create, &address));
            assert!(begun.elapsed() < Duration::from_secs(within), "{first}: {:?}", begun.elapsed());
        }
        let told = failed(7, &list, &two.run(&list, &two.at(&["/no/such/folder", &closed], "")));
        assert!(told.contains("/no/such/folder") && told.contains(&closed), "{told}");
    });
}

#[test]
fn who_is_connected_goes_along_when_another_server_takes_over() {
    run(async {
        let Some(two) = Two::start("who_is_connected_goes_along").await else { return };
        let (primary, standby) = two.hosts();
        let location = Location::parse(&two.at(&[&primary, &standby], "")).unwrap();
        let service = Service::open(&location, Clock::System).await.unwrap();
        make_kept(&service, "acme", "before").await;
        // A switch-over: the old one still answers, and takes no changes any more.
        let promoted = Command::new("psql")
            .args(["-qAt", "-h", &standby, "-U", "postgres", "-d", "postgres", "-c", "SELECT pg_promote()"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&promoted.stdout).trim(), "t", "{promoted:?}");
        two.db
            .execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", two.db.name()))
            .await;
        two.db.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()", two.db.name())).await;
        make_kept(&service, "acme", "after").await;
        let there =
            Service::open(&Location::parse(&two.at(&[&standby], "")).unwrap(), Clock::System).await.unwrap();
        assert_eq!(there.accounts("acme", None, 9).await.unwrap().len(), 1);
        there.create_key(wanted("acme", "there")).await.unwrap();
        let here = text_of_names(&two, &standby);
        assert!(here.contains("after") && here.contains("there"), "{here}");
        assert!(!text_of_names(&two, &primary).contains("after"));
    });
}

fn text_of_names(two: &Two, host: &str) -> String {
    succeeded(&["key", "list"], &two.run(&["key", "list", "-o", "csv"], &two.at(&[host], "")))
}

/// The program as a user who owns nothing; `None` where this process can't become one.
fn as_nobody(folder: &Path, args: &[&str]) -> Option<Command> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program::PROGRAM]).args(args);
    // What it remembers it can't keep in a home that belongs to somebody else.
    let home = folder.join("nobody");
    std::fs::create_dir_all(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65534), Some(65534)).unwrap();
    command.env_clear().envs(program::environment(&home)).current_dir(folder);
    Some(command)
}

#[test]
fn a_file_without_the_right_to_write_is_read_and_refuses_changes_in_words() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    let k = path.join("k.db").display().to_string();
    let ok = |args: &[&str]| program::stdout(path, [args, &["--db", &k]].concat());
    ok(&["issuer", "add", "voxpria"]);
    ok(&["account", "create", "-i", "voxpria", "-s", "acme", "-n", "Acme", "--admin", "a@acme.example"]);
    ok(&["key", "create", "-a", "acme", "-n", "one"]);
    ok(&["operator", "set", "nobody", "admin"]);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    // What the first of the two who share this home remembers is below it.
    std::fs::set_permissions(path.join(".local"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&k, PermissionsExt::from_mode(0o644)).unwrap();
    let id = program::json(path, ["key", "list", "--json", "--db", &k])[0]["id"].as_str().unwrap().to_owned();
    for args in [
        &["key", "list", "--json"][..],
        &["key", "show", &id, "--json"],
        &["key", "find", "one", "--json"],
        &["audit", "verify", "--json"],
        &["account", "list", "--json"],
        &["reminders", "list", "--json"],
    ] {
        let args = [args, &["--db", &k]].concat();
        let Some(mut command) = as_nobody(path, &args) else { return };
        assert_eq!(succeeded(&args, &command.output().unwrap()), program::stdout(path, &args), "{args:?}");
    }
    for args in [
        &["key", "create", "-a", "acme", "-n", "two"][..],
        &["key", "revoke", &id, "--yes"],
        &["account", "suspend", "acme"],
        &["reminders", "sweep"],
    ] {
        let args = [args, &["--db", &k]].concat();
        let told = failed(4, &args, &as_nobody(path, &args).unwrap().output().unwrap());
        assert!(told.contains("can only be read") && told.contains("rights of the file"), "{told}");
    }
    let doctor = texts(&as_nobody(path, &["doctor", "--db", &k]).unwrap().output().unwrap());
    assert!(doctor.0.contains("nobody can't change anything here"), "{doctor:?}");
    assert!(
        doctor.0.contains("the file is read-only here") && !doctor.0.contains("write-ahead log"),
        "{doctor:?}"
    );
    let through = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut console = Start::new(path).through(through).on(&k).size(120, 30).spawn();
    console.wait_for("read-only database");
    console.wait_for("● active");
    // What others write is seen: where they leave no log, where they keep one, and where it is folded into the file again.
    ok(&["key", "create", "-a", "acme", "-n", "written-later"]);
    console.wait_for("written-later");
    let mut other = Start::new(path).on(&k).size(120, 30).spawn();
    other.wait_for("written-later");
    ok(&["key", "create", "-a", "acme", "-n", "in-the-log"]);
    console.wait_for("in-the-log");
    other.press("q");
    other.wait_for_exit(Duration::from_secs(5));
    ok(&["key", "create", "-a", "acme", "-n", "folded"]);
    console.wait_for("folded");
    console.press("q");
    console.wait_for_exit(Duration::from_secs(5));
}
