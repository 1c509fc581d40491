//! Keys by arrays, for PostgreSQL: a value for each column instead of one for each field, so that a statement of thousands of
//! rows is read and planned as fast as one of a few.

use crate::domain::key::{CLAIM_TIME, NewKey};
use crate::domain::owner::Owner;
use crate::domain::text::fold;
use crate::domain::{EARLIEST, Instant, LATEST};
use crate::store::Result;
use crate::store::dialect::Time;
use crate::store::keys::stops;
use crate::store::refold::search_of;
use crate::store::wire::Wire;

const AUTH: &str = "INSERT INTO key_auth (hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, not_before, revoke_at, \
     planned_by, plan_reason, own_expiry, acknowledged_at, first_used_at, revoked_at, revoked_by, revoke_reason, scheme, imported_from) \
     SELECT hash, id, account, issuer, scopes, allow::cidr[], limits, created_at, claim_by, expires_at, not_before, revoke_at, \
     planned_by, plan_reason, own_expiry, acknowledged_at, first_used_at, revoked_at, revoked_by, revoke_reason, scheme, imported_from \
     FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], \
     $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], \
     $17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::text[]) AS new \
     (hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, not_before, revoke_at, \
     planned_by, plan_reason, own_expiry, acknowledged_at, first_used_at, revoked_at, revoked_by, revoke_reason, scheme, imported_from)";
const KEYS: &str = "INSERT INTO keys (id, name, name_key, description, owner, owner_key, owner_mail, tags, search, preview, tail, created_by, \
     predecessor, overlap_seconds) \
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], \
     $10::text[], $11::text[], $12::text[], $13::uuid[], $14::bigint[])";
const USES: &str = "INSERT INTO key_use (id, last_used_at, last_used_from, last_used_endpoint) \
     SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[])";

/// Adds keys, with three statements.
pub(super) async fn add(c: &mut Wire<'_>, keys: &[NewKey]) -> Result<()> {
    fn each<'k, T>(keys: &'k [NewKey], of: impl Fn(&'k NewKey) -> T) -> Vec<T> {
        keys.iter().map(of).collect()
    }
    let at = |at: Instant| at.clamp(EARLIEST, LATEST);
    let allow = |key: &NewKey| {
        let networks: Vec<String> = key.allow.as_slice().iter().map(ToString::to_string).collect();
        format!("{{{}}}", networks.join(","))
    };
    sqlx::query(AUTH)
        .bind(each(keys, |key| &key.hash.0[..]))
        .bind(each(keys, |key| key.id))
        .bind(each(keys, |key| key.account.as_str()))
        .bind(each(keys, |key| key.issuer.as_str()))
        .bind(each(keys, |key| key.scopes.to_string()))
        .bind(each(keys, allow))
        .bind(each(keys, |key| (!key.limits.is_empty()).then(|| key.limits.to_string())))
        .bind(each(keys, |key| at(key.created_at)))
        .bind(each(keys, |key| at(key.created_at + CLAIM_TIME)))
        .bind(each(keys, |key| {
            stops(key.expires_at, key.planned.as_ref().map(|plan| plan.at)).map(|Time(end)| at(end))
        }))
        .bind(each(keys, |key| key.not_before.map(at)))
        .bind(each(keys, |key| key.planned.as_ref().map(|plan| at(plan.at))))
        .bind(each(keys, |key| key.planned.as_ref().map(|plan| plan.by.as_str())))
        .bind(each(keys, |key| key.planned.as_ref().and_then(|plan| plan.reason.as_deref())))
        .bind(each(keys, |key| key.planned.as_ref().and(key.expires_at).map(at)))
        .bind(each(keys, |key| key.acknowledged_at.map(at)))
        .bind(each(keys, |key| key.last_used_at.map(at)))
        .bind(each(keys, |key| key.revocation.as_ref().map(|end| at(end.at))))
        .bind(each(keys, |key| key.revocation.as_ref().map(|end| end.by.as_str())))
        .bind(each(keys, |key| key.revocation.as_ref().and_then(|end| end.reason.as_deref())))
        .bind(each(keys, |key| key.scheme.to_string()))
        .bind(each(keys, |key| key.imported_from.as_deref()))
        .execute(&mut *c)
        .await?;
    fn owner<'k, T>(key: &'k NewKey, of: impl Fn(&'k Owner) -> T) -> Option<T> {
        key.owner.as_ref().map(of)
    }
    sqlx::query(KEYS)
        .bind(each(keys, |key| key.id))
        .bind(each(keys, |key| key.name.as_str()))
        .bind(each(keys, |key| fold(&key.name)))
        .bind(each(keys, |key| key.description.as_str()))
        .bind(each(keys, |key| owner(key, |owner| owner.name.as_str())))
        .bind(each(keys, |key| owner(key, |owner| fold(&owner.name))))
        .bind(each(keys, |key| owner(key, |owner| owner.mail.as_deref()).flatten()))
        .bind(each(keys, |key| key.tags.to_string()))
        .bind(each(keys, |key| search_of(&key.name, &key.description, key.owner.as_ref(), &key.tags)))
        .bind(each(keys, |key| key.preview.as_str()))
        .bind(each(keys, |key| key.tail.as_str()))
        .bind(each(keys, |key| key.created_by.as_str()))
        .bind(each(keys, |key| key.replaces.map(|(id, _)| id)))
        .bind(each(keys, |key| key.replaces.map(|(_, overlap)| overlap.duration().num_seconds())))
        .execute(&mut *c)
        .await?;
    let used: Vec<(&NewKey, Instant)> =
        keys.iter().filter_map(|key| Some((key, at(key.last_used_at?)))).collect();
    if !used.is_empty() {
        sqlx::query(USES)
            .bind(used.iter().map(|(key, _)| key.id).collect::<Vec<_>>())
            .bind(used.iter().map(|(_, at)| *at).collect::<Vec<_>>())
            .bind(used.iter().map(|(key, _)| key.last_used_from.as_deref()).collect::<Vec<_>>())
            .bind(used.iter().map(|(key, _)| key.last_used_endpoint.as_deref()).collect::<Vec<_>>())
            .execute(c)
            .await?;
    }
    Ok(())
}
