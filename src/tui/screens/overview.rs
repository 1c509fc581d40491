//! How everything stands: a line for each thing, with what needs attention. Enter shows it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::service::{About, Matter};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId};
use crate::tui::listing::{Chunk, Empty, Listing, Part, Rows, Source};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::widgets::list::{self, column, list_area};
use crate::tui::words::ScreenId;

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
struct Lines {
    /// The zone of what is told.
    utc: bool,
}

impl Source for Lines {
    type Row = Matter;
    type Id = About;
    type Filter = ();

    const SCREEN: ScreenId = ScreenId::Overview;
    const ABOUT: Subjects = Subjects::ALL;
    const FILTER: Option<&'static str> = None;

    fn id(row: &Matter) -> About {
        row.about
    }

    fn parse(_: &str, _: Here) -> Result<(), QueryError> {
        Ok(())
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Matter>>> {
        Some(reply.try_as_overview()?.map(Chunk::whole))
    }

    fn request(&self, (): &(), _: Part<'_, Matter>, _: u32) -> Request {
        Request::Overview(self.utc)
    }
}

/// The lines.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Lines>,
    /// How many of them want a person.
    wanting: Option<usize>,
}

impl State {
    fn wants(&self) -> String {
        match self.wanting {
            None | Some(0) => "nothing needs attention".into(),
            Some(1) => "1 thing needs attention".into(),
            Some(many) => format!("{many} things need attention"),
        }
    }
}

impl Screen for State {
    its_rows!();

    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        self.rows.source.utc = shell.utc;
        let page = self.page(shell);
        self.rows.changed(shell, touched, page)
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match (action, self.rows.selected()) {
            (Action::Open, Some(row)) if row.about == About::Approvals => shell.act(Action::ShowApprovals),
            (Action::Open, Some(row)) => {
                let (screen, filter) = place(row);
                shell.show(screen, filter);
            }
            // The keys are what one looks for.
            (Action::Filter, _) => {
                shell.filter("");
                shell.act(Action::Filter);
            }
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Overview(Ok(lines)) = &reply {
            self.wanting = Some(lines.iter().filter(|line| line.wants).count());
        }
        let page = self.page(shell);
        self.rows.reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects)
    }

    fn summary(&self, _: &Shell) -> String {
        String::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let open = shell.keymap.key(Action::Open);
        let words = match self.rows.selected() {
            None => " overview".to_owned(),
            Some(row) if row.about == About::Approvals => {
                format!(" {}; {open} shows what waits", self.wants())
            }
            Some(row) => {
                let (screen, filter) = place(row);
                let of = if filter.is_empty() { String::new() } else { format!(", {filter}") };
                format!(" {}; {open} shows {}{of}", self.wants(), screen.title())
            }
        };
        self.rows.draw_bar(shell, frame, area, Line::styled(words, shell.styles.of(Role::Muted)));
        let columns = [column("", 2), column("About", 11), column("How it is", 0)];
        let empty = Empty { unfit: "", none: "Nothing to tell." };
        self.rows.draw(shell, frame, list_area(area), &columns, |row| cells(shell, row), empty);
    }
}

fn cells(shell: &Shell, row: &Matter) -> Vec<list::Cell> {
    let (sign, role) = match (row.wants, shell.ascii) {
        (true, _) => ("!", Role::Warning),
        (false, true) => ("ok", Role::Ok),
        (false, false) => ("✓", Role::Ok),
    };
    vec![
        (sign.to_owned(), role),
        (title(row.about).to_owned(), Role::Text),
        (row.what.clone(), if row.wants { role } else { Role::Muted }),
    ]
}

fn title(about: About) -> &'static str {
    match about {
        About::Keys => "Keys",
        About::Expiring => "Expiring",
        About::Rotations => "Rotations",
        About::Holds => "Freezes",
        About::Alerts => "Alerts",
        About::Gates => "Gates",
        About::Reminders => "Reminders",
        About::Sweep => "Sweep",
        About::Approvals => "Approvals",
    }
}

/// The screen that shows more of it, and with which filter.
fn place(row: &Matter) -> (ScreenId, &'static str) {
    match row.about {
        About::Keys | About::Approvals => (ScreenId::Keys, ""),
        About::Expiring => (ScreenId::Expiring, ""),
        About::Rotations => (ScreenId::Rotations, ""),
        About::Holds => (ScreenId::Keys, "status:paused"),
        // Gates stand below the alerts.
        About::Alerts | About::Gates => (ScreenId::Alerts, ""),
        About::Reminders | About::Sweep => (ScreenId::Reminders, ""),
    }
}
