//! A revocation that is planned: not now, but then.

use std::sync::Arc;

use super::{Focus, State};
use crate::domain::Instant;
use crate::domain::edit::Edit;
use crate::domain::key::KeyId;
use crate::domain::manifest::Manifest;
use crate::domain::plan::{NewInstant, Part};
use crate::service::Field;
use crate::tui::edits;
use crate::tui::effect::{Effect, FailureKind, Reply, RequestId};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::wish::Asking;
use crate::tui::words::Severity;

impl State {
    /// The fields in the order of the screen.
    pub(super) fn fields(&self) -> Vec<Focus> {
        let mut fields = vec![Focus::When, Focus::Note, Focus::Count];
        fields.retain(|field| match field {
            Focus::When => self.may_wait(),
            Focus::Note => true,
            Focus::Count => self.several(),
        });
        fields
    }

    /// Whether it can be planned: an overlap is closed now, and what was revoked before is revoked again now.
    pub(super) fn may_wait(&self) -> bool {
        !self.closing && self.again.is_none()
    }

    /// When they shall be revoked; `None`: now.
    pub(super) fn later(&self, shell: &Shell) -> Result<Option<Instant>, String> {
        let text = self.when.value().trim();
        if text.is_empty() || text.eq_ignore_ascii_case("now") {
            return Ok(None);
        }
        Part::RevokeAt.read(text, shell.here()).map(Some).map_err(|error| error.to_string())
    }

    pub(super) fn later_error(&self, shell: &Shell) -> Option<String> {
        let refused = self.wish.refusal(Field::RevokeAt).map(|why| why.as_str().to_owned());
        refused.or_else(|| self.later(shell).err())
    }

    /// What a yes sends then. What has ended stays as it is.
    pub(super) fn ask_later(&self, shell: &Shell, at: Instant, reason: Option<String>) -> Asking {
        let edit = Edit { revoke_at: Some(NewInstant::To(Some(at))), plan_reason: reason, ..Edit::default() };
        let looked = self.looked.as_ref();
        let ended = |id: &KeyId| {
            let keys = looked.map_or(self.known.as_slice(), |looked| &*looked.keys);
            keys.iter().any(|key| key.id == *id && key.has_ended(shell.now))
        };
        let living: Vec<KeyId> = self.ids.iter().filter(|id| !ended(id)).copied().collect();
        let shown = looked
            .map_or_else(|| Arc::new(Manifest::of(&self.known, shell.now)), |looked| looked.shown.clone());
        edits::asking(if living.is_empty() { self.ids.clone() } else { living }, edit, shown)
    }

    pub(super) fn planned(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match self.wish.settle(shell, id, reply, Reply::try_as_edit) {
            Some(Ok(edited)) => {
                let effects = edits::done(shell, &edited);
                let planned = edited.iter().find_map(|one| one.key.planned.as_ref());
                if let (Some(plan), false) = (planned, effects.is_empty()) {
                    let what = match edited.as_slice() {
                        [one] => format!("{} is revoked", one.key.name),
                        many => format!("{} keys are revoked", many.len()),
                    };
                    let when = times::exact(plan.at, shell.utc);
                    shell.toast(Severity::Good, format!("{what} at {when}, unless that is cancelled before"));
                }
                effects
            }
            Some(Err(failure)) => {
                match failure.kind {
                    FailureKind::Moved => return self.reach_out(shell).into_iter().collect(),
                    FailureKind::Field(Field::RevokeAt) => self.form.go_to(Focus::When),
                    _ => {}
                }
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}
