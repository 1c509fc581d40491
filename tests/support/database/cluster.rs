//! The PostgreSQL that all tests of a run share.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

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
