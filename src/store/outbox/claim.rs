//! What waits to be sent, and taking it in hand so that no other sweep does.

use std::collections::HashSet;

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{CASE, CaseRow, IDS, SUBJECT, rest};
use crate::domain::Instant;
use crate::domain::reminder::{Case, LetterOf, ReminderId, SweepId, Waiting};
use crate::store::dialect::{Text, both};
use crate::store::filter::{Driver, push_ids};
use crate::store::reading::from_row;
use crate::store::{Conn, Result, Store, Tx};

struct WaitingRow(Waiting);

from_row!(WaitingRow, row => Self(Waiting {
    case: row.part::<CaseRow>()?.0,
    recipient: row.text("recipient"),
    attempts: row.number("attempts"),
    letter: row.maybe_text("letter"),
}));

const FROM: &str = " FROM deliveries d CROSS JOIN reminders r CROSS JOIN key_auth k CROSS JOIN accounts a";
const WHERE: &str = "r.id = d.reminder AND k.id = r.key AND a.slug = k.account";

/// Writes the condition that a delivery of a letter that may have arrived waits: it is to go out again, or the sweep that
/// had claimed it is dead.
fn push_again<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push("((d.state = 'pending' AND d.letter IS NOT NULL AND d.next_at <= ");
    D::time(sql, now);
    sql.push(") OR (d.state = 'sending' AND d.claimed_until <= ");
    D::time(sql, now);
    sql.push("))");
}

fn push_select<D: Driver>(sql: &mut QueryBuilder<D>) {
    sql.push("SELECT ")
        .push(CASE)
        .push(", ")
        .push(SUBJECT)
        .push(", d.recipient, d.attempts, d.letter")
        .push(FROM)
        .push(rest::<D>())
        .push(WHERE);
}

impl Store {
    /// What waits and was in no letter that may have arrived, most urgent first, after the place given.
    pub async fn waiting(&self, now: Instant, after: Option<&Waiting>, limit: u32) -> Result<Vec<Waiting>> {
        // Expiry, reminder, recipient.
        let place: (Instant, ReminderId, String) = after.map_or_else(
            || (Instant::UNIX_EPOCH, Uuid::nil(), String::new()),
            |last| (last.case.expires_at, last.case.reminder, last.recipient.clone()),
        );
        let mut reader = self.reader().await?;
        let rows = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("");
            push_select::<Db>(&mut sql);
            sql.push(" AND d.state = 'pending' AND d.letter IS NULL AND d.next_at <= ");
            Db::time(&mut sql, now);
            sql.push(" AND (d.expires_at, d.reminder, d.recipient) > (");
            Db::time(&mut sql, place.0);
            sql.push(", ");
            Db::id(&mut sql, place.1);
            sql.push(", ");
            Db::text(&mut sql, &place.2);
            sql.push(format!(") ORDER BY d.expires_at, d.reminder, d.recipient LIMIT {limit}"));
            sql.build_query_as::<WaitingRow>().fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// What waits to go out again as the letter that it was part of, letter by letter.
    pub async fn waiting_again(&self, now: Instant) -> Result<Vec<Waiting>> {
        let mut reader = self.reader().await?;
        let rows = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("");
            push_select::<Db>(&mut sql);
            sql.push(" AND ");
            push_again::<Db>(&mut sql, now);
            sql.push(" ORDER BY d.letter, d.expires_at, d.reminder");
            sql.build_query_as::<WaitingRow>().fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// How many letters wait, if one holds at most `keys` reminders, and how many reminders do.
    pub async fn count_waiting(&self, now: Instant, keys: u32) -> Result<(u64, u64)> {
        let mut reader = self.reader().await?;
        let (fresh, again, reminders): (i64, i64, i64) = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!(
                "SELECT (SELECT CAST(coalesce(sum((n + {0} - 1) / {0}), 0) AS bigint) FROM (SELECT count(*) AS n FROM deliveries d \
                 WHERE d.state = 'pending' AND d.letter IS NULL AND d.next_at <= ",
                keys.max(1)
            ));
            Db::time(&mut sql, now);
            sql.push(" GROUP BY d.recipient) AS of_one), (SELECT count(DISTINCT d.letter) FROM deliveries d WHERE ");
            push_again::<Db>(&mut sql, now);
            // Apart, so that each is found through its own index.
            sql.push("), (SELECT count(*) FROM (SELECT d.reminder FROM deliveries d WHERE d.state = 'pending' AND d.letter IS NULL AND d.next_at <= ");
            Db::time(&mut sql, now);
            sql.push(" UNION SELECT d.reminder FROM deliveries d WHERE ");
            push_again::<Db>(&mut sql, now);
            sql.push(") AS waiting)");
            sql.build_query_as::<(i64, i64, i64)>().fetch_one(c).await?
        });
        Ok(((fresh + again).unsigned_abs(), reminders.unsigned_abs()))
    }
}

impl Tx {
    /// Lets one sweep at a time choose what it sends, so that what waits for one recipient is not torn into two letters.
    /// Held until the end of the transaction, which is short.
    pub async fn lock_claims(&mut self) -> Result<()> {
        // In a schema of an earlier version it is a number that any login can hold: "keyrack" in ASCII.
        let lock = match self.keeps() {
            true => "SELECT keyrack_take_turns()",
            false => "SELECT pg_advisory_xact_lock(30228094905115499)",
        };
        self.conn().lock(lock).await
    }

    /// The letters to be sent next, at most `limit`: those first that may have arrived already, then the most urgent.
    pub async fn next_letters(&mut self, limit: usize) -> Result<Vec<LetterOf>> {
        let now = self.now();
        // A recipient may have many keys of the same urgency; some more rows find enough recipients.
        let rows = limit.saturating_mul(8).max(64);
        let (again, fresh): (Vec<Option<Text>>, Vec<Text>) = both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT DISTINCT d.letter FROM deliveries d WHERE ");
            push_again::<Db>(&mut sql, now);
            sql.push(format!(" LIMIT {limit}"));
            let again = sql.build_query_scalar::<Option<Text>>().fetch_all(&mut *c).await?;
            let mut sql = QueryBuilder::<Db>::new(
                "SELECT d.recipient FROM deliveries d WHERE d.state = 'pending' AND d.letter IS NULL AND d.next_at <= ",
            );
            Db::time(&mut sql, now);
            sql.push(format!(" ORDER BY d.expires_at, d.reminder, d.recipient LIMIT {rows}"));
            (again, sql.build_query_scalar::<Text>().fetch_all(c).await?)
        });
        let mut seen = HashSet::new();
        let again = again.into_iter().flatten().map(|letter| LetterOf::Again(letter.text));
        let fresh =
            fresh.into_iter().map(|to| to.text).filter(|to| seen.insert(to.clone())).map(LetterOf::To);
        Ok(again.chain(fresh).take(limit).collect())
    }

    /// What belongs into these letters: letter by letter, in each the most urgent first, and at most `limit` in each. Not
    /// locked yet. Where all this were very many, the last letters are left for another time.
    pub async fn waiting_in(&mut self, letters: &[LetterOf], limit: usize) -> Result<Vec<Vec<Waiting>>> {
        let again: Vec<&String> = letters
            .iter()
            .filter_map(|one| if let LetterOf::Again(id) = one { Some(id) } else { None })
            .collect();
        let fresh: Vec<&String> = letters
            .iter()
            .filter_map(|one| if let LetterOf::To(to) = one { Some(to) } else { None })
            .collect();
        let mut found = Vec::with_capacity(letters.len());
        if !again.is_empty() {
            found.extend(self.waiting_among("letter", &again, limit).await?);
        }
        if !fresh.is_empty() {
            let mut fresh = self.waiting_among("recipient", &fresh, limit).await?;
            fresh.sort_by_key(|letter| (letter[0].case.expires_at, letter[0].case.reminder));
            found.append(&mut fresh);
        }
        Ok(found)
    }

    async fn waiting_among(
        &mut self,
        column: &str,
        values: &[&String],
        limit: usize,
    ) -> Result<Vec<Vec<Waiting>>> {
        let now = self.now();
        let most = limit.saturating_mul(5);
        let rows = both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("");
            push_select::<Db>(&mut sql);
            if column == "letter" {
                sql.push(" AND ");
                push_again::<Db>(&mut sql, now);
            } else {
                sql.push(" AND d.state = 'pending' AND d.letter IS NULL AND d.next_at <= ");
                Db::time(&mut sql, now);
            }
            sql.push(format!(" AND d.{column} IN ("));
            for (n, value) in values.iter().enumerate() {
                sql.push(if n == 0 { "" } else { ", " });
                Db::text(&mut sql, value);
            }
            sql.push(format!(") ORDER BY d.{column}, d.expires_at, d.reminder LIMIT {most}"));
            sql.build_query_as::<WaitingRow>().fetch_all(c).await?
        });
        let full = rows.len() == most;
        let mut letters: Vec<Vec<Waiting>> = Vec::with_capacity(values.len());
        for row in rows {
            let WaitingRow(one) = row;
            match letters.last_mut() {
                Some(last) if last[0].recipient == one.recipient && last[0].letter == one.letter => {
                    if last.len() < limit {
                        last.push(one);
                    }
                }
                _ => letters.push(vec![one]),
            }
        }
        // The last one may go on beyond what was read.
        if full && letters.len() > 1 && letters.last().is_some_and(|last| last.len() < limit) {
            letters.pop();
        }
        Ok(letters)
    }

    /// Locks the reminders of what was read, and keeps of it what still waits behind the locks.
    pub async fn lock_waiting(&mut self, waiting: &mut Vec<Waiting>) -> Result<()> {
        let ids: Vec<ReminderId> = waiting.iter().map(|one| one.case.reminder).collect();
        if ids.is_empty() || matches!(self.conn(), Conn::Sqlite(_)) {
            return Ok(());
        }
        self.lock_reminders(&ids).await?;
        let now = self.now();
        let mut still: HashSet<(Uuid, String)> = HashSet::new();
        for some in ids.chunks(IDS) {
            let rows = both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "SELECT d.reminder, d.recipient FROM deliveries d WHERE (d.state = 'pending' OR (d.state = 'sending' AND d.claimed_until <= ",
                );
                Db::time(&mut sql, now);
                sql.push(")) AND d.reminder IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build_query_as::<(Uuid, Text)>().fetch_all(c).await?
            });
            still.extend(rows.into_iter().map(|(reminder, to)| (reminder, to.text)));
        }
        waiting.retain(|one| still.contains(&(one.case.reminder, one.recipient.clone())));
        Ok(())
    }

    /// Takes deliveries to one recipient in hand, as one letter, until `until`. Their reminders must be locked.
    pub async fn claim(
        &mut self,
        sweep: SweepId,
        recipient: &str,
        reminders: &[ReminderId],
        letter: &str,
        until: Instant,
    ) -> Result<()> {
        let now = self.now();
        for some in reminders.chunks(IDS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("UPDATE deliveries SET state = 'sending', sweep = ");
                Db::id(&mut sql, sweep);
                sql.push(", letter = ");
                Db::text(&mut sql, letter);
                sql.push(", claimed_until = ");
                Db::time(&mut sql, until);
                sql.push(", changed_at = ");
                Db::time(&mut sql, now);
                sql.push(" WHERE recipient = ");
                Db::text(&mut sql, recipient);
                sql.push(" AND reminder IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build().execute(c).await?;
            });
        }
        Ok(())
    }

    /// Reminders with their keys, as they are inside this transaction.
    pub async fn cases(&mut self, ids: &[ReminderId]) -> Result<Vec<Case>> {
        let mut cases = Vec::with_capacity(ids.len());
        for some in ids.chunks(IDS) {
            let rows = both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("SELECT ");
                sql.push(CASE).push(", ").push(SUBJECT);
                sql.push(" FROM reminders r CROSS JOIN key_auth k CROSS JOIN accounts a").push(rest::<Db>());
                sql.push("k.id = r.key AND a.slug = k.account AND r.id IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build_query_as::<CaseRow>().fetch_all(c).await?
            });
            cases.extend(rows.into_iter().map(|row| row.0));
        }
        Ok(cases)
    }
}
