//! What every key does here: made from the bindings, so that it is never out of date.

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
use crate::tui::words::Severity;

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
    /// The entry under the cursor.
    at: usize,
}

/// A line, and what it is about where an entry begins.
struct Said {
    line: Line<'static>,
    entry: Option<(Context, Action)>,
}

impl From<Line<'static>> for Said {
    fn from(line: Line<'static>) -> Self {
        Self { line, entry: None }
    }
}

/// Opens the help for the place that one is at.
pub fn open(context: Context) -> Opened {
    let state = State { context, search: TextField::default(), searching: false, at: 0 };
    Opened::new(state, Vec::new())
}

impl State {
    fn lines(&self, shell: &Shell, columns: usize) -> Vec<Said> {
        let styles = &shell.styles;
        let words = self.search.value().trim().to_lowercase();
        let mut lines: Vec<Said> = Vec::new();
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
            let found =
                [entry.action.description(), entry.label, entry.action.id(), entry.also, keys.as_str()]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&words));
            if !found {
                continue;
            }
            if heading != Some(context) {
                if heading.is_some() {
                    lines.push(Line::default().into());
                }
                lines.push(Line::styled(context.title(), styles.of(Role::Header)).into());
                heading = Some(context);
            }
            let keys = if keys.is_empty() { "(no key)".to_owned() } else { keys };
            // The scroll mark stands in the last column, with a space before it.
            let text = columns.saturating_sub(KEYS + 3);
            for (place, part) in fit::wrap(entry.action.description(), text).into_iter().enumerate() {
                let keys = if place == 0 { keys.as_str() } else { "" };
                let line = Line::from(vec![
                    Span::styled(fit::pad(keys, KEYS), styles.of(Role::HintKey)),
                    Span::raw(" "),
                    Span::styled(part, styles.of(Role::Text)),
                ]);
                lines.push(Said { line, entry: (place == 0).then_some((context, entry.action)) });
            }
        }
        if lines.is_empty() {
            lines.push(Line::styled("no key or action matches", styles.of(Role::Muted)).into());
        }
        lines
    }

    /// The entries that are shown.
    fn entries(&self, shell: &Shell) -> Vec<(Context, Action)> {
        let columns = dialog::columns(body(shell), 72);
        self.lines(shell, columns.into()).into_iter().filter_map(|said| said.entry).collect()
    }

    /// Does what the entry under the cursor says, if it can be done here.
    fn run(&self, shell: &mut Shell) {
        let Some((context, action)) = self.entries(shell).get(self.at).copied() else { return };
        let holds = shell.keymap.entries(self.context).iter().any(|(_, entry, _)| entry.action == action);
        if holds {
            shell.close();
            shell.act(action);
        } else {
            let words = format!("That key does something in \"{}\", not here.", context.title());
            shell.toast(Severity::Info, words);
        }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.searching { Context::Prompt } else { Context::HelpPage }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.searching {
            self.at = 0;
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
        let hurried = input.hurried();
        let by = match input {
            Input::Scroll { lines, .. } => lines as isize,
            input => match input.action() {
                Some(Action::Search) => {
                    self.searching = true;
                    0
                }
                Some(Action::RunHelp) => {
                    if !hurried {
                        self.run(shell);
                    }
                    0
                }
                Some(Action::CloseHelp | Action::Interrupt) => {
                    shell.close();
                    0
                }
                action => scroll::step(action).unwrap_or(0),
            },
        };
        let last = self.entries(shell).len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let columns = dialog::columns(area, 72);
        let lines = self.lines(shell, columns.into());
        let size = Size { width: columns, height: area.height };
        let title = format!("Help · {}", self.context.title());
        let place = dialog::open(frame, styles, area, &title, size);
        if place.height == 0 {
            return;
        }
        let body = Rect { height: place.height - 1, ..place };
        let own = |said: &(usize, &Said)| said.1.entry.is_some();
        let here = lines.iter().enumerate().filter(own).nth(self.at).map_or(0, |(line, _)| line);
        // The heading of the first entry is seen with it.
        let height = usize::from(body.height);
        let top = scroll::follow(here.saturating_sub(height / 2), here, height, lines.len());
        let top = if here <= 1 { 0 } else { top };
        let cursor = Position { x: body.x, y: body.y + u16::try_from(here.saturating_sub(top)).unwrap_or(0) };
        let selection = styles.of(Role::Selection);
        let drawn =
            lines.into_iter().enumerate().map(|(at, said)| match at == here && said.entry.is_some() {
                true => said.line.patch_style(selection).style(selection),
                false => said.line,
            });
        scroll::draw(frame, styles, body, drawn.collect(), top);
        if !self.searching {
            frame.set_cursor_position(cursor);
        }
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
            let run = shell.keymap.key(Action::RunHelp);
            let words = format!("{search} searches, {run} does it. Your own: [keys] in config.toml");
            Line::styled(words, styles.of(Role::Muted))
        };
        frame.render_widget(line, bottom);
    }
}
