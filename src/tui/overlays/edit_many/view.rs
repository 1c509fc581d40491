//! The form's picture.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Focus, Stage, State};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::thousands;
use crate::tui::edits;
use crate::tui::shell::Shell;
use crate::tui::view::reach;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::facts::Fact;
use crate::tui::widgets::sheet::Sheet;

const COLUMNS: u16 = 74;
const LABEL: usize = 15;
/// So many keys are shown with what changes of them.
const SHOWN: usize = 3;
/// So many of the busiest are named.
const BUSIEST: usize = 2;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let mut sheet = Sheet::new(&shell.styles, area, COLUMNS, LABEL);
        let keys = thousands(self.ids.len() as u64);
        let title = match self.stage {
            Stage::Edit => {
                self.form(shell, &mut sheet);
                format!("Edit {keys} keys")
            }
            Stage::Review => {
                self.review(shell, &mut sheet);
                format!("Edit {keys} keys · review")
            }
        };
        sheet.draw(frame, &title, Role::DialogBorder);
    }

    fn form(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        sheet.words(Role::Muted, "Empty fields stay as they are on each key. Secrets stay the same.");
        if self.ended > 0 {
            sheet.words(Role::Warning, &self.ended_words());
        }
        sheet.space();
        for (label, at, hint) in [
            ("Expires", Focus::Expires, "+90d is longer by that; 90d from now; 2027-01-31; never"),
            ("Add scopes", Focus::AddScopes, "such as calls:read calls:write"),
            ("Remove scopes", Focus::RemoveScopes, ""),
            ("Allow from", Focus::Allow, "networks to add, such as 203.0.113.0/24; any: from anywhere"),
            ("No longer from", Focus::Disallow, "networks to remove, as written on the keys"),
            ("Owner", Focus::Owner, "a person or a team; none removes it"),
            ("Owner mail", Focus::Mail, "none removes it"),
            ("Add tags", Focus::Tag, "such as prod team:data"),
            ("Remove tags", Focus::Untag, ""),
            (
                "Works from",
                Focus::NotBefore,
                "3h; tomorrow 09:00; 2027-01-31; +3h is later by that; none: at once",
            ),
            ("Revoked at", Focus::RevokeAt, "7d; 2027-01-31 18:00; +7d is later by that; none cancels that"),
        ] {
            let error = self.error(shell, at);
            let field = &self.texts[at as usize];
            sheet.text(label, field, self.form.on(at), hint, error.as_deref());
            let offers = super::known(at).filter(|_| self.form.on(at));
            if let Some(offers) = offers.and_then(|known| self.completing.hint(known, field)) {
                sheet.note(Role::Muted, &offers);
            }
        }
        if let Some(failure) = self.amiss.as_ref().or_else(|| self.wish.failure_besides(&super::AT_FIELDS)) {
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        sheet.line(self.form.line(styles, Button::new("Review"), "Cancel"), self.form.on_button());
    }

    fn ended_words(&self) -> String {
        match self.ended {
            1 => "One more that you chose has ended: it stays as it is.".into(),
            many => {
                format!("{} more that you chose have ended: they stay as they are.", thousands(many as u64))
            }
        }
    }

    fn review(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        self.changes(shell, sheet);
        if let Some(looked) = &self.looked {
            sheet.space();
            sheet.facts(&reach::facts(styles, Some(looked), false, BUSIEST));
        }
        sheet.space();
        if self.ids.len() > 1 {
            let list = shell.keymap.key(Action::ShowReach);
            let placeholder = format!("type {} to confirm; {list} lists all", self.ids.len());
            let count = &self.texts[Focus::Count as usize];
            sheet.text("How many", count, self.form.on(Focus::Count), &placeholder, None);
        }
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        if let Some(failure) = self.amiss.as_ref().or(self.wish.failure()) {
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        if self.wish.under_way() {
            sheet.words(Role::Info, "sent; waiting until the database has changed all of them, or none…");
        } else {
            let yes = format!("Edit {} keys", thousands(self.ids.len() as u64));
            sheet.line(self.form.line(styles, Button::new(&yes), "Back"), self.form.on_button());
        }
    }

    /// How many keys change in which field, and the first of them in full.
    fn changes(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        let changed = || self.tried.iter().filter(|one| !one.changed.is_empty());
        let mut fields: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for one in changed() {
            for field in one.changed.keys() {
                let (all, wider) = fields.entry(field.as_str()).or_default();
                *all += 1;
                *wider += usize::from(one.widened.contains(&field.as_str()));
            }
        }
        if fields.is_empty() && self.wish.beforehand().is_none() && self.wish.failure().is_none() {
            sheet.words(Role::Info, "checking what would change…");
        }
        let keys = |number: usize| match number {
            1 => "1 key".to_owned(),
            many => format!("{} keys", thousands(many as u64)),
        };
        let facts: Vec<Fact> = fields
            .into_iter()
            .map(|(field, (all, wider))| {
                let fact = |words| Fact::new(styles, edits::heading(field), words);
                match wider {
                    0 => fact(format!("changes on {}", keys(all))),
                    _ if wider == all => fact(format!("changes on {}  {}", keys(all), edits::WIDER))
                        .role(styles, Role::Warning),
                    _ => fact(format!("changes on {}, {} of them  {}", keys(all), keys(wider), edits::WIDER))
                        .role(styles, Role::Warning),
                }
            })
            .collect();
        sheet.facts(&facts);
        if self.ended > 0 {
            sheet.words(Role::Warning, &self.ended_words());
        }
        // What it comes to stays in sight, however much is listed.
        sheet.pin();
        for one in changed().take(SHOWN) {
            sheet.space();
            let text = format!("{}  {}  {}", one.key.preview, one.key.name, one.key.account);
            sheet.words(Role::Text, &text);
            sheet.facts(&edits::facts(shell, &one.changed, &one.widened));
        }
    }
}
