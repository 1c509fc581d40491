//! Freezes, and stops of creation.

use serde_json::json;

use super::change::Change;
use super::pause::PauseOrder;
use super::permit::permit;
use super::{Error, Field, Result, Service};
use crate::domain::account::Account;
use crate::domain::audit::Action;
use crate::domain::hold::{Hold, HoldKind, MOST, passing_term};
use crate::domain::issuer::Policy;
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::domain::query::{Query, Test};
use crate::domain::text::SafeText;
use crate::store::{Trust, Tx};

/// So many are listed.
const LISTED: u32 = 1_000;

/// What shall be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldTarget {
    /// All keys that this fits, also those made later.
    Keys(Query),
    /// The making of keys.
    Creation { account: Option<String>, issuer: Option<String> },
}

impl Service {
    /// Freezes and stops of creation, the newest first; `all`: also those that were lifted or are over.
    pub async fn holds(&self, all: bool) -> Result<Vec<Hold>> {
        let now = self.look().await?;
        let holds = self.inner.store.holds(all, LISTED).await?;
        Ok(holds.into_iter().filter(|hold| all || hold.holds(now)).collect())
    }

    /// Holds keys, or the making of keys, until an instant.
    pub async fn hold(&self, operation: OperationId, target: HoldTarget, order: PauseOrder) -> Result<Hold> {
        if let HoldTarget::Keys(query) = &target {
            if query.terms.is_empty() {
                return Err(Error::invalid(
                    Field::Filter,
                    "an empty filter matches every key: write for example account:acme, or issuer:voxpria",
                ));
            }
            if let Some(term) = passing_term(query) {
                let why = format!(
                    "a freeze asks what a key is (account, issuer, by, owner, tag, scope, network, name, id, created on a day), and {term} changes with use or time: remove it"
                );
                return Err(Error::invalid(Field::Filter, why));
            }
        }
        self.change(operation, Add { target, order: order.checked()? }).await
    }

    /// Lifts a freeze or a stop of creation.
    pub async fn lift(&self, operation: OperationId, n: i64) -> Result<Hold> {
        self.change(operation, Lift { n }).await
    }
}

struct Add {
    target: HoldTarget,
    order: PauseOrder,
}

impl Change for Add {
    type Answer = Hold;

    const CLOCK: Trust = Trust::Ahead;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Hold> {
        let kind = match self.target {
            HoldTarget::Keys(_) => HoldKind::Freeze,
            HoldTarget::Creation { .. } => HoldKind::Creation,
        };
        let (action, what) = match kind {
            HoldKind::Freeze => (Action::FreezeAdd, "freeze keys"),
            HoldKind::Creation => (Action::CreationStop, "stop the creation of keys"),
        };
        permit(tx, Permission::ChangeHolds, what).await?;
        if let Some(hold) = tx.hold_of_operation().await? {
            return Ok(hold);
        }
        let mut held = tx.held(kind).await?;
        held.retain(|hold| hold.holds(tx.now()));
        if held.len() >= MOST {
            return Err(Error::Refused(format!(
                "{MOST} are already in force, which is the maximum: lift one first"
            )));
        }
        let text = |text: &Option<String>| text.as_deref().map(SafeText::new);
        let (filter, account, mut issuer) = match &self.target {
            HoldTarget::Keys(query) => (SafeText::new(query.to_string()), None, None),
            HoldTarget::Creation { account, issuer } => (SafeText::default(), text(account), text(issuer)),
        };
        if let Some(slug) = &account {
            let (found, of) = super::accounts::lock_account(tx, slug).await?;
            issuer = issuer.or_else(|| Some(SafeText::new(of.slug))).filter(|_| found.slug == slug.as_str());
        }
        if let Some(slug) = &issuer {
            tx.issuer(slug).await?.ok_or_else(|| Error::no_issuer(slug))?;
        }
        // The policies of the issuers whose keys it is about; of all, where it names none.
        let named = match &self.target {
            HoldTarget::Keys(query) => query.terms.iter().find_map(|term| match &term.test {
                Test::Issuer(slugs) if !term.negated => Some(slugs.iter().map(String::as_str).collect()),
                _ => None,
            }),
            HoldTarget::Creation { .. } => issuer.as_ref().map(|slug| [slug.as_str()].into()),
        };
        let pause = self.order.begun(tx, named.as_ref()).await?;
        let mut hold = Hold { n: 0, kind, filter, account, issuer, pause, lifted_at: None, lifted_by: None };
        hold.n = tx.add_hold(&hold).await?;
        hold.pause.freeze = Some(hold.n);
        tx.record(action, hold.n.to_string().as_str(), told(&hold)).await?;
        Ok(hold)
    }
}

fn told(hold: &Hold) -> serde_json::Value {
    json!({
        "target": hold.target(), "until": hold.pause.until, "message": hold.pause.message, "reason": hold.pause.reason,
    })
}

struct Lift {
    n: i64,
}

impl Change for Lift {
    type Answer = Hold;

    const WIDENS: bool = true;

    /// It is what lets people work again.
    const CLOCK: Trust = Trust::Ahead;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Hold> {
        permit(tx, Permission::ChangeHolds, "lift a freeze").await?;
        if let Some(hold) = tx.hold_of_operation().await? {
            return Ok(hold);
        }
        let mut held = tx.held(HoldKind::Freeze).await?;
        held.extend(tx.held(HoldKind::Creation).await?);
        let now = tx.now();
        let found = held.into_iter().find(|hold| hold.n == self.n && hold.holds(now));
        let Some(mut hold) = found else {
            return Err(Error::NotFound {
                kind: "freeze or creation stop in force with the number",
                name: self.n.to_string(),
                hint: "See `keyrack freeze list` and `keyrack creation list`",
            });
        };
        tx.lift_hold(hold.n, now).await?;
        let action = match hold.kind {
            HoldKind::Freeze => Action::FreezeLift,
            HoldKind::Creation => Action::CreationAllow,
        };
        tx.record(action, hold.n.to_string().as_str(), told(&hold)).await?;
        hold.lifted_at = Some(now);
        hold.lifted_by = Some(SafeText::new(tx.who().name.as_str()));
        Ok(hold)
    }
}

/// Refuses to make a key while somebody has stopped that.
pub(super) async fn allow_creation(tx: &mut Tx, account: &Account, policy: &Policy) -> Result<()> {
    let now = tx.now();
    let binds = |hold: &Hold| {
        hold.holds(now)
            && match (&hold.account, &hold.issuer) {
                (Some(slug), _) => slug.as_str() == account.slug,
                (None, Some(slug)) => slug.as_str() == policy.slug,
                (None, None) => true,
            }
    };
    match tx.held(HoldKind::Creation).await?.into_iter().find(|hold| binds(hold)) {
        Some(hold) => {
            let n = hold.n;
            Err(Error::Refused(format!("{}. An admin lifts it with `keyrack freeze lift {n}`", hold.words())))
        }
        None => Ok(()),
    }
}
