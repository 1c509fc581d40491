//! How the form looks.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Focus, Purpose, State};
use crate::config::theme::Role;
use crate::domain::text::SafeText;
use crate::service::Field;
use crate::tui::shell::Shell;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::choice;
use crate::tui::widgets::sheet::Sheet;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 70, 12);
        let here = |focus| self.form.on(focus);
        let issuers = shell.issuers.as_deref().unwrap_or_default();
        let names: Vec<SafeText> = issuers.iter().map(|issuer| issuer.policy.name.clone().into()).collect();
        let names: Vec<&str> = names.iter().map(SafeText::as_str).collect();
        let changed = match &self.purpose {
            Purpose::Change(slug) => Some(slug.as_str()),
            Purpose::Create { .. } => None,
        };
        if names.len() > 1 && changed.is_none() {
            let focus = here(Focus::Issuer);
            let lines = choice::lines(styles, &names, self.issuer, focus, sheet.field_columns());
            sheet.lines("Issuer", lines, focus.then_some(0));
        } else if let Some(name) = names.get(self.issuer) {
            sheet.lines("Issuer", vec![Line::styled((*name).to_owned(), styles.of(Role::Text))], None);
        }
        let error = |field| self.error(field);
        let name = "the customer's name";
        sheet.text("Name", &self.name, here(Focus::Name), name, error(Field::Name).as_deref());
        match changed {
            Some(slug) => {
                sheet.lines("Slug", vec![Line::styled(slug.to_owned(), styles.of(Role::Text))], None)
            }
            None => {
                let hint = "short and permanent";
                sheet.text("Slug", &self.slug, here(Focus::Slug), hint, error(Field::Slug).as_deref());
            }
        }
        let admins = "mail addresses of its admins, e.g. ada@example.com";
        sheet.text("Admins", &self.admins, here(Focus::Admins), admins, error(Field::Admins).as_deref());
        if let Some(issuer) = self.chosen(shell).filter(|issuer| !issuer.policy.plans.is_empty()) {
            let plans = issuer.policy.plans.iter().map(|plan| SafeText::new(plan.name.clone()).to_string());
            let plans: Vec<String> = std::iter::once("none".to_owned()).chain(plans).collect();
            let focus = here(Focus::Plan);
            let lines = choice::lines(styles, &plans, self.plan, focus, sheet.field_columns());
            sheet.lines("Plan", lines, focus.then_some(0));
            sheet.error(error(Field::Plan).as_deref());
        }
        sheet.failure(self.wish.failure_besides(&[Field::Name, Field::Slug, Field::Admins, Field::Plan]));
        sheet.space();
        let (title, go, under_way) = match self.purpose {
            Purpose::Change(_) => ("Change an account", "Save", "Saving…"),
            Purpose::Create { first_run: true } => ("The first account", "Create account", "Creating…"),
            Purpose::Create { first_run: false } => ("New account", "Create account", "Creating…"),
        };
        let go = if self.wish.under_way() { under_way } else { go };
        sheet.line(self.form.line(styles, Button::new(go), "Cancel"), self.form.on_button());
        sheet.draw(frame, title, Role::DialogBorder);
    }
}
