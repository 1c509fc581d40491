//! The form's picture.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::{Choice, Focus, Purpose, Stage, State};
use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::account::Standing;
use crate::domain::edit::{difference, reaches_gates, widened};
use crate::domain::expiry::Expiry;
use crate::domain::issuer::Policy;
use crate::domain::key::Key;
use crate::service::{Field, InUse};
use crate::tui::edits;
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::facts::Fact;
use crate::tui::widgets::picker::Item;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{choice, dialog, fit};

const COLUMNS: u16 = 74;
const LABEL: usize = 13;
/// Refusals that stand at their fields.
const AT_FIELDS: [Field; 9] = [
    Field::Name,
    Field::Description,
    Field::Scopes,
    Field::Expiry,
    Field::Allow,
    Field::Owner,
    Field::Tags,
    Field::NotBefore,
    Field::RevokeAt,
];

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        if let Some(chooser) = &self.chooser {
            let issuers = chooser.found.iter().map(|found| fit::width(&found.account.issuer));
            let issuer = issuers.max().unwrap_or(0);
            let items: Vec<Item> = chooser
                .found
                .iter()
                .map(|found| {
                    let suspended = found.account.standing == Standing::Suspended;
                    let standing = match suspended {
                        true => "suspended".into(),
                        false => format!("{} keys", found.active_keys),
                    };
                    Item {
                        name: found.account.slug.clone(),
                        note: found.account.name.as_str().to_owned(),
                        mark: format!("{}  {standing}", fit::pad(&found.account.issuer, issuer)),
                    }
                })
                .collect();
            let rows = u16::try_from(items.len().clamp(5, 14)).unwrap_or(14) + 1;
            let size = Size { width: dialog::columns(area, 66), height: rows };
            let place = dialog::open(frame, &shell.styles, area, "Whose key is it?", size);
            let hint = if chooser.loaded {
                "type a part of the account's or the issuer's name"
            } else {
                "loading…"
            };
            chooser.picker.draw(frame, &shell.styles, place, hint, &items);
            return;
        }
        let mut sheet = Sheet::new(&shell.styles, area, COLUMNS, LABEL);
        match self.stage {
            Stage::Edit => self.form(shell, &mut sheet),
            Stage::Review => self.review(shell, &mut sheet),
        }
        sheet.draw(frame, &self.title(shell), Role::DialogBorder);
    }

    fn title(&self, shell: &Shell) -> String {
        if let Some(key) = self.edited_key() {
            let review = if self.stage == Stage::Review { " · review" } else { "" };
            return format!("Edit {} · {}{review}", fit::cut(&key.name, 40), key.account);
        }
        let create = self.policy(shell).map_or_else(|| shell.wording().create, |p| p.wording.create.clone());
        match (&self.account, self.stage) {
            (Some(account), Stage::Edit) => format!("{create} · {}", account.account.slug),
            (Some(account), _) => format!("{create} · {} · review", account.account.slug),
            (None, _) => create,
        }
    }

    fn form(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        let error = |field| self.error(shell, field);
        let here = |focus| self.form.on(focus);

        let account = match &self.account {
            Some(account) => format!("{} ({})", account.account.name, account.account.slug),
            None if self.wanted.is_some() => "…".into(),
            None if self.edited_key().is_some() => String::new(),
            None => "choose with Enter".into(),
        };
        if let Purpose::Edit(editing) = &self.purpose {
            let line = Line::styled(editing.key.preview.to_string(), styles.of(Role::Text));
            sheet.lines("Key", vec![line], None);
            if editing.moved {
                let words = "Somebody else changed this key meanwhile. Fields that you did not change show the new values.";
                sheet.note(Role::Warning, words);
            }
        } else {
            let role = if here(Focus::Account) { Role::InputFocus } else { Role::Text };
            let line = Line::styled(account, styles.of(role));
            sheet.lines("Account", vec![line], here(Focus::Account).then_some(0));
            sheet.error(error(Field::Account).as_deref());
        }
        sheet.text(
            "Name",
            &self.name,
            here(Focus::Name),
            "what the key is for",
            error(Field::Name).as_deref(),
        );
        let field = &self.description;
        sheet.text(
            "Description",
            field,
            here(Focus::Description),
            "optional",
            error(Field::Description).as_deref(),
        );
        self.scopes_part(shell, sheet);
        self.expiry_part(shell, sheet);
        let wide = "any address; or 203.0.113.7, 198.51.100.0/24, 2001:db8::/32";
        sheet.text("Allow from", &self.allow, here(Focus::Allow), wide, error(Field::Allow).as_deref());
        sheet.text("Owner", &self.owner, here(Focus::Owner), "a person or a team; optional", None);
        self.offers(Focus::Owner, InUse::Owners, &self.owner, sheet);
        let wrong = error(Field::Owner);
        if self.has_mail() {
            sheet.text("Owner mail", &self.mail, here(Focus::Mail), "optional", wrong.as_deref());
        } else {
            sheet.error(wrong.as_deref());
        }
        let wrong = error(Field::Tags);
        sheet.text(
            "Tags",
            &self.tags,
            here(Focus::Tags),
            "such as prod team:data; optional",
            wrong.as_deref(),
        );
        self.offers(Focus::Tags, InUse::Tags, &self.tags, sheet);
        for (label, at, field, text, hint) in [
            (
                "Works from",
                Focus::NotBefore,
                Field::NotBefore,
                &self.begins,
                "at once; or 3h, tomorrow 09:00, 2027-01-31",
            ),
            (
                "Revoked at",
                Focus::RevokeAt,
                Field::RevokeAt,
                &self.ends,
                "not planned; or 7d, 2027-01-31 18:00",
            ),
        ] {
            sheet.text(label, text, here(at), hint, error(field).as_deref());
        }
        if self.has_limits() {
            let wrong = error(Field::Budgets);
            let hint = "such as 100/1m 5000/1h; empty: what the policy gives";
            sheet.text("Budgets", &self.limits, here(Focus::Limits), hint, wrong.as_deref());
        }
        if let Purpose::Like(Some(like)) = &self.purpose {
            for note in &like.notes {
                sheet.words(Role::Warning, &format!("{note}."));
            }
        }
        if self.edited_key().is_some() {
            sheet.failure(self.wish.failure_besides(&AT_FIELDS));
        }
        sheet.space();
        sheet.line(self.form.line(styles, Button::new("Review"), "Cancel"), self.form.on_button());
    }

    /// What the word before the cursor may become.
    fn offers(&self, at: Focus, known: InUse, field: &TextField, sheet: &mut Sheet<'_>) {
        let offers = self.completing.hint(known, field).filter(|_| self.form.on(at));
        if let Some(offers) = offers {
            sheet.note(Role::Muted, &offers);
        }
    }

    fn scopes_part(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let Some(policy) = self.policy(shell) else { return };
        if policy.fully_privileged() {
            let style = shell.styles.of(Role::Warning);
            sheet.lines("Scopes", fit::lines(&fully_privileged(policy), sheet.field_columns(), style), None);
            return;
        }
        let focus = self.form.on(Focus::Scopes);
        let lines = self.scopes.lines(&shell.styles, focus);
        sheet.lines("Scopes", lines, focus.then(|| self.scopes.row()));
        match self.scopes.under_cursor().filter(|_| focus) {
            Some((scope, description)) => sheet.note(Role::Info, &format!("{scope}: {description}")),
            None => sheet.note(Role::Muted, &format!("{} ticked", self.scopes.scopes().len())),
        }
        sheet.error(self.error(shell, Field::Scopes).as_deref());
    }

    fn expiry_part(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let choices = self.choices(shell);
        if choices.is_empty() {
            return;
        }
        let choices: Vec<String> = choices
            .into_iter()
            .map(|choice| match choice {
                Choice::Keep => "as it is".into(),
                Choice::One(expiry) => words(expiry),
                Choice::Other => "other".into(),
            })
            .collect();
        let focus = self.form.on(Focus::Expiry);
        let lines = choice::lines(&shell.styles, &choices, self.expiry, focus, sheet.field_columns());
        sheet.lines("Expires", lines, focus.then_some(0));
        let custom = self.is_custom(shell);
        let error = self.error(shell, Field::Expiry);
        if custom {
            let focus = self.form.on(Focus::Custom);
            let hint = match self.edited_key() {
                Some(_) => "+90d is longer by that; 90d from now; 2027-01-31; never",
                None => "90d, 12w, 2027-01-31, 2027-01-31T18:00Z",
            };
            sheet.text("", &self.custom, focus, hint, error.as_deref());
        } else {
            sheet.error(error.as_deref());
        }
        if self.edited_key().is_some() {
            if let (None, Ok(key)) = (error, self.would_be(shell)) {
                sheet.note(Role::Muted, &ends(key.expires_at.map_or(Expiry::Never, Expiry::At), shell));
            }
        } else if let (None, Ok(expiry)) = (error, self.chosen_expiry(shell)) {
            sheet.note(Role::Muted, &ends(expiry, shell));
        }
    }

    /// What would be another than it is.
    fn review_edit(&self, shell: &Shell, sheet: &mut Sheet<'_>, key: &Key) {
        let styles = &shell.styles;
        let mut list = vec![
            Fact::new(styles, "Key", key.preview.as_str()),
            Fact::new(styles, "Account", format!("{} ({})", key.account, key.issuer)),
        ];
        let mut gates = false;
        if let Ok(new) = self.would_be(shell) {
            let changed = difference(key, &new);
            gates = reaches_gates(&changed);
            list.extend(edits::facts(shell, &changed, &widened(key, &new)));
        }
        sheet.facts(&list);
        sheet.space();
        let words = match gates {
            true => "Gates use it from the next request on. The secret stays the same.",
            false => "This does not affect requests. The secret stays the same.",
        };
        sheet.words(Role::Muted, words);
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        sheet.failure(self.wish.failure());
        sheet.space();
        let save = if self.wish.under_way() { "Saving…" } else { "Save changes" };
        sheet.line(self.form.line(styles, Button::new(save), "Back"), true);
    }

    fn review(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        if let Some(key) = self.edited_key() {
            return self.review_edit(shell, sheet, key);
        }
        let (Some(account), Some(policy)) = (&self.account, self.policy(shell)) else { return };
        let scopes = self.scopes.scopes();
        let allow = self.allow.value().trim();
        let mut list = vec![
            Fact::new(styles, "Account", format!("{} ({})", account.account.name, account.account.slug)),
            Fact::new(styles, "Issuer", policy.name.clone()),
            Fact::new(styles, "Name", crate::domain::text::SafeText::new(self.name.value().trim()).as_str()),
        ];
        if !self.description.value().trim().is_empty() {
            let text = crate::domain::text::SafeText::new(self.description.value().trim());
            list.push(Fact::new(styles, "Description", text.as_str()));
        }
        if policy.fully_privileged() {
            list.push(Fact::new(styles, "Scopes", fully_privileged(policy)).role(styles, Role::Warning));
        } else {
            let text = scopes.iter().collect::<Vec<_>>().join(", ");
            list.push(Fact::new(
                styles,
                "Scopes",
                format!("{} of {}: {text}", scopes.len(), policy.scopes.len()),
            ));
        }
        if let Ok(expiry) = self.chosen_expiry(shell) {
            list.push(Fact::new(styles, "Expires", ends(expiry, shell)));
        }
        let networks = crate::domain::network::Networks::parse(allow).map(|list| list.to_string());
        list.push(match networks {
            Ok(text) if !text.is_empty() => Fact::new(styles, "Allow from", text),
            _ => Fact::new(styles, "Allow from", "any address"),
        });
        if let Some(wish) = self.request(shell) {
            let budgets = wish.limits.to_string();
            let at = |at: Option<Instant>| at.map(|at| ends(Expiry::At(at), shell)).unwrap_or_default();
            let more = [
                ("Owner", wish.owner.map(|owner| owner.words()).unwrap_or_default()),
                ("Tags", wish.tags.to_string()),
                ("Works from", at(wish.plan.not_before)),
                ("Revoked at", at(wish.plan.revoke_at)),
                ("Budgets", budgets),
            ];
            list.extend(
                more.into_iter()
                    .filter(|(_, text)| !text.is_empty())
                    .map(|(name, text)| Fact::new(styles, name, text)),
            );
        }
        sheet.facts(&list);
        sheet.space();
        let words =
            "The secret is shown once, right after this. Have ready the place where you will store it.";
        sheet.words(Role::Muted, words);
        sheet.failure(self.wish.failure());
        sheet.space();
        let create = policy.wording.create.as_str();
        let create = if self.wish.under_way() { "Creating…" } else { create };
        sheet.line(self.form.line(styles, Button::new(create), "Back"), true);
    }
}

/// The sentence that a policy without scopes owes the operator (VG-05).
fn fully_privileged(policy: &Policy) -> String {
    format!("none: this {} is fully privileged; it may do everything on its account", policy.wording.noun)
}

/// A choice as people say it.
fn words(expiry: Expiry) -> String {
    match expiry {
        Expiry::Never => "Never expires".into(),
        Expiry::Days(1) => "1 day".into(),
        Expiry::Days(365) => "1 year".into(),
        Expiry::Days(days) => format!("{days} days"),
        Expiry::At(at) => at.format("%Y-%m-%d %H:%M UTC").to_string(),
    }
}

/// The exact instant in UTC and, beside it, in the viewer's zone (decision 1).
fn ends(expiry: Expiry, shell: &Shell) -> String {
    let Some(at) = expiry.instant(shell.now) else {
        return "never: it works until somebody revokes it".into();
    };
    let text = format!("{}, {}", times::exact(at, true), times::relative(at, shell.now));
    let local = times::exact(at, false);
    if shell.utc || local.ends_with("+00:00") { text } else { format!("{text}; here {local}") }
}
