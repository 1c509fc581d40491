//! What a person should know of a key before changing it.

use super::times;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::key::{Key, Status};
use crate::domain::text::SafeText;
use crate::service::Found;
use crate::tui::shell::Shell;
use crate::tui::widgets::facts::Fact;

/// Name, owner, status and use. Preview and id are never cut.
pub fn of(shell: &Shell, key: &Key) -> Vec<Fact> {
    let styles = &shell.styles;
    let account = SafeText::new(key.account.clone());
    let mut list = vec![
        Fact::new(styles, "Name", key.name.as_str()),
        Fact::new(styles, "Account", format!("{account} ({})", SafeText::new(key.issuer.clone()))),
        Fact::new(styles, "Key", key.preview.as_str()),
        Fact::new(styles, "Id", key.id.to_string()),
    ];
    if !key.odd.is_empty() {
        list.push(Fact::new(styles, "Unreadable", key.odd.as_str()).role(styles, Role::Danger));
    }
    let status = key.status(shell.now);
    if status != Status::Active {
        let since = key.ends_at().filter(|_| key.has_ended(shell.now));
        let since = since.map(|at| format!(" since {}", times::exact(at, shell.utc))).unwrap_or_default();
        let why = if status == Status::Refused { ": its policy has no such prefix any more" } else { "" };
        let held = key.held(shell.now).filter(|_| status == Status::Paused).map(|pause| pause.words());
        let later = key.starts_at(shell.now).filter(|_| status == Status::Planned);
        let later = later.map(|at| format!("planned: it works from {} on", times::exact(at, shell.utc)));
        let words = held.or(later).unwrap_or_else(|| format!("{}{why}{since}", status.as_str()));
        list.push(Fact::new(styles, "Status", words).role(styles, Role::Warning));
    }
    if let Some(plan) = key.plan_ahead(shell.now) {
        let words = format!("{} as {} planned", times::exact(plan.at, shell.utc), plan.by);
        list.push(Fact::new(styles, "Revoked at", words).role(styles, Role::Warning));
    }
    if let Some(words) = undone(shell, key) {
        list.push(Fact::new(styles, "Undone", words).role(styles, Role::Danger));
    }
    list.push(match key.last_used_at {
        None => Fact::new(styles, "Last used", "never").role(styles, Role::Muted),
        Some(at) => {
            let from = key.last_used_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
            let ago = times::ago(at, shell.now);
            let recent = shell.now - at < chrono::Duration::days(1);
            let fact =
                Fact::new(styles, "Last used", format!("{ago}{from}, {}", times::exact(at, shell.utc)));
            if recent { fact.role(styles, Role::Warning) } else { fact }
        }
    });
    let by = &key.created_by;
    list.push(Fact::new(styles, "Created", format!("{} by {by}", times::exact(key.created_at, shell.utc))));
    list
}

/// That this key was revoked, and a restored backup undid it; `None` where that is not so.
pub fn undone(shell: &Shell, key: &Key) -> Option<String> {
    let undone = shell.undone.iter().find(|undone| undone.was.key == key.id)?;
    let was = Some(&undone.was).filter(|_| key.revoked_at.is_none())?;
    let (at, by) = (times::exact(was.at, shell.utc), &was.by);
    let again = shell.keymap.key(Action::Restored);
    Some(format!("revoked at {at} by {by}; a restored backup undid that. {again} revokes it again"))
}

/// What a key may do that has no scopes; `None` if it has some.
pub fn without_scopes(shell: &Shell, key: &Key) -> Option<&'static str> {
    let full = || shell.issuer(&key.issuer).is_some_and(|issuer| issuer.policy.fully_privileged());
    key.scopes.is_empty().then(|| if full() { "everything on its account" } else { "none" })
}

/// All that somebody must know who found the key exposed: besides, what it may do and until when, whom to tell, and how it
/// ended.
pub fn of_exposed(shell: &Shell, found: &Found) -> Vec<Fact> {
    let styles = &shell.styles;
    let key = &found.key;
    let mut list = of(shell, key);
    let scopes = without_scopes(shell, key).map_or_else(|| key.scopes.to_string(), str::to_owned);
    list.push(Fact::new(styles, "Scopes", scopes));
    let expires = key.expires_at.map_or_else(|| "never".to_owned(), |at| times::exact(at, shell.utc));
    list.push(Fact::new(styles, "Expires", expires));
    if !found.admins.is_empty() {
        let admins: Vec<&str> = found.admins.iter().map(SafeText::as_str).collect();
        list.push(Fact::new(styles, "Tell", admins.join(", ")));
    }
    if let Some(revoked) = key.revoked(shell.now) {
        let why = revoked.reason.filter(|why| !why.is_empty());
        let why = why.map_or_else(|| ", no reason given".to_owned(), |why| format!(": {why}"));
        let (at, by) = (times::exact(revoked.at, shell.utc), revoked.by_whom());
        list.push(Fact::new(styles, "Revoked", format!("{at}{by}{why}")));
    }
    list
}
