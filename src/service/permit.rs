//! Permission: asked for in the transaction of the change itself, and held until its end: a right just taken away is gone,
//! and one that is being used is taken away afterwards.

use super::{Error, Result, Service};
use crate::domain::Instant;
use crate::domain::operator::{Identity, Permission, Role};
use crate::domain::text::SafeText;
use crate::store::Tx;

/// Refuses unless the acting person may do `what`, in words like "create keys", and keeps it so until the end.
pub(super) async fn permit(tx: &mut Tx, permission: Permission, what: &'static str) -> Result<()> {
    // A login that may only look can't lock, and is refused before.
    may(tx, permission, what)?;
    let role = tx.hold_role().await?;
    check(role, tx.who(), permission, what)
}

/// Refuses by the role as it was when the transaction began.
pub(super) fn may(tx: &Tx, permission: Permission, what: &'static str) -> Result<()> {
    check(tx.role(), tx.who(), permission, what)
}

fn check(role: Option<Role>, who: &Identity, permission: Permission, what: &'static str) -> Result<()> {
    if role.is_some_and(|role| role.permits(permission)) {
        return Ok(());
    }
    Err(Error::NotPermitted {
        who: SafeText::new(who.name.as_str()).to_string(),
        what,
        needs: permission.needs(),
    })
}

impl Service {
    /// Refuses strangers; answers the database's present. Asked of the database at each request: what was true of the
    /// last one may be true no more.
    pub(super) async fn look(&self) -> Result<Instant> {
        let (role, now) = self.role_at_present().await?;
        check(role, &self.inner.identity, Permission::Look, "look at this database")?;
        Ok(now)
    }
}
