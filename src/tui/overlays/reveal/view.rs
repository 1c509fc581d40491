//! The reveal's picture.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::{Stage, State, Way};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::expiry::Overlap;
use crate::domain::key::CLAIM_TIME;
use crate::domain::secret::DOTS;
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::fit;

/// Empty columns at the left.
const MARGIN: u16 = 2;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        frame.render_widget(Clear, area);
        frame.render_widget(Block::new().style(styles.of(Role::Background)), area);
        let columns = area.width.saturating_sub(2 * MARGIN);
        // What is asked or was said last is there in any case: on a low screen it takes the room of what is known.
        let (stage, cursor) = self.stage_lines(shell, columns);
        let height = u16::try_from(stage.len()).unwrap_or(area.height).min(area.height);
        let above = Rect { height: area.height - height, ..area };
        let mut page = Page { at: area.y, area: above, columns };
        let policy = shell.issuer(&self.key.issuer).map(|issuer| &issuer.policy);
        let noun = policy.map_or("API key", |policy| policy.wording.noun.as_str());

        page.space();
        let account = crate::domain::text::SafeText::new(self.key.account.clone());
        let title = vec![
            Span::styled(format!("New {noun}: "), styles.of(Role::Muted)),
            Span::styled(self.key.name.as_str(), styles.of(Role::Title)),
            Span::styled(format!("  account {account}"), styles.of(Role::Muted)),
        ];
        page.line(frame, Line::from(title));
        page.space();
        let secret = Position { x: area.x + MARGIN, y: page.at.min(area.bottom().saturating_sub(1)) };
        self.draw_secret(shell, frame, &mut page);
        page.space();
        page.words(
            frame,
            &format!(
                "This is the only time it is shown. If you leave without copying it, revoke this {noun} and create another one."
            ),
            styles.of(Role::Warning),
        );
        if policy.is_some_and(|policy| policy.fully_privileged()) {
            let words = format!("It has no scopes: this {noun} is fully privileged on its account.");
            page.words(frame, &words, styles.of(Role::Warning));
        }
        page.words(frame, &self.deadline(shell), styles.of(Role::Text));
        if let Some((old, overlap, own)) = &self.replaces {
            let words = match overlap {
                Overlap::None => {
                    format!("It replaces {old}, which stops working as soon as you are done here.")
                }
                overlap if own.is_some_and(|own| own <= shell.now + overlap.duration()) => {
                    format!("It replaces {old}, which keeps working until it expires.")
                }
                overlap => {
                    let long = overlap.as_str();
                    format!("It replaces {old}, which keeps working for {long} after you are done here.")
                }
            };
            page.words(frame, &words, styles.of(Role::Text));
        }
        if let Some(check) = &self.check {
            page.space();
            let key = shell.keymap.key(Action::CopyCheck);
            page.words(frame, &format!("To check it ({key} copies this line):"), styles.of(Role::Muted));
            page.words(frame, check, styles.of(Role::Info));
        }
        page.space();
        let place = Rect { y: page.at.min(above.bottom()), height, x: area.x + MARGIN, width: columns };
        frame.render_widget(Paragraph::new(stage), place.intersection(area));
        // On the question, if one is asked; else on the secret.
        frame.set_cursor_position(match (cursor, self.stage) {
            (None, Stage::Show | Stage::Closing) => secret,
            (column, _) => Position { x: place.x + column.unwrap_or(0), y: place.y },
        });
    }

    /// The secret, with nothing beside it. Where the terminal is too narrow it goes on in the next line.
    fn draw_secret(&self, shell: &Shell, frame: &mut Frame, page: &mut Page) {
        let style = shell.styles.of(Role::Secret);
        if self.hidden {
            page.line(frame, Line::styled(DOTS, style));
            return;
        }
        // Borrowed slices of the secret, never a String: what is left on the screen's buffer the next picture overwrites.
        let mut rest = self.secret.expose();
        while !rest.is_empty() {
            let cut = rest.char_indices().nth(page.columns.into()).map_or(rest.len(), |(at, _)| at);
            let (part, after) = rest.split_at(cut);
            page.line(frame, Line::styled(part, style));
            rest = after;
        }
    }

    fn deadline(&self, shell: &Shell) -> String {
        let ends = self.key.created_at + CLAIM_TIME;
        let left = (ends - shell.now).num_seconds();
        let at = times::exact(ends, shell.utc);
        let done = shell.keymap.key(Action::Done);
        match left {
            ..=0 => format!("Not confirmed within 10 minutes: unless it was used, it expired at {at}."),
            1..60 => {
                format!(
                    "Unless you press {done} (done) or the key is used, it expires in less than a minute."
                )
            }
            _ => format!(
                "Unless you press {done} (done) or the key is used, it expires in {} min, at {at}.",
                (left + 59) / 60
            ),
        }
    }

    /// The question or the last message, and the column of the cursor if its first line is being typed.
    fn stage_lines(&self, shell: &Shell, columns: u16) -> (Vec<Line<'static>>, Option<u16>) {
        let styles = &shell.styles;
        let words = |words: &str, role| fit::lines(words, columns.into(), styles.of(role));
        match self.stage {
            Stage::Path => {
                let (text, cursor) = self.path.visible(columns.saturating_sub(20));
                let label = "Write to new file ";
                let room = usize::from(columns).saturating_sub(fit::width(label));
                let mut lines = vec![Line::from(vec![
                    Span::styled(label, styles.of(Role::LabelFocus)),
                    Span::styled(fit::pad(&text, room), styles.of(Role::InputFocus)),
                ])];
                lines.extend(words("It gets mode 0600. An existing file is not overwritten.", Role::Muted));
                (lines, Some(u16::try_from(fit::width(label)).unwrap_or(0) + cursor))
            }
            Stage::Leave(way) => {
                let (yes, no) = (shell.keymap.key(Action::Yes), shell.keymap.key(Action::No));
                let (what, go) = match way {
                    Way::Leave => ("Leave", "leave"),
                    Way::Quit => ("Quit", "quit"),
                    Way::Done => ("Done", "done, I have it"),
                };
                let question = format!(
                    "{what} without the secret? It was neither copied nor written, and can't be shown again."
                );
                let mut lines = words(&question, Role::Danger);
                let discard = shell.keymap.key(Action::Discard);
                let choices = format!("{yes} {go}   {no} stay   {discard} revoke it");
                lines.extend(words(&choices, Role::Text));
                (lines, None)
            }
            Stage::Discard => {
                let (yes, no) = (shell.keymap.key(Action::Yes), shell.keymap.key(Action::No));
                let wording = shell.issuer(&self.key.issuer).map(|issuer| issuer.policy.wording.clone());
                let wording = wording.unwrap_or_else(|| shell.wording());
                let (verb, noun) = (&wording.revoke, &wording.noun);
                let question = format!("{verb} this new {noun} immediately? This can't be undone.");
                let mut lines = words(&question, Role::Danger);
                if self.replaces.is_some() {
                    lines.extend(words("The key that it was to replace keeps working.", Role::Text));
                }
                lines.extend(words(&format!("{yes} {}   {no} stay", verb.to_lowercase()), Role::Text));
                (lines, None)
            }
            Stage::Show | Stage::Closing => {
                let lines = self.said.as_ref().map(|(severity, said)| words(said, severity.role()));
                (lines.unwrap_or_default(), None)
            }
        }
    }
}

/// Lines below each other, as far as there is room.
struct Page {
    at: u16,
    area: Rect,
    columns: u16,
}

impl Page {
    fn line(&mut self, frame: &mut Frame, line: Line<'_>) {
        if self.at < self.area.bottom() {
            let place = Rect { x: self.area.x + MARGIN, y: self.at, width: self.columns, height: 1 };
            frame.render_widget(Paragraph::new(line), place.intersection(self.area));
            self.at += 1;
        }
    }

    fn words(&mut self, frame: &mut Frame, words: &str, style: ratatui::style::Style) {
        for line in fit::lines(words, self.columns.into(), style) {
            self.line(frame, line);
        }
    }

    fn space(&mut self) {
        self.at += 1;
    }
}
