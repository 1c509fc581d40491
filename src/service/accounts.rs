//! Accounts: create, look, change, suspend, reinstate.

use serde_json::json;

use super::change::Change;
use super::permit::permit;
use super::{Error, Field, Result, Service};
use crate::domain::account::{Account, AccountSummary, Standing, check_slug};
use crate::domain::audit::Action;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::domain::reminder::State;
use crate::domain::text::{SafeText, check_name};
use crate::mail::check_address;
use crate::store::{AccountFilter, Trust, Tx};

/// What a new account shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAccount {
    pub issuer: String,
    pub slug: String,
    pub name: String,
    /// Mail addresses; at least one.
    pub admins: Vec<String>,
    pub plan: Option<String>,
}

/// What shall change of an account. `None`: stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeAccount {
    pub name: Option<String>,
    /// All mail addresses; at least one.
    pub admins: Option<Vec<String>>,
    /// `Some(None)`: no plan.
    pub plan: Option<Option<String>>,
}

impl Service {
    pub async fn create_account(&self, operation: OperationId, request: CreateAccount) -> Result<Account> {
        check_slug(&request.slug).map_err(|e| Error::invalid(Field::Slug, e))?;
        let name = check_name(&request.name).map_err(|e| Error::invalid(Field::Name, e))?;
        let admins = addresses(&request.admins)?;
        let CreateAccount { issuer, slug, plan, .. } = request;
        self.change(operation, Create { issuer, slug, name, admins, plan }).await
    }

    /// All accounts by slug, or those whose slug, name or issuer contains `filter`; at most `limit`, after the slug `after`.
    pub async fn accounts(
        &self,
        filter: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>> {
        let now = self.look().await?;
        let filter = AccountFilter {
            contains: filter.into(),
            after: after.unwrap_or_default().into(),
            slug: None,
            limit,
        };
        Ok(self.inner.store.accounts(&filter, now).await?)
    }

    pub async fn account(&self, slug: &str) -> Result<AccountSummary> {
        let now = self.look().await?;
        let filter = AccountFilter { slug: Some(slug.into()), limit: 1, ..AccountFilter::default() };
        self.inner.store.accounts(&filter, now).await?.pop().ok_or_else(|| Error::no_account(slug))
    }

    /// Changes an account's name, admins or plan. Reminders that wait go to the present admins: to those who came, and no
    /// more to those who left.
    pub async fn change_account(
        &self,
        operation: OperationId,
        slug: &str,
        change: ChangeAccount,
    ) -> Result<Account> {
        let name = change.name.as_deref().map(check_name).transpose();
        let name = name.map_err(|e| Error::invalid(Field::Name, e))?;
        let admins = change.admins.as_deref().map(addresses).transpose()?;
        self.change(operation, Alter { slug: slug.to_owned(), name, admins, plan: change.plan }).await
    }

    /// Suspends or reinstates an account. Doing so twice changes nothing.
    pub async fn set_standing(
        &self,
        operation: OperationId,
        slug: &str,
        standing: Standing,
    ) -> Result<Account> {
        self.change(operation, SetStanding { slug: slug.to_owned(), standing }).await
    }
}

/// What is wanted of a new account, checked as far as it can be without the database.
struct Create {
    issuer: String,
    slug: String,
    name: String,
    admins: Vec<SafeText>,
    plan: Option<String>,
}

impl Change for Create {
    type Answer = Account;

    const WIDENS: bool = true;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Account> {
        permit(tx, Permission::ChangeAccounts, "create accounts").await?;
        let issuer = tx.issuer(&self.issuer).await?.ok_or_else(|| Error::no_issuer(&self.issuer))?;
        if let Some((account, _)) = tx.lock_account(&self.slug).await? {
            if tx.seen().await? {
                return Ok(account);
            }
            return Err(Error::Refused(format!("there is already an account {}", self.slug)));
        }
        check_plan(self.plan.as_deref(), &issuer.policy)?;
        let account = Account {
            slug: self.slug.clone(),
            issuer: issuer.slug,
            name: self.name.as_str().into(),
            admins: self.admins.clone(),
            plan: self.plan.as_deref().map(SafeText::new),
            standing: Standing::Good,
            created_at: tx.now(),
            odd: SafeText::default(),
        };
        tx.add_account(&account).await?;
        let Account { issuer, name, admins, plan, .. } = &account;
        let detail = json!({ "issuer": issuer, "name": name, "admins": admins, "plan": plan });
        tx.record(Action::AccountCreate, &account, detail).await?;
        Ok(account)
    }
}

/// What shall be different of an account.
struct Alter {
    slug: String,
    name: Option<String>,
    admins: Option<Vec<SafeText>>,
    plan: Option<Option<String>>,
}

impl Change for Alter {
    type Answer = Account;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Account> {
        permit(tx, Permission::ChangeAccounts, "change accounts").await?;
        let (before, issuer) = lock_account(tx, &self.slug).await?;
        let mut account = before.clone();
        if let Some(name) = &self.name {
            account.name = name.as_str().into();
        }
        if let Some(admins) = &self.admins {
            // The same people in another order are no change.
            let same =
                admins.len() == before.admins.len() && admins.iter().all(|one| before.admins.contains(one));
            if !same {
                account.admins.clone_from(admins);
            }
        }
        if let Some(plan) = &self.plan {
            check_plan(plan.as_deref(), &issuer.policy)?;
            account.plan = plan.as_deref().map(SafeText::new);
        }
        if account == before {
            return Ok(account);
        }
        tx.change_account(&account).await?;
        if account.admins != before.admins {
            redirect(tx, &account).await?;
        }
        let what = |account: &Account| json!({ "name": account.name, "admins": account.admins, "plan": account.plan });
        let detail = json!({ "from": what(&before), "to": what(&account) });
        tx.record(Action::AccountChange, &account, detail).await?;
        Ok(account)
    }
}

struct SetStanding {
    slug: String,
    standing: Standing,
}

impl Change for SetStanding {
    type Answer = Account;

    /// An account that is to be suspended can't wait.
    const CLOCK: Trust = Trust::Ahead;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Account> {
        permit(tx, Permission::ChangeAccounts, "change an account's standing").await?;
        let (mut account, _) = lock_account(tx, &self.slug).await?;
        if account.standing == self.standing {
            return Ok(account);
        }
        tx.set_standing(&self.slug, self.standing).await?;
        account.standing = self.standing;
        let action = match self.standing {
            Standing::Good => Action::AccountReinstate,
            Standing::Suspended => Action::AccountSuspend,
        };
        tx.record(action, &account, json!({})).await?;
        Ok(account)
    }
}

/// Locks the account and reads its issuer.
pub(super) async fn lock_account(tx: &mut Tx, slug: &str) -> Result<(Account, Issuer)> {
    tx.lock_account(slug).await?.ok_or_else(|| Error::no_account(slug))
}

/// Mail addresses as they are kept; at least one, none twice.
fn addresses(admins: &[String]) -> Result<Vec<SafeText>> {
    let mut checked: Vec<SafeText> = Vec::with_capacity(admins.len());
    for admin in admins {
        let address =
            check_address(admin).map(SafeText::new).map_err(|e| Error::invalid(Field::Admins, e))?;
        if !checked.contains(&address) {
            checked.push(address);
        }
    }
    if checked.is_empty() {
        let why = "an account needs at least one mail address, for reminders";
        return Err(Error::invalid(Field::Admins, why));
    }
    Ok(checked)
}

fn check_plan(plan: Option<&str>, policy: &Policy) -> Result<()> {
    let Some(plan) = plan else { return Ok(()) };
    if policy.plans.iter().any(|known| known.name == plan) {
        return Ok(());
    }
    let known: Vec<&str> = policy.plans.iter().map(|plan| plan.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Error::invalid(Field::Plan, format!("{} has these plans: {known}", policy.name)))
}

/// Lets the reminders that wait go to the account's present admins. What is being sent at this moment ends as it ends.
async fn redirect(tx: &mut Tx, account: &Account) -> Result<()> {
    let reminders = tx.reminders_under_way(&account.slug).await?;
    tx.lock_reminders(&reminders).await?;
    for reminder in &reminders {
        let there = tx.tried(*reminder).await?;
        for gone in &there {
            if gone.state == State::Pending
                && !account.admins.iter().any(|admin| admin.as_str() == gone.recipient)
            {
                tx.give_up(*reminder, &gone.recipient).await?;
            }
        }
        for admin in &account.admins {
            if !there.iter().any(|delivery| delivery.recipient == admin.as_str()) {
                tx.add_delivery(*reminder, admin).await?;
            }
        }
    }
    tx.waits_again(&reminders).await.map_err(Error::from)
}
