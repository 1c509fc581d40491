//! What a person should know of a key before changing it.

use super::times;
use crate::config::theme::Role;
use crate::domain::key::{Key, Status};
use crate::domain::text::SafeText;
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
    let status = key.status(shell.now);
    if status != Status::Active {
        let since = key.ends_at().filter(|_| key.has_ended(shell.now));
        let since = since.map(|at| format!(" since {}", times::exact(at, shell.utc))).unwrap_or_default();
        let words = format!("{}{since}", status.as_str());
        list.push(Fact::new(styles, "Status", words).role(styles, Role::Warning));
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
