//! `keyrack doctor`: what is well, what is not, and what helps.

use super::failure::{Failure, Result};
use super::output::{Column, Record, Tone};
use super::session::Session;
use crate::anchor::Anchoring;
use crate::domain::Instant;

mod contents;
mod database;
mod gate;
mod mail;
mod server;
mod terminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    Ok,
    Warning,
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    level: Level,
    what: &'static str,
    /// What was found, in words.
    found: String,
    /// What helps; empty where nothing needs help.
    cure: String,
}

impl Finding {
    fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { level: Level::Ok, what, found: super::failure::clean(&found.into()), cure: String::new() }
    }

    fn warning(what: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { level: Level::Warning, cure: cure.into(), ..Self::ok(what, found) }
    }

    fn problem(what: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { level: Level::Problem, ..Self::warning(what, found, cure) }
    }
}

pub async fn run(session: &Session, end_lock: Option<i32>) -> Result {
    if let Some(pid) = end_lock {
        return database::end_lock(session, pid).await;
    }
    let mut findings = vec![process()];
    findings.extend(database::examine(session).await);
    findings.extend(mail::examine(session).await);
    findings.extend(gate::examine(&session.settings.gate));
    findings.extend(anchors(session));
    findings.extend(terminal::examine(&|name| std::env::var(name).ok().filter(|value| !value.is_empty())));
    let problems = findings.iter().filter(|finding| finding.level == Level::Problem).count();
    session.printer().list(&findings, session.clock.now())?;
    if session.format() == super::Format::Table {
        // What helps against several is said once.
        let mut said = std::collections::HashSet::new();
        for finding in findings.iter().filter(|finding| !finding.cure.is_empty()) {
            if said.insert((finding.what, &finding.cure)) {
                super::say(&format!("{}: {}", finding.what, finding.cure));
            }
        }
    }
    match problems {
        0 => Ok(()),
        1 => Err(Failure::check("there is a problem; see above for what helps")),
        many => Err(Failure::check(format!("there are {many} problems; see above for what helps"))),
    }
}

/// Whether the secrets in this process's memory are kept from others (H15).
fn process() -> Finding {
    let cores = rustix::process::getrlimit(rustix::process::Resource::Core);
    if cores.current == Some(0) {
        Finding::ok("process", "leaves no core dump")
    } else {
        Finding::warning(
            "process",
            "a crash could write memory to a core dump",
            "run `ulimit -c 0` in the shell that starts keyrack",
        )
    }
}

/// Whether the audit can be anchored with the settings; nothing where they don't speak of it.
fn anchors(session: &Session) -> Option<Finding> {
    match Anchoring::of(&session.settings.audit) {
        Err(mistake) => Some(Finding::problem(
            "anchors",
            mistake.to_string(),
            "fix it below [audit]: no gate starts until then",
        )),
        Ok(anchoring) => anchoring.map(|anchoring| {
            Finding::ok(
                "anchors",
                format!("gates and the reminder service anchor the audit at {}", anchoring.place),
            )
        }),
    }
}

impl Record for Finding {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATE", 1, "state", |finding, _| <&str>::from(finding.level).into()),
        Column::new("WHAT", 2, "what", |finding, _| finding.what.into()),
        Column::new("FOUND", 3, "found", |finding, _| finding.found.as_str().into()),
        Column::wide("CURE", 4, "cure", |finding, _| {
            Some(finding.cure.as_str()).filter(|cure| !cure.is_empty()).into()
        }),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.level {
            Level::Ok => Tone::Good,
            Level::Warning => Tone::Warning,
            Level::Problem => Tone::Bad,
        })
    }
}
