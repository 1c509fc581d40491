//! Open overlaps: each old key beside its replacement, and who still uses the old one. The one that ends next comes first.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Action;
use crate::domain::key::{Key, KeyId};
use crate::domain::query::{Column, Completion, Direction, Query, QueryError, Sort};
use crate::domain::rotation::Rotation;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::service::{From, PageRequest, RotationRow, Rotations};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RotationRequest, Timer, To};
use crate::tui::listing::{Chunk, Listing, Part, Rows, Source};
use crate::tui::opening::{About, Opening};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::screens::of_keys;
use crate::tui::shell::Shell;
use crate::tui::words::ScreenId;

#[cfg(test)]
mod tests;
mod view;

const ME: To = To::Screen(ScreenId::Rotations);
/// How often it is read anew while it is shown: that keys are used is no news that comes by itself.
const LOOK: Duration = Duration::from_secs(30);
const SORT: Sort = Sort { column: Column::Expires, direction: Direction::Ascending };

#[derive(Debug, Default)]
struct Overlaps;

impl Source for Overlaps {
    type Row = RotationRow;
    /// The old key's.
    type Id = KeyId;
    type Filter = Query;

    const SCREEN: ScreenId = ScreenId::Rotations;
    const ABOUT: Subjects = Subjects::KEYS.and(Subjects::ACCOUNTS).and(Subjects::ISSUERS);
    const FILTER: Option<&'static str> = Some("words, or account:acme used:<1h idle:6h expires:<4h by:ada");
    const MARKS: bool = true;
    const BOTH_WAYS: bool = true;

    fn id(row: &RotationRow) -> KeyId {
        row.rotation.old.id
    }

    fn parse(text: &str, here: Here) -> Result<Query, QueryError> {
        Query::parse(text, here)
    }

    fn parts(filter: &Query) -> Vec<&str> {
        filter.parts()
    }

    fn complete(shell: &Shell, rows: &[RotationRow], text: &str, cursor: usize) -> Option<Completion> {
        Some(of_keys::complete(shell, rows.iter().map(|row| &row.rotation.old), text, cursor))
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<RotationRow>>> {
        let chunk = |page: Rotations| Chunk {
            rows: page.rows,
            at: page.at,
            more_before: page.more_before,
            more_after: Some(page.more_after),
        };
        Some(reply.try_as_rotations()?.map(chunk))
    }

    fn keys<'i>(ids: impl Iterator<Item = &'i KeyId>) -> Option<Vec<KeyId>> {
        Some(ids.copied().collect())
    }

    fn state(shell: &Shell, row: &RotationRow) -> &'static str {
        if row.rotation.silent(shell.now).is_some() || row.rotation.old.last_used_at.is_none() {
            "silent"
        } else {
            "in use"
        }
    }

    fn fate(shell: &Shell, row: &RotationRow) -> String {
        match row.rotation.old.has_ended(shell.now) {
            true => of_keys::fate(shell, &row.rotation.old),
            false => "no longer in an overlap".into(),
        }
    }

    fn request(&self, query: &Query, part: Part<'_, RotationRow>, limit: u32) -> Request {
        let from = match part {
            Part::Start => From::Start,
            Part::End => From::End,
            Part::At(row) => From::At(row.cursor.clone()),
            Part::After(row) => From::After(row.cursor.clone()),
            Part::Before(row) => From::Before(row.cursor.clone()),
            Part::Around(row) => From::Around(row.rotation.old.id),
        };
        let page = PageRequest { query: query.clone(), sort: SORT, from, limit };
        Request::Rotation(Box::new(RotationRequest::Page(page)))
    }
}

/// The overlaps that the filter fits.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Overlaps>,
    /// Whether a timer will read them anew.
    looking: bool,
}

impl Screen for State {
    its_rows!();

    fn place(&self, shell: &Shell) -> Rect {
        view::list_of(shell)
    }

    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        let page = self.page(shell);
        let mut effects = self.rows.changed(shell, touched, page);
        effects.extend(self.look_later());
        effects
    }

    fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        if timer != Timer::Of(ME) {
            return Vec::new();
        }
        self.looking = false;
        if shell.screen != ScreenId::Rotations {
            return Vec::new();
        }
        let page = self.page(shell);
        let mut effects: Vec<Effect> = self.rows.refresh(shell, page).into_iter().collect();
        effects.extend(self.look_later());
        effects
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::CloseOverlap => {
                let (ids, known) = self.chosen();
                if !ids.is_empty() {
                    let states = self.words(shell);
                    shell.open(Opening::CloseOverlaps { ids, known, states });
                }
            }
            Action::ExtendOverlap => {
                let (ids, known) = self.chosen();
                if !ids.is_empty() {
                    shell.open(Opening::ExtendOverlaps { ids, known });
                }
            }
            Action::TellAdmins if self.rows.takes_one(shell, "Telling admins") => {
                if let Some(row) = self.rows.selected() {
                    let old = row.rotation.old.clone();
                    of_keys::tell(shell, &old);
                }
            }
            Action::Open | Action::GoToKey => {
                if let Some(row) = self.rows.selected() {
                    shell.filter(About::key(row.rotation.old.id).filter);
                }
            }
            Action::OpenReplacement => {
                if let Some(row) = self.rows.selected() {
                    shell.filter(About::key(row.rotation.new.id).filter);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.draw_all(shell, frame, area);
    }
}

impl State {
    fn look_later(&mut self) -> Option<Effect> {
        let again = !std::mem::replace(&mut self.looking, true);
        again.then(|| Effect::SetTimer { timer: Timer::Of(ME), after: LOOK })
    }

    fn selected(&self) -> Option<&Rotation> {
        self.rows.selected().map(|row| &row.rotation)
    }

    /// The old keys of the marked overlaps, else of the selected one; and those of them that are at hand.
    fn chosen(&self) -> (Vec<KeyId>, Vec<Key>) {
        let known = self.rows.chosen_rows().into_iter().map(|row| row.rotation.old.clone());
        (self.rows.chosen(), known.collect())
    }

    /// Who still uses what is to be closed, in words.
    fn words(&self, shell: &Shell) -> String {
        match self.rows.chosen_rows().as_slice() {
            [row] => view::use_words(&row.rotation, shell.now),
            rows => {
                let used = |row: &&&RotationRow| Overlaps::state(shell, row) == "in use";
                match rows.iter().filter(used).count() {
                    0 => "None of the old keys was used within the last minute.".into(),
                    1 => "1 of the old keys is in use right now.".into(),
                    many => format!("{many} of the old keys are in use right now."),
                }
            }
        }
    }
}
