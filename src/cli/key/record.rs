//! A key as a row, an object or a CSV line. Never with a secret: a [`Key`] has none.

use super::super::output::{Column, Record, Tone, when};
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::domain::text::SafeText;
use crate::service::{Found, GateReceipt, Revoked};

/// The colour that says what a status means.
pub fn tone(status: Status) -> Tone {
    match status {
        Status::Active => Tone::Good,
        Status::Expired | Status::Planned | Status::Suspended | Status::Paused => Tone::Warning,
        Status::Abandoned => Tone::Quiet,
        Status::Revoked | Status::Damaged | Status::Refused => Tone::Bad,
    }
}

/// What has a key in it.
trait OfKey: Sized + 'static {
    fn key(&self) -> &Key;

    /// Who may be told of the key.
    fn admins(&self) -> &[SafeText];
}

impl OfKey for Key {
    fn key(&self) -> &Key {
        self
    }

    fn admins(&self) -> &[SafeText] {
        &[]
    }
}

impl OfKey for Found {
    fn key(&self) -> &Key {
        &self.key
    }

    fn admins(&self) -> &[SafeText] {
        &self.admins
    }
}

/// The columns of a key, the last of which only a [`Found`] one has.
const fn columns<R: OfKey>() -> [Column<R>; COLUMNS] {
    [
        Column::<R>::new("STATUS", 16, "status", |of, now| of.key().status(now).as_str().into())
            .cell(|of, look| match of.key().status(look.now) {
                Status::Active if of.key().claim_by().is_some() => "unclaimed".into(),
                status => status.as_str().into(),
            })
            .whole(),
        Column::<R>::new("NAME", 4, "name", |of, _| of.key().name.as_str().into())
            .cell(|of, _| of.key().label().into_owned()),
        Column::wide("DESCRIPTION", 5, "description", |of, _| of.key().description.as_str().into()),
        Column::new("ACCOUNT", 2, "account", |of, _| of.key().account.as_str().into()),
        Column::wide("ISSUER", 3, "issuer", |of, _| of.key().issuer.as_str().into()),
        Column::<R>::new("KEY", 6, "preview", |of, _| of.key().preview.as_str().into()).whole(),
        Column::<R>::new("SCOPES", 7, "scopes", |of, _| of.key().scopes.iter().collect()).cell(|of, look| {
            if look.wide { of.key().scopes.to_string() } else { few(of.key().scopes.iter()) }
        }),
        Column::wide("ALLOW", 8, "allow", |of, _| {
            of.key().allow.as_slice().iter().map(ToString::to_string).collect()
        }),
        Column::new("CREATED", 9, "created_at", |of, _| of.key().created_at.into()),
        Column::wide("BY", 10, "created_by", |of, _| of.key().created_by.as_str().into()),
        Column::<R>::new("EXPIRES", 11, "expires_at", |of, _| of.key().expires_at.into()).cell(|of, look| {
            let key = of.key();
            // Who is not confirmed ends earlier.
            let claim = key.claim_by().filter(|_| !key.has_ended(look.now));
            // A wide table has a column for it.
            if let (None, Some(plan), false) = (claim, key.plan_ahead(look.now), look.wide) {
                return format!("revoked {}", when::shown(plan.at, look));
            }
            let end = claim.or(key.expires_at);
            end.map_or_else(|| "never".into(), |end| when::shown(end, look))
        }),
        Column::<R>::new("LAST USED", 12, "last_used_at", |of, _| of.key().last_used_at.into())
            .cell(|of, look| of.key().last_used_at.map_or_else(|| "never".into(), |at| when::past(at, look)))
            .missing("never"),
        Column::wide("FROM", 13, "last_used_from", |of, _| of.key().last_used_from.as_deref().into()),
        Column::wide("ENDPOINT", 14, "last_used_endpoint", |of, _| {
            of.key().last_used_endpoint.as_deref().into()
        }),
        Column::wide("LIMITS", 15, "limits", |of, _| {
            of.key().limits.as_slice().iter().map(ToString::to_string).collect()
        }),
        Column::field(17, "acknowledged_at", |of, _| of.key().acknowledged_at.into()),
        Column::wide("ROTATION DUE", 23, "rotation_due_at", |of, _| of.key().rotation_due_at.into()),
        Column::wide("REVOKED", 18, "revoked_at", |of, now| of.key().revoked(now).map(|one| one.at).into()),
        Column::wide("REVOKED BY", 19, "revoked_by", |of, now| {
            of.key().revoked(now).and_then(|one| one.by.map(SafeText::as_str)).into()
        }),
        Column::wide("REASON", 20, "revoke_reason", |of, now| {
            of.key().revoked(now).and_then(|one| one.reason.map(SafeText::as_str)).into()
        }),
        Column::wide("PAUSED UNTIL", 26, "paused_until", |of, now| {
            of.key().held(now).map(|pause| pause.until).into()
        }),
        Column::field(21, "predecessor", |of, _| of.key().predecessor.map(|id| id.to_string()).into()),
        Column::field(22, "successor", |of, _| of.key().successor.map(|id| id.to_string()).into()),
        Column::<R>::new("ID", 1, "id", |of, _| of.key().id.to_string().into())
            .cell(|of, look| if look.wide { of.key().id.to_string() } else { short_id(of.key()) })
            .whole(),
        Column::field(25, "unreadable", |of, _| {
            Some(of.key().odd.as_str()).filter(|odd| !odd.is_empty()).into()
        }),
        Column::wide("OWNER", 27, "owner", |of, _| {
            of.key().owner.as_ref().map(|owner| owner.name.as_str()).into()
        }),
        Column::wide("OWNER MAIL", 28, "owner_mail", |of, _| {
            of.key().owner.as_ref().and_then(|owner| owner.mail.as_deref()).into()
        }),
        Column::wide("TAGS", 29, "tags", |of, _| of.key().tags.iter().collect()),
        Column::wide("OVERLAP", 30, "overlap", |of, now| of.key().overlap_side(now).into()),
        Column::wide("NOT BEFORE", 31, "not_before", |of, _| of.key().not_before.into()),
        Column::wide("REVOKE AT", 32, "revoke_at", |of, _| {
            of.key().planned.as_ref().map(|plan| plan.at).into()
        }),
        Column::wide("PLANNED BY", 33, "planned_by", |of, _| {
            of.key().planned.as_ref().map(|plan| plan.by.as_str()).into()
        }),
        Column::wide("PLAN REASON", 34, "plan_reason", |of, _| {
            of.key().planned.as_ref().and_then(|plan| plan.reason.as_deref()).into()
        }),
        Column::wide("WHO TO TELL", 24, "admins", |of, _| of.admins().iter().map(SafeText::as_str).collect()),
    ]
}

const COLUMNS: usize = 34;
const OF_KEYS: &[Column<Key>] = &columns();

impl Record for Key {
    const COLUMNS: &'static [Column<Self>] = OF_KEYS.split_at(COLUMNS - 1).0;

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(tone(self.status(now)))
    }
}

impl Record for Found {
    const COLUMNS: &'static [Column<Self>] = &columns();

    fn tone(&self, now: Instant) -> Option<Tone> {
        self.key.tone(now)
    }
}

/// The last group of the id: what tells keys apart, since ids made together begin alike.
pub fn short_id(key: &Key) -> String {
    let id = key.id.to_string();
    id.rsplit('-').next().unwrap_or_default().to_owned()
}

/// The first two of a list, and how many more there are.
fn few<'a>(mut items: impl Iterator<Item = &'a str>) -> String {
    let mut shown: String = items.by_ref().take(2).collect::<Vec<_>>().join(" ");
    let more = items.count();
    if more > 0 {
        shown.push_str(&format!(" +{more}"));
    }
    shown
}

/// A revoked key, and what the gates say to it.
pub struct Ended {
    pub revoked: Revoked,
    pub gates: std::sync::Arc<[GateReceipt]>,
}

impl Record for Ended {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATUS", 2, "status", |ended, now| ended.revoked.key.status(now).as_str().into()),
        Column::<Self>::new("NAME", 7, "name", |ended, _| ended.revoked.key.name.as_str().into())
            .cell(|ended, _| ended.revoked.key.label().into_owned()),
        Column::new("ACCOUNT", 6, "account", |ended, _| ended.revoked.key.account.as_str().into()),
        Column::new("KEY", 8, "preview", |ended, _| ended.revoked.key.preview.as_str().into()),
        Column::new("REVOKED", 3, "revoked_at", |ended, now| {
            ended.revoked.key.revoked(now).map(|one| one.at).into()
        }),
        Column::wide("BY", 4, "revoked_by", |ended, now| {
            ended.revoked.key.revoked(now).and_then(|one| one.by.map(SafeText::as_str)).into()
        }),
        Column::wide("REASON", 5, "reason", |ended, now| {
            ended.revoked.key.revoked(now).and_then(|one| one.reason.map(SafeText::as_str)).into()
        }),
        Column::field(9, "already", |ended, _| ended.revoked.already.into()),
        Column::field(10, "gates", |ended, _| serde_json::json!(ended.gates).into()),
        Column::<Self>::new("ID", 1, "id", |ended, _| ended.revoked.key.id.to_string().into()).cell(
            |ended, look| {
                if look.wide { ended.revoked.key.id.to_string() } else { short_id(&ended.revoked.key) }
            },
        ),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(tone(self.revoked.key.status(now)))
    }
}
