//! What several keys are and do, in a question about them.

use crate::config::theme::Role;
use crate::domain::text::SafeText;
use crate::service::Looked;
use crate::tui::styles::Styles;
use crate::tui::widgets::facts::Fact;

/// What they do; that they are in use stands out. How many there are of each state the question says by itself.
pub fn facts(styles: &Styles, looked: Option<&Looked>, looking: bool, busiest: usize) -> Vec<Fact> {
    let lines = match looked {
        Some(looked) => looked.reach.lines(busiest),
        None if looking => vec![("In use", "looking…".to_owned())],
        None => vec![("In use", "not known: it could not be looked up".to_owned())],
    };
    let lines = lines.into_iter().filter(|(name, _)| *name != "Keys");
    lines
        .map(|(name, words)| {
            let fact = Fact::new(styles, name, words);
            if name == "In use" { fact.role(styles, Role::Warning) } else { fact }
        })
        .collect()
}

/// What differs from what was shown before: it has to be answered anew.
pub fn moved(before: Option<&Looked>, now: &Looked) -> Option<SafeText> {
    let moved = before?.shown.check(now.keys.iter()).err()?;
    Some(format!("Since you opened this: {}. Look again, then answer.", moved.words).into())
}
