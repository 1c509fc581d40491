//! Whose a key is and what it is tagged with, as the audit tells it and as its row has it.

use serde_json::Value;

use super::{Kind, StoredKey, composed, split, words};

/// Before owners and tags were told, no key had any. `told`: a field as the audit tells it last.
pub(super) fn compare<'v>(
    key: &StoredKey,
    told: &impl Fn(&str) -> Option<&'v Value>,
    differ: &mut impl FnMut(Kind, &str, String, String),
) {
    for (what, field, table) in
        [("owner", "owner", &key.owner), ("owner's address", "owner_mail", &key.owner_mail)]
    {
        let audit = told(field).and_then(Value::as_str).unwrap_or_default();
        differ(Kind::Identity, what, composed(audit), composed(table.as_deref().unwrap_or_default()));
    }
    let audit = told("tags").map(|tags| words(tags, str::to_owned)).unwrap_or_default();
    differ(Kind::Identity, "tags", audit, split(&key.tags, str::to_owned));
}
