//! What is meant, what is wrong with it, and what a yes sends.

use super::{Focus, State, What};
use crate::domain::hold::refuses;
use crate::domain::pause::Lasting;
use crate::domain::query::Query;
use crate::service::{Field, HoldTarget};
use crate::tui::effect::{Effect, HoldRequest, Request, To};
use crate::tui::overlays::how_long;
use crate::tui::shell::Shell;
use crate::tui::wish::Asking;

impl State {
    /// What it is about.
    pub(super) fn target(&self, shell: &Shell) -> Result<HoldTarget, String> {
        let text = self.of.value().trim();
        if shell.holds_secret(text) {
            return Err("it contains a secret: remove it".into());
        }
        if self.what == What::Freeze {
            let query = Query::parse(text, shell.here()).map_err(|error| error.to_string())?;
            let empty =
                "an empty filter matches every key: write for example account:acme, or issuer:voxpria";
            return if query.terms.is_empty() { Err(empty.into()) } else { Ok(HoldTarget::Keys(query)) };
        }
        let one = |slug: &str| !slug.is_empty() && !slug.contains(|c: char| c.is_whitespace() || c == ':');
        let (account, issuer) = match text.split_once(':') {
            None if text == "all" => (None, None),
            Some(("account", slug)) if one(slug) => (Some(slug.to_owned()), None),
            Some(("issuer", slug)) if one(slug) => (None, Some(slug.to_owned())),
            _ => return Err("write account: or issuer: and the slug, or all".into()),
        };
        Ok(HoldTarget::Creation { account, issuer })
    }

    /// Counts what the filter fits, where that is another one than was counted; `again`: in any case.
    pub(super) fn count(&mut self, shell: &mut Shell, again: bool) -> Vec<Effect> {
        let Ok(HoldTarget::Keys(query)) = self.target(shell) else {
            self.fits = None;
            return Vec::new();
        };
        let same = self.fits.as_ref().is_some_and(|(counted, _)| *counted == query);
        if same && !again {
            return Vec::new();
        }
        if !same {
            self.fits = Some((query.clone(), None));
        }
        let asked = self.counting.ask(shell, To::Overlay(self.number), Request::Count(refuses(&query)));
        asked.into_iter().collect()
    }

    /// The number that has to be typed: of more than one key.
    pub(super) fn to_type(&self) -> Option<u64> {
        let (_, count) = self.fits.as_ref().filter(|_| self.what == What::Freeze)?;
        Some((*count)?.number()).filter(|number| *number > 1)
    }

    pub(super) fn lasting(&self, shell: &Shell) -> Result<Lasting, String> {
        how_long::lasting(self.span, &self.other, shell.here())
    }

    /// What is wrong with one of the texts besides.
    pub(super) fn text_error(&self, at: Focus) -> Option<String> {
        match at {
            Focus::Message => how_long::fault(&self.message, &self.wish, Field::Message),
            Focus::Reason => how_long::fault(&self.reason, &self.wish, Field::Reason),
            _ => None,
        }
    }

    /// What a yes sends.
    pub(super) fn ask(&self, shell: &Shell) -> Option<Asking> {
        if let What::Lift(n) = self.what {
            return Some(Box::new(move |operation| Request::Lift { operation, n }));
        }
        let (target, lasting) = (self.target(shell).ok()?, self.lasting(shell).ok()?);
        let order = how_long::order(lasting, &self.message, &self.reason);
        Some(Box::new(move |operation| {
            Request::Hold(Box::new(HoldRequest { operation, target: target.clone(), order: order.clone() }))
        }))
    }
}
