//! What is said of a pause.

use super::Done;
use crate::config::keymap::Action;
use crate::domain::key::{Key, KeyId};
use crate::domain::text::thousands;
use crate::service::Held;
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::words::{Severity, count};

/// Why there is nothing to ask of these keys; `None` where there is, or where not all of them are known.
pub(super) fn hopeless(ids: &[KeyId], keys: &[Key], resume: bool, shell: &Shell) -> Option<String> {
    let now = shell.now;
    if keys.len() < ids.len() {
        return None;
    }
    if keys.iter().all(|key| key.has_ended(now)) {
        return Some(match keys {
            [key] => {
                let how = key.ended(now).map_or("expired", |(how, _)| how);
                format!("{} is {how}: it can't be {}", key.name, if resume { "resumed" } else { "paused" })
            }
            _ => "All of these keys are revoked or expired.".into(),
        });
    }
    let own = |key: &Key| key.paused.as_ref().is_some_and(|pause| pause.holds(now));
    if !resume || keys.iter().any(|key| own(key) && !key.has_ended(now)) {
        return None;
    }
    let frozen = keys.iter().find_map(|key| key.frozen.as_ref().filter(|freeze| freeze.holds(now)));
    Some(match (frozen.and_then(|freeze| freeze.freeze), keys) {
        (Some(n), [key]) => {
            format!(
                "{} isn't paused but frozen: an admin lifts that with `keyrack freeze lift {n}`",
                key.name
            )
        }
        (_, [key]) => format!("{} isn't paused: there is nothing to resume", key.name),
        _ => "None of these keys is paused: there is nothing to resume.".into(),
    })
}

/// A freeze holds on when a key's own pause is over.
pub(super) fn still_frozen(held: &[Held]) -> Option<String> {
    let frozen = held.iter().filter_map(|one| one.key.frozen.as_ref());
    let number = frozen.clone().count();
    let words = frozen.max_by_key(|freeze| freeze.until)?.words();
    Some(match held.len() {
        1 => format!("But it stays {words}."),
        _ => format!("But {} of them stay refused: {words}.", thousands(number as u64)),
    })
}

/// What the database was seen to hold, and how good that is.
pub(super) fn words(done: &Done, shell: &Shell) -> (Severity, String) {
    let changed: Vec<&Key> = done.held.iter().filter(|one| one.changed).map(|one| &one.key).collect();
    let what = match changed.as_slice() {
        [one] => one.name.as_str().to_owned(),
        many => count(many.len() as u64, "key"),
    };
    if !done.paused {
        return match still_frozen(&done.held) {
            Some(frozen) => (Severity::Warning, format!("{what} resumed. {frozen}")),
            None => (Severity::Good, format!("{what} resumed")),
        };
    }
    let until = changed.iter().filter_map(|key| key.paused.as_ref()).map(|pause| pause.until).max();
    let until = until.map(|at| format!(" until {}", times::exact(at, shell.utc))).unwrap_or_default();
    let again = shell.keymap.key(Action::Resume);
    (Severity::Good, format!("{what} paused{until}; {again} resumes"))
}
