//! Any command by its name.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::config::keymap::{Action, Context};
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::widgets::dialog;
use crate::tui::widgets::picker::{self, Item, Picked, Picker};

#[cfg(test)]
mod tests;

/// The search and the commands that hold where it was opened.
#[derive(Debug)]
pub struct State {
    picker: Picker,
    commands: Vec<Command>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Command {
    action: Action,
    item: Item,
    /// What a search is compared with.
    text: String,
}

/// Opens the palette with the commands that hold at `context`.
pub fn open(shell: &Shell, context: Context) -> Opened {
    let commands = shell
        .keymap
        .entries(context)
        .into_iter()
        .filter(|(_, entry, _)| entry.palette)
        .map(|(_, entry, keys)| Command {
            action: entry.action,
            item: Item {
                name: entry.action.id().replace('-', " "),
                note: entry.action.description().to_owned(),
                mark: keys.first().map(ToString::to_string).unwrap_or_default(),
            },
            text: format!("{} {}", entry.label, entry.action.description()),
        })
        .collect();
    Opened::new(State { picker: Picker::default(), commands }, Vec::new())
}

impl State {
    /// The commands that fit, best first.
    fn found(&self) -> Vec<&Command> {
        let words = self.picker.search.value();
        // What fits the name comes before what only fits the sentence.
        let mut places = picker::rank(words, self.commands.iter().map(|command| command.item.name.as_str()));
        for place in picker::rank(words, self.commands.iter().map(|command| command.text.as_str())) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.into_iter().map(|place| &self.commands[place]).collect()
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Picker
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let count = self.found().len();
        match self.picker.take(&input, count) {
            Picked::Closed => shell.close(),
            Picked::Chosen if !input.hurried() => {
                if let Some(action) = self.found().get(self.picker.at).map(|command| command.action) {
                    shell.close();
                    shell.act(action);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let items: Vec<Item> = self.found().into_iter().map(|command| command.item.clone()).collect();
        let size = Size { width: dialog::columns(area, 76), height: 16 };
        let place = dialog::open(frame, &shell.styles, area, "Commands", size);
        self.picker.draw(frame, &shell.styles, place, "type what you want to do", &items);
    }
}
