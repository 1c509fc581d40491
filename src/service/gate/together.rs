//! Keys that are asked for while others are being read: they are read together, by one statement.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::domain::secret::HashedKey;
use crate::store::{Error, Result, Sight, Store};

/// Readings that are under way at once: one that gets no answer must not stop all others, and some connections are left for
/// everything else.
const FEWEST: usize = 2;
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
    asked: VecDeque<Asked>,
    reading: usize,
}

impl Together {
    pub fn new(store: Store, patience: Duration) -> Arc<Self> {
        let most = Handle::current().metrics().num_workers().clamp(FEWEST, MOST);
        Arc::new(Self { store, patience, most, waiting: Mutex::default() })
    }

    /// The key of this secret, with all that a gate must know of it, as it is at a moment from now on.
    pub async fn sight(self: &Arc<Self>, hash: HashedKey) -> Result<Option<Sight>> {
        let (tell, told) = oneshot::channel();
        let reads = {
            let mut waiting = self.waiting.lock();
            waiting.asked.push_back((hash, tell));
            let reads = waiting.reading < self.most;
            waiting.reading += usize::from(reads);
            reads
        };
        if reads {
            // Not by who asks: that one may go away, and the others would wait.
            tokio::spawn(Arc::clone(self).read_all());
        }
        told.await.unwrap_or_else(|_| Err(Error::Other("the reading ended early".into())))
    }

    /// Reads until nobody waits.
    async fn read_all(self: Arc<Self>) {
        let reading = Reading(&self);
        loop {
            let Some(asked) = self.next() else {
                // It was struck off where it was seen that nobody waits: who asks from then on has another one read.
                return std::mem::forget(reading);
            };
            let hashes: Vec<HashedKey> = asked.iter().map(|(hash, _)| *hash).collect();
            match self.read(&hashes).await {
                Ok(sights) => {
                    for ((_, tell), sight) in asked.into_iter().zip(sights) {
                        // Who asked may be gone.
                        let _ = tell.send(Ok(sight));
                    }
                }
                // What is wrong with one key is no matter of the others.
                Err(error) if asked.len() > 1 && !error.is_transient() => {
                    for (hash, tell) in asked {
                        let read = self.read(&[hash]).await;
                        let _ = tell.send(read.map(|mut sights| sights.pop().flatten()));
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

    /// Those who have waited longest and are still there. If there is nobody, who reads is struck off.
    fn next(&self) -> Option<Vec<Asked>> {
        let mut asked = Vec::new();
        let mut waiting = self.waiting.lock();
        while asked.len() < Store::SIGHTS {
            let Some(one) = waiting.asked.pop_front() else { break };
            if !one.1.is_closed() {
                asked.push(one);
            }
        }
        waiting.reading -= usize::from(asked.is_empty());
        (!asked.is_empty()).then_some(asked)
    }

    async fn read(&self, hashes: &[HashedKey]) -> Result<Vec<Option<Sight>>> {
        match timeout(self.patience, self.store.sights(hashes)).await {
            Ok(read) => read,
            Err(_) => {
                Err(Error::Unreachable(format!("it gave no answer for {} ms", self.patience.as_millis())))
            }
        }
    }
}

/// One who reads. If the last one is cut off, whoever waits is told so.
struct Reading<'t>(&'t Together);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let left = {
            let mut waiting = self.0.waiting.lock();
            waiting.reading -= 1;
            if waiting.reading == 0 { std::mem::take(&mut waiting.asked) } else { VecDeque::new() }
        };
        drop(left);
    }
}
