//! Accounts: create, look, suspend, reinstate.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::account::check_slug;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::Permission;
use crate::domain::reminder::State;
use crate::domain::text::{SafeText, check_name};
use crate::mail::check_address;
use crate::store::{AccountFilter, Tx};

impl Service {
    pub async fn create_account(&self, operation: OperationId, request: CreateAccount) -> Result<Account> {
        check_slug(&request.slug).map_err(|e| Error::invalid(Field::Slug, e))?;
        let name = check_name(&request.name).map_err(|e| Error::invalid(Field::Name, e))?;
        let admins = addresses(&request.admins)?;
        let identity = self.inner.identity.clone();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, request) = (identity.clone(), request.clone());
                let (name, admins) = (name.clone(), admins.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeAccounts, "create accounts").await?;
                    let issuer =
                        tx.issuer(&request.issuer).await?.ok_or_else(|| Error::no_issuer(&request.issuer))?;
                    let there = tx.lock_account(&request.slug).await?;
                    if let Some((account, _)) = there {
                        if tx.seen().await? {
                            return Ok(account);
                        }
                        return Err(Error::Refused(format!("there is an account {} already", request.slug)));
                    }
                    check_plan(request.plan.as_deref(), &issuer.policy)?;
                    let account = Account {
                        slug: request.slug,
                        issuer: issuer.slug,
                        name: name.into(),
                        admins,
                        plan: request.plan.map(SafeText::new),
                        standing: Standing::Good,
                        created_at: tx.now(),
                    };
                    tx.add_account(&account).await?;
                    let detail =
                        json!({ "issuer": account.issuer, "name": account.name, "plan": account.plan });
                    record(tx, &identity, operation, Action::AccountCreate, &account.slug, detail).await?;
                    Ok(account)
                })
            })
            .await
    }

    /// All accounts by slug, or those whose slug, name or issuer contains `filter`; at most `limit`, after the slug `after`.
    pub async fn accounts(
        &self,
        filter: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>> {
        self.may_look()?;
        let filter = AccountFilter {
            contains: filter.into(),
            after: after.unwrap_or_default().into(),
            slug: None,
            limit,
        };
        Ok(self.inner.store.accounts(&filter, self.present()).await?)
    }

    pub async fn account(&self, slug: &str) -> Result<AccountSummary> {
        self.may_look()?;
        let filter = AccountFilter { slug: Some(slug.into()), limit: 1, ..AccountFilter::default() };
        self.inner.store.accounts(&filter, self.present()).await?.pop().ok_or_else(|| Error::no_account(slug))
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
        let identity = self.inner.identity.clone();
        let slug = slug.to_owned();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, slug, plan) = (identity.clone(), slug.clone(), change.plan.clone());
                let (name, admins) = (name.clone(), admins.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeAccounts, "change accounts").await?;
                    let (before, issuer) =
                        tx.lock_account(&slug).await?.ok_or_else(|| Error::no_account(&slug))?;
                    let mut account = before.clone();
                    if let Some(name) = name {
                        account.name = name.into();
                    }
                    if let Some(admins) = admins {
                        account.admins = admins;
                    }
                    if let Some(plan) = plan {
                        check_plan(plan.as_deref(), &issuer.policy)?;
                        account.plan = plan.map(SafeText::new);
                    }
                    if account == before {
                        return Ok(account);
                    }
                    tx.change_account(&account).await?;
                    if account.admins != before.admins {
                        redirect(tx, &account).await?;
                    }
                    let what = |account: &Account| {
                        json!({ "name": account.name, "admins": account.admins, "plan": account.plan })
                    };
                    let detail = json!({ "from": what(&before), "to": what(&account) });
                    record(tx, &identity, operation, Action::AccountChange, &slug, detail).await?;
                    Ok(account)
                })
            })
            .await
    }

    /// Suspends or reinstates an account. Doing so twice changes nothing.
    pub async fn set_standing(
        &self,
        operation: OperationId,
        slug: &str,
        standing: Standing,
    ) -> Result<Account> {
        let identity = self.inner.identity.clone();
        let slug = slug.to_owned();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, slug) = (identity.clone(), slug.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeAccounts, "change an account's standing").await?;
                    let (mut account, _) =
                        tx.lock_account(&slug).await?.ok_or_else(|| Error::no_account(&slug))?;
                    if account.standing == standing {
                        return Ok(account);
                    }
                    tx.set_standing(&slug, standing).await?;
                    account.standing = standing;
                    let action = match standing {
                        Standing::Good => Action::AccountReinstate,
                        Standing::Suspended => Action::AccountSuspend,
                    };
                    record(tx, &identity, operation, action, &slug, json!({})).await?;
                    Ok(account)
                })
            })
            .await
    }
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

async fn record(
    tx: &mut Tx,
    who: &Identity,
    operation: OperationId,
    action: Action,
    slug: &str,
    detail: serde_json::Value,
) -> Result<()> {
    let account = Some(slug.to_owned());
    Ok(tx
        .record(who, &Change { operation, action, subject: slug.into(), account, key: None, detail })
        .await?)
}
