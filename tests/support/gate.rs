//! The real gate as a process of its own, asked over the wire.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keyrack::domain::secret::PlainKey;

use super::database::Database;
use super::http::{self, Answer, Connection};
use super::program;

/// A running gate. It is ended when this is dropped.
pub struct Gate {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

/// What every gate of the tests is told besides: this machine is a trusted proxy.
pub const TRUSTING: &[&str] = &["--trusted-proxy", "127.0.0.0/8"];
/// The token of such a gate, and the header that brings it.
const TOKEN: &str = "correct horse battery";
pub const WITH_TOKEN: (&str, &str) = ("Authorization", "Bearer correct horse battery");

impl Gate {
    /// Starts a gate that believes proxies on this machine, with a token.
    #[track_caller]
    pub fn start(db: &Database, args: &[&str]) -> Self {
        Self::with_token(db, &[TRUSTING, args].concat())
    }

    /// Starts a gate with a token that believes nobody unless it is told so.
    #[track_caller]
    pub fn with_token(db: &Database, args: &[&str]) -> Self {
        let token = token(db.dir());
        Self::bare(db, &[&["--verify-token-file", &token], args].concat())
    }

    /// Starts a gate with nothing but these arguments, on a free port.
    #[track_caller]
    pub fn bare(db: &Database, args: &[&str]) -> Self {
        Self::at(db, "127.0.0.1:0", args)
    }

    #[track_caller]
    pub fn at(db: &Database, listen: &str, args: &[&str]) -> Self {
        Self::told(db, &[&["--listen", listen], args].concat())
    }

    /// Starts a gate that is told nothing but these arguments, and what stands in the settings below its home.
    #[track_caller]
    pub fn told(db: &Database, args: &[&str]) -> Self {
        Self::told_with(db, args, &[])
    }

    /// The same with variables.
    #[track_caller]
    pub fn told_with(db: &Database, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::by(&db.address(), db, args, variables)
    }

    /// The same by another way to the database.
    #[track_caller]
    pub fn by(address: &str, db: &Database, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let all = [&["gate", "--db", address], args].concat();
        let mut command = program::keyrack(db.dir(), &all);
        command.envs(variables.iter().copied()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut gate = Self { child, address: "127.0.0.1:0".parse().unwrap(), log };
        gate.address = gate.wait("it listens", |log| addresses(log).next());
        gate
    }

    /// The last address that it listens at: where it has one for gRPC, that.
    #[track_caller]
    pub fn last_address(&mut self) -> SocketAddr {
        let first = self.address;
        self.wait("it listens twice", |log| addresses(log).last().filter(|last| *last != first))
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has something.
    #[track_caller]
    pub fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(&self.log()) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                begun.elapsed() < Duration::from_secs(30) && ended.is_none(),
                "waiting for: {what} ({ended:?})\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    pub fn wait_for_log(&mut self, text: &str) {
        self.wait(text, |log| log.contains(text).then_some(()));
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        http::send(self.address, method, path, headers, body)
    }

    #[track_caller]
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "")
    }

    /// Who am I, with a Bearer key?
    #[track_caller]
    pub fn me(&self, key: &PlainKey) -> Answer {
        self.get("/api/v1/me", &[("Authorization", &bearer(key))])
    }

    /// May this request pass? Asked as a proxy asks.
    #[track_caller]
    pub fn auth(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        let asked =
            [("X-Forwarded-Method", method), ("X-Forwarded-Uri", uri), ("X-Forwarded-For", "198.51.100.1")];
        self.get("/auth", &[&asked, headers].concat())
    }

    /// The same with a Bearer key.
    #[track_caller]
    pub fn auth_with(&self, method: &str, uri: &str, key: &PlainKey) -> Answer {
        self.auth(method, uri, &[("Authorization", &bearer(key))])
    }

    /// May the holder of this key do this? Asked as a service asks.
    #[track_caller]
    pub fn verify(&self, question: &str) -> Answer {
        self.send("POST", "/api/v1/verify", &[WITH_TOKEN], question)
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// The number of a metric's line that begins so.
    #[track_caller]
    pub fn metric(&self, line: &str) -> f64 {
        let text = self.get("/metrics", &[WITH_TOKEN]).body;
        let found = text.lines().find_map(|own| own.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or_else(|| panic!("no {line} in\n{text}"))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to this gate.
    pub fn signal(&self, signal: rustix::process::Signal) {
        program::signal(&self.child, signal);
    }

    /// Ends it as a service is ended, and waits.
    #[track_caller]
    pub fn stop(self) -> (ExitStatus, String) {
        self.signal(rustix::process::Signal::TERM);
        self.ended()
    }

    /// Waits for the end of one that was told to end.
    #[track_caller]
    pub fn ended(mut self) -> (ExitStatus, String) {
        let status = program::ended(&mut self.child);
        // The last lines may still be on their way.
        std::thread::sleep(Duration::from_millis(20));
        (status, self.log())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the gate's log:\n{}", self.log());
        }
    }
}

/// The addresses at which a gate says that it listens.
fn addresses(log: &str) -> impl Iterator<Item = SocketAddr> {
    log.lines().filter(|line| line.contains("listening")).filter_map(|line| {
        let address = line.split("address").nth(1)?.trim_start_matches(['"', ':', '=']);
        address.split(['"', ',', ' ']).next()?.parse().ok()
    })
}

/// What a gate on this machine is told that believes proxies here and has a token.
pub fn arguments(db: &Database, listen: SocketAddr) -> Vec<String> {
    let (address, listen, token) = (db.address(), listen.to_string(), token(db.dir()));
    let told = [
        "gate",
        "--db",
        &address,
        "--listen",
        &listen,
        "--trusted-proxy",
        "127.0.0.1",
        "--verify-token-file",
        &token,
    ];
    told.map(str::to_owned).into()
}

/// A file with the token.
pub fn token(folder: &Path) -> String {
    let file = folder.join("gate-token");
    std::fs::write(&file, TOKEN).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The value of a header with this key.
pub fn bearer(key: &PlainKey) -> String {
    format!("Bearer {}", key.expose())
}

/// One request at a gate inside this process: whether it may pass, or that it can't be found out.
pub async fn passes(
    gate: &keyrack::service::Gate,
    hash: keyrack::domain::secret::HashedKey,
) -> Result<bool, keyrack::service::Error> {
    for _ in 0..8 {
        let policies = gate.policies().await?;
        let Some(known) = gate.known(hash).await? else { return Ok(false) };
        if known.key.status(gate.now()) != keyrack::domain::key::Status::Active {
            return Ok(false);
        }
        if let keyrack::service::Confirmed::Current { .. } = gate.confirm(&known, &policies).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
