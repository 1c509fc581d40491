//! A real cluster: PostgreSQL servers under Patroni with etcd, by our recipes, and HAProxy and PgBouncer before them. All of
//! it on free ports of this machine; what was started ends with this process, however that ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::database::skip;
use super::http::{free_port, wait_for_port};
use super::people::OWNER;
use super::pooler::Pooler;
use super::servers::program;

/// A process that ends with its standard input, and takes the PostgreSQL of its folder with it.
struct Guarded {
    child: Child,
    folder: PathBuf,
}

/// `$@` is started in its folder, and killed when nobody holds the standard input any more.
const GUARD: &str = r#"
"$@" <&- >>log 2>&1 & echo $! >pid
cat >/dev/null
kill -KILL "$(cat pid)"
server=$(head -n 1 data/postmaster.pid 2>/dev/null) && kill -QUIT "$server" && while kill -0 "$server"; do sleep 0.05; done
wait
"#;

impl Guarded {
    fn start(folder: &Path, command: &[&str]) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
        let is_root = rustix::process::getuid().is_root();
        if is_root {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(folder).status().unwrap().success());
        }
        let child = Command::new(if is_root { as_postgres[0] } else { "env" })
            .args(if is_root { &as_postgres[1..] } else { &[] })
            .args(["bash", "-c", GUARD, "bash"])
            .args(command)
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin"), ("LC_ALL", "C")])
            .env("HOME", folder)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, folder: folder.to_owned() }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn number(path: &Path) -> Option<Pid> {
    Pid::from_raw(std::fs::read_to_string(path).ok()?.lines().next()?.trim().parse().ok()?)
}

struct Node {
    name: &'static str,
    port: u16,
    rest: u16,
    folder: PathBuf,
    process: Option<Guarded>,
}

/// Three servers, one of which takes the changes; another one confirms them.
pub struct Patroni {
    nodes: Vec<Node>,
    _etcd: Guarded,
    proxy: Option<(Guarded, Pooler)>,
    _folder: tempfile::TempDir,
}

const NAMES: [&str; 3] = ["east", "west", "north"];

impl Patroni {
    /// Starts it and waits until it is whole; `None` where something of it is not installed.
    pub async fn start(test: &str) -> Option<Self> {
        for name in ["patroni", "etcd", "haproxy", "pgbouncer"] {
            if program(name).is_none() {
                skip(test, &format!("{name} is not installed (tests/run --install)"));
                return None;
            }
        }
        let root = tempfile::tempdir().unwrap();
        std::fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let (client, peer) = (free_port(), free_port());
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let etcd = Guarded::start(
            &root.path().join("etcd"),
            &[
                "etcd",
                "--data-dir=store",
                &format!("--listen-client-urls={}", at(client)),
                &format!("--advertise-client-urls={}", at(client)),
                &format!("--listen-peer-urls={}", at(peer)),
                &format!("--initial-advertise-peer-urls={}", at(peer)),
                &format!("--initial-cluster=default={}", at(peer)),
            ],
        );
        // It does not say at once what it is.
        let begun = Instant::now();
        while asked(client, "/version").is_none_or(|(_, told)| !told.contains("\"etcdcluster\":\"3")) {
            assert!(begun.elapsed() < Duration::from_secs(30), "etcd does not start: {}", etcd.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        let bins = std::fs::read_dir("/usr/lib/postgresql").unwrap().flatten();
        let bin = bins.map(|version| version.path().join("bin")).max().unwrap();
        let mut nodes = Vec::new();
        for (n, name) in NAMES.into_iter().enumerate() {
            let (port, rest, folder) = (free_port(), free_port(), root.path().join(name));
            let own = format!("10.0.0.1{}", n + 1);
            let told = recipe("patroni.yml")
                .replace("name: east", &format!("name: {name}"))
                .replace("10.0.0.11", &own)
                .replace(&format!("{own}:8008"), &format!("127.0.0.1:{rest}"))
                .replace(&format!("{own}:5432"), &format!("127.0.0.1:{port}"))
                .replace("10.0.0.21:2379", &format!("127.0.0.1:{client}"))
                .replace("10.0.0.0/24 scram-sha-256", "127.0.0.1/32 trust")
                .replace("replicator", "postgres")
                // A server that is lost is found out sooner than anybody would want it in earnest.
                .replace("ttl: 30", "ttl: 8")
                .replace("loop_wait: 10", "loop_wait: 1")
                .replace("retry_timeout: 10", "retry_timeout: 3")
                .replace("wal_log_hints: 'on'", "wal_log_hints: 'on'\n        shared_buffers: 32MB")
                .replace("/var/lib/postgresql/keyrack", folder.join("data").to_str().unwrap())
                .replace("/usr/lib/postgresql/15/bin", bin.to_str().unwrap())
                + &format!("  parameters:\n    unix_socket_directories: {}\n", folder.display());
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("patroni.yml"), told).unwrap();
            nodes.push(Node { name, port, rest, folder, process: None });
        }
        let mut patroni = Self { nodes, _etcd: etcd, proxy: None, _folder: root };
        for n in 0..NAMES.len() {
            patroni.start_node(n);
        }
        patroni.wait_until_whole();
        let leader = patroni.leader().unwrap();
        patroni
            .sql(leader, "postgres", &format!("CREATE ROLE {OWNER} LOGIN CREATEROLE; CREATE ROLE pgbouncer"))
            .await;
        patroni.sql(leader, "postgres", &format!("CREATE DATABASE keys OWNER {OWNER}")).await;
        patroni.proxy = Some(patroni.proxies());
        Some(patroni)
    }

    /// HAProxy, which asks Patroni who takes the changes, and PgBouncer before it.
    fn proxies(&self) -> (Guarded, Pooler) {
        let (folder, port) = (self._folder.path().join("haproxy"), free_port());
        let mut told = recipe("haproxy-postgres.cfg")
            .replace("127.0.0.1:5000", &format!("127.0.0.1:{port}"))
            .replace("inter 1s", "inter 300ms");
        for (n, node) in self.nodes.iter().enumerate() {
            told = told.replace(
                &format!("10.0.0.1{}:5432 check port 8008", n + 1),
                &format!("127.0.0.1:{} check port {}", node.port, node.rest),
            );
        }
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("haproxy.cfg"), told).unwrap();
        let haproxy = Guarded::start(&folder, &["haproxy", "-db", "-f", "haproxy.cfg"]);
        wait_for_port(SocketAddr::from(([127, 0, 0, 1], port)));
        let pooler = Pooler::before(&format!("host=127.0.0.1 port={port}"), "transaction", "").unwrap();
        (haproxy, pooler)
    }

    /// Starts one of the servers.
    pub fn start_node(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        node.process = Some(Guarded::start(&node.folder, &["patroni", "patroni.yml"]));
    }

    /// Kills one's Patroni and every process of its PostgreSQL at once, as a machine that fails does.
    pub fn kill(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        let server = number(&node.folder.join("data/postmaster.pid")).unwrap();
        let children =
            std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.as_raw_nonzero())).unwrap();
        let own = number(&node.folder.join("pid")).unwrap();
        let children = children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?));
        for pid in [own, server].into_iter().chain(children.collect::<Vec<_>>()) {
            let _ = kill_process(pid, Signal::KILL);
        }
        node.process = None;
    }

    pub fn name(&self, n: usize) -> &'static str {
        self.nodes[n].name
    }

    /// Every server's host, as an address lists them.
    pub fn address(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("postgres://{OWNER}@{}/keys?target_session_attrs=read-write", hosts.join(","))
    }

    /// The way through PgBouncer and HAProxy.
    pub fn pooled(&self) -> String {
        let (_, pooler) = self.proxy.as_ref().unwrap();
        format!("postgres://{OWNER}@127.0.0.1:{}/keys", pooler.port())
    }

    /// What one's Patroni answers; `None`: it is not there.
    fn ask(&self, n: usize, path: &str) -> Option<(u16, String)> {
        asked(self.nodes[n].rest, path)
    }

    /// The server that takes the changes.
    pub fn leader(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|n| self.ask(*n, "/primary").is_some_and(|(status, _)| status == 200))
    }

    /// The same by what PostgreSQL itself says, which comes first.
    pub async fn takes_changes(&self) -> Option<usize> {
        for (n, _) in self.nodes.iter().enumerate().filter(|(_, node)| node.process.is_some()) {
            let asked = self.try_sql(n, "postgres", "SELECT pg_is_in_recovery()::text").await;
            if asked.is_ok_and(|told| told == ["false"]) {
                return Some(n);
            }
        }
        None
    }

    /// Waits until all servers run and one of them confirms what another one does.
    pub fn wait_until_whole(&self) {
        let begun = Instant::now();
        loop {
            let members = self.members();
            let states = |wanted: &[&str]| {
                members
                    .iter()
                    .filter(|one| wanted.contains(&one["state"].as_str().unwrap_or_default()))
                    .count()
            };
            let sync = members.iter().any(|one| one["role"] == "sync_standby");
            if states(&["running", "streaming"]) == self.nodes.len() && sync && self.leader().is_some() {
                return;
            }
            let logs = || {
                self.nodes
                    .iter()
                    .filter_map(|node| node.process.as_ref())
                    .map(Guarded::log)
                    .collect::<String>()
            };
            assert!(begun.elapsed() < Duration::from_secs(90), "{members:?}\n{}", logs());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn members(&self) -> Vec<Value> {
        let answer = (0..self.nodes.len()).find_map(|n| self.ask(n, "/cluster"));
        let told = answer.and_then(|(_, body)| serde_json::from_str::<Value>(&body).ok());
        told.and_then(|told| told["members"].as_array().cloned()).unwrap_or_default()
    }

    /// The first column of what a statement answers on one of the servers, past the program.
    pub async fn sql(&self, n: usize, database: &str, sql: &str) -> Vec<String> {
        self.try_sql(n, database, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn try_sql(&self, n: usize, database: &str, sql: &str) -> sqlx::Result<Vec<String>> {
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.nodes[n].port)
            .username("postgres")
            .database(database);
        let mut connection = PgConnection::connect_with(&options).await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
        connection.close().await?;
        Ok(rows.iter().map(|row| row.get::<String, _>(0)).collect())
    }
}

/// One answer of a server that closes the connection behind it.
fn asked(port: u16, path: &str) -> Option<(u16, String)> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// A recipe of the documentation.
fn recipe(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes").join(name)).unwrap()
}
