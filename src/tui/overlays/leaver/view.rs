//! The leaver's page as a picture.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::State;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::{SafeText, thousands};
use crate::service::{InUse, Theirs};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::list::{self, Cell, Column, column};
use crate::tui::widgets::{dialog, fit, scroll};

const COLUMNS: &[Column] = &[
    column("Account", 16),
    column("Name", 0),
    column("Last used", 11),
    column("Theirs", 12),
    column("Then", 5),
];
/// The label before the new owner.
const LABEL: u16 = 9;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let keys = self.keys();
        let rows = u16::try_from(keys.len()).unwrap_or(u16::MAX).saturating_add(12);
        let size = Size { width: area.width.min(130), height: rows.max(12) };
        let title = format!("{} leaves", fit::cut(&SafeText::new(self.name.as_str()), 40));
        let inner = dialog::open_as(frame, styles, area, &title, size, Role::Danger);
        let width = usize::from(inner.width);
        let Some(leaver) = &self.leaver else {
            let words = self.failed.as_ref().map_or("reading what is theirs…", SafeText::as_str);
            frame.render_widget(Paragraph::new(fit::lines(words, width, styles.of(Role::Info))), inner);
            return;
        };
        let role = leaver.role.map_or("no role any more", |role| role.as_str());
        let (given, all) = (self.give.len(), keys.len());
        let head = match all {
            0 => format!("{role}; no key that works was made or is owned by them"),
            _ => format!(
                "{role}; of {} keys {} are given away and {} kept",
                thousands(all as u64),
                thousands(given as u64),
                thousands((all - given) as u64)
            ),
        };
        frame.render_widget(
            Line::styled(fit::cut(&head, width), styles.of(Role::Text)),
            Rect { height: 1, ..inner },
        );
        let lines = self.below(shell, width);
        let below = u16::try_from(lines.len()).unwrap_or(0).min(inner.height.saturating_sub(3));
        let table = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1 + below), ..inner };
        let height = list::page(table);
        let top = scroll::follow(self.at.saturating_sub(height / 2), self.at, height, all);
        let shown = &keys[top.min(all)..all.min(top + height)];
        let cells: Vec<Vec<Cell>> = shown.iter().map(|one| self.cells(shell, one)).collect();
        let given = |line: usize| shown.get(line).is_some_and(|one| self.give.contains(&one.key.id));
        if all > 0 {
            list::draw(frame, styles, table, COLUMNS, &cells, self.at.checked_sub(top), given);
            let row = u16::try_from(self.at.saturating_sub(top)).unwrap_or(0);
            frame.set_cursor_position((table.x, (table.y + 1 + row).min(table.bottom().saturating_sub(1))));
        }
        let place = Rect { y: table.bottom(), height: below, ..inner };
        frame.render_widget(Paragraph::new(lines), place);
        if self.writing && place.height > 0 {
            let (_, cursor) = self.to.visible(place.width.saturating_sub(LABEL));
            frame.set_cursor_position((place.x + LABEL + cursor, place.y));
        }
    }

    fn cells(&self, shell: &Shell, one: &Theirs) -> Vec<Cell> {
        let key = &one.key;
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| times::ago(at, shell.now));
        let theirs = match (one.owned, one.created) {
            (true, true) => "owns, made",
            (true, false) => "owns",
            _ => "made",
        };
        let then = if self.give.contains(&key.id) { ("give", Role::Info) } else { ("keep", Role::Muted) };
        vec![
            (SafeText::new(key.account.clone()).as_str().to_owned(), Role::Text),
            (key.label().to_string(), Role::Text),
            (used, Role::Muted),
            (theirs.to_owned(), Role::Muted),
            (then.0.to_owned(), then.1),
        ]
    }

    /// Who gets the keys, what was said, what shuts the login out, and the keys to press.
    fn below(&self, shell: &Shell, width: usize) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        let key = |action| shell.keymap.key(action);
        let mut lines = Vec::new();
        let role = if self.writing { Role::InputFocus } else { Role::Text };
        let columns = u16::try_from(width).unwrap_or(u16::MAX).saturating_sub(LABEL);
        let (text, _) = self.to.visible(columns);
        let empty = self.to.value().trim().is_empty() && !self.writing;
        let who = if empty && !self.give.is_empty() {
            Span::styled(
                format!("{} writes the name or the team", key(Action::GiveTo)),
                styles.of(Role::Warning),
            )
        } else if empty {
            Span::styled("nobody: every key is kept", styles.of(Role::Muted))
        } else {
            Span::styled(fit::pad(&text, usize::from(columns)), styles.of(role))
        };
        let label = if self.writing { Role::LabelFocus } else { Role::Label };
        lines.push(Line::from(vec![Span::styled("Give to  ", styles.of(label)), who]));
        if let Some(offers) = self.completing.hint(InUse::Owners, &self.to).filter(|_| self.writing) {
            lines.push(Line::styled(fit::cut(&format!("         {offers}"), width), styles.of(Role::Muted)));
        }
        if let Some(words) = self.wish.failure() {
            lines.extend(fit::lines(words, width, styles.of(Role::Error)).into_iter().take(2));
        }
        let mut say =
            |role, words: &str| lines.extend(fit::lines(words, width, styles.of(role)).into_iter().take(2));
        if let Some(login) = self.leaver.as_ref().and_then(|leaver| leaver.login.as_ref()) {
            say(Role::Muted, &format!("To lock their login: {login}"));
        }
        say(Role::Warning, "Their rights end immediately. Keys that are kept go on working.");
        if self.wish.under_way() {
            say(Role::Info, "sent; waiting for the database…");
            return lines;
        }
        let hints = [
            (Action::Yes, "take the role"),
            (Action::GiveKey, "give/keep"),
            (Action::GiveAll, "all"),
            (Action::GiveTo, "to whom"),
            (Action::Rotate, "rotate"),
            (Action::Revoke, "revoke"),
            (Action::RotateKept, "rotate kept"),
            (Action::RevokeKept, "revoke kept"),
            (Action::No, "cancel"),
        ];
        let hints: Vec<String> =
            hints.iter().map(|(action, words)| format!("{} {words}", key(*action))).collect();
        say(Role::Muted, &hints.join(" · "));
        lines
    }
}
