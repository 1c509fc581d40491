//! Operators and their roles.

use serde_json::json;

use super::change::Change;
use super::permit::{may, permit};
use super::{Error, Field, Result, Service};
use crate::domain::audit::Action;
use crate::domain::key::OperationId;
use crate::domain::operator::{Operator, Permission, Role};
use crate::domain::text::{check_name, composed};
use crate::store::{Location, Tx};

impl Service {
    pub async fn operators(&self) -> Result<Vec<Operator>> {
        self.look().await?;
        let mut operators = self.inner.store.operators().await?;
        operators.iter_mut().for_each(|operator| self.find_login(operator));
        Ok(operators)
    }

    /// Gives an operator a role, making the operator if need be. The last admin keeps the role.
    pub async fn set_operator(&self, operation: OperationId, name: &str, role: Role) -> Result<Operator> {
        let name = check_name(name).map_err(|e| Error::invalid(Field::Operator, e))?;
        let there = self.change(operation, SetRole { name: name.clone(), role: Some(role) }).await?;
        let mut operator = there.ok_or_else(|| Error::no_operator(&name))?;
        self.find_login(&mut operator);
        Ok(operator)
    }

    /// On SQLite the operating system says who there is.
    fn find_login(&self, operator: &mut Operator) {
        if let Location::Sqlite(_) = self.inner.store.location() {
            // What can't be found out is no reason to warn.
            operator.login = !matches!(nix::unistd::User::from_name(&operator.name), Ok(None));
        }
    }

    /// Takes all rights from an operator. The last admin can't be removed.
    pub async fn remove_operator(&self, operation: OperationId, name: &str) -> Result<()> {
        self.change(operation, SetRole { name: composed(name), role: None }).await.map(drop)
    }
}

struct SetRole {
    name: String,
    /// `None`: no operator any more.
    role: Option<Role>,
}

impl Change for SetRole {
    type Answer = Option<Operator>;

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Option<Operator>> {
        let Self { name, role } = self;
        // Asked before the lock, which a viewer's login may not take, and again behind it: whoever held it may just have
        // taken this right away.
        may(tx, Permission::ChangeOperators, "change operators")?;
        tx.lock_operators().await?;
        permit(tx, Permission::ChangeOperators, "change operators").await?;
        if !tx.seen().await? {
            let before = keep_an_admin(tx, name, *role).await?;
            match (before, role) {
                (None, None) => return Err(Error::no_operator(name)),
                (before, role) if before == *role => {}
                // The audit first: who gives up the right has it until then.
                (before, Some(role)) => {
                    tx.lock_operator(name).await?;
                    let detail = json!({ "role": role, "before": before });
                    tx.record(Action::OperatorSet, name.as_str(), detail).await?;
                    tx.write_owed().await?;
                    tx.put_operator(name, *role).await?;
                }
                (before, None) => {
                    tx.lock_operator(name).await?;
                    tx.record(Action::OperatorRemove, name.as_str(), json!({ "before": before })).await?;
                    tx.write_owed().await?;
                    tx.delete_operator(name).await?;
                }
            }
        }
        Ok(tx.operators().await?.into_iter().find(|operator| operator.name.as_str() == name.as_str()))
    }
}

/// Refuses a change that would leave the database without an admin; answers with the role that `name` has.
pub(super) async fn keep_an_admin(tx: &mut Tx, name: &str, role: Option<Role>) -> Result<Option<Role>> {
    let all = tx.operators().await?;
    let before = all.iter().find(|operator| *operator.name == *name).map(|operator| operator.role);
    let stays = before != Some(Role::Admin) || role == Some(Role::Admin);
    if !stays && others(&all, name).next().is_none() {
        return Err(Error::Refused(format!("{name} is the only admin. Make somebody else an admin first")));
    }
    Ok(before)
}

/// Refuses, on PostgreSQL, to let the last admin go whose login opens a connection: nobody could let them in again.
pub(super) async fn keep_an_admin_with_a_login(tx: &mut Tx, name: &str) -> Result<()> {
    let all = tx.operators().await?;
    let goes = all.iter().any(|one| *one.name == *name && one.role == Role::Admin && one.login);
    let others: Vec<&Operator> = others(&all, name).collect();
    if !goes || others.is_empty() || others.iter().any(|operator| operator.login) {
        return Ok(());
    }
    let names: Vec<&str> = others.iter().map(|operator| operator.name.as_str()).take(3).collect();
    Err(Error::Refused(format!(
        "{name} is the only admin whose login opens a connection: the server lets nobody in as {}. Give one of them a login, or \
         make somebody else an admin first",
        names.join(" or ")
    )))
}

/// The admins beside this one.
fn others<'a>(all: &'a [Operator], name: &'a str) -> impl Iterator<Item = &'a Operator> {
    all.iter().filter(move |operator| *operator.name != *name && operator.role == Role::Admin)
}
