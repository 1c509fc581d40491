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
use crate::tui::widgets::picker::{Item, Picked, Picker};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

/// The themes and the one that was there before.
#[derive(Debug)]
pub struct State {
    picker: Picker,
    themes: Vec<Theme>,
    before: (String, Styles),
}

/// Asks for the themes and opens the chooser.
pub fn open(shell: &mut Shell, number: u64) -> Opened {
    let before = (shell.theme.clone(), shell.styles.clone());
    let state = State { picker: Picker::default(), themes: Vec::new(), before };
    let folder = shell.themes.clone();
    Opened::new(state, vec![shell.ask(To::Overlay(number), Request::Themes(folder)).1])
}

impl State {
    fn found(&self) -> Vec<&Theme> {
        self.picker.found(&self.themes, |theme| &theme.name)
    }

    fn preview(&self, shell: &mut Shell) {
        if let Some(theme) = self.found().get(self.picker.at) {
            shell.wear(theme);
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
            self.picker.at = self.themes.iter().position(|theme| theme.name == self.before.0).unwrap_or(0);
        }
        Vec::new()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let count = self.found().len();
        let picked = self.picker.take(&input, count);
        if picked == Picked::Closed {
            (shell.theme, shell.styles) = self.before.clone();
            shell.close();
            return vec![Effect::Repaint];
        }
        self.preview(shell);
        if picked == Picked::Chosen {
            let key = shell.keymap.key(Action::SaveChoices);
            let words = format!("theme {}; {key} saves it for the next start", shell.theme);
            shell.toast(Severity::Info, words);
            shell.close();
        }
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
        self.picker.draw(frame, &shell.styles, place, "type a theme's name", &items);
    }
}
