//! What is said of a revocation.

use super::State;
use crate::config::keymap::Action;
use crate::domain::Instant;
use crate::domain::key::Key;
use crate::domain::text::thousands;
use crate::service::Revoked;
use crate::tui::input::Input;
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::words::Severity;

/// Which of these keys a revocation would leave as they are, and why.
pub fn already(revoked: &[Revoked]) -> Option<String> {
    let before: Vec<&Key> = revoked.iter().filter(|one| one.already).map(|one| &one.key).collect();
    let by = |key: &Key| key.revoked(crate::domain::LATEST).map(|one| one.by_whom()).unwrap_or_default();
    match (before.as_slice(), revoked.len()) {
        ([], _) => None,
        ([one], 1) => Some(format!("It was revoked{} meanwhile: it stays as it is.", by(one))),
        ([one], _) => Some(format!("{} was revoked{} meanwhile: it stays as it is.", one.name, by(one))),
        (some, all) => Some(format!(
            "{} of these {} keys were revoked meanwhile: they stay as they are.",
            thousands(some.len() as u64),
            thousands(all as u64)
        )),
    }
}

/// When a key was revoked that is known to be, by hand or by plan.
fn revoked_at(key: &Key) -> Option<Instant> {
    key.revoked_at.or(key.plan().map(|plan| plan.at))
}

/// What the database was seen to hold after the revocation.
pub fn words(revoked: &[Revoked], utc: bool) -> String {
    match revoked {
        [one] => {
            let at = revoked_at(&one.key).map(|at| times::exact(at, utc)).unwrap_or_default();
            let already = if one.already { "was revoked already, at" } else { "revoked at" };
            format!("{} {already} {at}", one.key.name)
        }
        many => {
            let already = many.iter().filter(|one| one.already).count();
            let at = many.iter().filter_map(|one| revoked_at(&one.key)).max();
            let at = at.map(|at| times::exact(at, utc)).unwrap_or_default();
            let before = if already > 0 { format!(" ({already} were so before)") } else { String::new() };
            format!("{} keys revoked{before} at {at}", many.len())
        }
    }
}

impl State {
    /// Leaves, saying what was done. What the gates say later is told in the last line too.
    pub(super) fn close(&mut self, shell: &mut Shell) {
        if let Some(done) = &self.done {
            shell.toast(Severity::Good, words(&done.revoked, shell.utc));
        }
        shell.close();
    }

    /// The report of what was revoked, where that is what is asked for.
    pub(super) fn told_more(&mut self, shell: &mut Shell, input: &Input) {
        let Some(done) = self.done.as_ref().filter(|_| input.action() == Some(Action::Incident)) else {
            return;
        };
        let keys = done.revoked.iter().map(|one| one.key.id).collect();
        self.close(shell);
        shell.open(Opening::Incident(keys));
    }
}
