//! Texts of keys and accounts that an earlier version of this program wrote, spelled and folded anew.
//!
//! The migration of version [`REFOLDED`] says that it was done: only after it is the schema of that version. What is
//! interrupted is done again, and what is right already stays.

use sqlx::{Connection, PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use super::Result;
use super::dialect::Text;
use crate::domain::owner::{Owner, Tags};
use crate::domain::text::{composed, fold};

/// The version of the schema from which on every text is [`composed`], and what search compares is [`fold`] of it.
pub(super) const REFOLDED: i64 = 8;

/// Rows a transaction.
const ROWS: usize = 500;

/// Only what is beyond ASCII can be spelled in two ways.
const KEYS: &str = "SELECT id, name, name_key, description, search FROM keys WHERE id > $1 \
    AND octet_length(search) <> length(search) ORDER BY id LIMIT 500";
const KEY: &str = "UPDATE keys SET name = $2, name_key = $3, description = $4, search = $5 WHERE id = $1";
const ACCOUNTS: &str = "SELECT slug, name, search FROM accounts WHERE octet_length(search) <> length(search)";
const ACCOUNT: &str = "UPDATE accounts SET name = $2, search = $3 WHERE slug = $1";

/// How many rows' texts were changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refolded {
    pub keys: u64,
    pub accounts: u64,
}

/// A deferred transaction would fail at its first write while others write (H7). Within another one it is a savepoint.
async fn immediate(conn: &mut SqliteConnection) -> sqlx::Result<Transaction<'_, Sqlite>> {
    if conn.is_in_transaction() { conn.begin().await } else { conn.begin_with("BEGIN IMMEDIATE").await }
}

async fn plain(conn: &mut PgConnection) -> sqlx::Result<Transaction<'_, Postgres>> {
    conn.begin().await
}

macro_rules! refold {
    ($name:ident, $conn:ty, $begin:ident, $tx:ident, $id:ident, $before:ident, $after:ident => $index:block) => {
        pub(super) async fn $name(conn: &mut $conn) -> Result<Refolded> {
            let mut changed = Refolded::default();
            let mut last = Uuid::nil();
            loop {
                let mut $tx = $begin(conn).await?;
                let rows: Vec<(Uuid, Text, Text, Text, Text)> =
                    sqlx::query_as(KEYS).bind(last).fetch_all(&mut *$tx).await?;
                for ($id, name, name_key, description, $before) in &rows {
                    let texts = [name, name_key, description, $before];
                    if texts.iter().any(|text| !text.whole) {
                        // Shown as what can't be read, and left as it is.
                        continue;
                    }
                    let [name, name_key, description, $before] = texts.map(|text| &text.text);
                    let (composed_name, composed_text) = (composed(name), composed(description));
                    let ($after, key) = (search(&composed_name, &composed_text), fold(&composed_name));
                    if [&composed_name, &key, &composed_text, &$after] == [name, name_key, description, $before] {
                        continue;
                    }
                    $index
                    changed.keys += 1;
                    sqlx::query(KEY)
                        .bind($id)
                        .bind(&composed_name)
                        .bind(&key)
                        .bind(&composed_text)
                        .bind(&$after)
                        .execute(&mut *$tx)
                        .await?;
                }
                $tx.commit().await?;
                match rows.last() {
                    Some((id, ..)) if rows.len() == ROWS => last = *id,
                    _ => break,
                }
            }
            let mut tx = $begin(conn).await?;
            let rows: Vec<(Text, Text, Text)> = sqlx::query_as(ACCOUNTS).fetch_all(&mut *tx).await?;
            for (slug, name, before) in rows.iter().filter(|(slug, name, search)| slug.whole && name.whole && search.whole) {
                let [slug, name, before] = [slug, name, before].map(|text| &text.text);
                let composed_name = composed(name);
                let after = search(slug, &composed_name);
                if [&composed_name, &after] != [name, before] {
                    changed.accounts += 1;
                    sqlx::query(ACCOUNT).bind(slug).bind(&composed_name).bind(&after).execute(&mut *tx).await?;
                }
            }
            tx.commit().await?;
            Ok(changed)
        }
    };
}

refold!(sqlite, SqliteConnection, immediate, tx, id, before, after => {
    // The index holds no text of its own: it must be told what it is to forget.
    let forget = "INSERT INTO key_text (key_text, rowid, search) SELECT 'delete', seq, $2 FROM keys WHERE id = $1";
    sqlx::query(forget).bind(id).bind(before).execute(&mut *tx).await?;
    let learn = "INSERT INTO key_text (rowid, search) SELECT seq, $2 FROM keys WHERE id = $1";
    sqlx::query(learn).bind(id).bind(&after).execute(&mut *tx).await?;
});
refold!(postgres, PgConnection, plain, tx, id, before, after => {});

/// What search looks at: the two parts, each in a line of its own.
pub(super) fn search(first: &str, second: &str) -> String {
    format!("{}\n{}", fold(first), fold(second))
}

/// The same of a key. Its owner and tags stand behind, where it has any.
pub(super) fn search_of(name: &str, description: &str, owner: Option<&Owner>, tags: &Tags) -> String {
    let mut text = search(name, description);
    for more in [owner.map(Owner::words), Some(tags.to_string())].into_iter().flatten() {
        if !more.is_empty() {
            text.push('\n');
            text.push_str(&fold(&more));
        }
    }
    text
}
