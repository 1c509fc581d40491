//! Listeners, at addresses and at sockets in the file system, and the connections that come by them.

use std::fs::TryLockError;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixSocket, UnixStream};
use tokio::time::sleep;

use super::origin::Peer;
use crate::domain::listening::{ListenPlace, SocketMode};
use crate::domain::network::canonical_address;

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1_024;

/// So long a gate waits for another one that looks into the same folder.
const TURN: Duration = Duration::from_secs(2);

/// Who may use a socket in the file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketRights {
    pub mode: SocketMode,
    /// The number of the group that it belongs to; none: the gate's own.
    pub group: Option<u32>,
}

/// An open listener. A socket's file goes with it.
pub enum Listener {
    Address(TcpListener),
    Socket(UnixListener, SocketFile),
}

/// Opens a listener. Its address can be used again at once after a restart; a socket's file that nobody listens at any more
/// is replaced.
///
/// # Errors
/// When the place is taken, or can't be had.
pub async fn bind(place: &ListenPlace, rights: &SocketRights) -> io::Result<Listener> {
    match place {
        ListenPlace::Address(address) => {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.set_reuseaddr(true)?;
            socket.bind(*address)?;
            socket.listen(BACKLOG).map(Listener::Address)
        }
        ListenPlace::Socket(path) => {
            let (listener, file) = SocketFile::bind(path, rights).await?;
            Ok(Listener::Socket(listener, file))
        }
    }
}

impl Listener {
    /// Where it listens: a port that was given as 0 is known here.
    pub fn place(&self) -> Option<ListenPlace> {
        match self {
            Self::Address(listener) => listener.local_addr().ok().map(ListenPlace::Address),
            Self::Socket(_, file) => Some(ListenPlace::Socket(file.path.clone())),
        }
    }

    /// The next connection, and who came by it.
    ///
    /// # Errors
    /// When it can't be accepted.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Address(listener) => {
                let (stream, peer): (TcpStream, SocketAddr) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Stream::Address(stream), Peer::Address(canonical_address(peer.ip()))))
            }
            Self::Socket(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Socket(stream), Peer::Socket))
            }
        }
    }
}

/// The file of a socket. Removed with it, if it is still the one that was made.
pub struct SocketFile {
    path: PathBuf,
    /// Device and number of what was made.
    made: (u64, u64),
}

impl SocketFile {
    async fn bind(path: &Path, rights: &SocketRights) -> io::Result<(UnixListener, Self)> {
        // One at a time looks, removes and makes in this folder: two gates that start at once don't remove each other's.
        let folder = folder(path);
        let turn = std::fs::File::open(folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
        take_turn(&turn, folder).await?;
        remove_stale(path).await?;
        let socket = UnixSocket::new_stream()?;
        socket.bind(path)?;
        let made = std::fs::symlink_metadata(path)?;
        let file = Self { path: path.to_owned(), made: (made.dev(), made.ino()) };
        // Nobody can connect before it listens.
        if let Some(group) = rights.group {
            std::os::unix::fs::chown(path, None, Some(group)).map_err(|error| {
                io::Error::new(error.kind(), format!("it can't be given to the group {group}: {error}"))
            })?;
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(rights.mode.bits()))?;
        Ok((socket.listen(BACKLOG)?, file))
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Whoever may read a folder can hold its lock, and longer than a gate can wait.
async fn take_turn(turn: &std::fs::File, folder: &Path) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match turn.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < TURN => sleep(TURN / 100).await,
            Err(TryLockError::WouldBlock) => {
                let why = format!(
                    "another program holds the lock of {}: let it end, or put the socket into a folder that nobody else may read",
                    folder.display()
                );
                return Err(io::Error::new(io::ErrorKind::WouldBlock, why));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Takes away what an earlier gate left. What is no socket stays, and so does one that somebody listens at.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else than a socket lies there"));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens there")),
        // Its queue is full.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens there, and is busy"))
        }
        Err(error) => {
            let why = format!("it can't be found out whether another program listens there: {error}");
            Err(io::Error::new(error.kind(), why))
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another gate may be about to put its own there; then it takes this one away too.
        let turn = std::fs::File::open(folder(&self.path));
        if !turn.as_ref().is_ok_and(|turn| turn.try_lock().is_ok()) {
            return;
        }
        let there = std::fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == self.made) {
            // Nothing more can be done about it: the next start does.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A connection.
pub enum Stream {
    Address(TcpStream),
    Socket(UnixStream),
}

/// The same with whichever it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $what:expr) => {
        match $stream.get_mut() {
            Stream::Address($inner) => $what,
            Stream::Socket($inner) => $what,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Address(stream) => stream.is_write_vectored(),
            Self::Socket(stream) => stream.is_write_vectored(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(folder: &Path) -> ListenPlace {
        ListenPlace::Socket(folder.join("gate.sock"))
    }

    async fn fault(place: &ListenPlace) -> String {
        match bind(place, &SocketRights::default()).await {
            Ok(_) => panic!("it listens"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_socket_has_its_rights_before_anybody_can_connect_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let place = at(folder.path());
        let rights = SocketRights { mode: "0600".parse().unwrap(), group: None };
        let listener = bind(&place, &rights).await.unwrap();
        let path = place.socket().unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(listener.place(), Some(place.clone()));
        let (client, accepted) = tokio::join!(UnixStream::connect(path), listener.accept());
        assert!(client.is_ok() && accepted.unwrap().1 == Peer::Socket);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_not_its_own_stays_and_what_nobody_listens_at_goes() {
        let folder = tempfile::tempdir().unwrap();
        let place = at(folder.path());
        let path = place.socket().unwrap();
        std::fs::write(path, "mine").unwrap();
        assert!(fault(&place).await.contains("something else than a socket"));
        std::fs::remove_file(path).unwrap();
        let first = bind(&place, &SocketRights::default()).await.unwrap();
        assert!(fault(&place).await.contains("another program listens"));
        // A gate that was killed leaves its file.
        std::mem::drop(std::os::unix::net::UnixListener::bind(folder.path().join("old.sock")).unwrap());
        let stale = ListenPlace::Socket(folder.path().join("old.sock"));
        assert!(bind(&stale, &SocketRights::default()).await.is_ok());
        // Another one took its place meanwhile: that one stays.
        std::fs::remove_file(path).unwrap();
        let second = bind(&place, &SocketRights::default()).await.unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
        // Who holds the folder's lock keeps nobody waiting for ever, and is told of.
        let held = std::fs::File::open(folder.path()).unwrap();
        held.lock().unwrap();
        assert!(fault(&place).await.contains("holds the lock of"));
        held.unlock().unwrap();
        let nowhere = ListenPlace::Socket(folder.path().join("not/here.sock"));
        assert!(fault(&nowhere).await.contains("not: No such file"));
    }
}
