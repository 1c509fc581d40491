//! Choosing a theme, shown at once on the screen behind.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Theme;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::widgets::dialog;
use crate::tui::widgets::picker::{self, Item};
use crate::tui::widgets::text_field::TextField;
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

/// The themes and the one that was there before.
#[derive(Debug)]
pub struct State {
    search: TextField,
    themes: Vec<Theme>,
    at: usize,
    before: (String, Styles),
}

/// Asks for the themes and opens the chooser.
pub fn open(shell: &mut Shell, number: u64) -> Opened {
    let before = (shell.theme.clone(), shell.styles.clone());
    let state = State { search: TextField::default(), themes: Vec::new(), at: 0, before };
    let folder = shell.themes.clone();
    Opened::new(state, vec![shell.ask(To::Overlay(number), Request::Themes(folder)).1])
}

impl State {
    fn found(&self) -> Vec<&Theme> {
        let names = self.themes.iter().map(|theme| theme.name.as_str());
        picker::rank(self.search.value(), names).into_iter().map(|place| &self.themes[place]).collect()
    }

    fn preview(&self, shell: &mut Shell) {
        if let Some(theme) = self.found().get(self.at) {
            shell.styles = Styles::new(theme);
            shell.theme = theme.name.clone();
        }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Picker
    }

    fn reply(&mut self, shell: &mut Shell, _: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Themes { themes, faults } = reply {
            self.themes = themes;
            if let Some(why) = faults.first() {
                shell.toast(Severity::Warning, why.clone());
            }
            self.at = self.themes.iter().position(|theme| theme.name == self.before.0).unwrap_or(0);
        }
        Vec::new()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let count = self.found().len();
        match input {
            Input::Paste(_) | Input::Click(_) => {}
            Input::Scroll { lines, .. } => self.at = picker::step(self.at, lines.signum() as isize, count),
            Input::Key(key) => match key.action {
                Some(Action::CancelPicker | Action::Interrupt) => {
                    (shell.theme, shell.styles) = self.before.clone();
                    shell.close();
                    return vec![Effect::Repaint];
                }
                Some(Action::Choose) => {
                    self.preview(shell);
                    let words =
                        format!("theme {}; to keep it, write theme = \"{0}\" into config.toml", shell.theme);
                    shell.toast(Severity::Info, words);
                    shell.close();
                    return Vec::new();
                }
                action => {
                    if let Some(by) = picker::moves(action) {
                        self.at = picker::step(self.at, by, count);
                    } else if self.search.key(key.event) {
                        self.at = 0;
                    }
                }
            },
        }
        self.preview(shell);
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let items: Vec<Item> = self
            .found()
            .into_iter()
            .map(|theme| Item {
                name: theme.name.clone(),
                note: crate::domain::text::SafeText::new(theme.description.clone()).as_str().to_owned(),
                mark: String::new(),
            })
            .collect();
        let rows = u16::try_from(self.themes.len().clamp(5, 12)).unwrap_or(12) + 1;
        let place = dialog::open(
            frame,
            &shell.styles,
            area,
            "Theme",
            Size { width: dialog::columns(area, 66), height: rows },
        );
        picker::draw(frame, &shell.styles, place, &self.search, "type a theme's name", &items, self.at);
    }
}
