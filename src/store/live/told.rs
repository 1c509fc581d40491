//! When to look at a SQLite file: the kernel tells of each write to it and of each change of its name, where it can.

use std::ffi::OsString;
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant as Moment, sleep, sleep_until, timeout};

/// The least time between two looks, and how often it is looked where the kernel tells nothing.
const POLL: Duration = Duration::from_millis(250);
/// How often it is looked in any case: a folder further up may have been moved, of which nothing is told.
const SELDOM: Duration = Duration::from_secs(10);

#[cfg(target_os = "linux")]
/// File systems on which other machines, or something past this kernel, may write: NFS, SMB, CIFS, FUSE, 9P, Ceph, AFS.
const SHARED: [i64; 7] =
    [0x6969, 0xFE53_4D42, 0xFF53_4D42, 0x6573_5546, 0x0102_1997, 0x00C3_6400, 0x5346_414F];

/// What tells of writes to one database.
pub(in crate::store) struct Told {
    /// The least time between two looks.
    least: Duration,
    kernel: Option<AsyncFd<OwnedFd>>,
    /// The database and its log, as they are called in their folders.
    names: Vec<OsString>,
    looked: Moment,
}

impl Told {
    pub(super) fn of(database: &Path) -> Self {
        Self::every(database, POLL)
    }

    /// The same, but with this time between two looks at least.
    pub(in crate::store) fn every(database: &Path, least: Duration) -> Self {
        let (mut names, mut folders) = (Vec::new(), Vec::new());
        // What a link stands for lies elsewhere, and either may be replaced.
        let real = std::fs::canonicalize(database);
        for path in [std::path::absolute(database), real].into_iter().flatten() {
            if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
                folders.push(folder.to_owned());
                names.extend(["", "-wal"].map(|end| {
                    let mut name = name.to_owned();
                    name.push(end);
                    name
                }));
            }
        }
        let kernel = watch(&folders).inspect_err(|error| {
            tracing::debug!(%error, "the kernel tells nothing of writes to the database: it is looked at often");
        });
        Self { least, kernel: kernel.ok(), names, looked: Moment::now() }
    }

    /// Waits until it is time for another look, or only until one may be taken again.
    pub(in crate::store) async fn next(&mut self, soon: bool) {
        if let Some(kernel) = self.kernel.as_ref().filter(|_| !soon) {
            match timeout(SELDOM, written(kernel, &self.names)).await {
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the kernel tells nothing of writes to the database any more");
                    self.kernel = None;
                }
            }
            sleep_until(self.looked + self.least).await;
        } else {
            sleep(POLL.min(self.least * 4)).await;
        }
        self.looked = Moment::now();
    }
}

#[cfg(not(target_os = "linux"))]
fn watch(_: &[std::path::PathBuf]) -> std::io::Result<AsyncFd<OwnedFd>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
async fn written(_: &AsyncFd<OwnedFd>, _: &[OsString]) -> std::io::Result<()> {
    std::future::pending().await
}

#[cfg(target_os = "linux")]
#[expect(deprecated, reason = "its successor takes unsafe code, and an OwnedFd is all that this asks for")]
fn watch(folders: &[std::path::PathBuf]) -> std::io::Result<AsyncFd<OwnedFd>> {
    let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    for folder in folders {
        let shared = SHARED.iter().any(|kind| rustix::fs::statfs(folder).is_ok_and(|fs| fs.f_type == *kind));
        if shared {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        let changes = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE;
        let gone = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        inotify::add_watch(&kernel, folder, changes | gone | WatchFlags::ONLYDIR)?;
    }
    AsyncFd::new(kernel)
}

/// Waits for a write to one of these, or for another file under its name.
#[cfg(target_os = "linux")]
async fn written(kernel: &AsyncFd<OwnedFd>, names: &[OsString]) -> std::io::Result<()> {
    let mut buffer = [const { MaybeUninit::uninit() }; 4_096];
    loop {
        let mut ready = kernel.readable().await?;
        let mut reader = Reader::new(kernel.get_ref(), &mut buffer);
        let mut found = false;
        loop {
            match reader.next() {
                Ok(event) => {
                    // Without a name it is about the folder itself, or some were lost.
                    let about = |name: &std::ffi::CStr| {
                        names.iter().any(|own| own.as_encoded_bytes() == name.to_bytes())
                    };
                    found |= event.file_name().is_none_or(about);
                    if event.events().contains(ReadFlags::IGNORED) {
                        return Err(std::io::ErrorKind::NotFound.into());
                    }
                }
                Err(rustix::io::Errno::WOULDBLOCK) => break,
                Err(error) => return Err(error.into()),
            }
        }
        ready.clear_ready();
        if found {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_is_told_of_at_once_and_silence_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "x").unwrap();
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for name in [&path, &link] {
            let mut told = Told::of(name);
            assert!(timeout(POLL * 4, told.next(false)).await.is_err(), "nothing was written");
            std::fs::write(folder.path().join("other"), "x").unwrap();
            assert!(timeout(POLL * 4, told.next(false)).await.is_err(), "another file wakes nobody");
            for what in ["a.db-wal", "a.db"] {
                std::fs::write(folder.path().join(what), "y").unwrap();
                assert!(timeout(SELDOM / 2, told.next(false)).await.is_ok(), "{what}");
            }
            std::fs::rename(&path, folder.path().join("aside")).unwrap();
            assert!(timeout(SELDOM / 2, told.next(false)).await.is_ok(), "moved away");
            std::fs::rename(folder.path().join("aside"), &path).unwrap();
        }
    }

    #[tokio::test]
    async fn without_the_kernel_it_is_looked_at_often() {
        let mut told = Told::of(Path::new("/proc/no/such/folder/a.db"));
        assert!(told.kernel.is_none());
        assert!(timeout(SELDOM / 2, told.next(false)).await.is_ok());
    }
}
