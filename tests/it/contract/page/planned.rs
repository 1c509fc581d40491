//! Keys of which something is planned.

use keyrack::clock::Clock;

use crate::support::database::Database;

/// Plans something of every third key: what lies ahead, and what is over.
pub async fn plan(db: &Database) {
    let (some, day, least, now) = if db.is_postgres() {
        ("abs(hashtext(id::text))", "interval '1 day' *", "least", "now()".to_owned())
    } else {
        let now = Clock::System.now().timestamp_micros();
        ("seq", "86400000000 *", "min", now.to_string())
    };
    for (kind, at) in [(0, format!("created_at + {day} 2")), (3, format!("{now} + {day} 20"))] {
        db.execute(&format!(
            "UPDATE key_auth SET own_expiry = expires_at, revoke_at = {at}, planned_by = 'ada', \
             expires_at = {least}(coalesce(expires_at, {at}), {at}) WHERE {some} % 9 = {kind} AND revoked_at IS NULL"
        ))
        .await;
    }
    for (kind, at) in [(0, format!("{now} - {day} 1")), (6, format!("{now} + {day} 1"))] {
        db.execute(&format!(
            "UPDATE key_auth SET not_before = {at} WHERE {some} % 9 = {kind} AND revoked_at IS NULL"
        ))
        .await;
    }
}
