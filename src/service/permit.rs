//! Permission: asked for in the transaction of the change itself, so that a right just taken away is gone.

use std::sync::PoisonError;

use super::{Error, Result, Service};
use crate::domain::operator::{Identity, Permission, Role};
use crate::store::Tx;

/// Refuses unless the acting person may do `what`, in words like "create keys".
pub(super) fn permit(tx: &Tx, who: &Identity, permission: Permission, what: &'static str) -> Result<()> {
    check(tx.role(), who, permission, what)
}

fn check(role: Option<Role>, who: &Identity, permission: Permission, what: &'static str) -> Result<()> {
    if role.is_some_and(|role| role.permits(permission)) {
        return Ok(());
    }
    Err(Error::NotPermitted {
        who: crate::domain::text::SafeText::new(who.name.as_str()).to_string(),
        what,
        needs: permission.needs(),
    })
}

impl Service {
    /// Refuses strangers. Looking changes nothing, so the role that was read last will do.
    pub(super) fn may_look(&self) -> Result<()> {
        let role = *self.inner.role.lock().unwrap_or_else(PoisonError::into_inner);
        check(role, &self.inner.identity, Permission::Look, "look at this database")
    }
}
