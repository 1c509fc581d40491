//! Rows as the statements return them, and how they become the domain's records.

use sqlx::types::Json;

use super::dialect::{Allow, Text};
use super::reading::{Cells, Reading, from_row};
use crate::domain::account::{Account, Standing};
use crate::domain::budget::Budgets;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::{Key, PlannedEnd};
use crate::domain::operator::{Operator, Role};
use crate::domain::owner::{Owner, Tags};
use crate::domain::pause::Pause;
use crate::domain::scope::Scopes;
use crate::domain::text::SafeText;
use crate::domain::{days, shifted};

/// The columns of a [`KeyRow`], from [`Driver::KEYS`](super::filter::Driver::KEYS).
pub(super) const KEY_COLUMNS: &str = "k.id, k.account, k.issuer, m.name, m.description, m.owner, m.owner_mail, m.tags, m.preview, k.scopes, k.allow, \
     k.created_at, m.created_by, CASE WHEN k.revoke_at IS NULL THEN k.expires_at ELSE k.own_expiry END AS expires_at, \
     k.not_before, k.revoke_at, k.planned_by, k.plan_reason, k.claim_by, k.acknowledged_at, \
     CASE WHEN k.first_used_at IS NOT NULL THEN coalesce(u.last_used_at, k.first_used_at) END AS last_used_at, \
     u.last_used_from, u.last_used_endpoint, \
     k.limits, k.revoked_at, k.revoked_by, k.revoke_reason, \
     k.paused_at, k.paused_until, k.paused_by, k.pause_message, k.pause_reason, m.predecessor, m.successor, \
     (SELECT s.ends_at FROM key_auth s WHERE s.id = m.successor) AS successor_ends_at, \
     m.successor IS NOT NULL AND EXISTS (SELECT 1 FROM key_auth s WHERE s.id = m.successor AND s.acknowledged_at IS NOT NULL) \
     AS successor_confirmed, \
     (SELECT p.ends_at FROM key_auth p WHERE p.id = m.predecessor \
         AND EXISTS (SELECT 1 FROM keys o WHERE o.id = m.predecessor AND o.successor = k.id)) AS predecessor_ends_at, \
     (SELECT i.rotation_days FROM issuers i WHERE i.slug = k.issuer) AS rotation_days, \
     (SELECT a.standing <> 'good' FROM accounts a WHERE a.slug = k.account) AS suspended";

pub(super) struct KeyRow(pub Key);

from_row!(KeyRow, row => {
    let created_at = row.time("created_at");
    let rotation_days: Option<i64> = row.maybe("rotation_days");
    let limits = row.maybe_text("limits").map(|text| Budgets::parse(&text).map_err(|error| error.to_string()));
    if let Some(Err(error)) = &limits {
        row.note("limits", error);
    }
    row.time("claim_by");
    let paused = row.maybe_time("paused_until").map(|until| Pause {
        at: row.maybe_time("paused_at").unwrap_or(until),
        until,
        by: row.maybe_safe("paused_by").unwrap_or_default(),
        message: row.maybe_safe("pause_message"),
        reason: row.maybe_safe("pause_reason"),
        freeze: None,
    });
    let planned = row.maybe_time("revoke_at").map(|at| PlannedEnd {
        at,
        by: row.maybe_safe("planned_by").unwrap_or_default(),
        reason: row.maybe_safe("plan_reason"),
    });
    let mut key = Key {
        id: row.id("id"),
        account: row.safe("account").to_string(),
        // What can't be read is no good standing.
        standing: if row.maybe("suspended") == Some(false) { Standing::Good } else { Standing::Suspended },
        issuer: row.safe("issuer").to_string(),
        name: row.safe("name"),
        description: row.safe("description"),
        owner: row.maybe_safe("owner").map(|name| Owner { name, mail: row.maybe_safe("owner_mail") }),
        tags: Tags::parse(&row.safe("tags")),
        preview: row.safe("preview"),
        scopes: Scopes::parse(&row.safe("scopes")),
        allow: row.get::<Allow>("allow").0,
        created_at,
        created_by: row.safe("created_by"),
        expires_at: row.maybe_time("expires_at"),
        not_before: row.maybe_time("not_before"),
        planned,
        acknowledged_at: row.maybe_time("acknowledged_at"),
        last_used_at: row.maybe_time("last_used_at"),
        last_used_from: row.maybe_safe("last_used_from"),
        last_used_endpoint: row.maybe_safe("last_used_endpoint"),
        limits: limits.and_then(Result::ok).unwrap_or_default(),
        revoked_at: row.maybe_time("revoked_at"),
        revoked_by: row.maybe_safe("revoked_by"),
        revoke_reason: row.maybe_safe("revoke_reason"),
        predecessor: row.maybe("predecessor"),
        successor: row.maybe("successor"),
        successor_ends_at: row.maybe_time("successor_ends_at"),
        successor_confirmed: row.maybe("successor_confirmed") == Some(true),
        predecessor_ends_at: row.maybe_time("predecessor_ends_at"),
        rotation_due_at: rotation_days.map(|number| shifted(created_at, days(number))),
        paused,
        frozen: None,
        // Not in the row: it is judged in `forms`.
        refused: false,
        odd: SafeText::default(),
    };
    key.odd = row.odd();
    Self(key)
});

impl From<KeyRow> for Key {
    fn from(KeyRow(key): KeyRow) -> Self {
        key
    }
}

pub(super) struct IssuerRow(pub Issuer);

from_row!(IssuerRow, row => {
    let slug = row.safe("slug").to_string();
    let (version, updated_at) = (row.get("version"), row.time("updated_at"));
    Self(Issuer { policy: policy(&mut row, &slug), slug, version, updated_at })
});

/// The policy of the issuer of this slug, whose row is being read; where anything of that can't be, one by which nothing passes.
pub(super) fn policy<R: Cells>(row: &mut Reading<'_, R>, slug: &str) -> Policy {
    match row.maybe::<Json<Policy>>("policy") {
        Some(Json(policy)) if row.odd().is_empty() => policy,
        _ => {
            let raw = row.maybe::<Text>("policy_text").map(|raw| raw.text);
            Policy::unread(slug, raw.as_deref(), row.odd())
        }
    }
}

impl From<IssuerRow> for Issuer {
    fn from(IssuerRow(issuer): IssuerRow) -> Self {
        issuer
    }
}

pub(super) struct AccountRow(pub Account);

from_row!(AccountRow, row => {
    let mut account = Account {
        slug: row.safe("slug").to_string(),
        issuer: row.safe("issuer").to_string(),
        name: row.safe("name"),
        admins: row.get::<Json<Vec<String>>>("admins").0.into_iter().map(SafeText::new).collect(),
        plan: row.maybe_safe("plan"),
        standing: row.word("standing", Standing::Suspended),
        created_at: row.time("created_at"),
        odd: SafeText::default(),
    };
    account.odd = row.odd();
    Self(account)
});

pub(super) struct OperatorRow(pub Operator);

from_row!(OperatorRow, row => {
    let mut operator = Operator {
        name: row.safe("name"),
        // The least there is, and whoever asks for a right is told that there is none.
        role: row.word("role", Role::Viewer),
        created_at: row.time("created_at"),
        created_by: row.safe("created_by"),
        login: row.get("login"),
    };
    operator.created_by = row.marked(Some(operator.created_by)).unwrap_or_default();
    Self(operator)
});

/// An account and its issuer.
pub(super) struct AccountAndIssuer(Account, Issuer);

from_row!(AccountAndIssuer, row => {
    let AccountRow(account) = row.part()?;
    let slug = account.issuer.clone();
    let (version, updated_at) = (row.get("version"), row.time("updated_at"));
    Self(account, Issuer { policy: policy(&mut row, &slug), slug, version, updated_at })
});

impl From<AccountAndIssuer> for (Account, Issuer) {
    fn from(AccountAndIssuer(account, issuer): AccountAndIssuer) -> Self {
        (account, issuer)
    }
}

/// An [`AccountAndIssuer`] whose slug is what follows.
pub(super) const ACCOUNT_AND_ISSUER: &str = "SELECT a.slug, a.issuer, a.name, a.admins, a.plan, a.standing, a.created_at, \
     i.policy, CAST(i.policy AS text) AS policy_text, i.version, i.updated_at FROM accounts a JOIN issuers i ON i.slug = a.issuer WHERE a.slug = ";
