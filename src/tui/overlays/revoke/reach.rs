//! What several keys are and do, in the question about them.

use super::State;
use crate::config::theme::Role;
use crate::tui::effect::{Effect, Request, To};
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::widgets::facts::Fact;
use crate::tui::widgets::sheet::Sheet;

/// So many of the busiest are named.
const BUSIEST: usize = 3;

impl State {
    /// Asks what several keys are and do: who decides about them should see it first.
    pub(super) fn reach_out(&mut self, shell: &mut Shell) -> Option<Effect> {
        let many = self.several().then(|| self.ids.clone())?;
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Reach(many));
        self.reaching = Some(id);
        Some(effect)
    }

    /// What the keys are and do; as many lines while it is looked up, so that nothing jumps when it comes.
    pub(super) fn draw_reach(&self, sheet: &mut Sheet<'_>, styles: &Styles) {
        let lines = match &self.reach {
            Some(reach) => reach.lines(BUSIEST),
            None if self.reaching.is_some() => vec![("In use", "looking…".to_owned())],
            None => vec![("In use", "not known: it could not be looked up".to_owned())],
        };
        sheet.space();
        let facts: Vec<Fact> = lines
            .into_iter()
            .filter(|(name, _)| *name != "Keys")
            .map(|(name, words)| {
                let fact = Fact::new(styles, name, words);
                if name == "In use" { fact.role(styles, Role::Warning) } else { fact }
            })
            .collect();
        let reserved = sheet.height() + 5 + BUSIEST.min(self.ids.len());
        sheet.facts(&facts);
        while sheet.height() < reserved {
            sheet.space();
        }
    }
}
