//! What is to be tidied: a card a line, each with how many keys it has. Enter shows them in the table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::domain::when::Here;
use crate::service::Counted;
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId};
use crate::tui::listing::{Chunk, Empty, Listing, Part, Rows, Source};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::view::body::WIDE;
use crate::tui::widgets::list::{self, column, list_area, number};
use crate::tui::words::{ScreenId, Severity};

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
struct Cards;

impl Source for Cards {
    type Row = Counted;
    type Id = crate::domain::hygiene::Card;
    type Filter = ();

    const SCREEN: ScreenId = ScreenId::Hygiene;
    const ABOUT: Subjects =
        Subjects::KEYS.and(Subjects::ISSUERS).and(Subjects::OPERATORS).and(Subjects::ACCOUNTS);
    /// The table of keys has one: `/` goes there.
    const FILTER: Option<&'static str> = None;

    fn id(row: &Counted) -> Self::Id {
        row.card
    }

    fn parse(_: &str, _: Here) -> Result<(), QueryError> {
        Ok(())
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Counted>>> {
        Some(reply.try_as_hygiene()?.map(|told| Chunk::whole(told.cards)))
    }

    fn request(&self, (): &(), _: Part<'_, Counted>, _: u32) -> Request {
        Request::Hygiene
    }
}

/// The cards, and how many keys there are in all.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Cards>,
    keys: Option<u64>,
}

impl Screen for State {
    its_rows!();

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let Some(row) = self.rows.selected() else { return Vec::new() };
        match (action, &row.filter, row.count) {
            (Action::Open | Action::Filter, Some(filter), Ok(_)) => {
                let more = action == Action::Filter;
                shell.filter(format!("{filter}{}", if more { " " } else { "" }));
                if more {
                    shell.act(Action::Filter);
                }
            }
            (Action::Open | Action::Filter, _, Err(unknown)) => shell.toast(Severity::Info, unknown.words()),
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Hygiene(Ok(told)) = &reply {
            self.keys = told.keys;
        }
        let page = self.page(shell);
        self.rows.reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects)
    }

    fn summary(&self, _: &Shell) -> String {
        match self.keys {
            None => String::new(),
            Some(1) => "1 key".into(),
            Some(keys) => format!("{} keys", thousands(keys)),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let open = shell.keymap.key(Action::Open);
        let words = match self.rows.selected().map(|row| (row.count, row.card.advice())) {
            None => " keys that need attention".to_owned(),
            Some((Err(unknown), _)) => format!(" {}", unknown.words()),
            Some((Ok(_), advice)) if area.width < WIDE => format!(" {advice}"),
            Some((Ok(_), advice)) => format!(" {advice} {open} shows its keys."),
        };
        self.rows.draw_bar(shell, frame, area, Line::styled(words, shell.styles.of(Role::Muted)));
        let wide = area.width >= WIDE;
        let columns = if wide {
            vec![column("Card", 22), number("Keys", 15), column("What helps", 0), column("Filter", 45)]
        } else {
            vec![column("Card", 22), number("Keys", 15), column("Filter", 0)]
        };
        let empty = Empty { unfit: "", none: "No cards." };
        self.rows.draw(shell, frame, list_area(area), &columns, |row| cells(row, wide), empty);
    }
}

fn cells(row: &Counted, wide: bool) -> Vec<list::Cell> {
    let (number, role, words) = match row.count {
        Ok(0) => ("0".to_owned(), Role::Ok, row.card.advice()),
        Ok(keys) => (thousands(keys), Role::Warning, row.card.advice()),
        Err(unknown) => (unknown.short().to_owned(), Role::Muted, unknown.words()),
    };
    let mut cells = vec![(row.card.title().to_owned(), Role::Text), (number, role)];
    if wide {
        cells.push((words.to_owned(), Role::Muted));
    }
    cells.push((row.filter.clone().unwrap_or_else(|| "–".into()), Role::Muted));
    cells
}
