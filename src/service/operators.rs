//! Operators and their roles.

use serde_json::json;

use super::permit::{may, permit};
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::Permission;
use crate::domain::text::check_name;
use crate::store::Tx;

impl Service {
    pub async fn operators(&self) -> Result<Vec<Operator>> {
        self.may_look()?;
        Ok(self.inner.store.operators().await?)
    }

    /// Gives an operator a role, making the operator if need be. The last admin keeps the role.
    pub async fn set_operator(&self, operation: OperationId, name: &str, role: Role) -> Result<Operator> {
        let name = check_name(name).map_err(|e| Error::invalid(Field::Operator, e))?;
        self.change_operator(operation, name.clone(), Some(role)).await?;
        let all = self.inner.store.operators().await?;
        all.into_iter().find(|operator| *operator.name == *name).ok_or_else(|| Error::no_operator(&name))
    }

    /// Takes all rights from an operator. The last admin can't be removed.
    pub async fn remove_operator(&self, operation: OperationId, name: &str) -> Result<()> {
        self.change_operator(operation, name.to_owned(), None).await
    }

    async fn change_operator(&self, operation: OperationId, name: String, role: Option<Role>) -> Result<()> {
        let identity = self.inner.identity.clone();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, name) = (identity.clone(), name.clone());
                Box::pin(async move {
                    // Asked before the lock, which a viewer's login may not take, and again behind it: whoever held
                    // it may just have taken this right away.
                    may(tx, &identity, Permission::ChangeOperators, "change operators")?;
                    tx.lock_operators().await?;
                    permit(tx, &identity, Permission::ChangeOperators, "change operators").await?;
                    if tx.seen().await? {
                        return Ok(());
                    }
                    let before = keep_an_admin(tx, &name, role).await?;
                    if role.is_none() && before.is_none() {
                        return Err(Error::no_operator(&name));
                    }
                    if before == role {
                        return Ok(());
                    }
                    let (action, detail) = match role {
                        Some(role) => {
                            tx.put_operator(&name, role, &identity.name).await?;
                            (Action::OperatorSet, json!({ "role": role, "before": before }))
                        }
                        None => {
                            tx.delete_operator(&name).await?;
                            (Action::OperatorRemove, json!({ "before": before }))
                        }
                    };
                    let change =
                        Change { operation, action, subject: name, account: None, key: None, detail };
                    Ok(tx.record(&identity, &change).await?)
                })
            })
            .await
    }
}

/// Refuses a change that would leave the database without an admin; answers with the role that `name` has.
async fn keep_an_admin(tx: &mut Tx, name: &str, role: Option<Role>) -> Result<Option<Role>> {
    let all = tx.operators().await?;
    let others = all.iter().any(|operator| *operator.name != *name && operator.role == Role::Admin);
    let before = all.iter().find(|operator| *operator.name == *name).map(|operator| operator.role);
    if before == Some(Role::Admin) && role != Some(Role::Admin) && !others {
        return Err(Error::Refused(format!("{name} is the only admin. Make somebody else an admin first")));
    }
    Ok(before)
}
