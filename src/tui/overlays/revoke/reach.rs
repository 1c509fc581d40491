//! What several keys are and do, in the question about them.

use std::sync::Arc;

use super::{Focus, State};
use crate::domain::key::KeyId;
use crate::domain::manifest::Manifest;
use crate::service::{CloseOverlaps, Looked, RevokeKeys, UndoneList};
use crate::tui::effect::{Effect, Request, RotationRequest, To};
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::typed::Typed;
use crate::tui::view::reach;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::Asking;

/// So many of the busiest are named.
const BUSIEST: usize = 3;

impl State {
    pub(super) fn take_undone(&mut self, list: UndoneList) {
        self.ids = list.keys().collect();
        self.known = list.undone.iter().filter_map(|undone| undone.key.clone()).collect();
        self.again = Some(list);
        if self.several() {
            self.form.go_to(Focus::Count);
        }
    }

    /// Asks what several keys are and do: who decides about them should see it first.
    pub(super) fn reach_out(&mut self, shell: &mut Shell) -> Option<Effect> {
        let many = self.several().then(|| self.ids.clone())?;
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Reach(many));
        self.reaching = Some(id);
        Some(effect)
    }

    /// Shows all of the keys.
    pub(super) fn show_all(&self, shell: &mut Shell) -> Vec<Effect> {
        shell.open(Opening::Looked { ids: self.ids.clone(), looked: self.looked.clone() });
        Vec::new()
    }

    /// The command that shows the keys, where no yes would be sent.
    pub(super) fn shown_by(&self, shell: &Shell) -> Typed {
        match (&self.again, self.ids.is_empty()) {
            (Some(_), _) | (None, true) => Typed::new("key revoke --undone"),
            (None, false) => Typed::new("key show").keys(shell, &self.ids),
        }
    }

    /// What a yes sends. `shown`: what it holds for.
    pub(super) fn ask(&self, reason: Option<String>, shown: Option<Arc<Manifest>>) -> Asking {
        match self.again.clone() {
            Some(list) => Box::new(move |operation| Request::RevokeAgain {
                operation,
                list: list.clone(),
                reason: reason.clone(),
            }),
            None if self.closing => {
                let order = CloseOverlaps { keys: self.ids.clone(), reason, shown };
                Box::new(move |operation| {
                    Request::Rotation(Box::new(RotationRequest::Close { operation, order: order.clone() }))
                })
            }
            None => asking(self.ids.clone(), reason, shown),
        }
    }

    /// Takes in what the keys are now. What differs from what was shown before is told, and has to be answered anew.
    pub(super) fn take_look(&mut self, looked: Option<Box<Looked>>) {
        if let Some(now) = &looked
            && let Some(words) = reach::moved(self.looked.as_deref(), now)
        {
            self.amiss = Some(words);
            self.count = TextField::default();
            self.wish.changed();
        }
        self.looked = looked;
    }

    /// What the keys are and do.
    pub(super) fn draw_reach(&self, sheet: &mut Sheet<'_>, styles: &Styles) {
        let facts = reach::facts(styles, self.looked.as_deref(), self.reaching.is_some(), BUSIEST);
        sheet.space();
        sheet.facts_to_come(&facts, 5 + BUSIEST.min(self.ids.len()));
    }
}

/// What revokes these keys.
pub fn asking(keys: Vec<KeyId>, reason: Option<String>, shown: Option<Arc<Manifest>>) -> Asking {
    let request = RevokeKeys { keys, reason, ticket: None, shown };
    Box::new(move |operation| Request::Revoke { operation, request: request.clone() })
}
