//! Choosing the columns of the table of keys, seen at once behind.

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::tui::effect::Effect;
use crate::tui::fields::Field;
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::screens::keys::columns::{self, CHOSEN_WIDTH};
use crate::tui::shell::Shell;
use crate::tui::widgets::picker;
use crate::tui::words::Severity;

/// The column under the cursor, and what was chosen before.
#[derive(Debug)]
pub struct State {
    place: usize,
    before: Option<Vec<Field>>,
}

pub fn open(shell: &Shell) -> Opened {
    Opened::new(State { place: 0, before: shell.columns.clone() }, Vec::new())
}

/// The letter that shows a column, or hides it.
fn letter(field: Field) -> char {
    match field {
        Field::Status => 's',
        Field::Name => 'n',
        Field::Account => 'a',
        Field::Owner => 'w',
        Field::Tags => 't',
        Field::Issuer => 'i',
        Field::Preview => 'k',
        Field::Scopes => 'o',
        Field::Allow => 'l',
        Field::CreatedBy => 'b',
        Field::Created => 'c',
        Field::Expires => 'e',
        Field::Usage => 'g',
        Field::Used => 'u',
    }
}

/// Those that are shown: the chosen ones, else those that there is room for.
fn shown(shell: &Shell) -> Vec<Field> {
    shell.columns.clone().unwrap_or_else(|| columns::automatic(shell.size.width))
}

fn toggle(shell: &mut Shell, field: Field) {
    let mut fields = shown(shell);
    match fields.iter().position(|one| *one == field) {
        // Without its name nobody knows a key.
        Some(_) if field == Field::Name => {
            shell.toast(Severity::Info, "The name is always shown.");
            return;
        }
        Some(place) => {
            fields.remove(place);
        }
        None => fields.push(field),
    }
    fields.sort_by_key(|one| *one as usize);
    shell.columns = Some(fields);
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Picker
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        self.place = picker::turn(input.action(), self.place, Field::ALL.len());
        match input.action() {
            Some(Action::Choose) => {
                if shell.columns != self.before {
                    let key = shell.keymap.key(Action::SaveChoices);
                    shell.toast(Severity::Info, format!("{key} saves the columns for the next start"));
                }
                shell.close();
            }
            Some(Action::CancelPicker | Action::Interrupt) => {
                shell.columns = self.before.take();
                shell.close();
            }
            None => {
                let Input::Key(key) = input else { return Vec::new() };
                match key.event.code {
                    KeyCode::Char(' ') => toggle(shell, Field::ALL[self.place]),
                    KeyCode::Backspace => shell.columns = None,
                    KeyCode::Char(c) => {
                        if let Some(place) = Field::ALL.iter().position(|field| letter(*field) == c) {
                            self.place = place;
                            toggle(shell, Field::ALL[place]);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let shown = shown(shell);
        let fits = columns::layout(shell.size.width, None, shell.columns.as_deref());
        let mut lines: Vec<Line<'static>> = Vec::new();
        for (at, field) in Field::ALL.iter().copied().enumerate() {
            let marker = if at == self.place { "▌" } else { " " };
            let tick = if shown.contains(&field) { "[x]" } else { "[ ]" };
            let room = !shown.contains(&field) || fits.iter().any(|slot| slot.field == field);
            let note = if room { "" } else { " (no room)" };
            let title = field.title(CHOSEN_WIDTH);
            let text = format!("{marker} {tick} {}  {title}{note}", letter(field));
            lines.push(Line::styled(
                text,
                styles.of(if at == self.place { Role::Accent } else { Role::Text }),
            ));
        }
        for words in ["Space or a letter shows, hides", "Bksp as the width allows"] {
            lines.push(Line::styled(format!("  {words}"), styles.of(Role::Muted)));
        }
        picker::beside(frame, styles, area, "Columns", 36, lines, self.place);
    }
}
