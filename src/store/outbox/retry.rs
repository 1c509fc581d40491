//! Sending again what a person looked at.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::IDS;
use crate::domain::reminder::{ReminderId, State, Tried};
use crate::store::dialect::{Time, both, rows, run, scalar};
use crate::store::filter::push_ids;
use crate::store::reading::from_row;
use crate::store::{Result, Tx};

struct TriedRow(Tried);

from_row!(TriedRow, row => Self(Tried {
    recipient: row.text("recipient"),
    state: row.word("state", State::Cancelled),
    letter: row.maybe_text("letter"),
}));

impl Tx {
    /// The reminders that were in one letter with these, where that letter may have arrived: it goes out again as a whole.
    pub async fn in_one_letter_with(&mut self, ids: &[ReminderId]) -> Result<Vec<ReminderId>> {
        let mut others = Vec::new();
        for some in ids.chunks(IDS) {
            others.extend(both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "SELECT DISTINCT o.reminder FROM deliveries d JOIN deliveries o ON o.letter = d.letter \
                     WHERE d.state = 'ambiguous' AND o.state = 'ambiguous' AND d.reminder IN ",
                );
                push_ids::<Db>(&mut sql, some);
                sql.build_query_scalar::<Uuid>().fetch_all(c).await?
            }));
        }
        others.sort_unstable();
        others.dedup();
        others.retain(|id| !ids.contains(id));
        Ok(others)
    }

    /// Reminders of an account of which something waits or is being sent.
    pub async fn reminders_under_way(&mut self, account: &str) -> Result<Vec<ReminderId>> {
        Ok(scalar!(
            fetch_all,
            self.conn(),
            "SELECT id FROM reminders WHERE account = $1 AND state IN ('pending', 'sending')",
            [account]
        ))
    }

    /// The deliveries of a reminder.
    pub async fn tried(&mut self, reminder: ReminderId) -> Result<Vec<Tried>> {
        let rows: Vec<TriedRow> = rows!(
            fetch_all,
            self.conn(),
            "SELECT recipient, state, letter FROM deliveries WHERE reminder = $1 ORDER BY recipient",
            [reminder]
        );
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Lets a delivery that failed, was ambiguous, was only written or waits be sent by the next sweep. Only what may have arrived keeps its
    /// letter. The reminder must be locked.
    pub async fn send_again(&mut self, reminder: ReminderId, recipient: &str) -> Result<()> {
        let now = self.now();
        run!(
            self.conn(),
            "UPDATE deliveries SET letter = CASE WHEN state IN ('failed', 'written') THEN NULL ELSE letter END, \
             attempts = CASE WHEN state = 'written' THEN 0 ELSE attempts END, state = 'pending', \
             next_at = $3, changed_at = $4 \
             WHERE reminder = $1 AND recipient = $2 AND state IN ('failed', 'ambiguous', 'written', 'pending')",
            [reminder, recipient, Time(now), Time(now)]
        );
        Ok(())
    }

    /// Gives up a delivery that was not sent: its recipient is no admin any more. The reminder must be locked.
    pub async fn give_up(&mut self, reminder: ReminderId, recipient: &str) -> Result<()> {
        let now = self.now();
        run!(
            self.conn(),
            "UPDATE deliveries SET state = 'cancelled', changed_at = $3 \
             WHERE reminder = $1 AND recipient = $2 AND state IN ('failed', 'ambiguous', 'written', 'pending')",
            [reminder, recipient, Time(now)]
        );
        Ok(())
    }

    /// Adds a delivery to somebody who became an admin since. The reminder must be locked.
    pub async fn add_delivery(&mut self, reminder: ReminderId, recipient: &str) -> Result<()> {
        let now = self.now();
        run!(
            self.conn(),
            "INSERT INTO deliveries (reminder, recipient, state, next_at, expires_at, changed_at) \
                 SELECT id, $2, 'pending', $3, expires_at, $4 FROM reminders WHERE id = $1",
            [reminder, recipient, Time(now), Time(now)]
        );
        Ok(())
    }

    /// Tells the states of these reminders anew; those that wait again have no reason for standing aside any more.
    pub async fn waits_again(&mut self, ids: &[ReminderId]) -> Result<()> {
        self.tell_states(ids, None).await?;
        for some in ids.chunks(IDS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("UPDATE reminders SET why = NULL WHERE state = 'pending' AND id IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build().execute(c).await?;
            });
        }
        Ok(())
    }
}
