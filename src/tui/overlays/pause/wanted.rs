//! Which keys are meant, what can be chosen, and what a yes sends.

use super::{Focus, State, What, said};
use crate::domain::key::{Key, KeyId};
use crate::domain::pause::Lasting;
use crate::service::{Field, Looked};
use crate::tui::effect::{Effect, PauseRequest, Request, To};
use crate::tui::overlays::how_long::{self, SPANS, USUAL};
use crate::tui::shell::Shell;
use crate::tui::view::reach;
use crate::tui::wish::Asking;
use crate::tui::words::Severity;

impl State {
    /// The keys as far as they are known.
    pub(super) fn keys(&self) -> &[Key] {
        self.looked.as_ref().map_or(self.known.as_slice(), |looked| &looked.keys[..])
    }

    fn is_paused(key: &Key, shell: &Shell) -> bool {
        !key.has_ended(shell.now) && key.paused.as_ref().is_some_and(|pause| pause.holds(shell.now))
    }

    /// Those of the keys that it is done to.
    pub(super) fn targets(&self, shell: &Shell) -> Vec<KeyId> {
        let Some(looked) = &self.looked else { return self.ids.clone() };
        let concerned = looked.keys.iter().filter(|key| match self.what {
            What::Resume => Self::is_paused(key, shell),
            _ => !key.has_ended(shell.now),
        });
        concerned.map(|key| key.id).collect()
    }

    /// What can be chosen.
    pub(super) fn offered(&self, shell: &Shell) -> Vec<What> {
        let paused = self.resume || self.keys().iter().any(|key| Self::is_paused(key, shell));
        let mut offered = Vec::new();
        if paused {
            offered.push(What::Resume);
        }
        if !self.resume {
            offered.extend((0..SPANS.len()).map(What::For));
            offered.push(What::Other);
        }
        offered
    }

    /// Offers what is most likely meant, unless the person has chosen.
    pub(super) fn offer(&mut self, shell: &Shell) {
        let keys = self.keys();
        let all = keys.len() == self.ids.len() && keys.iter().all(|key| Self::is_paused(key, shell));
        let offered = self.offered(shell);
        let what = if self.resume || all { What::Resume } else { What::For(USUAL) };
        if !self.chosen || !offered.contains(&self.what) {
            if self.what != what {
                self.wish.changed();
            }
            self.what = what;
        }
    }

    pub(super) fn look(&mut self, shell: &mut Shell) -> Effect {
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Reach(self.ids.clone()));
        self.reaching = Some(id);
        effect
    }

    /// Takes in what the keys are now. What differs from what was shown before is told, and has to be answered anew.
    pub(super) fn take_look(&mut self, shell: &mut Shell, looked: Option<Box<Looked>>) {
        let Some(looked) = looked else {
            self.amiss = Some("What these keys do can't be looked up: try again in a moment.".into());
            return;
        };
        let before = self.looked.as_deref().filter(|_| self.several());
        if let Some(words) = reach::moved(before, &looked) {
            self.amiss = Some(words);
            self.count.clear();
            self.wish.changed();
        }
        self.looked = Some(looked);
        self.offer(shell);
        if let Some(words) = said::hopeless(&self.ids, self.keys(), self.resume, shell) {
            shell.toast(Severity::Info, words);
            shell.close();
        }
    }

    pub(super) fn counted(&self, shell: &Shell) -> bool {
        !self.several() || self.count.value().trim() == self.targets(shell).len().to_string()
    }

    /// How long it shall last; `None` where they are resumed.
    pub(super) fn lasting(&self, shell: &Shell) -> Result<Option<Lasting>, String> {
        let at = match self.what {
            What::Resume => return Ok(None),
            What::For(at) => Some(at),
            What::Other => None,
        };
        how_long::lasting(at, &self.other, shell.here()).map(Some)
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
        let lasting = self.lasting(shell).ok()?;
        let order = lasting.map(|lasting| how_long::order(lasting, &self.message, &self.reason));
        let keys = self.targets(shell);
        let shown = self.looked.as_ref().filter(|_| self.several()).map(|looked| looked.shown.clone());
        Some(Box::new(move |operation| {
            let (keys, order, shown) = (keys.clone(), order.clone(), shown.clone());
            Request::Pause(Box::new(PauseRequest { operation, keys, order, shown }))
        }))
    }

    pub(super) fn choose(&mut self, shell: &Shell, by: isize) {
        let offered = self.offered(shell);
        let at = offered.iter().position(|what| *what == self.what).unwrap_or(0);
        let at = at.saturating_add_signed(by).min(offered.len().saturating_sub(1));
        if let Some(what) = offered.get(at).filter(|what| **what != self.what) {
            (self.what, self.chosen) = (*what, true);
            self.edited();
        }
    }
}
