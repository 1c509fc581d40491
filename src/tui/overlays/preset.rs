//! Adding an issuer by one of the presets; on a new database the way in.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit;
use crate::domain::issuer::Policy;
use crate::domain::issuer::policy_file::all_presets;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::tui::effect::{Effect, Reply, Request, RequestId};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Made, Opening};
use crate::tui::shell::Shell;
use crate::tui::widgets::picker::{Item, Picked, Picker};
use crate::tui::widgets::{dialog, fit};
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

/// The presets that are not there yet.
#[derive(Debug)]
pub struct State {
    picker: Picker,
    presets: Vec<Policy>,
    wish: Wish,
    first_run: bool,
}

/// Offers the presets. `first_run`: with words of welcome, and the form for an account follows.
pub fn open(shell: &mut Shell, number: u64, first_run: bool) -> Opened {
    if !shell.refuse_unless(Permission::ChangeIssuers, "add issuers") {
        return Opened::refused();
    }
    let there: Vec<&str> = shell.issuers.iter().flatten().map(|issuer| issuer.slug.as_str()).collect();
    let presets: Vec<Policy> =
        all_presets().into_iter().filter(|policy| !there.contains(&policy.slug.as_str())).collect();
    if presets.is_empty() {
        let words = "every preset is already added; for your own policy: `keyrack issuer apply FILE`";
        shell.toast(Severity::Info, words);
        return Opened::refused();
    }
    let wish = Wish::new(shell, number);
    Opened::new(State { picker: Picker::default(), presets, wish, first_run }, Vec::new())
}

impl State {
    fn found(&self) -> Vec<&Policy> {
        self.picker.found(&self.presets, |policy| &policy.name)
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Picker
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let policy = self.found().get(self.picker.at).copied().cloned().map(Box::new)?;
        Some(Box::new(move |operation| Request::ApplyPolicy { operation, policy: policy.clone() }))
    }

    fn answers(&self, action: Action) -> bool {
        action == Action::Choose
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let count = self.found().len();
        if self.wish.under_way() {
            return Vec::new();
        }
        match self.picker.take(&input, count) {
            Picked::Closed => shell.close(),
            Picked::Chosen if input.confirms() => return self.send_wish(shell),
            _ => self.wish.edited(),
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_apply_policy);
        let Some(Ok(issuer)) = settled else { return Vec::new() };
        shell.close();
        shell.changed(Subjects::of(audit::Action::IssuerApply));
        let slug = issuer.slug.clone();
        shell.toast(Severity::Good, format!("issuer {} is there", SafeText::new(issuer.policy.name.clone())));
        let issuers = shell.issuers.get_or_insert_default();
        if !issuers.iter().any(|known| known.slug == slug) {
            issuers.push(*issuer);
            issuers.sort_by(|a, b| a.slug.cmp(&b.slug));
        }
        shell.made(Made::Issuer(slug.clone()));
        if self.first_run {
            shell.open(Opening::Account { issuer: Some(slug), first_run: true });
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let columns = dialog::columns(area, 72);
        let mut words: Vec<Line<'static>> = Vec::new();
        let mut say = |role, text: &str| {
            words.extend(fit::lines(text, columns.into(), styles.of(role)));
        };
        if self.first_run {
            say(
                Role::Text,
                "This database is new, and you are its admin. Choose an issuer, the product whose keys it will hold; then create its first account and key.",
            );
        } else {
            say(
                Role::Text,
                "An issuer is a product that issues keys. Its policy sets their format and what they may do.",
            );
        }
        if let Some(failure) = self.wish.failure() {
            say(Role::Error, failure);
        }
        words.push(Line::default());
        let items: Vec<Item> = self
            .found()
            .into_iter()
            .map(|policy| Item {
                name: policy.name.clone(),
                note: summary(policy),
                mark: format!("{}…", policy.format.prefix),
            })
            .collect();
        let top = u16::try_from(words.len()).unwrap_or(0);
        let rows = u16::try_from(self.presets.len().max(4)).unwrap_or(8) + 1;
        let title = if self.first_run { "Welcome to Keyrack" } else { "Add an issuer" };
        let place = dialog::open(frame, styles, area, title, Size { width: columns, height: top + rows });
        frame.render_widget(Paragraph::new(words), Rect { height: top.min(place.height), ..place });
        let below =
            Rect { y: place.y + top.min(place.height), height: place.height.saturating_sub(top), ..place };
        let hint = if self.wish.under_way() { "adding…" } else { "type a part of the name, or choose" };
        self.picker.draw(frame, styles, below, hint, &items);
    }
}

/// What sets a policy apart, in a few words.
fn summary(policy: &Policy) -> String {
    let scopes = match policy.scopes.len() {
        0 => "no scopes".to_owned(),
        count => format!("{count} scopes"),
    };
    let cap = match policy.caps.active_keys {
        Some(cap) => format!("{cap} keys per account"),
        None => "no cap".to_owned(),
    };
    format!("{scopes}, {cap}")
}
