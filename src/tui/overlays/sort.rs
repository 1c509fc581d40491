//! Choosing the order of the table of keys.

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::query::{Column, Direction, Sort};
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::screens::keys::columns;
use crate::tui::shell::Shell;
use crate::tui::widgets::picker;

/// The column under the cursor, and the order that it would give.
#[derive(Debug)]
pub struct State {
    present: Sort,
    place: usize,
}

/// Opens the choice with the cursor on the present column.
pub fn open(present: Sort) -> Opened {
    let place = Column::ALL.iter().position(|column| *column == present.column).unwrap_or(0);
    Opened::new(State { present, place }, Vec::new())
}

/// The letter that sorts by a column; of the present one it turns the order round.
fn letter(column: Column) -> char {
    match column {
        Column::Status => 's',
        Column::Name => 'n',
        Column::Account => 'a',
        Column::Preview => 'k',
        Column::Scopes => 'o',
        Column::Created => 'c',
        Column::Expires => 'e',
        Column::Used => 'u',
        Column::CreatedBy => 'b',
    }
}

impl State {
    /// The present column again turns the order round.
    fn chosen(&self) -> Sort {
        let column = Column::ALL[self.place];
        let direction =
            if column == self.present.column { self.present.direction.reversed() } else { column.natural() };
        Sort { column, direction }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Picker
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        self.place = picker::turn(input.action(), self.place, Column::ALL.len());
        match input.action() {
            Some(Action::Choose) => {
                shell.sort(self.chosen());
                shell.close();
            }
            Some(Action::CancelPicker | Action::Interrupt) => shell.close(),
            None => {
                if let Input::Key(key) = input
                    && let KeyCode::Char(c) = key.event.code
                    && let Some(place) = Column::ALL.iter().position(|column| letter(*column) == c)
                {
                    self.place = place;
                    shell.sort(self.chosen());
                    shell.close();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let rows = Column::ALL.iter().copied().enumerate().map(|(i, column)| {
            let arrow = match self.chosen().direction {
                _ if i != self.place && column != self.present.column => " ",
                Direction::Ascending if i == self.place => "▲",
                Direction::Descending if i == self.place => "▼",
                _ => "•",
            };
            let marker = if i == self.place { "▌" } else { " " };
            let text = format!("{marker} {arrow} {}  {}", letter(column), columns::title(column));
            Line::styled(text, styles.of(if i == self.place { Role::Accent } else { Role::Text }))
        });
        let title = "Sort by: a letter, again to reverse";
        picker::beside(frame, styles, area, title, 40, rows.collect(), self.place);
    }
}
