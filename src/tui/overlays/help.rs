//! What every key does here: made from the bindings, so that it is never out of date.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::view::room::body;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{dialog, fit, scroll};

#[cfg(test)]
mod tests;

/// Columns for the keys.
const KEYS: usize = 16;

/// Which place's keys are shown, and which of them.
#[derive(Debug)]
pub struct State {
    context: Context,
    search: TextField,
    searching: bool,
    top: usize,
}

/// Opens the help for the place that one is at.
pub fn open(context: Context) -> Opened {
    let state = State { context, search: TextField::default(), searching: false, top: 0 };
    Opened::new(state, Vec::new())
}

impl State {
    fn lines(&self, shell: &Shell, columns: usize) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        let words = self.search.value().trim().to_lowercase();
        let mut lines = Vec::new();
        let mut heading = None;
        // While everything is shown, the keys of overlays come after those of the screen.
        let more = [
            Context::Form,
            Context::Dialog,
            Context::Reveal,
            Context::Prompt,
            Context::Picker,
            Context::Reader,
        ];
        let all = std::iter::once(self.context).chain(more);
        let mut seen: Vec<Action> = Vec::new();
        for (context, entry, keys) in all.flat_map(|context| shell.keymap.entries(context)) {
            if seen.contains(&entry.action) {
                continue;
            }
            seen.push(entry.action);
            let keys = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let found = [entry.action.description(), entry.label, entry.action.id(), keys.as_str()]
                .iter()
                .any(|text| text.to_lowercase().contains(&words));
            if !found {
                continue;
            }
            if heading != Some(context) {
                if heading.is_some() {
                    lines.push(Line::default());
                }
                lines.push(Line::styled(context.title(), styles.of(Role::Header)));
                heading = Some(context);
            }
            let keys = if keys.is_empty() { "(no key)".to_owned() } else { keys };
            // The scroll mark stands in the last column, with a space before it.
            let text = columns.saturating_sub(KEYS + 3);
            for (place, part) in fit::wrap(entry.action.description(), text).into_iter().enumerate() {
                let keys = if place == 0 { keys.as_str() } else { "" };
                lines.push(Line::from(vec![
                    Span::styled(fit::pad(keys, KEYS), styles.of(Role::HintKey)),
                    Span::raw(" "),
                    Span::styled(part, styles.of(Role::Text)),
                ]));
            }
        }
        if lines.is_empty() {
            lines.push(Line::styled("no key does that", styles.of(Role::Muted)));
        }
        lines
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.searching { Context::Prompt } else { Context::Reader }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.searching {
            self.top = 0;
            match input {
                Input::Paste(pasted) => {
                    self.search.paste(&pasted.line());
                }
                Input::Key(key) => match key.action {
                    Some(Action::Accept) => self.searching = false,
                    Some(Action::CancelPrompt) => {
                        self.searching = false;
                        self.search.clear();
                    }
                    _ => {
                        self.search.key(key.event);
                    }
                },
                _ => {}
            }
            return Vec::new();
        }
        let by = match input {
            Input::Scroll { lines, .. } => lines as isize,
            input => match input.action() {
                Some(Action::Search) => {
                    self.searching = true;
                    0
                }
                Some(Action::CloseReader | Action::Interrupt) => {
                    shell.close();
                    0
                }
                action => scroll::step(action).unwrap_or(0),
            },
        };
        let shown = usize::from(body(shell).height.saturating_sub(dialog::ENDS + 1));
        let last = self.lines(shell, dialog::columns(body(shell), 72).into()).len().saturating_sub(shown);
        self.top = self.top.saturating_add_signed(by).min(last);
        Vec::new()
    }

    fn label(&self, _: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        (!matches!(action, Action::GoToKey | Action::Revoke)).then(|| label.into())
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let columns = dialog::columns(area, 72);
        let lines = self.lines(shell, columns.into());
        let size = Size { width: columns, height: area.height };
        let title = format!("Keys · {}", self.context.title());
        let place = dialog::open(frame, styles, area, &title, size);
        if place.height == 0 {
            return;
        }
        let body = Rect { height: place.height - 1, ..place };
        scroll::draw(frame, styles, body, lines, self.top);
        let bottom = Rect { y: place.bottom() - 1, height: 1, ..place };
        let line = if self.searching || !self.search.is_empty() {
            let (text, cursor) = self.search.visible(bottom.width.saturating_sub(2));
            if self.searching {
                frame.set_cursor_position(Position { x: bottom.x + 2 + cursor, y: bottom.y });
            }
            Line::from(vec![
                Span::styled("/ ", styles.of(Role::Accent)),
                Span::styled(text, styles.of(Role::Text)),
            ])
        } else {
            let search = shell.keymap.key(Action::Search);
            let words = format!("{search} searches. Your own: [keys] in config.toml: revoke = \"f8\"");
            Line::styled(words, styles.of(Role::Muted))
        };
        frame.render_widget(line, bottom);
    }
}
