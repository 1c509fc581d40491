//! The PostgreSQL that all tests of a run share.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A running server. It ends with its standard input, so it goes with this process, however that ends.
pub struct Cluster {
    sockets: PathBuf,
    _child: Child,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

/// Settings for the shared server, such as `fsync=on`; to be set before the first use, which then starts one.
pub static SETTINGS: OnceLock<Vec<&str>> = OnceLock::new();

/// The folder of the server's socket; `None` where there is no PostgreSQL.
///
/// `tests/run` starts one server for the whole run and names it in `KEYRACK_TEST_POSTGRES`. Else this process starts one.
pub fn sockets() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("KEYRACK_TEST_POSTGRES").filter(|_| SETTINGS.get().is_none()) {
        return Some(PathBuf::from(dir));
    }
    let shared = CLUSTER.get_or_init(|| Cluster::start(SETTINGS.get().map_or(&[], Vec::as_slice)));
    shared.as_ref().map(|cluster| cluster.sockets.clone())
}

impl Cluster {
    /// Starts a server with these settings; `None` where there is no PostgreSQL.
    pub fn start(settings: &[&str]) -> Option<Self> {
        Self::run(settings, None)
    }

    /// Starts a standby that follows another server.
    pub fn following(primary: &Self) -> Option<Self> {
        Self::run(&[], Some(&primary.sockets))
    }

    fn run(settings: &[&str], follow: Option<&Path>) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/cluster");
        let mut command = Command::new(script);
        command.args(settings).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(primary) = follow {
            command.env("FOLLOW", primary);
        }
        let mut child = command.spawn().unwrap();
        let mut answer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut answer).unwrap();
        match answer.trim().split_once(' ') {
            Some(("ready", dir)) => Some(Self { sockets: PathBuf::from(dir), _child: child }),
            _ if answer.trim() == "missing" => None,
            _ => panic!("PostgreSQL did not start; its words are above"),
        }
    }

    /// The folder of the server's socket, beside which its data and its log lie.
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }
}

/// The server of a cluster of a test's own, which it may end and start again.
pub struct Server {
    data: PathBuf,
}

impl Server {
    pub fn of(cluster: &Cluster) -> Self {
        Self { data: cluster.sockets().join("data") }
    }

    fn pid(&self) -> Pid {
        let text = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap();
        Pid::from_raw(text.lines().next().unwrap().trim().parse().unwrap()).unwrap()
    }

    fn wait_until_gone(&self, pid: Pid) {
        let begun = Instant::now();
        while self.data.join("postmaster.pid").exists() && test_kill_process(pid).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the server as a crash does.
    pub fn crash(&self) {
        let pid = self.pid();
        kill_process(pid, Signal::QUIT).unwrap();
        self.wait_until_gone(pid);
    }

    /// Ends every process of the server at once, as a machine that fails does; what they had told the kernel is kept.
    pub fn kill(&self) {
        let pid = self.pid();
        let children =
            std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", pid.as_raw_nonzero())).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        let children = children.split_whitespace().map(|id| Pid::from_raw(id.parse().unwrap()).unwrap());
        let all: Vec<Pid> = children.chain([pid]).collect();
        for one in &all {
            let _ = kill_process(*one, Signal::KILL);
        }
        for one in all {
            while test_kill_process(one).is_ok() && !is_zombie(one) {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        // Whom nobody takes note of counts as running.
        std::fs::remove_file(self.data.join("postmaster.pid")).unwrap();
        std::fs::remove_file(self.data.with_file_name(".s.PGSQL.5432.lock")).unwrap();
    }

    /// Starts it again, with these settings besides.
    pub fn start(&self, settings: &str) {
        let bins = std::fs::read_dir("/usr/lib/postgresql").unwrap().flatten();
        let bin = bins.map(|version| version.path().join("bin")).max().unwrap();
        let sockets = self.data.parent().unwrap();
        let owner = std::fs::metadata(&self.data).unwrap();
        let mut command = Command::new("setpriv");
        command
            .args([
                format!("--reuid={}", owner.uid()),
                format!("--regid={}", owner.gid()),
                "--clear-groups".into(),
            ])
            .arg(bin.join("pg_ctl"))
            .arg("-D")
            .arg(&self.data)
            .args(["-w", "-l"])
            .arg(sockets.join("again.log"))
            .arg("-o")
            .arg(format!(
                "-c listen_addresses= -c unix_socket_directories={} -c max_connections=200 {settings}",
                sockets.display()
            ))
            .arg("start");
        let started = command.stdout(Stdio::null()).status().unwrap().success();
        assert!(started, "{}", std::fs::read_to_string(sockets.join("again.log")).unwrap_or_default());
    }
}

/// Whether only its parent has not taken note of its end.
fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data.join("postmaster.pid").exists() {
            let _ = kill_process(self.pid(), Signal::INT);
        }
    }
}
