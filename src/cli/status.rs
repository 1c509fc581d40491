//! `keyrack status`: what needs attention now, on one screen.

use clap::Args;

use super::failure::{Failure, Result};
use super::output::{Column, Record, Tone};
use super::session::Session;
use crate::domain::Instant;
use crate::service::{About, Matter};

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing needs attention, 6 something does.\n\
                  For a monitor: keyrack status --json | jq '.[] | select(.wants)'")]
pub struct Arguments {}

/// One thing and how it is.
struct Line(Matter);

pub async fn run(_: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let lines: Vec<Line> = service.overview(session.zone()).await?.into_iter().map(Line).collect();
    session.printer().list(&lines, service.present())?;
    let wanting: Vec<&str> = lines.iter().filter(|line| line.0.wants).map(Line::id).collect();
    match wanting.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::check(format!("1 thing needs attention: {one}"))),
        some => Err(Failure::check(format!("{} things need attention: {}", some.len(), some.join(", ")))),
    }
}

impl Line {
    fn id(&self) -> &'static str {
        self.0.about.into()
    }

    /// The command that shows more.
    fn next(&self) -> &'static str {
        match self.0.about {
            About::Keys => "key list",
            About::Expiring => "expiring --within 7d",
            About::Rotations => "rotation list",
            About::Holds => "freeze list",
            About::Alerts => "alerts list",
            About::Gates => "doctor",
            About::Reminders => "reminders list",
            About::Sweep => "reminders sweeps",
            About::Approvals => "approval list",
        }
    }
}

impl Record for Line {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("ABOUT", 1, "id", |line, _| line.id().into()),
        Column::<Self>::new("", 2, "wants", |line, _| line.0.wants.into())
            .cell(|line, _| if line.0.wants { "!".to_owned() } else { "✓".to_owned() }),
        Column::<Self>::new("HOW IT IS", 3, "what", |line, _| line.0.what.as_str().into()).whole(),
        Column::wide("COUNT", 4, "count", |line, _| line.0.count.into()),
        Column::new("MORE", 5, "next", |line, _| line.next().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(if self.0.wants { Tone::Warning } else { Tone::Good })
    }
}
