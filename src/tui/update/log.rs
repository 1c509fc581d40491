//! What this console changed since it was opened.

use crate::domain::text::SafeText;
use crate::tui::log::Logged;
use crate::tui::opening::{Opening, Part};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::words::count;

/// So many changes are kept.
const MOST: usize = 1_000;

/// Takes note of a change that was answered.
pub(super) fn note(shell: &mut Shell, what: String, failure: Option<SafeText>) {
    let at = shell.now;
    shell.log.push(Logged { at, what, failure });
    if shell.log.len() > MOST {
        shell.log.remove(0);
    }
}

/// The page that tells it, newest first.
pub(super) fn page(shell: &Shell) -> Opening {
    let title = format!("Changed here: {}", count(shell.log.len() as u64, "change"));
    let mut parts: Vec<Part> = Vec::new();
    for Logged { at, what, failure } in shell.log.iter().rev() {
        let when = times::exact(*at, shell.utc);
        let words = match failure {
            None => format!("{when}  ✓ {what}"),
            Some(why) => format!("{when}  ✕ {what}: {why}"),
        };
        parts.push(Part::Words(SafeText::new(words).as_str().to_owned()));
    }
    if parts.is_empty() {
        parts.push(Part::Words("Nothing was changed here since this console was opened.".into()));
    }
    parts.extend([Part::Space, Part::Words("The audit shows every change, by everyone.".into())]);
    Opening::Reader { title, parts, about: None }
}
