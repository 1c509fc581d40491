//! A line to PostgreSQL that a test can disturb: hold or delay what goes over it, cut it, or make listeners deaf.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::database::Database;
use super::people::OWNER;

#[derive(Default)]
struct State {
    /// Nothing goes through, and nobody is told (a black hole).
    held: AtomicBool,
    /// Every connection is closed, and new ones are too.
    cut: AtomicBool,
    /// Connections that listen for notifications hear no more, and nobody is told (H10).
    deaf: AtomicBool,
    /// So many milliseconds on the way, in each direction.
    delay: AtomicU64,
}

/// A socket of its own before the database's.
pub struct Line {
    dir: TempDir,
    database: String,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

impl Line {
    /// A line to this database, which must be in PostgreSQL.
    pub fn to(db: &Database) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let server = db.sockets().unwrap().join(".s.PGSQL.5432");
        let state = Arc::new(State::default());
        let task = tokio::spawn(accept(listener, server, Arc::clone(&state)));
        Self { dir, database: db.name(), state, task }
    }

    /// The database's address by this line.
    pub fn address(&self, user: Option<&str>) -> String {
        let user = user.unwrap_or(OWNER);
        format!("postgres://{user}@localhost/{}?host={}", self.database, self.dir.path().display())
    }

    pub fn hold(&self, held: bool) {
        self.state.held.store(held, SeqCst);
    }

    pub fn cut(&self, cut: bool) {
        self.state.cut.store(cut, SeqCst);
    }

    /// What goes over it takes this long, in each direction.
    pub fn delay(&self, long: Duration) {
        self.state.delay.store(u64::try_from(long.as_millis()).unwrap(), SeqCst);
    }

    pub fn deafen(&self) {
        self.state.deaf.store(true, SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, server: PathBuf, state: Arc<State>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        tokio::spawn(carry(client, server.clone(), Arc::clone(&state)));
    }
}

async fn carry(client: UnixStream, server: impl AsRef<Path>, state: Arc<State>) {
    let Ok(server) = UnixStream::connect(server.as_ref()).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let listens = Arc::new(AtomicBool::new(false));
    let up = {
        let (state, listens) = (Arc::clone(&state), Arc::clone(&listens));
        async move {
            let mut bytes = [0; 16 * 1024];
            while let Ok(read @ 1..) = from_client.read(&mut bytes).await {
                if bytes[..read].windows(6).any(|word| word == b"LISTEN") {
                    listens.store(true, SeqCst);
                }
                pass(&state).await;
                if to_server.write_all(&bytes[..read]).await.is_err() {
                    return;
                }
            }
        }
    };
    let down = {
        let (state, listens) = (Arc::clone(&state), listens);
        async move {
            let mut bytes = [0; 16 * 1024];
            while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
                pass(&state).await;
                if state.deaf.load(SeqCst) && listens.load(SeqCst) {
                    continue;
                }
                if to_client.write_all(&bytes[..read]).await.is_err() {
                    return;
                }
            }
        }
    };
    let cut = async {
        while !state.cut.load(SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
        () = cut => {}
    }
}

async fn pass(state: &State) {
    tokio::time::sleep(Duration::from_millis(state.delay.load(SeqCst))).await;
    while state.held.load(SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
