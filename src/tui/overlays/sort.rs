//! Choosing the order of the table of keys.

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::query::{Column, Direction, Sort};
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::screens::keys::columns;
use crate::tui::shell::Shell;

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
        let last = Column::ALL.len() - 1;
        match input.action() {
            Some(Action::PickUp) => self.place = self.place.checked_sub(1).unwrap_or(last),
            Some(Action::PickDown) => self.place = if self.place == last { 0 } else { self.place + 1 },
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
        let width = 40.min(area.width);
        let height = u16::try_from(Column::ALL.len() + 2).unwrap_or(area.height).min(area.height);
        let place = Rect { x: area.x + 2, y: area.y + 1, width, height }.intersection(area);
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
        let block = Block::bordered()
            .title(" Sort by: a letter, again to reverse ")
            .title_style(styles.of(Role::Title))
            .border_style(styles.of(Role::DialogBorder))
            .padding(Padding::right(1))
            .style(styles.of(Role::Background));
        frame.render_widget(Clear, place);
        frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()).block(block), place);
        let below = 1 + u16::try_from(self.place).unwrap_or(0);
        frame.set_cursor_position((place.x + 1, (place.y + below).min(place.bottom().saturating_sub(1))));
    }
}
