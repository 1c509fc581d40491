//! Any command by its name.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Theme;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::widgets::dialog;
use crate::tui::widgets::picker::{self, Item, Picked, Picker};

#[cfg(test)]
mod tests;
mod told;

use told::{Does, Verb};

/// The search and the commands that hold where it was opened.
#[derive(Debug)]
pub struct State {
    number: u64,
    picker: Picker,
    commands: Vec<Command>,
    /// The themes, once they were asked for; `None` until they have come.
    themes: Option<Vec<Theme>>,
    asked: bool,
}

/// What was chosen.
#[derive(Debug)]
enum Chosen {
    Acts(Action),
    Does(Does),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Command {
    action: Action,
    item: Item,
    /// What a search is compared with.
    text: String,
    /// Other words for it.
    also: &'static str,
}

/// Opens the palette with the commands that hold at `context`.
pub fn open(shell: &Shell, number: u64, context: Context) -> Opened {
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
            also: entry.also,
        })
        .collect();
    let state = State { number, picker: Picker::default(), commands, themes: None, asked: false };
    Opened::new(state, Vec::new())
}

impl State {
    /// The commands that fit, best first.
    fn found(&self) -> Vec<&Command> {
        let words = self.picker.search.value();
        // Whoever types a word for it means it.
        let typed = words.trim().to_lowercase();
        let begins = |command: &&(usize, &Command)| {
            let own = command.1.item.name.split(' ').chain(command.1.also.split(' '));
            !typed.is_empty()
                && (command.1.item.name.starts_with(&typed) || own.into_iter().any(|one| one == typed))
        };
        let all: Vec<(usize, &Command)> = self.commands.iter().enumerate().collect();
        let mut places: Vec<usize> = all.iter().filter(begins).map(|(place, _)| *place).collect();
        let longer = |command: &&(usize, &Command)| {
            typed.chars().count() > 2 && command.1.also.split(' ').any(|one| one.starts_with(&typed))
        };
        places.extend(all.iter().filter(longer).map(|(place, _)| *place));
        // What fits the name comes before what only fits the sentence.
        places.extend(picker::rank(words, self.commands.iter().map(|command| command.item.name.as_str())));
        for place in picker::rank(words, self.commands.iter().map(|command| command.text.as_str())) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        places.retain(|place| seen.insert(*place));
        places.into_iter().map(|place| &self.commands[place]).collect()
    }

    /// A command with something behind its name, if that is what is typed.
    fn verb(&self) -> Option<(Verb, &str)> {
        told::verb(self.picker.search.value())
    }

    /// What can be chosen: as it is shown, and what it does.
    fn choices(&self, shell: &Shell) -> Vec<(Item, Chosen)> {
        match self.verb() {
            Some((verb, rest)) => {
                let choices = told::choices(shell, verb, rest, self.themes.as_deref());
                choices.into_iter().map(|(item, does)| (item, Chosen::Does(does))).collect()
            }
            None => {
                let found = self.found().into_iter();
                found.map(|command| (command.item.clone(), Chosen::Acts(command.action))).collect()
            }
        }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Picker
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let choices = self.choices(shell);
        match self.picker.take(&input, choices.len()) {
            Picked::Closed => shell.close(),
            Picked::Chosen if !input.hurried() => match choices.into_iter().nth(self.picker.at) {
                // What it can't do is told, and stays to be mended.
                Some((_, Chosen::Does(does @ Does::Nothing(_)))) => does.carry_out(shell),
                Some((_, chosen)) => {
                    shell.close();
                    match chosen {
                        Chosen::Acts(action) => shell.act(action),
                        Chosen::Does(does) => does.carry_out(shell),
                    }
                }
                None => {}
            },
            _ => {}
        }
        if matches!(self.verb(), Some((Verb::Theme, _))) && !std::mem::replace(&mut self.asked, true) {
            let request = Request::Themes(shell.themes.clone());
            return vec![shell.ask(To::Overlay(self.number), request).1];
        }
        Vec::new()
    }

    fn reply(&mut self, _: &mut Shell, _: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Themes { themes, .. } = reply {
            self.themes = Some(themes);
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let items: Vec<Item> = self.choices(shell).into_iter().map(|(item, _)| item).collect();
        let size = Size { width: dialog::columns(area, 76), height: 16 };
        let place = dialog::open(frame, &shell.styles, area, "Commands", size);
        self.picker.draw(
            frame,
            &shell.styles,
            place,
            "type what you want to do, or: keys account:acme · sort used · theme light",
            &items,
        );
    }
}
