//! What takes a second person, and the request for one.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::permit::permit;
use super::{Error, Result};
use crate::domain::approval::{Approval, Asked, LASTS, Wish};
use crate::domain::audit::Action;
use crate::domain::key::KeyId;
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::shifted;
use crate::domain::text::{SafeText, thousands};
use crate::domain::when::in_a_sentence;
use crate::store::Tx;

/// What somebody wishes who has to ask first: the keys as they were shown.
pub(super) struct Wished {
    pub wish: Wish,
    pub keys: Vec<KeyId>,
    pub shown: Option<Arc<Manifest>>,
}

/// Refuses what takes a second person, by what this transaction's operation did so far.
pub(super) async fn four_eyes(tx: &mut Tx) -> Result<()> {
    let changed = tx.changed_keys();
    if changed.is_empty() {
        return Ok(());
    }
    let issuers = tx.issuers().await?;
    if issuers.iter().all(|issuer| issuer.policy.bulk.four_eyes.is_none()) {
        return Ok(());
    }
    // What an approved rotation covers is what it does itself: the new keys, and the ends of the old ones.
    let rotates = tx.rotates();
    let mut carried = None;
    for ids in changed {
        let keys = tx.keys(&ids).await?;
        'issuers: for issuer in &issuers {
            let many = keys.iter().filter(|key| key.issuer == issuer.slug).count();
            let Some(most) = issuer.policy.bulk.four_eyes.filter(|most| many > *most as usize) else {
                continue;
            };
            let approved = if rotates { tx.approved_rotations(carried).await? } else { Vec::new() };
            for (n, approved) in approved {
                // An old key, or the one in its place.
                let is_one = |key: &KeyId| approved.binary_search(key).is_ok();
                if keys.iter().all(|key| is_one(&key.id) || key.predecessor.as_ref().is_some_and(is_one)) {
                    if carried.is_none() {
                        tx.carry_out_approval(n).await?;
                    }
                    carried = Some(n);
                    continue 'issuers;
                }
            }
            return Err(Error::FourEyes(format!(
                "this changes {} keys of {}, and above {} its policy requires a second person",
                thousands(many as u64),
                issuer.policy.name,
                thousands(most.into())
            )));
        }
    }
    Ok(())
}

/// Asks for a second person; who asks for the same again gets the request that waits.
pub(super) async fn ask(tx: &mut Tx, wished: &Wished) -> Result<Approval> {
    permit(tx, Permission::ChangeKeys, "ask for approval").await?;
    let Wished { wish, keys, shown } = wished;
    let ids = Vec::from_iter(keys.iter().copied().collect::<BTreeSet<_>>());
    let keys = tx.lock_keys(&ids).await?;
    if let Some(missing) = ids.iter().find(|id| keys.binary_search_by(|key| key.id.cmp(id)).is_err()) {
        return Err(Error::no_key(*missing));
    }
    if let Some(shown) = shown {
        shown.check(&keys).map_err(Error::Moved)?;
    }
    let now = tx.now();
    let asked: Vec<Asked> = Manifest::of(&keys, now).asked();
    if let Some(there) = tx.same_approval(wish, &asked).await? {
        return Ok(there);
    }
    let ends_at = shifted(now, LASTS);
    let n = tx.ask_approval(wish, &asked, wish.reason(), ends_at).await?;
    let detail =
        json!({ "verb": wish.verb(), "keys": asked.len(), "reason": wish.reason(), "until": ends_at });
    tx.record(Action::ApprovalAsk, n.to_string().as_str(), detail).await?;
    Ok(Approval {
        n,
        verb: SafeText::new(wish.verb()),
        wish: Some(wish.clone()),
        keys: asked.len() as u64,
        reason: wish.reason().map(SafeText::new),
        asked_at: now,
        asked_by: SafeText::new(tx.who().name.as_str()),
        ends_at,
        decided_at: None,
        decided_by: None,
        outcome: None,
        override_reason: None,
    })
}

/// That it waits, and what to do.
pub(super) fn waits(approval: &Approval, why: &str) -> Error {
    let (n, until) = (approval.n, in_a_sentence(approval.ends_at));
    Error::Asked {
        n,
        words: format!(
            "{why}. Nothing was changed yet: request {n} ({}) waits in every console until {until} for another operator: \
             `keyrack approval approve {n}`. In an emergency: `keyrack approval override {n} --reason TEXT`, which raises an alert",
            approval.what()
        ),
    }
}
