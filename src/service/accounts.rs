//! Accounts: create, look, suspend, reinstate.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::account::check_slug;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::Permission;
use crate::domain::text::{SafeText, check_name};
use crate::mail::check_address;
use crate::store::{AccountFilter, Tx};

impl Service {
    pub async fn create_account(&self, operation: OperationId, request: CreateAccount) -> Result<Account> {
        check_slug(&request.slug).map_err(|e| Error::invalid(Field::Slug, e))?;
        let name = check_name(&request.name).map_err(|e| Error::invalid(Field::Name, e))?;
        let admins: Vec<SafeText> = request
            .admins
            .iter()
            .map(|admin| check_address(admin).map(SafeText::new))
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| Error::invalid(Field::Admins, e))?;
        if admins.is_empty() {
            return Err(Error::invalid(
                Field::Admins,
                "an account needs at least one mail address, for reminders",
            ));
        }
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
                    let plans = &issuer.policy.plans;
                    if let Some(plan) = &request.plan
                        && !plans.iter().any(|known| known.name == *plan)
                    {
                        let known: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
                        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                        return Err(Error::invalid(
                            Field::Plan,
                            format!("{} has these plans: {known}", issuer.policy.name),
                        ));
                    }
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

    /// All accounts by slug, or those whose slug or name contains `filter`; at most `limit`, after the slug `after`.
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
