//! The settings of the console: changed at once, and saved when asked.

use std::borrow::Cow;

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use strum::VariantArray;

use crate::config::keymap::{Action, Context};
use crate::config::theme::{Role, Theme};
use crate::tui::choices::Choice;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::views::OfKeys;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::fit;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

/// Columns for who decided a setting: `--no-mouse`, `config.toml:12`.
const DECIDED: usize = 16;

#[derive(Debug)]
pub struct State {
    form: Form<Choice>,
    themes: Vec<Theme>,
    /// How the table of keys stands.
    keys: OfKeys,
}

/// Opens the settings; the themes are asked for.
pub fn open(shell: &mut Shell, number: u64, keys: OfKeys) -> Opened {
    let state = State { form: Form::new(Choice::Theme), themes: Vec::new(), keys };
    let folder = shell.themes.clone();
    Opened::new(state, vec![shell.ask(To::Overlay(number), Request::Themes(folder)).1])
}

impl State {
    /// Gives a setting the value that comes so many places after its own.
    fn turn(&mut self, shell: &mut Shell, choice: Choice, by: isize) -> Vec<Effect> {
        let names: Vec<String> = self.themes.iter().map(|theme| theme.name.clone()).collect();
        let values = choice.values(&names);
        if values.is_empty() {
            if choice == Choice::Columns {
                shell.open(Opening::Columns);
            }
            return Vec::new();
        }
        let now = choice.now(shell, self.keys);
        let at = match values.iter().position(|value| *value == now) {
            Some(at) => (at as isize + by).rem_euclid(values.len() as isize) as usize,
            None => 0,
        };
        choice.set(shell, &mut self.keys, &self.themes, &values[at])
    }

    /// What the settings files have holds again.
    fn forget(&mut self, shell: &mut Shell, choice: Choice) -> Vec<Effect> {
        match shell.kept.forget(choice.name()) {
            Some(below) => choice.set(shell, &mut self.keys, &self.themes, &below),
            None => Vec::new(),
        }
    }

    /// Whether the setting is another one than the files have.
    fn is_new(&self, shell: &Shell, choice: Choice) -> bool {
        shell.kept.is_new(choice.name(), &choice.now(shell, self.keys))
    }

    /// Leaves; what was changed holds until the console ends.
    fn close(&self, shell: &mut Shell) {
        if Choice::VARIANTS.iter().any(|choice| self.is_new(shell, *choice)) {
            let key = shell.keymap.key(Action::SaveChoices);
            let words = format!("Settings apply until you quit; {key} saves them for the next start.");
            shell.toast(Severity::Info, words);
        }
        shell.close();
    }

    fn row(&self, shell: &Shell, choice: Choice, columns: usize) -> Line<'static> {
        let styles = &shell.styles;
        let focus = self.form.on(choice);
        let shown = choice.shown(&choice.now(shell, self.keys));
        let (text, role) = match (focus, choice) {
            (true, Choice::Columns) => (format!("  {shown}  Enter chooses them"), Role::InputFocus),
            (true, _) => (format!("← {shown} →"), Role::InputFocus),
            (false, _) => (format!("  {shown}"), Role::Text),
        };
        let (decided, mark) = match self.is_new(shell, choice) {
            true => ("not saved".to_owned(), Role::Warning),
            false => (shell.kept.decided(choice.name()), Role::Muted),
        };
        let room = columns.saturating_sub(DECIDED + 1);
        Line::from(vec![
            Span::styled(fit::pad(&text, room), styles.of(role)),
            Span::raw(" "),
            Span::styled(fit::pad(&decided, DECIDED), styles.of(mark)),
        ])
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn typing(&self) -> bool {
        false
    }

    fn reply(&mut self, shell: &mut Shell, _: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Themes { themes, faults } = reply {
            self.themes = themes;
            if let Some(why) = faults.first() {
                shell.toast(Severity::Warning, why.clone());
            }
        }
        Vec::new()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Input::Key(key) = input else { return Vec::new() };
        let field = self.form.field();
        if let Some(choice) = field {
            match key.event.code {
                KeyCode::Backspace | KeyCode::Delete => return self.forget(shell, choice),
                KeyCode::Enter if choice == Choice::Columns => return self.turn(shell, choice, 0),
                _ if key.action == Some(Action::Toggle) => return self.turn(shell, choice, 1),
                _ => {}
            }
        }
        match self.form.press(key, Choice::VARIANTS, false) {
            Pressed::Close => self.close(shell),
            Pressed::Go => {
                shell.close();
                shell.act(Action::SaveChoices);
            }
            Pressed::Sideways(by) => {
                return field.map(|choice| self.turn(shell, choice, by)).unwrap_or_default();
            }
            Pressed::Text(_) | Pressed::Nothing => {}
        }
        Vec::new()
    }

    fn label(&self, _: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        match action {
            Action::Toggle if self.form.on_button() => None,
            Action::Toggle => Some("change".into()),
            Action::Submit => Some("save".into()),
            Action::CloseForm => Some("close".into()),
            _ => Some(label.into()),
        }
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("info"))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 68, 17);
        for choice in Choice::VARIANTS {
            let line = self.row(shell, *choice, sheet.field_columns());
            sheet.lines(choice.title(), vec![line], self.form.on(*choice).then_some(0));
        }
        sheet.space();
        let about = match self.form.field() {
            Some(choice) => {
                let outranked = shell.kept.outranked(choice.name());
                let outranked = outranked.map(|who| format!(" {who} overrides the saved value."));
                format!("{}{}", choice.about(), outranked.unwrap_or_default())
            }
            None => {
                "Changes apply immediately. Saving keeps them for the next start, in saved.toml.".to_owned()
            }
        };
        // The buttons keep their place, however many lines that takes.
        let lines = fit::wrap(&about, sheet.columns());
        for place in 0..2 {
            let text = lines.get(place).cloned().unwrap_or_default();
            sheet.line(Line::styled(text, styles.of(Role::Text)), false);
        }
        sheet.words(Role::Muted, "←→ change it   Bksp as the settings files have it");
        sheet.space();
        sheet.line(self.form.line(styles, Button::new("Save"), "Close"), self.form.on_button());
        sheet.draw(frame, "Settings", Role::DialogBorder);
    }
}
