//! Changes that share a commit. Each has an outcome of its own: what is refused or fails is taken back by itself, and what
//! can't be told apart is carried out again, one by one. Nobody is answered before the commit is on the disk.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::queue::{End, Job};
use super::{Intent, PATIENCE, Trust, Tx};
use crate::store::{Error, Result, Store};

/// So many share a commit at most.
const MOST: usize = 32;
/// Nobody joins a transaction whose first change was made longer ago.
const SHARED: Duration = Duration::from_millis(20);

/// Waits for an answer of the database's. Whether anything was carried out can't be known without it; the next try finds
/// out by the operation.
async fn answered<T>(work: impl Future<Output = T>) -> Result<T> {
    answered_within(PATIENCE, work).await
}

/// The same, of work that may take longer.
async fn answered_within<T>(patience: Duration, work: impl Future<Output = T>) -> Result<T> {
    timeout(patience, work).await.map_err(|_| {
        let seconds = patience.as_secs();
        Error::Unreachable(format!("it gave no answer for {seconds} s"))
    })
}

impl Store {
    /// Carries out a change, and what others wish meanwhile, in one transaction.
    pub(super) async fn carry_out(&self, first: Job) {
        let (mut tx, since) = match answered(self.begin(&first)).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(error)) | Err(error) => return first.tell(Err(error)),
        };
        let patience = first.opening.patience;
        match answered_within(patience, (first.work)(&mut tx)).await {
            Ok(End::Done) if first.opening.intent == Intent::Do => {}
            Ok(_) => {
                let tried = first.opening.intent == Intent::Try;
                let undone = tx.roll_back(!tried).await.map(|link| self.keep(link, since));
                return first.tell(if tried { undone } else { Ok(()) });
            }
            Err(error) => return first.tell(Err(error)),
        }
        let (alone, began) = (first.alone, Instant::now());
        let (mut done, mut refused) = (vec![first], Vec::new());
        while !alone && done.len() < MOST && began.elapsed() < SHARED {
            let Some(job) = self.queue.next(&done) else { break };
            match answered(self.join(&mut tx, &job)).await {
                Ok(Ok(End::Done)) => done.push(job),
                Ok(Ok(End::Refused)) => refused.push(job),
                Ok(Ok(End::Faulty)) => self.queue.again(vec![job]),
                Ok(Err(_)) | Err(_) => {
                    drop(tx);
                    done.extend(refused);
                    done.push(job);
                    return self.queue.again(done);
                }
            }
        }
        let right = done.iter().any(|job| job.opening.clock == Trust::Right);
        let committed = match self.check_file() {
            Ok(()) => {
                answered_within(patience, tx.commit()).await.unwrap_or_else(|error| Err((error, false)))
            }
            Err(error) => Err((error, false)),
        };
        let end = match committed {
            Ok(link) => {
                self.keep(link, since);
                self.check_file()
            }
            // One of them was refused at the last moment, and it is not known which; others were by what that one had done.
            Err((_, true)) if done.len() + refused.len() > 1 => {
                done.extend(refused);
                return self.queue.again(done);
            }
            Err((error, _)) => Err(error),
        };
        if right && end.is_ok() {
            self.learn_time().await;
        }
        for job in done {
            job.tell(end.clone());
        }
        // What they were refused by may be gone.
        for job in refused {
            job.tell(end.clone());
        }
    }

    /// Carries out one more change in a transaction that is open.
    ///
    /// # Errors
    /// The transaction is lost.
    async fn join(&self, tx: &mut Tx, job: &Job) -> Result<End> {
        if !job.opening.gathers {
            tx.write_owed_keys().await?;
        }
        let (owed, keys) = (tx.owed.len(), tx.owed_keys.len());
        let end = match self.go_on(tx, job).await {
            Ok(()) => (job.work)(tx).await,
            Err(_) if !tx.marked => return Err(Error::Other("the transaction is lost".into())),
            Err(_) => End::Faulty,
        };
        if end != End::Done {
            tx.owed.truncate(owed);
            tx.owed_keys.truncate(keys);
            tx.undo().await?;
        }
        Ok(end)
    }
}
