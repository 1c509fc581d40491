//! Keys that are asked for while others are being read: they are read together, by one statement.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::domain::secret::HashedKey;
use crate::store::{Error, Result, Sight, Store};

/// Readings that are under way at once, as far as there are threads for them.
const MOST: usize = 4;

/// Who asks for a key, and waits for what is read of it.
type Asked = (HashedKey, oneshot::Sender<Result<Option<Sight>>>);

/// What is asked for, and who reads it.
pub(super) struct Together {
    store: Store,
    /// How long one reading may take.
    patience: Duration,
    /// How many read at once.
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    asked: Vec<Asked>,
    reading: usize,
}

impl Together {
    pub fn new(store: Store, patience: Duration) -> Arc<Self> {
        let most = Handle::current().metrics().num_workers().clamp(1, MOST);
        Arc::new(Self { store, patience, most, waiting: Mutex::default() })
    }

    /// The key of this secret, with all that a gate must know of it, as it is at a moment from now on.
    pub async fn sight(self: &Arc<Self>, hash: HashedKey) -> Result<Option<Sight>> {
        let (tell, told) = oneshot::channel();
        let reads = {
            let mut waiting = self.waiting.lock();
            waiting.asked.push((hash, tell));
            let reads = waiting.reading < self.most;
            waiting.reading += usize::from(reads);
            reads
        };
        if reads {
            // Not by who asks: that one may go away, and the others would wait.
            tokio::spawn(Reading(Arc::clone(self)).run());
        }
        told.await.unwrap_or_else(|_| Err(Error::Other("the reading ended early".into())))
    }
}

/// One that reads as long as anybody waits, after a panic also.
struct Reading(Arc<Together>);

impl Reading {
    async fn run(self) {
        loop {
            let asked = {
                let mut waiting = self.0.waiting.lock();
                let many = waiting.asked.len().min(Store::SIGHTS);
                waiting.asked.drain(..many).collect::<Vec<_>>()
            };
            if asked.is_empty() {
                return;
            }
            let hashes: Vec<HashedKey> = asked.iter().map(|(hash, _)| *hash).collect();
            let read = match timeout(self.0.patience, self.0.store.sights(&hashes)).await {
                Ok(read) => read,
                Err(_) => Err(Error::Unreachable(format!(
                    "it gave no answer for {} ms",
                    self.0.patience.as_millis()
                ))),
            };
            match read {
                Ok(sights) => {
                    for ((_, tell), sight) in asked.into_iter().zip(sights) {
                        // Who asked may be gone.
                        let _ = tell.send(Ok(sight));
                    }
                }
                Err(error) => {
                    for (_, tell) in asked {
                        let _ = tell.send(Err(error.clone()));
                    }
                }
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.reading -= 1;
        if !waiting.asked.is_empty()
            && let Ok(handle) = Handle::try_current()
        {
            waiting.reading += 1;
            handle.spawn(Self(Arc::clone(&self.0)).run());
        }
    }
}
