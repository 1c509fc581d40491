//! The real PgBouncer before a PostgreSQL of the tests. Everybody logs in through it as themselves.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::database::{Database, cluster, skip};
use super::people::OWNER;

const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// A pooler on a port of its own. It ends with its standard input, so it goes with this process, however that ends.
pub struct Pooler {
    port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

impl Pooler {
    /// Starts one by our recipe before a server; `line` stands behind that in its line of databases, `more` among its settings.
    pub fn told(sockets: &Path, mode: &str, line: &str, more: &str) -> Option<Self> {
        Self::before(&format!("host={} {line}", sockets.display()), mode, more)
    }

    /// The same before whatever that line names.
    pub fn before(line: &str, mode: &str, more: &str) -> Option<Self> {
        if !Path::new(PGBOUNCER).exists() {
            skip("poolers", "PgBouncer is not installed (apt-get install pgbouncer)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes/pgbouncer.ini");
        // Connections go round, so that hardly anybody gets the one that they had before.
        let settings = std::fs::read_to_string(recipe)
            .unwrap()
            .replace("host=127.0.0.1 port=5432", line)
            .replace("listen_port = 6432", &format!("listen_port = {port}"))
            .replace("/etc/pgbouncer/userlist.txt", folder.path().join("users").to_str().unwrap())
            .replace("scram-sha-256", "trust")
            .replace("auth_user = pgbouncer", "auth_user = postgres")
            .replace("pool_mode = transaction", &format!("pool_mode = {mode}"))
            .replace(
                "default_pool_size = 20",
                if mode == "session" { "default_pool_size = 20" } else { "default_pool_size = 4" },
            )
            + &format!("server_round_robin = 1\nserver_idle_timeout = 2\nserver_login_retry = 1\n{more}\n");
        std::fs::write(folder.path().join("users"), "\"postgres\" \"\"\n").unwrap();
        std::fs::write(folder.path().join("pgbouncer.ini"), settings).unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let as_postgres = "exec setpriv --reuid=postgres --regid=postgres --clear-groups \"$@\"";
        let own = if rustix::process::getuid().is_root() { as_postgres } else { "exec \"$@\"" };
        // Ends with its standard input.
        let script = format!("({own}) <&- & pid=$!; cat >&2; kill -KILL $pid; wait");
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("bash")
            .args(["-c", &script, "bash", PGBOUNCER])
            .arg(folder.path().join("pgbouncer.ini"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let pooler = Self { port, child, folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "PgBouncer does not start: {}", pooler.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(pooler)
    }

    pub fn start(db: &Database, mode: &str) -> Option<Self> {
        Self::told(db.sockets().unwrap(), mode, "", "")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote into its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The way through it to a database.
    pub fn address(&self, db: &Database) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{}", self.port, db.name())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

static BETWEEN: OnceLock<Option<Pooler>> = OnceLock::new();

/// The port of the pooler that all tests of this process go through: `KEYRACK_TEST_POOLER=transaction` (or `session`) asks
/// for one before the server that they share.
pub fn between(sockets: &Path) -> Option<u16> {
    let mode = std::env::var("KEYRACK_TEST_POOLER").ok()?;
    if cluster::sockets().as_deref() != Some(sockets) {
        return None;
    }
    BETWEEN.get_or_init(|| Pooler::told(sockets, &mode, "", "")).as_ref().map(Pooler::port)
}
