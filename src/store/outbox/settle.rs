//! Writing down what became of letters.

use sqlx::QueryBuilder;

use super::IDS;
use crate::domain::reminder::{Fate, ReminderId, Settled, SweepId};
use crate::store::dialect::both;
use crate::store::filter::{Driver as _, push_ids};
use crate::store::{Result, Tx};

impl Tx {
    /// Writes down what became of letters that `sweep` had claimed.
    ///
    /// What was sent, was sent, whoever has the claim by now. Anything else is of no interest once another sweep has it.
    pub async fn settle(&mut self, sweep: SweepId, letters: &[Settled]) -> Result<()> {
        let all: Vec<ReminderId> =
            letters.iter().flat_map(|letter| letter.reminders.iter().copied()).collect();
        if all.is_empty() {
            return Ok(());
        }
        self.lock_reminders(&all).await?;
        let now = self.now();
        for letter in letters {
            for some in letter.reminders.chunks(IDS) {
                both!(self.conn(), c => {
                    let mut sql = QueryBuilder::<Db>::new("UPDATE deliveries SET claimed_until = NULL, changed_at = ");
                    Db::time(&mut sql, now);
                    let (state, attempts) = match letter.fate {
                        Fate::Sent => ("sent", 1),
                        Fate::Written => ("written", 1),
                        Fate::Failed => ("failed", 1),
                        Fate::Ambiguous => ("ambiguous", 1),
                        Fate::Deferred(_) => ("pending", 1),
                        Fate::Released => ("pending", 0),
                    };
                    sql.push(format!(", state = '{state}', attempts = attempts + {attempts}"));
                    if let Fate::Deferred(next) = letter.fate {
                        sql.push(", next_at = ");
                        Db::time(&mut sql, next);
                    }
                    if letter.fate != Fate::Released {
                        sql.push(", answer = ");
                        Db::text(&mut sql, &letter.answer);
                    }
                    // What surely did not arrive may go out with other reminders next time.
                    if state == "pending" && !letter.again {
                        sql.push(", letter = NULL");
                    }
                    if letter.fate == Fate::Sent {
                        sql.push(" WHERE state <> 'sent'");
                    } else {
                        sql.push(" WHERE state = 'sending' AND sweep = ");
                        Db::id(&mut sql, sweep);
                    }
                    sql.push(" AND recipient = ");
                    Db::text(&mut sql, &letter.recipient);
                    sql.push(" AND reminder IN ");
                    push_ids::<Db>(&mut sql, some);
                    sql.build().execute(c).await?;
                });
            }
        }
        self.tell_states(&all, None).await
    }
}
